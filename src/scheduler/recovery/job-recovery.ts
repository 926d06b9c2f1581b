/** What happens between a failure, or the start, and the deployment: docs/design/011, "Starting, and every restart". */
import { toMillraceError } from '../../core/index.ts';
import type {
  CheckpointMetadata,
  CheckpointSettings,
  CheckpointStorage,
  ConnectorCatalog,
  Ports,
  RunIdentity,
  StateSchema,
  StepId,
} from '../../core/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import type { JobRecord, JobStore } from '../../ha/index.ts';
import { schedulerErrors } from '../errors.ts';
import type { JobOrigin, StartMode } from '../start-mode.ts';
import { chooseOrigin } from './choose-origin.ts';
import type { Origin } from './choose-origin.ts';
import { Committers } from './committers.ts';
import { newRecord, withNextRun, withOrigin, withoutRuns } from './job-record.ts';
import { JobRecorder } from './job-recorder.ts';
import { checkRestorePlan, planRestore } from './plan-restore.ts';
import { RetainedFiles } from './retained-files.ts';
import { RunShares, shareOf } from './run-shares.ts';

export interface RecoveryOptions {
  readonly graph: JobGraph;
  readonly settings: CheckpointSettings;
  readonly ports: Ports;
  readonly catalog: ConnectorCatalog;
  readonly store: JobStore;
  readonly storage: CheckpointStorage;
  readonly start: StartMode;
  readonly allowDroppedState: boolean;
  /** What the job's operators keep, by step, where that is known. */
  readonly schemas?: ReadonlyMap<string, StateSchema>;
}

/** An execution that may be deployed: nothing that older ones have left is in its way. */
export interface StartedRun {
  readonly run: RunIdentity;
  readonly restored: CheckpointMetadata | null;
  readonly origin: JobOrigin;
  /** The first checkpoint id that nobody has used, and the first that is not reserved. */
  readonly ids: { readonly first: number; readonly upTo: number };
}

/** Of some subtasks. */
export type StartedPart = Omit<StartedRun, 'origin'>;

/** An execution of an earlier leader that goes on. */
export interface ResumedRun {
  readonly run: RunIdentity;
  readonly ids: StartedRun['ids'];
  /** The last completed checkpoint; null where there is none. */
  readonly last: CheckpointMetadata | null;
  /** It is of this execution, which else has started from it; of a part of it, where its tasks are of several. */
  readonly isOwn: boolean;
}

export class JobRecovery {
  readonly recorder: JobRecorder;
  readonly files: RetainedFiles;
  readonly #options: RecoveryOptions;
  /** What nothing is left of: aborted, and its tasks have ended. */
  readonly #gone = new RunShares();
  /** Of what a task may still be alive. */
  readonly #lingering = new RunShares();
  #start: StartMode;
  #committers: Committers | null = null;
  #run: RunIdentity | null = null;

  constructor(options: RecoveryOptions) {
    const { graph, ports, store, storage } = options;
    this.#options = options;
    this.#start = options.start;
    this.recorder = new JobRecorder(store, graph.name, () =>
      newRecord(graph.name, ports.randomness.hex(8), graph.maxParallelism),
    );
    this.files = new RetainedFiles(storage, ports.clock);
  }

  /**
   * Called before each execution, once all tasks of the one before have ended. `firstFreeId` is an id that none of its
   * checkpoints has used; null at first. Rejects with what forbids to go on, and with the signal's reason once that is
   * aborted.
   */
  async begin(firstFreeId: number | null, signal: AbortSignal): Promise<StartedRun> {
    const { crashPoints } = this.#options.ports;
    const first = firstFreeId ?? (await this.recorder.read()).nextCheckpointId;
    const record = await this.#raiseGeneration(first);
    crashPoints?.reached('generation-raised');
    signal.throwIfAborted();
    const { run, committers } = this.#adopt(record);
    try {
      const mayRepeat = !committers.areTransactional;
      const origin = await chooseOrigin(this.#start, record, this.#options.storage, mayRepeat);
      const droppedSteps = this.#check(origin);
      signal.throwIfAborted();
      const warnings = await this.#commit(origin, committers);
      crashPoints?.reached('handles-committed');
      signal.throwIfAborted();
      await this.#abortOlder(record, committers);
      crashPoints?.reached('older-aborted');
      signal.throwIfAborted();
      const { nextCheckpointId: upTo } = await this.#tidy(origin, first);
      this.#start = { kind: 'resume' };
      return {
        run,
        restored: origin.from?.metadata ?? null,
        origin: { ...describe(origin, droppedSteps), warnings: [...origin.warnings, ...warnings] },
        ids: { first: Math.max(first, (origin.from?.pointer.checkpointId ?? 0) + 1), upTo },
      };
    } finally {
      await committers.close();
    }
  }

  /**
   * Instead of begin(), where these subtasks alone start anew, from the last checkpoint, and all others go on: called
   * once their tasks have ended (docs/design/022). Rejects as begin() does.
   */
  async beginPart(subtasks: readonly number[], firstFreeId: number, signal: AbortSignal): Promise<StartedPart> {
    const { ports, storage } = this.#options;
    const record = await this.#raiseGeneration(firstFreeId, subtasks);
    ports.crashPoints?.reached('generation-raised');
    signal.throwIfAborted();
    const { run, committers } = this.#adopt(record);
    try {
      const pointer = record.checkpoints.at(-1);
      const last = pointer === undefined ? null : await storage.readMetadata(pointer.metadata);
      signal.throwIfAborted();
      if (last?.kind === 'checkpoint') await committers.commit(last, subtasks);
      ports.crashPoints?.reached('handles-committed');
      signal.throwIfAborted();
      const runs = record.runs.flatMap((older) => shareOf(older, subtasks) ?? []);
      await this.#abortOlder({ ...record, runs }, committers);
      ports.crashPoints?.reached('older-aborted');
      signal.throwIfAborted();
      return { run, restored: last, ids: { first: firstFreeId, upTo: record.nextCheckpointId } };
    } finally {
      await committers.close();
    }
  }

  /**
   * Instead of begin(), for an attempt that an earlier leader has deployed: nothing is changed. Resolves to `finished`
   * where all that is missing is that somebody says so; rejects with MR-JOB-SLOTS-GONE where the record is not that of
   * this attempt, the newest of its tasks. Whatever comes of it, later attempts start from the last checkpoint.
   */
  async resume(attempt: number, oldest = attempt): Promise<ResumedRun | 'finished'> {
    this.#start = { kind: 'resume' };
    const record = await this.recorder.read();
    const { generation, nextCheckpointId, checkpoints } = record;
    if (generation !== generationOf(attempt)) {
      const reason = `generation ${generation} was begun meanwhile`;
      throw schedulerErrors.create('MR-JOB-SLOTS-GONE', { attempt, reason });
    }
    if (record.isFinished) return 'finished';
    const pointer = checkpoints.at(-1);
    const last = pointer === undefined ? null : await this.#options.storage.readMetadata(pointer.metadata);
    if (pointer !== undefined && last !== null) this.files.add(pointer, last);
    await this.files.learn(record);
    const { run } = this.#adopt(record);
    const isOfTasks = last !== null && last.generation >= generationOf(oldest) && last.generation <= generation;
    const isOwn = isOfTasks && last.kind === 'checkpoint' && last.jobName === run.jobName;
    return { run, ids: { first: nextCheckpointId, upTo: nextCheckpointId }, last, isOwn };
  }

  /** A task of this attempt, be it one of these subtasks or any, may have outlived it. */
  lingers(attempt: number, subtasks?: readonly number[]): void {
    this.#lingering.add(generationOf(attempt), subtasks);
  }

  /**
   * The job has ended before its time, and all its tasks with it: commits what the last checkpoint holds and takes back
   * the rest, so that readers of its output wait for nothing. The next start does the same, whatever becomes of this.
   */
  async settle(): Promise<void> {
    if (this.#run === null) return;
    const record = await this.recorder.read();
    const { committers } = this.#adopt(record);
    try {
      const last = record.checkpoints.at(-1);
      if (!committers.areTransactional || record.isFinished) return;
      if (last?.kind === 'checkpoint') {
        await committers.commit(await this.#options.storage.readMetadata(last.metadata));
      }
      await committers.abortOlder(record.runs);
    } finally {
      await committers.close();
    }
  }

  /** Ends what is under way, wherever it is. */
  async close(): Promise<void> {
    await this.#committers?.close();
  }

  /** The job has finished by itself, and everything is committed. */
  async finish(): Promise<void> {
    await this.recorder.update((record) => ({ ...this.cleaned(record), isFinished: true }));
  }

  /** The record without what is done with; written when the record is written anyway. */
  cleaned(record: JobRecord): JobRecord {
    return withoutRuns(this.files.swept(record), this.#gone);
  }

  #raiseGeneration(firstFreeId: number, subtasks?: readonly number[]): Promise<JobRecord> {
    const { graph, settings } = this.#options;
    const parallelism = Math.max(...graph.vertices.map((vertex) => vertex.parallelism));
    const only = subtasks === undefined ? {} : { subtasks };
    const run = { parallelism, tolerableFailures: settings.tolerableFailures, ...only };
    return this.recorder.update((before) => withNextRun(before, run, firstFreeId, this.#gone));
  }

  #adopt({ clusterId, generation }: JobRecord): { readonly run: RunIdentity; readonly committers: Committers } {
    const { graph, settings, catalog, ports } = this.#options;
    const run: RunIdentity = { clusterId, jobName: graph.name, generation, settings };
    const committers = new Committers(graph, catalog, (stepId) => ({
      jobName: graph.name,
      stepId,
      ports,
      rack: null,
      run,
    }));
    this.#run = run;
    this.#committers = committers;
    return { run, committers };
  }

  /** The steps whose state is dropped; throws where the job cannot start from it. */
  #check({ from }: Origin): readonly StepId[] {
    const { graph, allowDroppedState, schemas } = this.#options;
    return from === null ? [] : checkRestorePlan(planRestore(from.metadata, graph, schemas), allowDroppedState);
  }

  /** Returns warnings: what cannot be committed is no obstacle where somebody has chosen to start from elsewhere. */
  async #commit({ from, abandoned }: Origin, committers: Committers): Promise<readonly string[]> {
    const warnings: string[] = [];
    if (abandoned !== null) {
      try {
        await committers.commit(await this.#options.storage.readMetadata(abandoned.metadata));
      } catch (error) {
        const { message } = toMillraceError(error);
        warnings.push(`not all output of checkpoint ${abandoned.checkpointId} could be committed: ${message}`);
      }
    }
    // A savepoint is complete only once its output is committed; later ones may have gone on from there.
    if (from !== null && from.metadata.kind === 'checkpoint') await committers.commit(from.metadata);
    return warnings;
  }

  async #abortOlder({ runs, generation }: JobRecord, committers: Committers): Promise<void> {
    const older = runs.filter((run) => run.generation < generation);
    await committers.abortOlder(older);
    for (const run of older) {
      const dead = this.#lingering.rest(run);
      if (dead !== null) this.#gone.add(run.generation, dead.subtasks);
    }
  }

  /** Brings the record up to date and removes what nothing needs. */
  async #tidy({ from, isChange }: Origin, firstLiveId: number): Promise<JobRecord> {
    const { graph } = this.#options;
    let record = isChange
      ? await this.recorder.update((before) => withOrigin(before, from?.pointer ?? null, graph.maxParallelism))
      : await this.recorder.read();
    if (from !== null) this.files.add(from.pointer, from.metadata);
    await this.files.learn(record);
    const cleaned = await this.files.withOrphans(record, firstLiveId);
    if (cleaned !== record) {
      const { tombstones } = cleaned;
      record = await this.recorder.update((before) => ({ ...before, tombstones }));
    }
    await this.files.sweep(record);
    return record;
  }
}

/** The generation of an attempt of a job that takes checkpoints: both are raised together. */
export function generationOf(attempt: number): number {
  return attempt + 1;
}

function describe({ from, finishedWith }: Origin, droppedSteps: readonly StepId[]): JobOrigin {
  if (from === null) {
    return finishedWith === null ? { kind: 'anew' } : { kind: 'anew-after-finish', checkpointId: finishedWith };
  }
  const { checkpointId, kind, completedAtMs } = from.pointer;
  return { kind: 'restored', checkpointId, completedAtMs, isSavepoint: kind === 'savepoint', droppedSteps };
}
