/** What commands ask of a cluster's jobs, with the answers as far as they are used. */
import { shape, type MillraceError, type Shape } from '../../core/index.ts';
import { cliErrors } from '../errors.ts';
import { toldErrorShape, type ClusterClient } from './cluster-client.ts';

export interface ListedJob {
  readonly jid: string;
  readonly name: string;
  readonly state: string;
  readonly 'start-time': number;
  readonly 'end-time': number;
  readonly duration: number;
  readonly tasks: Readonly<Record<string, number>>;
}

/** What every answer about a job has. */
export const jobFacts = {
  jid: shape.text,
  name: shape.text,
  state: shape.text,
  'start-time': shape.number,
  'end-time': shape.number,
  duration: shape.number,
} as const;

/** How many tasks are in each state. */
export const taskCounts = shape.map(shape.number);

const listShape = shape.fields({
  jobs: shape.list<ListedJob>(shape.fields({ ...jobFacts, tasks: taskCounts })),
});

const ENDED: readonly string[] = ['FINISHED', 'CANCELED', 'FAILED'];

export function hasEnded(state: string): boolean {
  return ENDED.includes(state);
}

/** Newest first. */
export async function listJobs(client: ClusterClient): Promise<readonly ListedJob[]> {
  return (await client.ask({ path: '/jobs/overview' }, listShape)).jobs;
}

const JOB_ID = /^[0-9a-f]{32}$/;

/**
 * The job of an id or a name: of several that had the name, the one that runs, else the newest. MR-CLI-USAGE where
 * there is none, or where several run.
 */
export async function findJob(client: ClusterClient, idOrName: string): Promise<ListedJob> {
  const jobs = await listJobs(client);
  const byId = JOB_ID.test(idOrName) ? jobs.find(({ jid }) => jid === idOrName) : undefined;
  if (byId !== undefined) return byId;
  const named = jobs.filter(({ name }) => name === idOrName);
  const running = named.filter(({ state }) => !hasEnded(state));
  if (running.length > 1) {
    const ids = running.map(({ jid }) => jid).join(', ');
    const problem = `several jobs are called ${idOrName}, name one by its id: ${ids}`;
    throw cliErrors.create('MR-CLI-USAGE', { problem });
  }
  const found = running[0] ?? named[0];
  if (found !== undefined) return found;
  throw cliErrors.create('MR-CLI-USAGE', { problem: `the cluster has no job ${idOrName}: see \`millrace list jobs\`` });
}

const statusShape = shape.fields({ status: shape.text });
const POLL_MS = 200;

/** Resolves to its state once it has ended. */
export async function waitForEnd(client: ClusterClient, jobId: string): Promise<string> {
  for (;;) {
    const { status } = await client.ask({ path: `/jobs/${jobId}/status` }, statusShape);
    if (hasEnded(status)) return status;
    await client.sleep(POLL_MS);
  }
}

/** Asks for it, and waits until it has ended. */
export async function cancelJob(client: ClusterClient, jobId: string): Promise<string> {
  await client.ask({ method: 'PATCH', path: `/jobs/${jobId}?mode=cancel` }, shape.fields({}));
  return waitForEnd(client, jobId);
}

const triggerShape = shape.fields({ 'request-id': shape.text });
const outcomeShape = shape.fields(
  { status: shape.fields({ id: shape.oneOf('IN_PROGRESS', 'COMPLETED') }) },
  { operation: shape.fields({}, { location: shape.text, moved: movedShape(), 'failure-cause': failureShape() }) },
);

function failureShape(): Shape<{ readonly error: MillraceError }> {
  return shape.fields({ error: toldErrorShape });
}

/** Tasks of one slot that run elsewhere now; TaskManagers by their ids. */
export interface MovedTasks {
  readonly subtask: number;
  readonly from: string;
  readonly to: string;
}

function movedShape(): Shape<readonly MovedTasks[]> {
  return shape.list(shape.fields({ subtask: shape.number, from: shape.text, to: shape.text }));
}

/** Writes a savepoint; resolves to where it is. */
export async function savepointOf(
  client: ClusterClient,
  jobId: string,
  target: string | null,
): Promise<string | null> {
  const triggerId = client.newId();
  const text = JSON.stringify({ 'target-directory': target, triggerId });
  const path = `/jobs/${jobId}/savepoints`;
  return (await carryOut(client, { path, text, outcome: `${path}/${triggerId}` })).location ?? null;
}

/** Stops a job with a savepoint; resolves to where that is. */
export async function stopJob(
  client: ClusterClient,
  jobId: string,
  { to, drains }: { readonly to: string | null; readonly drains: boolean },
): Promise<string | null> {
  const triggerId = client.newId();
  const text = JSON.stringify({ targetDirectory: to, drain: drains, triggerId });
  const [path, outcome] = [`/jobs/${jobId}/stop`, `/jobs/${jobId}/savepoints/${triggerId}`];
  return (await carryOut(client, { path, text, outcome })).location ?? null;
}

/** Resolves once the job goes on with the other parallelism. */
export async function rescaleJob(client: ClusterClient, jobId: string, parallelism: number): Promise<void> {
  const triggerId = client.newId();
  const path = `/jobs/${jobId}/rescaling?parallelism=${parallelism}&triggerId=${triggerId}`;
  await carryOut(client, { path, text: null, outcome: `/jobs/${jobId}/rescaling/${triggerId}` });
}

/** Resolves once the tasks of the job run where they would be placed now, to those that have moved. */
export async function rebalanceJob(client: ClusterClient, jobId: string): Promise<readonly MovedTasks[]> {
  const triggerId = client.newId();
  const path = `/jobs/${jobId}/rebalancing?triggerId=${triggerId}`;
  const { moved } = await carryOut(client, { path, text: null, outcome: `/jobs/${jobId}/rebalancing/${triggerId}` });
  return moved ?? [];
}

interface Operation {
  readonly path: string;
  /** Null: nothing is sent, and the method is PATCH. */
  readonly text: string | null;
  /** Where its outcome is asked for. */
  readonly outcome: string;
}

interface Result {
  readonly location?: string;
  readonly moved?: readonly MovedTasks[];
}

async function carryOut(client: ClusterClient, { path, text, outcome }: Operation): Promise<Result> {
  const body = text === null ? {} : { body: { mediaType: 'application/json', text } };
  await client.ask({ method: text === null ? 'PATCH' : 'POST', path, ...body }, triggerShape);
  for (;;) {
    const { status, operation } = await readOutcome(client, outcome);
    if (status.id === 'COMPLETED') {
      const failure = operation?.['failure-cause'];
      if (failure !== undefined) throw failure.error;
      return operation ?? {};
    }
    await client.sleep(POLL_MS);
  }
}

async function readOutcome(client: ClusterClient, path: string): ReturnType<typeof askOutcome> {
  try {
    return await askOutcome(client, path);
  } catch (error) {
    // The leader that was told is gone, and with it what it knew of this.
    const isUnknown = typeof error === 'object' && error !== null && 'code' in error && error.code === NOT_FOUND;
    throw isUnknown ? cliErrors.create('MR-CLI-OUTCOME-UNKNOWN', {}, error) : error;
  }
}

const NOT_FOUND = 'MR-CLUSTER-NOT-FOUND';

function askOutcome(client: ClusterClient, path: string) {
  return client.ask({ path }, outcomeShape);
}
