import { LATE_SIDE } from '../../core/index.ts';
import type { AggregateCall } from '../../core/index.ts';
import type { WindowField } from '../job/job-graph.ts';
import type { AggregateStepSpec, NamedText, WindowBlock } from '../spec/job-spec.ts';
import { aggregateStream, windowIdentity, windowStream } from './changelog-rules.ts';
import { checkAggregate } from './check-expression.ts';
import { branchId } from './graph-builder.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { mentions } from './step-stream.ts';
import type { StepStream } from './step-stream.ts';

/** A running or a windowed aggregation. */
export function addAggregate(step: AggregateStepSpec, builder: GraphBuilder): void {
  const input = builder.input(step);
  if (input === null) return;
  const before = builder.problems.count;
  const keys = builder.keys(step.keys, input);
  const outputs = readOutputs(step, keys, input, builder);
  if (step.keys.length === 0 && (step.parallelism ?? 1) > 1) {
    builder.problems.add('MR-JOB-BAD-VALUE', step.verbRange, {
      what: `the parallelism of \`${step.id}\``,
      problem: 'must be 1: without `key` there is one total',
    });
  }
  if (keys.length < step.keys.length) return;
  const parallelism = keys.length === 0 ? 1 : step.parallelism;
  const { id } = step;
  const { calls, fields, names, doubtful } = outputs;
  if (step.window === null) {
    const outlet = builder.retractingOutlet(step);
    if (outlet === null) return;
    if (outlet.stream.changelog !== 'append') refuseApproximate(step, calls, builder);
    if (outlet.stream.changelog !== 'append' && step.ttlMs !== null) refuseTtl(step, builder);
    const output = aggregateStream(outlet.stream, keys, calls);
    builder.know(id, { stream: output, doubtful });
    if (builder.problems.count > before) return;
    const { ttlMs } = step;
    const node = { kind: 'aggregate', id, parallelism, keys, calls, ttlMs, output } as const;
    builder.pushBehind(outlet.stream.changelog === 'append' ? node : { ...node, retracts: true }, [outlet]);
    return;
  }
  const { spec: window, latenessMs, earlyMs, late, range } = step.window;
  if (late !== null) builder.know(branchId(id, late.name), input);
  const isTimed = window?.kind !== 'count';
  if (isTimed) builder.requireEventTime(step, `\`${id}\``, range);
  const firesAgain = latenessMs > 0 || earlyMs !== null;
  if (firesAgain) requireWindowField(step.window, fields, builder);
  const result = windowStream(input.stream, { keys, calls, fields, names, window, firesAgain });
  const output = builder.changelog(id, result, step.verbRange, doubtful);
  if (output === null || window === null || builder.problems.count > before) return;
  const settings = { keys, calls, window, latenessMs, earlyMs, fields };
  builder.push(step, { kind: 'window', id, parallelism, ...settings, output: output.stream });
  if (late === null) return;
  const { stream } = input;
  const node = { kind: 'side', side: LATE_SIDE, id: branchId(id, late.name), parallelism, output: stream } as const;
  builder.pushBehind(node, [{ id, stream: output.stream }]);
}

/** A sketch does not know which values it has seen. */
function refuseApproximate(step: AggregateStepSpec, calls: readonly AggregateCall[], builder: GraphBuilder): void {
  const isApproximate = calls.some(({ function: name }) => name.startsWith('approx-'));
  if (!isApproximate) return;
  const problem = 'some of these rows are taken back again, and an approximate aggregate cannot forget a row';
  builder.problems.add('MR-JOB-CHANGELOG', step.verbRange, { problem }, { expected: 'exact aggregates' });
}

/** What is forgotten could not be taken back any more. */
function refuseTtl(step: AggregateStepSpec, builder: GraphBuilder): void {
  builder.problems.add('MR-JOB-BAD-VALUE', step.verbRange, {
    what: `\`ttl\` of \`${step.id}\``,
    problem: 'cannot stand where rows are replaced or taken back later',
  });
}

interface Outputs {
  readonly calls: readonly AggregateCall[];
  /** Of a window: all fields that leave it; WINDOW_START and WINDOW_END are no calls. */
  readonly fields: readonly WindowField[];
  readonly names: readonly string[];
  readonly doubtful: ReadonlySet<string>;
}

function readOutputs(
  step: AggregateStepSpec,
  keys: readonly number[],
  input: StepStream,
  builder: GraphBuilder,
): Outputs {
  const keyNames = keys.map((index) => input.stream.schema.fields[index]?.name ?? '');
  const calls: AggregateCall[] = [];
  const fields: WindowField[] = keyNames.map((_, key) => ({ kind: 'key', key }));
  const doubtful = new Set(keyNames.filter((name) => input.doubtful.has(name)));
  for (const { name, nameRange, text } of step.calls) {
    if (keyNames.includes(name)) {
      builder.problems.add('MR-JOB-DUPLICATE-FIELD', nameRange, { name, other: 'it is a field of `key`' });
    }
    const bound = windowBound(text);
    if (bound !== null) {
      if (step.window === null) unwindowed(text, builder);
      fields.push({ kind: bound });
      continue;
    }
    const call = checkAggregate(name, text, input, builder.problems);
    if (call === null || mentions(text.text, input.doubtful)) doubtful.add(name);
    fields.push({ kind: 'call', call: calls.length });
    calls.push(call ?? placeholderCall(name));
  }
  return { calls, fields, names: [...keyNames, ...step.calls.map(({ name }) => name)], doubtful };
}

/** WINDOW_START and WINDOW_END are no functions of rows; Flink writes them without parentheses, others with. */
function windowBound({ text }: NamedText['text']): 'window-start' | 'window-end' | null {
  const [, bound] = /^\s*window_(start|end)\s*(?:\(\s*\)\s*)?$/i.exec(text) ?? [];
  if (bound === undefined) return null;
  return bound.toLowerCase() === 'start' ? 'window-start' : 'window-end';
}

function unwindowed(text: NamedText['text'], builder: GraphBuilder): void {
  const name = text.text.trim().toUpperCase();
  const problem = `${name} stands only beside \`window\``;
  builder.problems.add('MR-JOB-EXPRESSION', text.range, { problem }, { expected: 'a `window`, or another aggregate' });
}

/** Rows that replace earlier ones of their window need to say which window that is. */
function requireWindowField({ spec, range }: WindowBlock, fields: readonly WindowField[], builder: GraphBuilder): void {
  if (spec === null || spec.kind === 'count' || windowIdentity(spec, fields) !== null) return;
  const wanted = spec.kind === 'cumulate' ? 'WINDOW_END' : 'WINDOW_START or WINDOW_END';
  const problem = 'a window fires again with `lateness` or `early`, and its rows do not say which window they are of';
  const expected = `a field of the \`aggregate\` with ${wanted}`;
  builder.problems.add('MR-JOB-WINDOW', range, { problem }, { expected });
}

function placeholderCall(name: string): AggregateCall {
  return { name, function: 'count', argument: null, distinct: false, filter: null, type: { kind: 'long' } };
}
