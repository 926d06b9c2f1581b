import { isTerminalJob } from '../../../rpc/index.ts';
import type { ClusterService, JobSummary } from '../../cluster-service.ts';
import { hexId, json, type JsonSchema } from '../json-schema.ts';
import { jobStateSchema } from './state-counts.ts';

/** GET /overview */
export const overviewSchema: JsonSchema = json.object({
  taskmanagers: json.integer,
  'taskmanagers-blocked': json.integer,
  'slots-total': json.integer,
  'slots-available': json.integer,
  'slots-free-and-blocked': json.integer,
  'jobs-running': json.integer,
  'jobs-finished': json.integer,
  'jobs-cancelled': json.integer,
  'jobs-failed': json.integer,
  'flink-version': json.text,
  'flink-commit': json.text,
});

export function overview(service: ClusterService, version: string): unknown {
  const taskManagers = service.taskManagers();
  const slots = taskManagers.flatMap(({ slots: all, drain }) => all.map((slot) => ({ ...slot, drain })));
  const free = slots.filter(({ jobId }) => jobId === null);
  const states = service.jobs().map(({ state }) => state);
  const count = (wanted: string): number => states.filter((state) => state === wanted).length;
  return {
    taskmanagers: taskManagers.length,
    'taskmanagers-blocked': taskManagers.filter(({ drain }) => drain !== null).length,
    'slots-total': slots.length,
    'slots-available': free.filter(({ drain }) => drain === null).length,
    'slots-free-and-blocked': free.filter(({ drain }) => drain !== null).length,
    'jobs-running': states.filter((state) => !isTerminalJob(state)).length,
    'jobs-finished': count('FINISHED'),
    'jobs-cancelled': count('CANCELED'),
    'jobs-failed': count('FAILED'),
    'flink-version': version,
    'flink-commit': 'millrace',
  };
}

/** GET /jobs */
export const jobIdsSchema: JsonSchema = json.object({
  jobs: json.list(json.object({ id: hexId, status: jobStateSchema })),
});

export function jobIds(service: ClusterService): unknown {
  return { jobs: service.jobs().map(({ jobId, state }) => ({ id: jobId, status: state })) };
}

/** GET /jobs/overview */
export const jobsOverviewSchema: JsonSchema = json.object({
  jobs: json.list(
    json.object({
      jid: hexId,
      name: json.text,
      state: jobStateSchema,
      'start-time': json.time,
      'end-time': json.time,
      duration: json.integer,
      'last-modification': json.time,
      tasks: json.map(json.integer),
      'pending-operators': json.integer,
    }),
  ),
});

export function jobsOverview(service: ClusterService, nowMs: number): unknown {
  return { jobs: service.jobs().map((job) => jobOverview(job, nowMs)) };
}

const COUNTED_STATES = [
  'CREATED',
  'SCHEDULED',
  'DEPLOYING',
  'RUNNING',
  'FINISHED',
  'CANCELING',
  'CANCELED',
  'FAILED',
  'INITIALIZING',
] as const;

function jobOverview({ jobId, name, state, startedAtMs, endedAtMs, tasks }: JobSummary, nowMs: number): unknown {
  const counts = COUNTED_STATES.map((each) => [each.toLowerCase(), tasks.get(each) ?? 0] as const);
  return {
    jid: jobId,
    name,
    state,
    'start-time': startedAtMs,
    'end-time': endedAtMs ?? -1,
    duration: durationOf(startedAtMs, endedAtMs, nowMs),
    'last-modification': endedAtMs ?? startedAtMs,
    tasks: { total: counts.reduce((sum, [, count]) => sum + count, 0), reconciling: 0, ...Object.fromEntries(counts) },
    'pending-operators': 0,
  };
}

/** In whole milliseconds; clocks of several leaders may not agree. */
export function durationOf(startedAtMs: number, endedAtMs: number | null, nowMs: number): number {
  return Math.max(0, Math.round((endedAtMs ?? nowMs) - startedAtMs));
}
