import type { DedupeStepSpec } from '../spec/job-spec.ts';
import { dedupeStream } from './changelog-rules.ts';
import type { GraphBuilder } from './graph-builder.ts';

export function addDedupe(step: DedupeStepSpec, builder: GraphBuilder): void {
  const input = builder.input(step);
  if (input === null) return;
  const before = builder.problems.count;
  const keys = builder.keys(step.keys, input);
  const { id, parallelism, keep, ttlMs } = step;
  const result = dedupeStream(input.stream, keys, keep);
  const output = builder.changelog(id, result, step.verbRange, input.doubtful);
  if (output === null || keys.length < step.keys.length || builder.problems.count > before) return;
  builder.push(step, { kind: 'dedupe', id, parallelism, keys, keep, ttlMs, output: output.stream });
}
