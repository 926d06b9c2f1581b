import { formatType } from '../../core/index.ts';
import type { Expression } from '../../core/index.ts';
import { isOrdered } from '../../expr/index.ts';
import type { SortText, TopNStepSpec } from '../spec/job-spec.ts';
import { selectStream, topNStream } from './changelog-rules.ts';
import { checkExpression } from './check-expression.ts';
import { computeFields, passOn } from './computed-fields.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { LogicalTopN, NamedExpression } from './logical-graph.ts';
import { mentions } from './step-stream.ts';
import type { StepStream } from './step-stream.ts';

export function addTopN(step: TopNStepSpec, builder: GraphBuilder): void {
  const input = builder.input(step);
  const outlet = builder.retractingOutlet(step);
  if (input === null || outlet === null) return;
  const { problems } = builder;
  const before = problems.count;
  const keys = builder.keys(step.keys, input);
  const sorts = step.by.map((sort) => checkSort(sort, input, builder));
  const expressions = sorts.filter((expression) => expression !== null);
  const { id, count, rank } = step;
  const { fields } = input.stream.schema;
  if (rank !== null && fields.some(({ name }) => name === rank.name)) {
    problems.add('MR-JOB-DUPLICATE-FIELD', rank.range, { name: rank.name, other: 'the rows have it' });
  }
  if (step.keys.length === 0 && (step.parallelism ?? 1) > 1) {
    const what = `the parallelism of \`${id}\``;
    problems.add('MR-JOB-BAD-VALUE', step.verbRange, { what, problem: 'must be 1: without `key` there is one order' });
  }
  const { columns, select, outlet: arriving } = computeFields(`${id}.by`, outlet, expressions);
  const output = topNStream(arriving.stream, { keys, count, rank: rank?.name ?? null });
  builder.know(id, { stream: output, doubtful: input.doubtful });
  const isWrong = problems.count > before || expressions.length < sorts.length || keys.length < step.keys.length;
  if (isWrong) return;
  const parallelism = keys.length === 0 ? 1 : step.parallelism;
  const by = columns.map((column, index) => ({ column, descending: step.by[index]?.descending === true }));
  const node: LogicalTopN = {
    kind: 'top-n',
    id,
    parallelism,
    keys,
    by,
    count,
    hasRank: rank !== null,
    ...(arriving.stream.changelog === 'append' ? {} : { retracts: true }),
    output,
  };
  if (select !== null) builder.pushBehind(select, [outlet]);
  builder.pushBehind(node, [arriving]);
  if (select !== null) leaveOut(step, node, fields.length, input, builder);
}

function checkSort({ text }: SortText, input: StepStream, builder: GraphBuilder): Expression | null {
  const expression = checkExpression(text, input, builder.problems);
  if (expression === null || isOrdered(expression.type) || mentions(text.text, input.doubtful)) return expression;
  const given = { what: '`by`', expected: 'of a type that has an order', given: formatType(expression.type) };
  builder.problems.add('MR-JOB-EXPRESSION-TYPE', text.range, given, { expected: 'a number, a text or a time' });
  return null;
}

/** What was computed to order by is no part of the rows. */
function leaveOut(
  step: TopNStepSpec,
  node: LogicalTopN,
  fieldCount: number,
  input: StepStream,
  builder: GraphBuilder,
): void {
  const id = `${step.id}.select`;
  const all = passOn(node.output.schema);
  const fields: readonly NamedExpression[] = [...all.slice(0, fieldCount), ...(node.hasRank ? all.slice(-1) : [])];
  const stream = selectStream(node.output, fields);
  const { parallelism } = node;
  const select = { kind: 'select', id, parallelism, fields, output: stream } as const;
  builder.pushBehind(select, [{ id: node.id, stream: node.output }]);
  builder.know(step.id, { stream, doubtful: input.doubtful });
  builder.leavesBy(step.id, id);
}
