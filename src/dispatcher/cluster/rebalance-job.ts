import type { MillraceError } from '../../core/index.ts';
import { improvePlacement } from '../../scheduler/index.ts';
import type { FreeSlot } from '../../scheduler/index.ts';
import type { MovedTasks } from '../cluster-service.ts';
import { clusterErrors } from '../errors.ts';
import type { JobHandle } from '../job-handle.ts';
import type { ResourceManager } from '../slots/resource-manager.ts';
import type { ClusterJobs, LedJob } from './cluster-jobs.ts';

export interface RebalanceWorld {
  readonly jobs: Pick<ClusterJobs, 'find' | 'restart'>;
  readonly slots: Pick<ResourceManager, 'withinReach'>;
}

/**
 * Places the tasks of a job anew, through a checkpoint and a restart. Resolves to what has moved once all run again;
 * rejects with MR-CLUSTER-NOT-REBALANCED, and nothing is changed, where nothing would be gained.
 */
export async function rebalanceJob({ jobs, slots }: RebalanceWorld, job: LedJob): Promise<readonly MovedTasks[]> {
  const { accepted, handle } = job;
  const { jobId } = accepted;
  if (accepted.storage === null) throw refused(jobId, 'it takes no checkpoints');
  if (!runs(handle)) throw refused(jobId, `not all of its tasks run${whileWaiting(handle)}`);
  const { own, free, isWaitedFor } = slots.withinReach(jobId);
  if (isWaitedFor) throw refused(jobId, 'other jobs wait for slots, and would get those that it gives up');
  const before = slicesOf(handle);
  const present = before.flatMap((id) => own.find(({ location }) => location.slotId === id?.slotId) ?? []);
  if (present.length < before.length) throw refused(jobId, 'it is about to leave a TaskManager that is drained');
  if (improvePlacement(handle.demands, present, [...own, ...free]) === null) {
    throw refused(jobId, 'its tasks are where they would be placed now, or as well placed');
  }
  const restarted = await jobs.restart(jobId, { graph: null, stop: 'checkpoint' });
  await restarted.running();
  const next = jobs.find(jobId);
  return next === null || !('handle' in next) ? [] : movedBetween(before, slicesOf(next.handle));
}

/** All tasks of the job run, and none has come to its end. */
export function runs({ state, executions }: Pick<JobHandle, 'state' | 'executions'>): boolean {
  return state === 'RUNNING' && executions.length > 0 && executions.every((each) => each.state === 'RUNNING');
}

type SliceSlot = FreeSlot['location'] | null;

/** The slot of each slice. */
function slicesOf({ executions }: JobHandle): readonly SliceSlot[] {
  const slices: SliceSlot[] = [];
  for (const { subtaskIndex, slot } of executions) slices[subtaskIndex] = slot;
  return slices;
}

function movedBetween(before: readonly SliceSlot[], after: readonly SliceSlot[]): readonly MovedTasks[] {
  return after.flatMap((slot, subtaskIndex) => {
    const from = before[subtaskIndex]?.taskManagerId ?? null;
    const to = slot?.taskManagerId ?? null;
    return from === null || to === null || from === to ? [] : [{ subtaskIndex, from, to }];
  });
}

function whileWaiting({ waitingFor }: JobHandle): string {
  return waitingFor === null ? '' : `; it waits for ${waitingFor}`;
}

function refused(job: string, reason: string): MillraceError {
  return clusterErrors.create('MR-CLUSTER-NOT-REBALANCED', { job, reason });
}
