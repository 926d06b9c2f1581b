import type { JobExplanation, JobVertex } from '../../../graph/index.ts';
import { isTerminalJob } from '../../../rpc/index.ts';
import type { JobOrigin } from '../../../scheduler/index.ts';
import type { ExecutionSummary, JobDetails, TaskManagerDetails } from '../../cluster-service.ts';
import { hexId, json, type JsonSchema } from '../json-schema.ts';
import { heldBack } from './back-pressure-view.ts';
import { ioMetrics, ioMetricsSchema, subtaskIo, vertexIo } from './io-metrics.ts';
import { durationOf } from './overview-view.ts';
import { planSchema, planView } from './plan-view.ts';
import {
  jobStates,
  jobStateSchema,
  stateCounts,
  stateCountsSchema,
  taskStateSchema,
  vertexState,
} from './state-counts.ts';

const taskSchema = json.object({
  attempt: json.text,
  vertex: json.text,
  subtask: json.integer,
  state: taskStateSchema,
  'taskmanager-id': json.nullable(json.text),
  'slot-id': json.nullable(json.text),
});

/** What Flink has no name for. */
const ownSchema = json.object({
  restarts: json.integer,
  'waiting-for': json.nullable(json.text),
  origin: json.nullable(
    json.object({ kind: json.text }, { checkpoint: json.integer, savepoint: json.flag, 'completed-at': json.time }),
  ),
  'last-checkpoint': json.nullable(json.object({ id: json.integer, 'completed-at': json.time })),
  /** Vertices whose subtasks wait for those behind them, the worst subtask of each. */
  'held-back': json.list(json.object({ vertex: json.text, name: json.text, ratio: json.number })),
  tasks: json.list(taskSchema),
});

/** GET /jobs/:jobid */
export const jobSchema: JsonSchema = json.object({
  jid: hexId,
  name: json.text,
  isStoppable: json.flag,
  state: jobStateSchema,
  'job-type': json.text,
  'start-time': json.time,
  'end-time': json.time,
  duration: json.integer,
  maxParallelism: json.integer,
  now: json.time,
  timestamps: json.map(json.time),
  vertices: json.list(
    json.object({
      id: json.text,
      slotSharingGroupId: json.text,
      name: json.text,
      maxParallelism: json.integer,
      parallelism: json.integer,
      status: taskStateSchema,
      'start-time': json.time,
      'end-time': json.time,
      duration: json.integer,
      tasks: stateCountsSchema,
      metrics: ioMetricsSchema,
    }),
  ),
  'status-counts': stateCountsSchema,
  plan: planSchema,
  'pending-operators': json.integer,
  millrace: ownSchema,
});

/** All slices of a job share slots: one group. */
const SHARING_GROUP = '0'.repeat(32);

export function jobView(job: JobDetails, explained: JobExplanation, nowMs: number): unknown {
  const { jobId, name, state, startedAtMs, endedAtMs, graph } = job;
  const vertexStates = graph.vertices.map((vertex) => vertexState(statesOf(job, vertex)));
  return {
    jid: jobId,
    name,
    isStoppable: graph.checkpoint !== null && !isTerminalJob(state),
    state,
    'job-type': 'STREAMING',
    'start-time': startedAtMs,
    'end-time': endedAtMs ?? -1,
    duration: durationOf(startedAtMs, endedAtMs, nowMs),
    maxParallelism: graph.maxParallelism,
    now: nowMs,
    timestamps: timestampsOf(job),
    vertices: graph.vertices.map((vertex) => vertexSummary(job, vertex, nowMs)),
    'status-counts': stateCounts(vertexStates),
    plan: planView(jobId, graph, explained),
    'pending-operators': 0,
    millrace: ownView(job),
  };
}

/** Zero for states whose time is not known, as for those that a job never had. */
function timestampsOf({ state, startedAtMs, endedAtMs }: JobDetails): Readonly<Record<string, number>> {
  const times = new Map<string, number>(jobStates.map((each) => [each, 0]));
  times.set('INITIALIZING', startedAtMs).set('CREATED', startedAtMs);
  if (endedAtMs !== null) times.set(state, endedAtMs);
  return Object.fromEntries(times);
}

function statesOf(job: JobDetails, vertex: JobVertex): readonly ExecutionSummary['state'][] {
  return job.executions.filter(({ vertexId }) => vertexId === vertex.id).map(({ state }) => state);
}

function vertexSummary(job: JobDetails, vertex: JobVertex, nowMs: number): unknown {
  const states = statesOf(job, vertex);
  return {
    id: vertex.id,
    slotSharingGroupId: SHARING_GROUP,
    name: vertex.name,
    maxParallelism: job.graph.maxParallelism,
    parallelism: vertex.parallelism,
    status: vertexState(states),
    'start-time': job.startedAtMs,
    'end-time': job.endedAtMs ?? -1,
    duration: durationOf(job.startedAtMs, job.endedAtMs, nowMs),
    tasks: stateCounts(states),
    metrics: ioMetrics(vertexIo(vertex, job.metrics)),
  };
}

function ownView(job: JobDetails): unknown {
  const { restarts, waitingFor, origin, checkpoints, executions } = job;
  const last = checkpoints.recent.find(({ state }) => state === 'completed');
  return {
    restarts,
    'waiting-for': waitingFor,
    origin: origin === null ? null : originView(origin),
    'last-checkpoint':
      last === undefined ? null : { id: last.checkpointId, 'completed-at': last.endedAtMs ?? last.triggeredAtMs },
    'held-back': heldBack(job),
    tasks: executions.map(({ attemptId, vertexId, subtaskIndex, state, taskManagerId, slotId }) => ({
      attempt: attemptId,
      vertex: vertexId,
      subtask: subtaskIndex,
      state,
      'taskmanager-id': taskManagerId,
      'slot-id': slotId,
    })),
  };
}

function originView(origin: JobOrigin): unknown {
  switch (origin.kind) {
    case 'anew':
      return { kind: origin.kind };
    case 'anew-after-finish':
      return { kind: origin.kind, checkpoint: origin.checkpointId };
    case 'restored': {
      const { kind, checkpointId, isSavepoint, completedAtMs } = origin;
      return { kind, checkpoint: checkpointId, savepoint: isSavepoint, 'completed-at': completedAtMs };
    }
  }
}

/** GET /jobs/:jobid/vertices/:vertexid */
export const vertexSchema: JsonSchema = json.object({
  id: json.text,
  name: json.text,
  parallelism: json.integer,
  maxParallelism: json.integer,
  now: json.time,
  aggregated: json.object({ 'status-duration': json.map(json.integer) }),
  subtasks: json.list(
    json.object({
      subtask: json.integer,
      status: taskStateSchema,
      attempt: json.integer,
      endpoint: json.text,
      host: json.text,
      'start-time': json.time,
      'end-time': json.time,
      duration: json.integer,
      metrics: ioMetricsSchema,
      'taskmanager-id': json.text,
      'status-duration': json.map(json.integer),
      'other-concurrent-attempts': json.list(json.text),
      start_time: json.time,
    }),
  ),
});

/** As Flink says that nothing is assigned. */
const UNASSIGNED = '(unassigned)';

export function vertexView(
  job: JobDetails,
  vertex: JobVertex,
  taskManagers: readonly TaskManagerDetails[],
  nowMs: number,
): unknown {
  const known = new Map(taskManagers.map((each) => [each.taskManagerId, each]));
  const executions = job.executions.filter(({ vertexId }) => vertexId === vertex.id);
  const duration = durationOf(job.startedAtMs, job.endedAtMs, nowMs);
  return {
    id: vertex.id,
    name: vertex.name,
    parallelism: vertex.parallelism,
    maxParallelism: job.graph.maxParallelism,
    now: nowMs,
    aggregated: { 'status-duration': {} },
    subtasks: executions.map(({ subtaskIndex, attemptId, state, taskManagerId }) => {
      const taskManager = taskManagerId === null ? undefined : known.get(taskManagerId);
      const endpoint = taskManager?.address ?? UNASSIGNED;
      return {
        subtask: subtaskIndex,
        status: state,
        attempt: attemptNumber(attemptId),
        endpoint,
        host: taskManager?.host ?? endpoint,
        'start-time': job.startedAtMs,
        'end-time': job.endedAtMs ?? -1,
        duration,
        metrics: ioMetrics(subtaskIo(vertex, job.metrics, subtaskIndex)),
        'taskmanager-id': taskManagerId ?? UNASSIGNED,
        'status-duration': {},
        'other-concurrent-attempts': [],
        start_time: job.startedAtMs,
      };
    }),
  };
}

/** Ids of attempts end with their number. */
function attemptNumber(attemptId: string): number {
  const number = Number(attemptId.slice(attemptId.lastIndexOf('_') + 1));
  return Number.isSafeInteger(number) ? number : 0;
}
