import { deserializeError, serializeError, stateFilesOf, toMillraceError } from '../../core/index.ts';
import type {
  AttemptId,
  CheckpointMetadata,
  CheckpointPointer,
  CheckpointSettings,
  CheckpointStorage,
  CheckpointStorageConfig,
  Ports,
  RunIdentity,
  SerializedError,
  StateFile,
  SubtaskSnapshot,
  Timer,
} from '../../core/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import type { CheckpointAcknowledgement, TaskManagerGateway, TaskReference } from '../../rpc/index.ts';
import { schedulerErrors } from '../errors.ts';
import type { Execution } from '../execution-graph.ts';
import { generationOf } from '../recovery/job-recovery.ts';
import type { JobRecovery, ResumedRun, StartedPart, StartedRun } from '../recovery/job-recovery.ts';
import { withPointer, withReservedIds } from '../recovery/job-record.ts';
import { coordinate, idleCoordinator, wakeAtMs } from './checkpoint-coordinator.ts';
import type {
  AbortReason,
  CheckpointDecision,
  CheckpointFact,
  CoordinatedTask,
  CoordinatorState,
} from './checkpoint-coordinator.ts';
import { CheckpointLog } from './checkpoint-history.ts';
import type { CheckpointHistory } from './checkpoint-history.ts';
import { inFlightBytesOf, metadataOf, stateBytesOf } from './checkpoint-metadata.ts';
import type { AdoptedTask } from '../recovery/take-over.ts';
import { writeSavepoint } from './write-savepoint.ts';

/** Where a savepoint is put: a storage of its own. */
export type OpenStorage = (config: CheckpointStorageConfig) => CheckpointStorage;

export interface SavepointRequest {
  /** Holds nothing else. Null: it is not copied, and is the job's last checkpoint. */
  readonly target: CheckpointStorageConfig | null;
  /** Sources give nothing behind it; they go on where it fails. */
  readonly stopsSources: boolean;
  /** With `stopsSources`: event time comes to its end first. Where it fails then, the job restarts. */
  readonly drains?: boolean;
}

export interface CheckpointerOptions {
  readonly graph: JobGraph;
  readonly settings: CheckpointSettings;
  readonly ports: Ports;
  readonly storage: CheckpointStorage;
  readonly recovery: JobRecovery;
  /** For savepoints; null where there can be none. */
  readonly openStorage: OpenStorage | null;
  /** Calls the TaskManager of a task; rejects where it cannot be reached. */
  readonly send: (
    task: AttemptId,
    call: (manager: TaskManagerGateway, reference: TaskReference) => Promise<void>,
  ) => Promise<void>;
  /** The store is away now and then, and a restart would need it too: that fails no job. */
  readonly endures: (error: unknown) => boolean;
  /** A task that cannot be told what it must hear has failed. */
  readonly unreachable: (task: AttemptId, error: unknown) => void;
  /** The job must fail. */
  readonly fail: (error: unknown) => void;
}

/** Somebody waits for a savepoint. */
interface WantedSavepoint {
  readonly target: CheckpointStorageConfig | null;
  readonly resolve: (metadata: StateFile) => void;
  readonly reject: (error: Error) => void;
}

interface PendingWrite {
  readonly triggeredAtMs: number;
  pointer: CheckpointPointer | null;
  metadata: CheckpointMetadata | null;
}

/** Of the interval, before the first checkpoint after a restart: whoever reads the output has waited long enough. */
const RESTART_SHARE = 0.25;

/** Does what the coordinator decides, and tells it what has come of it. One for the life of a JobMaster. */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  readonly #log: CheckpointLog;
  #state: CoordinatorState;
  #run: RunIdentity | null = null;
  /** It is not the first execution. */
  #isRestart = false;
  #executions: readonly Execution[] = [];
  /** The pending checkpoint, as far as it is written. */
  #pending: PendingWrite | null = null;
  /** The last one that has completed. */
  #completed: Pick<PendingWrite, 'pointer' | 'metadata'> | null = null;
  #wanted: WantedSavepoint | null = null;
  /** Files of no use since the last pointer moved. */
  #discarded: string[] = [];
  #timer: Timer | null = null;
  /** Raised where an execution begins, and where it stops. */
  #term = 0;
  /** Writes of the record under way. */
  readonly #work = new Set<Promise<void>>();
  #isAbandoned = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#log = new CheckpointLog(options.ports.clock);
    this.#state = idleCoordinator(options.settings, 0);
  }

  history(): CheckpointHistory {
    return this.#log.read();
  }

  /** The first checkpoint id that was not used; null before the first execution. */
  get firstFreeId(): number | null {
    return this.#run === null ? null : this.#state.nextId;
  }

  /** Called for each execution before anything is deployed, once the one before has stopped. */
  begin({ run, ids }: Pick<StartedRun, 'run' | 'ids'>, executions: readonly Execution[]): void {
    this.#isRestart = this.#run !== null;
    if (this.#run === null) this.#state = idleCoordinator(this.#options.settings, ids.first);
    this.#term++;
    this.#run = run;
    this.#executions = executions;
    this.#tell({ kind: 'ids-reserved', upTo: ids.upTo });
    this.#tell({ kind: 'deployed', tasks: executions.map(toCoordinated) });
  }

  /** Whether somebody waits for a savepoint: all tasks have a part in it. */
  get isSavepointWanted(): boolean {
    return this.#wanted !== null || this.#state.savepoint !== null;
  }

  /** When the barriers of the last completed checkpoint began; null where none has completed here. */
  get lastTriggeredAtMs(): number | null {
    return this.#completed?.metadata?.triggeredAtMs ?? null;
  }

  /** All tasks have come to their ends, and a checkpoint holds that. */
  get isLastDone(): boolean {
    return this.#state.isLastDone;
  }

  /**
   * These tasks end, and others go on: the pending checkpoint is given up, none is begun. Resolves once the record is
   * not being written: the pointer may just have been moving.
   */
  async stopPart(tasks: readonly AttemptId[]): Promise<void> {
    this.#tell({ kind: 'partly-stopped', tasks: new Set(tasks) });
    while (this.#work.size > 0) await Promise.allSettled([...this.#work]);
  }

  /** After stopPart(), before these tasks are deployed in the place of those; `executions` are all of the job. */
  beginPart({ run, ids }: StartedPart, executions: readonly Execution[], slices: readonly number[]): void {
    this.#run = run;
    this.#isRestart = true;
    this.#executions = executions;
    this.#tell({ kind: 'ids-reserved', upTo: ids.upTo });
    const begun = executions.filter(({ subtaskIndex }) => slices.includes(subtaskIndex));
    this.#tell({ kind: 'partly-deployed', tasks: begun.map(toCoordinated) });
  }

  /**
   * Called instead where tasks of an earlier leader go on. Whatever it had begun is given up; what it had completed is
   * told again, as it may have died before it did so.
   */
  resume(resumed: ResumedRun, tasks: readonly AdoptedTask[]): void {
    this.begin(resumed, tasks.map(({ execution }) => execution));
    for (const { execution, report } of tasks) {
      if (report.final !== null) this.ended(execution.attemptId, report.final);
      if (report.state === 'FINISHED') this.finished(execution.attemptId);
    }
    const { last, isOwn, ids } = resumed;
    const live = tasks.filter(({ report }) => report.state !== 'FINISHED');
    const all = live.map(({ execution }) => execution.attemptId);
    for (let id = (last?.checkpointId ?? 0) + 1; id < ids.first; id++) this.#tellAborted(id, all);
    if (last !== null && isOwn) {
      // Those that were restarted after it have nothing of it.
      const own = live.filter(({ execution }) => generationOf(execution.attempt) <= last.generation);
      this.#tellCompleted(last.checkpointId, own.map(({ execution }) => execution.attemptId));
      // Sources that a savepoint has stopped behind it go on.
      const sources = live.filter(({ execution, report }) => isSource(execution) && report.final === null);
      this.#tellAborted(last.checkpointId, sources.map(({ execution }) => execution.attemptId));
    }
    // The last one may be long ago.
    this.#tell({ kind: 'all-running', share: 0 });
  }

  /** The job is another leader's: nothing is begun, written or told any more. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#timer?.cancel();
    this.#pending = null;
    this.#endSavepoint(({ reject }) => {
      reject(savepointFailed('another leader has taken the job over'));
    });
  }

  allRunning(): void {
    this.#tell({ kind: 'all-running', share: this.#isRestart ? RESTART_SHARE : 1 });
  }

  acknowledged({ attemptId, checkpointId, snapshot, metrics }: CheckpointAcknowledgement): void {
    this.#log.acknowledged(checkpointId, metrics);
    this.#tell({ kind: 'acknowledged', attemptId, checkpointId, snapshot });
  }

  declined(attemptId: AttemptId, checkpointId: number, error: SerializedError): void {
    this.#tell({ kind: 'declined', attemptId, checkpointId, error });
  }

  ended(attemptId: AttemptId, snapshot: SubtaskSnapshot): void {
    this.#tell({ kind: 'ended', attemptId, snapshot });
  }

  finished(attemptId: AttemptId): void {
    this.#tell({ kind: 'finished', attemptId });
  }

  committed(attemptId: AttemptId, checkpointId: number): void {
    this.#tell({ kind: 'committed', attemptId, checkpointId });
  }

  /**
   * A savepoint, as soon as the job runs and no other checkpoint is pending. Resolves to its metadata file once all of
   * its output is committed and it is durable. Rejects with MR-JOB-SAVEPOINT-FAILED, and the job goes on.
   */
  savepoint({ target, stopsSources, drains = false }: SavepointRequest): Promise<StateFile> {
    if (this.#wanted !== null) return Promise.reject(savepointFailed('another savepoint is being written'));
    return new Promise((resolve, reject) => {
      this.#wanted = { target, resolve, reject };
      this.#tell({ kind: 'savepoint-requested', stopsSources, drains });
    });
  }

  /** No checkpoint of this execution is begun any more. Resolves once the record is not being written. */
  async stop(): Promise<void> {
    this.#tell({ kind: 'stopped' });
    this.#term++;
    while (this.#work.size > 0) await Promise.allSettled([...this.#work]);
  }

  #tell(fact: CheckpointFact): void {
    if (this.#isAbandoned) return;
    const { clock } = this.#options.ports;
    const { state, decisions } = coordinate(this.#state, fact, clock.monotonicMs());
    this.#state = state;
    for (const decision of decisions) this.#carryOut(decision);
    this.#timer?.cancel();
    const wakeMs = wakeAtMs(this.#state);
    const later = (): void => {
      this.#tell({ kind: 'time-passed' });
    };
    this.#timer = wakeMs === null ? null : clock.schedule(Math.max(0, wakeMs - clock.monotonicMs()), later, true);
  }

  #carryOut(decision: CheckpointDecision): void {
    switch (decision.kind) {
      case 'reserve-ids':
        this.#reserveIds();
        return;
      case 'trigger':
        this.#trigger(decision);
        return;
      case 'write-metadata':
        this.#guard(
          this.#write(decision.checkpointId, (pending) =>
            this.#writeMetadata(decision.checkpointId, decision.contributions, pending),
          ),
        );
        return;
      case 'move-pointer':
        this.#track(this.#write(decision.checkpointId, (pending) => this.#movePointer(pending)));
        return;
      case 'complete':
        this.#complete(decision.checkpointId, decision.tasks);
        return;
      case 'abort':
        this.#abort(decision.checkpointId, decision.tasks, reasonOf(decision.reason, decision.error));
        return;
      case 'write-savepoint':
        void this.#writeSavepoint();
        return;
      case 'savepoint-failed': {
        const { reason, error } = decision;
        const text = reason === 'ending' ? 'the job has read all its input and ends' : reasonOf(reason, error);
        this.#endSavepoint((wanted) => {
          wanted.reject(savepointFailed(text, error === null ? undefined : deserializeError(error)));
        });
        return;
      }
      case 'resume-sources':
        this.#tellAborted(decision.checkpointId, decision.tasks);
        return;
      case 'discard':
        this.#discarded.push(...decision.snapshots.flatMap(stateFilesOf));
        return;
      case 'fail-job': {
        const reason = decision.error?.message ?? `not complete within ${this.#options.settings.timeoutMs} ms`;
        const error = { failures: decision.failures, reason };
        this.#options.fail(schedulerErrors.create('MR-JOB-CHECKPOINTS-FAIL', error));
      }
    }
  }

  #reserveIds(): void {
    const { recovery } = this.#options;
    const { nextId } = this.#state;
    this.#track(
      recovery.recorder.update((record) => withReservedIds(record, nextId)).then(
        ({ nextCheckpointId: upTo }) => {
          this.#tell({ kind: 'ids-reserved', upTo });
        },
        (error: unknown) => {
          this.#failIfHopeless(error);
          const isEndured = this.#options.endures(error);
          this.#tell({ kind: 'reserving-failed', error: serializeError(error), isEndured });
        },
      ),
    );
  }

  #trigger(decision: Extract<CheckpointDecision, { readonly kind: 'trigger' }>): void {
    const { checkpointId, tasks, expected } = decision;
    const { stopsSources: stopsSource = false, drains = false, isAligned = false } = decision;
    const { send } = this.#options;
    const triggeredAtMs = this.#log.triggered(checkpointId, expected);
    this.#pending = { triggeredAtMs, pointer: null, metadata: null };
    for (const task of tasks) {
      send(task, (manager, reference) =>
        manager.triggerCheckpoint({ ...reference, checkpointId, triggeredAtMs, stopsSource, drains, isAligned }),
      ).catch((error: unknown) => {
        this.declined(task, checkpointId, serializeError(error));
      });
    }
  }

  /** A step of a checkpoint that takes time and can fail. */
  async #write(checkpointId: number, step: (pending: PendingWrite) => Promise<CheckpointFact>): Promise<void> {
    const pending = this.#pending;
    if (pending === null) return;
    try {
      this.#tell(await step(pending));
    } catch (error) {
      if (this.#pending === pending) this.#failIfHopeless(error);
      const isEndured = this.#options.endures(error);
      this.#tell({ kind: 'write-failed', checkpointId, error: serializeError(error), isEndured });
    }
  }

  async #writeMetadata(
    checkpointId: number,
    contributions: ReadonlyMap<AttemptId, SubtaskSnapshot>,
    pending: PendingWrite,
  ): Promise<CheckpointFact> {
    const { ports, storage, graph } = this.#options;
    const { crashPoints, clock } = ports;
    if (this.#run === null) throw new Error('a checkpoint without a run');
    // The last one may have been pending before the last task ended.
    if ([...contributions.values()].every(({ isFinished }) => isFinished)) crashPoints?.reached('input-ended');
    crashPoints?.reached('all-acknowledged');
    const snapshots = [...contributions.values()];
    const stateBytes = snapshots.reduce((sum, each) => sum + stateBytesOf(each), 0);
    const inFlightBytes = snapshots.reduce((sum, each) => sum + inFlightBytesOf(each), 0);
    this.#log.collected(checkpointId, { stateBytes, inFlightBytes });
    const times = { checkpointId, triggeredAtMs: pending.triggeredAtMs, completedAtMs: clock.nowMs() };
    const metadata = metadataOf(graph, this.#run, this.#executions, contributions, times);
    const file = await storage.writeMetadata(metadata);
    crashPoints?.reached('metadata-written');
    const { kind, completedAtMs } = metadata;
    pending.metadata = metadata;
    pending.pointer = { checkpointId, kind, metadata: file, completedAtMs };
    // Of no use if the checkpoint was aborted meanwhile.
    if (this.#pending !== pending) this.#discarded.push(file.name);
    return { kind: 'metadata-written', checkpointId };
  }

  async #movePointer({ pointer, metadata }: PendingWrite): Promise<CheckpointFact> {
    const { ports, recovery, settings, graph } = this.#options;
    if (pointer === null || metadata === null) throw new Error('a pointer without metadata');
    recovery.files.add(pointer, metadata);
    const discarded = [...this.#discarded];
    const needed = [...this.#state.tasks.values()].flatMap(({ final }) => (final === null ? [] : stateFilesOf(final)));
    const record = await recovery.recorder.update((before) =>
      withPointer(recovery.cleaned(before), {
        pointer,
        maxParallelism: graph.maxParallelism,
        retained: settings.retained,
        files: recovery.files.files,
        discarded,
        needed,
        nowMs: ports.clock.nowMs(),
      }),
    );
    ports.crashPoints?.reached('pointer-moved');
    this.#discarded = this.#discarded.slice(discarded.length);
    this.#tell({ kind: 'ids-reserved', upTo: record.nextCheckpointId });
    this.#guard(recovery.files.learn(record).then(() => recovery.files.sweep(record)));
    return { kind: 'pointer-moved', checkpointId: pointer.checkpointId };
  }

  async #writeSavepoint(): Promise<void> {
    const { openStorage, storage } = this.#options;
    const wanted = this.#wanted;
    if (wanted === null) return;
    const { target } = wanted;
    const { metadata = null, pointer = null } = this.#completed ?? {};
    try {
      if (metadata === null || pointer === null) throw new Error('there is nothing to copy');
      if (target !== null && openStorage === null) throw new Error('there is nowhere to copy it to');
      const place = target === null ? null : (openStorage?.(target) ?? null);
      const file = place === null ? pointer.metadata : await writeSavepoint(metadata, storage, place);
      this.#endSavepoint(({ resolve }) => {
        resolve(file);
      });
      this.#tell({ kind: 'savepoint-ended', isWritten: true });
    } catch (error) {
      this.#endSavepoint(({ reject }) => {
        reject(savepointFailed(toMillraceError(error).message, error));
      });
      this.#tell({ kind: 'savepoint-ended', isWritten: false });
    }
  }

  #endSavepoint(end: (wanted: WantedSavepoint) => void): void {
    const wanted = this.#wanted;
    this.#wanted = null;
    if (wanted !== null) end(wanted);
  }

  #complete(checkpointId: number, tasks: readonly AttemptId[]): void {
    this.#completed = this.#pending;
    this.#pending = null;
    this.#log.completed(checkpointId);
    this.#tellCompleted(checkpointId, tasks);
  }

  #tellCompleted(checkpointId: number, tasks: readonly AttemptId[]): void {
    this.#inform(tasks, (manager, reference) => manager.checkpointCompleted({ ...reference, checkpointId }));
  }

  #abort(checkpointId: number, tasks: readonly AttemptId[], failure: string): void {
    this.#pending = null;
    this.#log.aborted(checkpointId, failure);
    this.#tellAborted(checkpointId, tasks);
  }

  #tellAborted(checkpointId: number, tasks: readonly AttemptId[]): void {
    this.#inform(tasks, (manager, reference) => manager.checkpointAborted({ ...reference, checkpointId }));
  }

  /**
   * Tells tasks what they must hear: one that runs and is not told would keep transactions open, or stand still behind
   * a savepoint, for ever. The answer may be given up long after, when it is no concern of that execution any more.
   */
  #inform(
    tasks: readonly AttemptId[],
    call: (manager: TaskManagerGateway, reference: TaskReference) => Promise<void>,
  ): void {
    const term = this.#term;
    for (const task of tasks) {
      this.#options.send(task, call).catch((error: unknown) => {
        // One that was stopped meanwhile need not hear it.
        if (this.#term === term && this.#state.tasks.has(task)) this.#options.unreachable(task, error);
      });
    }
  }

  /** What cannot be cured by trying again, such as that the job is another leader's now, fails the job at once. */
  #failIfHopeless(error: unknown): void {
    if (this.#isAbandoned) return;
    if (toMillraceError(error).retry === 'never') this.#options.fail(error);
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    this.#guard(work.finally(() => this.#work.delete(work)));
  }

  #guard(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#options.fail(error);
    });
  }
}

export function savepointFailed(reason: string, cause?: unknown): Error {
  return schedulerErrors.create('MR-JOB-SAVEPOINT-FAILED', { reason }, cause);
}

function toCoordinated(execution: Execution): CoordinatedTask {
  return { attemptId: execution.attemptId, isSource: isSource(execution) };
}

function isSource({ vertex }: Execution): boolean {
  return vertex.chain[0]?.kind === 'source';
}

function reasonOf(reason: AbortReason, error: SerializedError | null): string {
  switch (reason) {
    case 'timeout':
      return 'it was not complete in time';
    case 'declined':
    case 'write-failed':
      return error === null ? reason : deserializeError(error).message;
    case 'stopped':
      return 'the job stopped or failed';
  }
}
