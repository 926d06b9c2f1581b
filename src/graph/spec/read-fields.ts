/** Names, expressions and named texts: what the settings of most verbs hold. */
import type { JobFileLimits } from '../options.ts';
import { isEmpty } from './document.ts';
import type { DocumentNode } from './document.ts';
import type { NamedText } from './job-spec.ts';
import { asMap, asText, shorten, wrongShape } from './map-reader.ts';
import { PlacedText } from './placed-text.ts';
import type { ProblemList } from './problem.ts';
import type { TextRange } from './source-text.ts';

export interface ReadContext {
  readonly limits: JobFileLimits;
  readonly problems: ProblemList;
}

/** `key: a` or `key: [a, b]`. */
export function readFieldNames(node: DocumentNode, problems: ProblemList): readonly PlacedText[] {
  const items = node.kind === 'list' ? node.items : [node];
  if (items.length === 0) wrongShape(node, '`key`', 'a list of fields', problems);
  return items.map(
    (item) => asText(item, '`key`', 'a list of fields', problems) ?? PlacedText.unknown(item.range),
  );
}

export function readExpression(node: DocumentNode, what: string, context: ReadContext): PlacedText | null {
  const text = asText(node, what, 'an expression', context.problems);
  const limit = context.limits['job-file.max-expression-length'];
  if (text === null || text.text.length <= limit) return text;
  context.problems.add('MR-JOB-LIMIT', text.range, { what: `the length of ${what}`, given: text.text.length, limit });
  return null;
}

/** `{NAME: text, …}`; a field whose text is missing has its problem, and its name is known all the same. */
export function readNamed(
  node: DocumentNode,
  what: string,
  valueExpected: string,
  context: ReadContext,
): readonly NamedText[] {
  const { limits, problems } = context;
  const map = asMap(node, what, `a mapping {NAME: ${valueExpected}, …}`, problems);
  if (map === null) return [];
  const limit = limits['job-file.max-fields'];
  if (map.entries.length === 0 && !map.damaged) wrongShape(map, what, 'a mapping with at least one field', problems);
  if (map.entries.length > limit) {
    const given = map.entries.length;
    problems.add('MR-JOB-LIMIT', map.range, { what: `the number of fields of ${what}`, given, limit });
    return [];
  }
  const fields: NamedText[] = [];
  for (const { key, keyRange, value } of map.entries) {
    const nameProblem = fieldNameProblem(key, limits['job-file.max-name-length']);
    if (nameProblem !== null) {
      problems.add('MR-JOB-BAD-NAME', keyRange, { what: 'the field', name: shorten(key), problem: nameProblem });
    }
    const text = readNamedText(value, keyRange, `\`${shorten(key)}\``, valueExpected, context);
    fields.push({ name: key, nameRange: keyRange, text: text ?? PlacedText.unknown(value.range) });
  }
  return fields;
}

function readNamedText(
  value: DocumentNode,
  keyRange: TextRange,
  what: string,
  expected: string,
  context: ReadContext,
): PlacedText | null {
  if (isEmpty(value)) {
    wrongShape({ ...value, range: keyRange }, what, expected, context.problems);
    return null;
  }
  const text = asText(value, what, expected, context.problems);
  const limit = context.limits['job-file.max-expression-length'];
  if (text === null || text.text.length <= limit) return text;
  context.problems.add('MR-JOB-LIMIT', text.range, { what: `the length of ${what}`, given: text.text.length, limit });
  return null;
}

/** What is wrong with the name of a field, or null. */
export function fieldNameProblem(name: string, limit: number): string | null {
  if (name === '' || name.trim() !== name) return 'it is empty, or begins or ends with a space';
  if (name.length > limit) return `it is longer than ${limit} characters`;
  // Control characters would break terminals and every text format.
  return /[\0-\x1f\x7f]/.test(name) ? 'it has control characters' : null;
}
