/** Whether the tasks of an earlier leader go on under this one: docs/design/018, "Taking over without a stop". Pure. */
import type { CheckpointMetadata, JobId } from '../../core/index.ts';
import { stepId as toStepId } from '../../core/index.ts';
import type { SlotReport, TaskReport } from '../../rpc/index.ts';
import type { Execution } from '../execution-graph.ts';
import { restoredSplits } from './restored-tasks.ts';

/** A task of an earlier leader, and what its TaskManager has said of it. */
export interface AdoptedTask {
  readonly execution: Execution;
  readonly report: TaskReport;
}

/** It has processed all its input. */
export function isAtItsEnd({ state, final }: Pick<TaskReport, 'state' | 'final'>): boolean {
  return final !== null || state === 'FINISHED';
}

export interface TakeOverFacts {
  readonly jobId: JobId;
  /** Of each slot. */
  readonly attempts: readonly number[];
  readonly executions: readonly Execution[];
  readonly slots: readonly SlotReport[];
  readonly takesCheckpoints: boolean;
  /** What the attempt has started from, as long as it has completed no checkpoint of its own; else null. */
  readonly restored: CheckpointMetadata | null;
}

/** The tasks, or why they cannot go on. */
export function matchReports(facts: TakeOverFacts): readonly AdoptedTask[] | { readonly mismatch: string } {
  const { jobId, attempts, executions, slots } = facts;
  const other = slots.find((slot, index) => slot.jobId !== jobId || slot.attempt !== attempts[index]);
  if (other !== undefined) return { mismatch: `a slot runs attempt ${other.attempt} of job ${other.jobId}` };
  const reports = new Map(slots.flatMap(({ tasks }) => tasks.map((report) => [report.attemptId, report] as const)));
  const tasks: AdoptedTask[] = [];
  for (const execution of executions) {
    const report = reports.get(execution.attemptId);
    if (report === undefined) return { mismatch: `no slot runs task ${execution.attemptId}` };
    const problem = problemOf(execution, report, facts.takesCheckpoints);
    if (problem !== null) return { mismatch: `task ${execution.attemptId} ${problem}` };
    tasks.push({ execution, report });
  }
  const lost = splitNotGiven(tasks, facts.restored);
  return lost === null ? tasks : { mismatch: `split ${lost} of the checkpoint was not given to any task yet` };
}

function problemOf({ vertex }: Execution, report: TaskReport, takesCheckpoints: boolean): string | null {
  const { state, final, error, sources } = report;
  if (state === 'FAILED') return `has failed: ${error?.message ?? 'it did not say why'}`;
  if (state !== 'RUNNING' && state !== 'FINISHED') return `is ${state}`;
  if (state === 'FINISHED' && takesCheckpoints && final === null) return 'has finished without a last snapshot';
  const [head] = vertex.chain;
  if (head?.kind !== 'source' || isAtItsEnd(report)) return null;
  const isTold = sources.some(({ stepId }) => stepId === toStepId(head.spec.stepId));
  return isTold ? null : 'was not told of its first splits yet';
}

/** Found anew, it would be read from its beginning. */
function splitNotGiven(tasks: readonly AdoptedTask[], restored: CheckpointMetadata | null): string | null {
  if (restored === null) return null;
  const given = new Set(
    tasks.flatMap(({ report }) =>
      report.sources.flatMap(({ stepId, splits }) => splits.map(({ id }) => `${stepId} ${id}`)),
    ),
  );
  for (const { execution } of tasks) {
    const [head] = execution.vertex.chain;
    if (head?.kind !== 'source' || execution.subtaskIndex !== 0) continue;
    const stepId = toStepId(head.spec.stepId);
    const missing = restoredSplits(restored, stepId)?.splits.find(({ split }) => !given.has(`${stepId} ${split.id}`));
    if (missing !== undefined) return missing.split.id;
  }
  return null;
}
