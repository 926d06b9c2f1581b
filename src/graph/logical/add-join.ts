import { mapColumns } from '../../expr/index.ts';
import type { Side } from '../../expr/index.ts';
import type { JoinStepSpec, StepInput } from '../spec/job-spec.ts';
import { joinStream, selectStream } from './changelog-rules.ts';
import { checkCondition } from './check-expression.ts';
import { computeFields, freeName, passOn } from './computed-fields.ts';
import type { ComputedFields } from './computed-fields.ts';
import { moveColumns } from './expression-columns.ts';
import type { GraphBuilder, Outlet } from './graph-builder.ts';
import { findJoinKeys } from './join-keys.ts';
import type { LogicalJoin, NamedExpression, RowStream } from './logical-graph.ts';
import type { StepStream } from './step-stream.ts';

/**
 * A join of two steps: the equalities of its condition become keys, by which both inputs are spread; what they compute
 * is computed in front; what else is asked for is checked per pair.
 */
export function addJoin(step: JoinStepSpec, builder: GraphBuilder): void {
  const before = builder.problems.count;
  const sides = readSides(step, builder);
  if (sides === null) return;
  const condition = checkCondition(step.on, sides.both, builder.problems);
  const keys = condition === null ? null : findJoinKeys(condition, sides.left.fieldCount);
  if (keys !== null && keys.pairs.length === 0) noKeys(step, sides, builder);
  if (step.bounds !== null) builder.requireEventTime(step, `\`${step.id}\``, step.boundsRange);
  const pairs = keys?.pairs ?? [];
  const left = computeFields(`${step.id}.left`, sides.left.outlet, pairs.map((pair) => pair.left));
  const right = computeFields(`${step.id}.right`, sides.right.outlet, pairs.map((pair) => pair.right));
  const node = joinNode(step, { left, right }, visibleNames(step, sides, builder), builder);
  if (node === null) return;
  // Fields that are computed in front stand between those of the left and of the right.
  const position = (index: number): number => (index < sides.left.fieldCount ? index : index + left.added);
  const hasMore = left.added + right.added > 0;
  const { fields, doubtful } = readOutputs(step, sides, node, position, hasMore, builder);
  const stream = fields === null ? node.output : selectStream(node.output, fields);
  builder.know(step.id, { stream, doubtful });
  if (keys === null || builder.problems.count > before) return;
  const rest = keys.rest === null ? null : mapColumns(keys.rest, moveColumns(position));
  if (left.select !== null) builder.pushBehind(left.select, [sides.left.outlet]);
  if (right.select !== null) builder.pushBehind(right.select, [sides.right.outlet]);
  builder.pushBehind({ ...node, condition: rest }, [left.outlet, right.outlet]);
  if (fields === null) return;
  const id = `${step.id}.select`;
  const select = { kind: 'select', id, parallelism: step.parallelism, fields, output: stream } as const;
  builder.pushBehind(select, [{ id: node.id, stream: node.output }]);
  builder.leavesBy(step.id, id);
}

interface JoinSide extends Side {
  readonly outlet: Outlet;
  readonly fieldCount: number;
}

interface Sides {
  readonly left: JoinSide;
  readonly right: JoinSide;
  /** What expressions of the join see: the fields of both, each under the name of its step. */
  readonly both: StepStream;
}

const sideName = (input: StepInput | undefined): string => input?.branch ?? input?.stepId ?? '';

function readSides(step: JoinStepSpec, builder: GraphBuilder): Sides | null {
  const known = [0, 1].map((index) => builder.input(step, index));
  const [first, second] = known;
  // Without bounds it has to know which rows are replaced.
  const outletOf = (index: number): Outlet | null =>
    step.bounds === null ? builder.retractingOutlet(step, index) : builder.outlet(step, index);
  const [leftOutlet, rightOutlet] = [outletOf(0), outletOf(1)];
  if (first == null || second == null || leftOutlet === null || rightOutlet === null) return null;
  const [leftFields, rightFields] = [first.stream.schema.fields, second.stream.schema.fields];
  const end = leftFields.length + rightFields.length;
  const left: JoinSide = {
    name: sideName(step.inputs[0]),
    start: 0,
    end: leftFields.length,
    outlet: leftOutlet,
    fieldCount: leftFields.length,
  };
  const right: JoinSide = {
    name: sideName(step.inputs[1]),
    start: leftFields.length,
    end,
    outlet: rightOutlet,
    fieldCount: rightFields.length,
  };
  const doubtful = new Set([...first.doubtful, ...second.doubtful]);
  const stream = { ...first.stream, schema: { fields: [...leftFields, ...rightFields] } };
  return { left, right, both: { stream, doubtful, sides: [left, right] } };
}

function noKeys(step: JoinStepSpec, { left, right }: Sides, builder: GraphBuilder): void {
  const [first, second] = [left, right].map(({ name }) => `${name.replaceAll('-', '_')}.FIELD`);
  const problem = 'no part of `on` says that something of the one side equals something of the other';
  builder.problems.add('MR-JOB-JOIN', step.on.range, { problem }, { expected: `${first ?? ''} = ${second ?? ''}` });
}

/** The names of the fields of both sides as they leave the join; on a clash, with the step's in front. */
function visibleNames(step: JoinStepSpec, { left, right, both }: Sides, builder: GraphBuilder): readonly string[] {
  const { fields } = both.stream.schema;
  const isOneSided = step.type === 'semi' || step.type === 'anti';
  if (isOneSided) return fields.slice(0, left.fieldCount).map(({ name }) => name);
  const names = fields.map(({ name }, index) => {
    const isLeft = index < left.fieldCount;
    const other = isLeft ? fields.slice(left.fieldCount) : fields.slice(0, left.fieldCount);
    return other.some((field) => field.name === name) ? `${(isLeft ? left : right).name}_${name}` : name;
  });
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined && step.select === null) {
    builder.problems.add('MR-JOB-DUPLICATE-FIELD', step.verbRange, { name: twice, other: 'both sides have it' }, {
      expected: '`select: {FIELD: EXPR, …}` in the join',
    });
  }
  return names;
}

/** The join of plain columns, without the rest of its condition; null where the inputs cannot be joined so. */
function joinNode(
  step: JoinStepSpec,
  { left, right }: { readonly left: ComputedFields; readonly right: ComputedFields },
  visible: readonly string[],
  builder: GraphBuilder,
): LogicalJoin | null {
  const { id, parallelism, type, bounds, ttlMs } = step;
  const [leftStream, rightStream] = [left.outlet.stream, right.outlet.stream];
  const leftFields = leftStream.schema.fields.length;
  const ownLeft = leftFields - left.added;
  const names = [...visible];
  for (let added = 0; added < left.added; added++) names.splice(ownLeft + added, 0, freeName('computed', names));
  for (let added = 0; added < right.added; added++) names.push(freeName('computed', names));
  const [leftKeys, rightKeys] = [left.columns, right.columns];
  const result = joinStream(leftStream, rightStream, { type, bounds, leftKeys, rightKeys, names });
  if (result.stream === null) {
    const range = step.inputs[leftStream.changelog === 'append' ? 1 : 0]?.range ?? step.verbRange;
    const { problem, expected } = result;
    builder.problems.add('MR-JOB-CHANGELOG', range, { problem }, { expected });
    return null;
  }
  const keys = { leftKeys, rightKeys, condition: null, leftFields };
  const node = { kind: 'join', id, parallelism, type, ...keys, bounds, ttlMs, output: result.stream } as const;
  const takesBack = ({ changelog }: RowStream): boolean => changelog !== 'append';
  if (bounds !== null || ![leftStream, rightStream].some(takesBack)) return node;
  if (ttlMs !== null) refuseTtl(step, builder);
  return { ...node, retracts: true };
}

/** What is forgotten could not be taken back any more. */
function refuseTtl(step: JoinStepSpec, { problems }: GraphBuilder): void {
  problems.add('MR-JOB-BAD-VALUE', step.verbRange, {
    what: `\`ttl\` of \`${step.id}\``,
    problem: 'cannot stand where rows are replaced or taken back later',
  });
}

interface JoinOutputs {
  /** Null where all that the join emits leaves it. */
  readonly fields: readonly NamedExpression[] | null;
  readonly doubtful: ReadonlySet<string>;
}

function readOutputs(
  step: JoinStepSpec,
  { left, both }: Sides,
  node: LogicalJoin,
  position: (index: number) => number,
  hasMore: boolean,
  builder: GraphBuilder,
): JoinOutputs {
  const isOneSided = step.type === 'semi' || step.type === 'anti';
  const visible = isOneSided ? left.fieldCount : both.stream.schema.fields.length;
  if (step.select !== null) {
    const { fields: all } = both.stream.schema;
    const seen = { ...both, stream: { ...both.stream, schema: { fields: all.slice(0, visible) } } };
    const read = builder.expressions(step.select, isOneSided ? { ...seen, sides: [left] } : seen, null);
    const move = moveColumns(position);
    const moved = read.fields.map(({ name, expression }) => ({ name, expression: mapColumns(expression, move) }));
    return { fields: moved, doubtful: read.doubtful };
  }
  if (!hasMore) return { fields: null, doubtful: both.doubtful };
  const emitted = passOn(node.output.schema);
  const fields = Array.from({ length: visible }, (_, index) => emitted[position(index)] as NamedExpression);
  return { fields, doubtful: both.doubtful };
}
