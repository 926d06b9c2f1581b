import { entryOf } from './document.ts';
import type { DocumentNode } from './document.ts';
import type { SortText, TopNStepSpec } from './job-spec.ts';
import { asMap, shorten, wrongShape } from './map-reader.ts';
import { readOptions } from './option-block.ts';
import { fieldNameProblem, readExpression, readFieldNames } from './read-fields.ts';
import type { StepContext, WithoutInputs } from './step-context.ts';
import { topNOptions } from './step-options.ts';

/** `topN: {key, by, n, rank}`. */
export function readTopN(context: StepContext): WithoutInputs<TopNStepSpec> | null {
  const { base, verb, problems } = context;
  const map = asMap(verb.value, '`topN`', 'a mapping {key, by, n, rank}', problems);
  if (map === null) return null;
  const values = readOptions({ node: map, range: verb.keyRange }, topNOptions, problems);
  const key = entryOf(map, 'key');
  const by = entryOf(map, 'by');
  if (values === null || by === undefined) return null;
  const keys = key === undefined ? [] : readFieldNames(key.value, problems);
  const sorts = readSorts(by.value, context);
  if (sorts.length === 0) return null;
  const rank = readRank(entryOf(map, 'rank')?.value, context);
  return { ...base, kind: 'top-n', keys, by: sorts, count: values.n, rank };
}

function readSorts(node: DocumentNode, context: StepContext): readonly SortText[] {
  const items = node.kind === 'list' ? node.items : [node];
  if (items.length === 0) wrongShape(node, '`by`', 'an expression, or a list of them', context.problems);
  return items.flatMap((item) => {
    const whole = readExpression(item, '`by`', context);
    if (whole === null) return [];
    const [suffix, direction] = /\s+(asc|desc)\s*$/i.exec(whole.text) ?? [];
    const text = suffix === undefined ? whole : whole.upTo(whole.text.length - suffix.length);
    return [{ text, descending: direction?.toLowerCase() === 'desc' }];
  });
}

function readRank(node: DocumentNode | undefined, { limits, problems }: StepContext): TopNStepSpec['rank'] {
  if (node?.kind !== 'scalar' || node.text.isIncomplete) return null;
  const name = node.text.text;
  const problem = fieldNameProblem(name, limits['job-file.max-name-length']);
  if (problem === null) return { name, range: node.range };
  const shown = node.text.hideVariables(shorten(name));
  problems.add('MR-JOB-BAD-NAME', node.range, { what: 'the field', name: shown, problem });
  return null;
}
