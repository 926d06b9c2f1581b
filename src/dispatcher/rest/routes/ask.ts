/** What handlers read out of requests that their schemas have let through. */
import { jobId as toJobId, taskManagerId as toTaskManagerId } from '../../../core/index.ts';
import type { JobId, TaskManagerId } from '../../../core/index.ts';
import type { JobVertex } from '../../../graph/index.ts';
import { isTerminalJob } from '../../../rpc/index.ts';
import { clusterErrors } from '../../errors.ts';
import type { ClusterService, JobDetails, TaskManagerDetails } from '../../cluster-service.ts';
import { restErrors } from '../errors.ts';
import { hexId, json, type JsonSchema } from '../json-schema.ts';
import type { Call } from '../route.ts';

export const jobParams: JsonSchema = json.object({ jobid: hexId });
export const triggerParams: JsonSchema = json.object({ jobid: hexId, triggerid: hexId });
export const vertexParams: JsonSchema = json.object({ jobid: hexId, vertexid: hexId });
export const taskManagerParams: JsonSchema = json.object({
  taskmanagerid: json.matching(/^[A-Za-z0-9._~:@-]{1,128}$/),
});
/** What is told by its status alone. */
export const nothing: JsonSchema = json.object({});

export function jobIdOf({ params }: Call): JobId {
  return toJobId(params['jobid'] ?? '');
}

export function taskManagerIdOf({ params }: Call): TaskManagerId {
  return toTaskManagerId(params['taskmanagerid'] ?? '');
}

export function jobOf(call: Call, service: ClusterService): JobDetails {
  return service.job(jobIdOf(call));
}

/** Throws MR-REST-CONFLICT where it has ended. */
export function runningJobOf(call: Call, service: ClusterService): JobDetails {
  const job = jobOf(call, service);
  if (isTerminalJob(job.state)) throw restErrors.create('MR-REST-CONFLICT', { job: job.jobId, state: job.state });
  return job;
}

export function vertexOf(call: Call, job: JobDetails): JobVertex {
  const id = call.params['vertexid'] ?? '';
  const vertex = job.graph.vertices.find((each) => each.id === id);
  if (vertex === undefined) throw clusterErrors.create('MR-CLUSTER-NOT-FOUND', { what: 'vertex', id });
  return vertex;
}

export function taskManagerOf(call: Call, service: ClusterService): TaskManagerDetails {
  const id = taskManagerIdOf(call);
  const found = service.taskManagers().find(({ taskManagerId }) => taskManagerId === id);
  if (found === undefined) throw clusterErrors.create('MR-CLUSTER-NOT-FOUND', { what: 'TaskManager', id });
  return found;
}

/** A field of a query or of a body that is a mapping; undefined where it is not there. */
export function fieldOf(given: unknown, name: string): unknown {
  if (typeof given !== 'object' || given === null || !Object.hasOwn(given, name)) return undefined;
  return (given as Readonly<Record<string, unknown>>)[name];
}

export function textOf(given: unknown, name: string): string | null {
  const value = fieldOf(given, name);
  return typeof value === 'string' ? value : null;
}

export function numberOf(given: unknown, name: string): number | null {
  const value = fieldOf(given, name);
  return typeof value === 'number' ? value : null;
}

export function isSet(given: unknown, name: string): boolean {
  return fieldOf(given, name) === true;
}
