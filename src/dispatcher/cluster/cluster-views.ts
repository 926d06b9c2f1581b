/** What is known of jobs and TaskManagers, in the form of ClusterService. */
import { jobId as toJobId } from '../../core/index.ts';
import type { JobId } from '../../core/index.ts';
import { isTerminalJob } from '../../rpc/index.ts';
import type { TaskState } from '../../rpc/index.ts';
import type { ExecutionSummary, JobDetails, JobSummary, TaskManagerDetails } from '../cluster-service.ts';
import type { KnownTaskManager, SlotUse } from '../slots/known-task-manager.ts';
import type { ResourceManager } from '../slots/resource-manager.ts';
import { errorOf } from './cluster-jobs.ts';
import type { EndedJob, LedJob } from './cluster-jobs.ts';

export function summaryOfLed({ submission, handle, endedAtMs, isRescaling }: LedJob): JobSummary {
  const tasks = new Map<TaskState, number>();
  for (const { state } of handle.executions) tasks.set(state, (tasks.get(state) ?? 0) + 1);
  return {
    jobId: handle.jobId,
    name: handle.name,
    state: isRescaling && isTerminalJob(handle.state) ? 'RESTARTING' : handle.state,
    startedAtMs: submission.submittedAtMs,
    endedAtMs,
    tasks,
  };
}

export function summaryOfEnded({ submission, outcome }: EndedJob): JobSummary {
  const { state, startedAtMs, endedAtMs } = outcome;
  const { jobId, jobName: name } = submission;
  return { jobId: toJobId(jobId), name, state, startedAtMs, endedAtMs, tasks: new Map() };
}

/** `slots` says what it waits for. */
export function detailsOfLed(job: LedJob, slots: Pick<ResourceManager, 'waitingFor'>): JobDetails {
  const { handle } = job;
  return {
    ...summaryOfLed(job),
    graph: handle.graph,
    executions: handle.executions.map(
      ({ attemptId, vertex, subtaskIndex, state, slot }): ExecutionSummary => ({
        attemptId,
        vertexId: vertex.id,
        subtaskIndex,
        state,
        taskManagerId: slot?.taskManagerId ?? null,
        slotId: slot?.slotId ?? null,
      }),
    ),
    metrics: handle.counters(),
    checkpoints: handle.checkpoints(),
    origin: handle.origin,
    restarts: handle.restarts,
    failures: handle.failures,
    waitingFor: slots.waitingFor(handle.jobId) ?? handle.waitingFor,
  };
}

export function detailsOfEnded(job: EndedJob): JobDetails {
  const { outcome } = job;
  const error = errorOf(outcome);
  return {
    ...summaryOfEnded(job),
    graph: job.graph(),
    executions: [],
    metrics: { atMs: outcome.endedAtMs, steps: [] },
    checkpoints: { completedCount: 0, abortedCount: 0, recent: [] },
    origin: null,
    restarts: 0,
    failures: error === null ? [] : [{ atMs: outcome.endedAtMs, error }],
    waitingFor: null,
  };
}

export function detailsOfTaskManager(
  manager: KnownTaskManager,
  slots: ResourceManager,
  nowMs: number,
): TaskManagerDetails {
  const { id, registration } = manager;
  const { address, rack, host, tags } = registration;
  return {
    taskManagerId: id,
    address,
    rack,
    host,
    tags,
    slots: [...manager.slots.values()].map(({ offer, use }) => ({
      slotId: offer.location.slotId,
      memoryBytes: offer.memoryBytes,
      jobId: jobIn(use),
    })),
    lastHeartbeatAtMs: slots.heardAtMs(id) ?? nowMs,
    drain: slots.drainOf(id),
  };
}

function jobIn(use: SlotUse): JobId | null {
  return use.kind === 'free' ? null : use.jobId;
}
