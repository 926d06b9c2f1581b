/** The jobs of one leadership: what the store says of them, and the JobMasters that run them. */
import {
  deserializeError,
  jobId as toJobId,
  readShape,
  serializeError,
  shape,
  toMillraceError,
} from '../../core/index.ts';
import type { Clock, JobId, MillraceError, SerializedError, StateFile } from '../../core/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import { attemptsOf } from '../../ha/index.ts';
import type { ClusterRecords, JobCode, JobOutcome, JobSubmission } from '../../ha/index.ts';
import type { JobState } from '../../rpc/index.ts';
import { schedulerErrors } from '../../scheduler/index.ts';
import type { SavepointRequest, StartMode } from '../../scheduler/index.ts';
import type { AcceptedJob, Dispatcher } from '../dispatcher.ts';
import { clusterErrors } from '../errors.ts';
import type { JobHandle, JobResult } from '../job-handle.ts';

export interface ClusterJobsOptions {
  readonly clock: Clock;
  readonly records: ClusterRecords;
  readonly dispatcher: Dispatcher;
  /** Slots that run this attempt are kept for the job: called before takeOver(). */
  readonly expectAdoption: (jobId: JobId, attempts: readonly number[]) => void;
  /** Resolves once no slot that the job had is still being freed, or that takes too long. */
  readonly slotsFreed: (jobId: JobId) => Promise<void>;
  /** Told what goes wrong where nobody waits for an answer. */
  readonly onProblem: (error: MillraceError) => void;
}

export interface NewJob {
  readonly jobId: JobId;
  readonly graph: JobGraph;
  readonly start: StartMode;
  readonly allowDroppedState: boolean;
  /** What the graph was compiled from; null where nobody knows. */
  readonly source: string | null;
  /** That came with it; absent where none did. */
  readonly code?: JobCode;
}

/** How a job is stopped that goes on otherwise. */
export type StopFor =
  /** Behind a checkpoint of its own, from which it goes on. */
  | 'checkpoint'
  /** As it is: it does not run, and goes on from its last checkpoint. */
  | 'cancel';

export interface NextStart {
  /** Null where it stays as it is. */
  readonly graph: JobGraph | null;
  readonly stop: StopFor;
}

export interface RestartedJob {
  /** Resolves once all its tasks run; rejects where it fails before. */
  running(): Promise<void>;
}

/** A job of which this leader has a JobMaster, or had one. */
export interface LedJob {
  readonly submission: JobSubmission;
  readonly accepted: AcceptedJob;
  readonly handle: JobHandle;
  readonly endedAtMs: number | null;
  /** It is on its way from its stop to its next start. */
  readonly isRescaling: boolean;
}

export interface EndedJob {
  readonly submission: JobSubmission;
  readonly outcome: JobOutcome;
  /** One without steps where what is stored cannot be read: that is why the job has failed. */
  readonly graph: () => JobGraph;
}

interface Job extends LedJob {
  /** Of its next start, from where it has stopped for that. */
  submission: JobSubmission;
  endedAtMs: number | null;
  isRescaling: boolean;
  isCancelled: boolean;
  /** Resolves once it goes on with another parallelism, or will not. */
  rescaled: Promise<unknown>;
  /** Resolves once its outcome is stored. */
  hasStored: Promise<void>;
}

/** So many jobs that have ended are remembered; of the store the same. */
const REMEMBERED = 100;
const RETRY_MS = 1000;

const { fields, oneOf, text } = shape;
const startShape = fields({ kind: oneOf('resume', 'fresh', 'from') }, { location: text });

export class ClusterJobs {
  readonly #options: ClusterJobsOptions;
  readonly #led = new Map<JobId, Job>();
  /** Those that ended under earlier leaders, or could not even be begun. */
  readonly #ended = new Map<JobId, EndedJob>();
  /** Rejects once another one leads. */
  readonly #over = Promise.withResolvers<never>();
  #isOver = false;

  constructor(options: ClusterJobsOptions) {
    this.#options = options;
    this.#over.promise.catch(() => undefined);
  }

  get led(): readonly LedJob[] {
    return [...this.#led.values()];
  }

  get ended(): readonly EndedJob[] {
    return [...this.#ended.values()];
  }

  find(jobId: JobId): LedJob | EndedJob | null {
    return this.#led.get(jobId) ?? this.#ended.get(jobId) ?? null;
  }

  /** Called once: goes on with what earlier leaders have left. Rejects where the store cannot be read. */
  async recover(): Promise<void> {
    const { records } = this.#options;
    for (const { submission, outcome } of await records.endedJobs()) {
      this.#ended.set(toJobId(submission.jobId), await endedJob(submission, outcome));
    }
    await Promise.all(
      (await records.jobs()).map(async (submission) => {
        try {
          await this.#goOn(submission);
        } catch (error) {
          await this.#cannotBegin(submission, toMillraceError(error));
        }
      }),
    );
  }

  /** Resolves once the job is stored; repeating it is harmless. */
  async submit({ jobId, graph, start, allowDroppedState, source, code }: NewJob): Promise<void> {
    const { records, dispatcher, clock } = this.#options;
    if (this.find(jobId) !== null) return;
    const { serialiseJobGraph, deserialiseJobGraph } = await graphRoom();
    const serialised = serialiseJobGraph(graph);
    // What the next leader could not read is not taken.
    deserialiseJobGraph(serialised);
    const submission: JobSubmission = {
      version: 1,
      jobId,
      jobName: graph.name,
      graph: serialised,
      start: JSON.stringify(start),
      allowDroppedState,
      submittedAtMs: clock.nowMs(),
      ...(source === null ? {} : { source }),
    };
    const accepted: AcceptedJob[] = [];
    const handle = await dispatcher.submit(graph, { jobId, start, allowDroppedState }, async (job) => {
      // Another leader would start the one of this name again whose end is not stored yet.
      const ending = [...this.#led.values()].filter(({ handle: { name } }) => name === graph.name);
      const next = ending.find(({ isRescaling }) => isRescaling);
      if (next !== undefined && graph.checkpoint !== null) {
        throw schedulerErrors.create('MR-JOB-NAME-TAKEN', { name: graph.name, jobId: next.accepted.jobId });
      }
      await this.#whileLeading(Promise.all(ending.map(({ hasStored }) => hasStored)));
      accepted.push(job);
      return this.#whileLeading(records.addJob(submission, code));
    });
    const [job] = accepted;
    if (handle !== null) {
      if (job !== undefined) this.#follow(submission, job, handle);
      return;
    }
    // It was stored by a call whose answer was lost.
    const stored = (await records.jobs()).find((each) => each.jobId === jobId);
    if (stored !== undefined && this.find(jobId) === null) await this.#goOn(stored);
  }

  /** Resolves once it has ended, and no leader will start it again. */
  async cancel(jobId: JobId): Promise<void> {
    const job = this.#led.get(jobId);
    if (job === undefined) return;
    job.isCancelled = true;
    if (job.endedAtMs === null) {
      // For the next leader, if this one does not live to see the end, which is written after it in any case.
      this.#store(job).catch(() => undefined);
    }
    await this.#whileLeading(job.handle.cancel().then(() => Promise.all([job.hasStored, job.rescaled])));
  }

  /** With `stopsSources` it resolves once the job has ended, and no leader will start it again. */
  async savepoint(jobId: JobId, request: SavepointRequest): Promise<StateFile> {
    const job = this.#led.get(jobId);
    if (job === undefined) throw schedulerErrors.create('MR-JOB-SAVEPOINT-FAILED', { reason: 'the job has ended' });
    const file = await this.#whileLeading(job.handle.savepoint(request));
    if (request.stopsSources) await this.#whileLeading(job.hasStored);
    return file;
  }

  /**
   * Stops the job and starts it from there, under the same id; resolves once it is started. Rejects where it could not
   * be stopped, and goes on as it was.
   */
  async restart(jobId: JobId, { graph, stop }: NextStart): Promise<RestartedJob> {
    const job = this.#led.get(jobId);
    if (job === undefined || job.isRescaling || job.endedAtMs !== null) {
      throw notRescalable(jobId, 'it is being restarted, or has ended');
    }
    job.isRescaling = true;
    const next = this.#restart(job, { graph, stop });
    job.rescaled = next.catch(() => undefined);
    const started = await next;
    return { running: () => (started === null ? Promise.resolve() : this.#runs(started)) };
  }

  /** Null where it was cancelled meanwhile. */
  async #restart(job: Job, { graph, stop }: NextStart): Promise<Job | null> {
    const { jobId } = job.accepted;
    try {
      await this.#whileLeading(this.#stop(job, stop));
    } catch (error) {
      job.isRescaling = false;
      throw error;
    }
    const { state } = await this.#whileLeading(job.handle.result);
    // It may have ended otherwise: then that is stored by now.
    await this.#whileLeading(job.hasStored);
    if (job.endedAtMs !== null) throw notRescalable(jobId, `meanwhile it was ${state}`);
    try {
      await this.#durably(() => this.#options.slotsFreed(jobId));
      job.submission = await this.#durably(() => this.#nextSubmission(job, { graph, stop }));
      // From here on every leader starts the new graph.
      await this.#durably(() => this.#store(job));
      await this.#durably(() => this.#goOn(job.submission));
    } catch (error) {
      // Whatever is stored is what the next leader goes on with.
      this.#led.delete(jobId);
      await this.#cannotBegin(job.submission, toMillraceError(error));
      throw error;
    }
    if (!job.isCancelled) return this.#led.get(jobId) ?? null;
    // Whoever wanted its end meanwhile did not mean its stop.
    await this.cancel(jobId);
    return null;
  }

  async #stop({ handle }: Job, stop: StopFor): Promise<void> {
    if (stop === 'cancel') await handle.cancel();
    else await handle.savepoint({ target: null, stopsSources: true });
  }

  /** What the next leader goes on with, and that it is to be cancelled where somebody has asked for that by now. */
  #store({ submission, isCancelled }: Job): Promise<void> {
    return this.#options.records.replaceJob(isCancelled ? { ...submission, isCancelled: true } : submission);
  }

  async #nextSubmission({ submission }: Job, { graph }: NextStart): Promise<JobSubmission> {
    const { records, clock } = this.#options;
    const attempt = (await records.plan(submission.jobId))?.attempt ?? -1;
    const hasRun = attempt >= (submission.firstAttempt ?? 0);
    const { serialiseJobGraph } = await graphRoom();
    const next = { ...submission, ...(graph === null ? {} : { graph: serialiseJobGraph(graph) }) };
    if (!hasRun) return { ...next, restartedAtMs: clock.nowMs() };
    return {
      ...next,
      start: JSON.stringify({ kind: 'resume' } satisfies StartMode),
      // What it was allowed to drop it has dropped.
      allowDroppedState: false,
      firstAttempt: attempt + 1,
      restartedAtMs: clock.nowMs(),
    };
  }

  /** Resolves once all tasks run. */
  async #runs({ handle }: Job): Promise<void> {
    const { jobId } = handle;
    const failing = Promise.withResolvers<undefined>();
    const look = (state: JobState): void => {
      if (state === 'FAILING' || state === 'RESTARTING') failing.resolve(undefined);
    };
    const stopListening = handle.onStateChange(look);
    look(handle.state);
    const failed = failing.promise.then((): never => {
      const reason = handle.lastFailure?.message ?? handle.state;
      throw clusterErrors.create('MR-CLUSTER-NOT-RUNNING-AGAIN', { job: jobId, reason }, handle.lastFailure);
    });
    const ended = handle.result.then(({ state, error }): void => {
      if (error !== null) throw error;
      if (state !== 'FINISHED') throw notRescalable(jobId, `meanwhile it was ${state}`);
    });
    try {
      await this.#whileLeading(Promise.race([handle.running, ended, failed]));
    } finally {
      stopListening();
    }
  }

  /** Another one leads: jobs are let go of, and nothing is stored any more. */
  abandon(): void {
    this.#isOver = true;
    this.#options.dispatcher.abandon();
    this.#over.reject(clusterErrors.create('MR-CLUSTER-NOT-LEADING', {}));
  }

  /** Starts a job that is stored, or takes it over where something of it may be running. */
  async #goOn(submission: JobSubmission): Promise<void> {
    const { records, dispatcher, expectAdoption } = this.#options;
    const id = toJobId(submission.jobId);
    const { deserialiseJobGraph } = await graphRoom();
    const graph = deserialiseJobGraph(submission.graph);
    const stored = await records.plan(id);
    const plan = stored !== null && stored.attempt >= (submission.firstAttempt ?? 0) ? stored : null;
    // Whatever it started from, it has gone on from there.
    const start: StartMode = plan === null ? readStart(submission.start) : { kind: 'resume' };
    const { allowDroppedState } = submission;
    const accepted = await dispatcher.prepare(id, graph, { start, allowDroppedState });
    if (this.#isOver) return;
    if (plan !== null) expectAdoption(id, attemptsOf(plan));
    this.#follow(submission, accepted, dispatcher.run(accepted, plan ?? undefined));
    // As the leader before had not finished it.
    if (submission.isCancelled === true) this.cancel(id).catch(() => undefined);
  }

  /** Stores what becomes of a job that has been started. */
  #follow(submission: JobSubmission, accepted: AcceptedJob, handle: JobHandle): void {
    const job: Job = {
      submission,
      accepted,
      handle,
      endedAtMs: null,
      isRescaling: false,
      isCancelled: false,
      rescaled: Promise.resolve(),
      hasStored: Promise.resolve(),
    };
    this.#led.set(accepted.jobId, job);
    job.hasStored = handle.result.then((result) => this.#hasEnded(job, result));
    // Nobody stores anything any more once another one leads.
    job.hasStored.catch(() => undefined);
  }

  async #hasEnded(job: Job, { state, error }: JobResult): Promise<void> {
    const { records, clock, dispatcher } = this.#options;
    if (job.isRescaling && state === 'CANCELED' && !job.isCancelled) return;
    job.isRescaling = false;
    const { jobId, submittedAtMs: startedAtMs } = job.submission;
    const endedAtMs = clock.nowMs();
    job.endedAtMs = endedAtMs;
    const failure = error === null ? null : JSON.stringify(serializeError(error));
    await this.#durably(() => records.endJob(jobId, { version: 1, state, error: failure, startedAtMs, endedAtMs }));
    const ended = [...this.#led.values()].filter((each) => each.endedAtMs !== null);
    for (const { accepted } of ended.slice(0, Math.max(0, ended.length - REMEMBERED))) {
      this.#led.delete(accepted.jobId);
      dispatcher.forget(accepted.jobId);
    }
  }

  /** Writes until it is known to be written. Rejects where another one leads. */
  async #durably<T>(write: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#isOver) return this.#over.promise;
      try {
        return await write();
      } catch (error) {
        const problem = toMillraceError(error);
        if (problem.retry === 'never') throw problem;
        this.#options.onProblem(problem);
        await this.#options.clock.sleep(RETRY_MS);
      }
    }
  }

  #whileLeading<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#over.promise]);
  }

  async #cannotBegin(submission: JobSubmission, error: MillraceError): Promise<void> {
    // Not of this job.
    if (error.code === 'MR-HA-FENCED' || error.code === 'MR-HA-UNAVAILABLE' || this.#isOver) throw error;
    const { submittedAtMs } = submission;
    const failure = JSON.stringify(serializeError(error));
    const endedAtMs = this.#options.clock.nowMs();
    const outcome = { version: 1, state: 'FAILED', error: failure, startedAtMs: submittedAtMs, endedAtMs } as const;
    // Nothing is stored: a leader of another version may know what to do with it.
    this.#ended.set(toJobId(submission.jobId), await endedJob(submission, outcome));
    this.#options.onProblem(error);
  }
}

/** With it come the parsers of job files and expressions: loaded with the first job. */
function graphRoom() {
  return import('../../graph/index.ts');
}

async function endedJob(submission: JobSubmission, outcome: JobOutcome): Promise<EndedJob> {
  const { deserialiseJobGraph } = await graphRoom();
  const graph = (): JobGraph => {
    try {
      return deserialiseJobGraph(submission.graph);
    } catch {
      const none = { checkpoint: null, restart: { kind: 'none' }, vertices: [], edges: [] } as const;
      return { version: 1, name: submission.jobName, maxParallelism: 1, ...none };
    }
  };
  return { submission, outcome, graph };
}

/** Why a job that ended under an earlier leader has failed. */
export function errorOf({ error }: JobOutcome): MillraceError | null {
  return error === null ? null : deserializeError(JSON.parse(error) as SerializedError);
}

function readStart(stored: string): StartMode {
  const reading = readShape(startShape, JSON.parse(stored));
  if (reading.kind === 'refused') throw new Error(`what the job starts from is damaged: ${reading.reason}`);
  const { kind, location } = reading.value;
  if (kind !== 'from') return { kind };
  if (location === undefined) throw new Error('what the job starts from is damaged: it has no location');
  return { kind, location };
}

function notRescalable(job: string, reason: string): MillraceError {
  return clusterErrors.create('MR-CLUSTER-NOT-RESCALABLE', { job, reason });
}
