/**
 * What one subtask has to do with checkpoints (Carbone et al., arXiv 1506.08603), in the order of events:
 *
 *   aligned     the barrier is there on all inputs; the subtask processes nothing from now on
 *   captured    the source's splits, at the head of the chain
 *   reached     each operator's state is fixed, as the barrier passes it
 *   left        the barrier has left the chain, the sink's writes are durable: the subtask goes on
 *   (written)   the fixed state is in a file; the JobMaster is told
 *   completed   the pointer has moved: what was prepared is committed
 *
 * or `aborted` at any time. After the end of input the last snapshot is handed over, and the subtask waits for a
 * checkpoint that holds it.
 */
import { serializeError } from '../../core/index.ts';
import type {
  CheckpointStorage,
  Committable,
  InFlightRoute,
  KeyGroupWatermarks,
  OperatorState,
  OperatorStateHandle,
  Ports,
  SinkWriter,
  SourceReader,
  Split,
  SubtaskSnapshot,
} from '../../core/index.ts';
import type { CheckpointAcknowledgement, CheckpointDecline } from '../../rpc/index.ts';
import type { BarrierEntry } from '../chain-head.ts';
import type { BarrierObserver, Chain } from '../chain.ts';
import { taskErrors } from '../errors.ts';
import type { Barrier } from '../exchange/channel.ts';
import type { TaskLoop } from '../task-loop.ts';
import type { AlignmentTimeout } from './alignment-timeout.ts';
import { InFlightRows } from './in-flight-rows.ts';
import type { OperatorFiles } from './operator-files.ts';
import { PartCommits } from './part-commits.ts';
import type { RecoveredRows } from './recovered-rows.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import type { OperatorCapture } from './snapshot-writer.ts';

/** What is said to the JobMaster. */
export interface CheckpointReports {
  acknowledge(message: Pick<CheckpointAcknowledgement, 'checkpointId' | 'snapshot' | 'metrics'>): void;
  decline(message: Pick<CheckpointDecline, 'checkpointId' | 'error'>): void;
  committed(checkpointId: number): void;
  ended(snapshot: SubtaskSnapshot): void;
}

export interface SubtaskCheckpointsParts {
  readonly subtaskIndex: number;
  readonly owner: string;
  readonly storage: CheckpointStorage;
  readonly ports: Ports;
  /** The checkpoint that the subtask is restored from; 0 for none. */
  readonly restoredId: number;
  readonly source: { readonly stepId: string; readonly reader: SourceReader } | null;
  readonly sink: { readonly stepId: string; readonly writer: SinkWriter } | null;
  readonly chain: Chain;
  readonly timeout: AlignmentTimeout;
  /** What was on its way to it in the checkpoint that it is restored from. */
  readonly recovered: RecoveredRows;
  readonly files: OperatorFiles;
  /** Key groups that were further than the subtask when it was restored. */
  readonly ahead: KeyGroupWatermarks | null;
}

/** What is told to the subtask. */
export interface SubtaskCheckpointsEvents {
  readonly loop: TaskLoop;
  readonly reports: CheckpointReports;
  /** Something went wrong that ends the subtask. */
  failed(error: unknown): void;
  /** What the subtask prepared at its end is committed. */
  finished(): void;
}

/** A barrier in the chain. */
interface Passing {
  readonly checkpointId: number;
  readonly alignmentMs: number;
  readonly sinceMs: number;
  readonly captures: OperatorCapture[];
  readonly rows: InFlightRows;
  splits: readonly Split[];
  committables: readonly Committable[];
  isAborted: boolean;
}

interface WrittenChanges {
  readonly captures: readonly OperatorCapture[];
  readonly operators: readonly OperatorStateHandle[];
}

export class SubtaskCheckpoints implements BarrierEntry, BarrierObserver {
  readonly #parts: SubtaskCheckpointsParts;
  #events: SubtaskCheckpointsEvents | null = null;
  #passing: Passing | null = null;
  #writer: SnapshotWriter | null = null;
  #lastBarrierId: number;
  /** By checkpoint: what a reader is told once it has completed. */
  readonly #positions = new Map<number, readonly Split[]>();
  /** By checkpoint: what the operators have written for it that the next one may build on. */
  readonly #written = new Map<number, WrittenChanges>();
  readonly #commits: PartCommits;
  /** The last snapshot, once the JobMaster has it. */
  #final: SubtaskSnapshot | null = null;
  #isClosed = false;

  constructor(parts: SubtaskCheckpointsParts) {
    this.#parts = parts;
    this.#lastBarrierId = parts.restoredId;
    this.#commits = new PartCommits(parts.ports.crashPoints);
  }

  /** Called once, before anything else. */
  connect(events: SubtaskCheckpointsEvents): void {
    this.#events = events;
  }

  heard(checkpointId: number, mode: Barrier['mode']): void {
    this.#parts.timeout.heard(checkpointId, mode);
  }

  aligned(checkpointId: number, alignmentMs: number): InFlightRows {
    const { clock, crashPoints } = this.#parts.ports;
    crashPoints?.reached('barrier-aligned');
    // Only one snapshot is taken at a time. The older checkpoint cannot be wanted any more.
    if (this.#writer !== null) {
      const older = this.#writer;
      this.#writer = null;
      if (older.abandon()) this.overtaken(older.checkpointId);
    }
    this.#lastBarrierId = checkpointId;
    const rows = new InFlightRows();
    // Nothing is left of what was recovered but where the barrier has overtaken it.
    this.#parts.recovered.record(rows);
    this.#passing = {
      checkpointId,
      alignmentMs,
      sinceMs: clock.monotonicMs(),
      captures: [],
      rows,
      splits: [],
      committables: [],
      isAborted: false,
    };
    return rows;
  }

  /** The barrier in the chain has overtaken rows at its end. */
  overtook(route: InFlightRoute, frame: ArrayBuffer): void {
    this.#passing?.rows.take(route, frame);
  }

  captured(splits: readonly Split[], committables: readonly Committable[]): void {
    const passing = this.#passing as Passing;
    passing.splits = splits;
    passing.committables = committables;
    this.#positions.set(passing.checkpointId, splits);
  }

  reached(stepId: string, state: OperatorState): void {
    const passing = this.#passing as Passing;
    if (passing.isAborted) return;
    const basis = this.#parts.files.basisOf(stepId);
    passing.captures.push({ stepId, schema: state.schema, snapshot: state.snapshot(basis), kept: basis.kept });
  }

  left(committables: readonly Committable[]): void {
    const passing = this.#passing as Passing;
    this.#passing = null;
    passing.rows.end();
    this.#parts.timeout.over(passing.checkpointId);
    const { clock } = this.#parts.ports;
    const leftAtMs = clock.monotonicMs();
    const all = [...passing.committables, ...committables];
    this.#commits.prepared(passing.checkpointId, all.length);
    if (passing.isAborted) {
      this.#positions.delete(passing.checkpointId);
      for (const { snapshot } of passing.captures) snapshot.release();
      return;
    }
    const snapshot = { ...this.#snapshotOf(passing.splits, all), isFinished: false };
    void this.#write(passing, snapshot, leftAtMs);
  }

  /** Called when a barrier was overtaken before all inputs had it. */
  overtaken(checkpointId: number): void {
    this.#decline(checkpointId, taskErrors.create('MR-TASK-CHECKPOINT-OVERTAKEN', { checkpoint: checkpointId }));
  }

  /** The task cannot take part, as it does not run yet. */
  refuse(checkpointId: number): void {
    this.#decline(checkpointId, taskErrors.create('MR-TASK-NOT-RUNNING', { checkpoint: checkpointId }));
  }

  aborted(checkpointId: number): void {
    this.#positions.delete(checkpointId);
    this.#written.delete(checkpointId);
    this.#parts.timeout.over(checkpointId);
    if (this.#passing?.checkpointId === checkpointId) {
      this.#passing.isAborted = true;
      this.#passing.rows.abandon();
    }
    if (this.#writer?.checkpointId === checkpointId) this.#abandon();
  }

  completed(checkpointId: number): void {
    const { source, sink } = this.#parts;
    const final = checkpointId > this.#lastBarrierId ? this.#final : null;
    const positions = final?.splits ?? this.#positions.get(checkpointId);
    if (source !== null && positions !== undefined) source.reader.checkpointCompleted?.(positions);
    for (const id of this.#positions.keys()) if (id <= checkpointId) this.#positions.delete(id);
    this.#confirm(checkpointId);
    const parts = [
      { stepId: sink?.stepId ?? '', part: sink?.writer.committing },
      { stepId: source?.stepId ?? '', part: source?.reader.committing },
    ];
    this.#commits.commit(checkpointId, parts).then(
      () => {
        if (this.#isClosed) return;
        this.#events?.reports.committed(checkpointId);
        if (final !== null) this.#events?.finished();
      },
      (error: unknown) => {
        if (!this.#isClosed) this.#events?.failed(error);
      },
    );
  }

  /** The next snapshots build on this checkpoint. */
  #confirm(checkpointId: number): void {
    const { captures, operators } = this.#written.get(checkpointId) ?? { captures: [], operators: [] };
    for (const { stepId, snapshot } of captures) {
      this.#parts.files.completed(stepId, operators.filter((handle) => handle.stepId === stepId));
      snapshot.confirm?.();
    }
    for (const id of this.#written.keys()) if (id <= checkpointId) this.#written.delete(id);
  }

  /**
   * All input is processed: hands over the last snapshot, with where the source's splits ended. Called once, last but
   * for completed() and close().
   */
  async end(splits: readonly Split[]): Promise<void> {
    const { source, chain } = this.#parts;
    // What was acknowledged comes before the end.
    await this.#writer?.result.catch(() => undefined);
    const { committing } = source?.reader ?? {};
    const own = (await committing?.prepareCommit(this.#lastBarrierId + 1)) ?? [];
    if (this.#isClosed) return;
    const all = [...own, ...chain.committables];
    this.#commits.prepared(this.#lastBarrierId + 1, all.length);
    this.#final = { ...this.#snapshotOf(splits, all), isFinished: true };
    this.#events?.reports.ended(this.#final);
  }

  close(): void {
    this.#isClosed = true;
    for (const { snapshot } of this.#passing?.captures ?? []) snapshot.release();
    this.#passing?.rows.abandon();
    this.#passing = null;
    this.#parts.timeout.close();
    this.#abandon();
  }

  #abandon(): void {
    this.#writer?.abandon();
    this.#writer = null;
  }

  #snapshotOf(splits: readonly Split[], committables: readonly Committable[]): SubtaskSnapshot {
    const watermarkMs = this.#parts.chain.watermarkMs;
    const ahead = this.#parts.ahead?.after(watermarkMs) ?? [];
    return {
      subtaskIndex: this.#parts.subtaskIndex,
      splits,
      watermarkMs: watermarkMs === -Infinity ? null : watermarkMs,
      ...(ahead.length === 0 ? {} : { ahead }),
      operators: [],
      committables,
      isFinished: false,
    };
  }

  async #write(passing: Passing, snapshot: SubtaskSnapshot, leftAtMs: number): Promise<void> {
    const { checkpointId, captures, rows, alignmentMs, sinceMs } = passing;
    const { clock, crashPoints } = this.#parts.ports;
    const { loop, reports } = this.#events as SubtaskCheckpointsEvents;
    const { storage, owner } = this.#parts;
    const writer = new SnapshotWriter(checkpointId, captures, rows, { storage, owner, loop, clock });
    this.#writer = writer;
    try {
      const written = await writer.result;
      if (this.#writer === writer) this.#writer = null;
      if (written === null) return;
      crashPoints?.reached('state-written');
      const metrics = {
        alignmentMs,
        syncMs: leftAtMs - sinceMs,
        asyncMs: clock.monotonicMs() - leftAtMs,
        stateBytes: written.sizeBytes - rows.sizeBytes,
        inFlightBytes: rows.sizeBytes,
      };
      const { operators, channels } = written;
      const changes = captures.filter(({ snapshot }) => snapshot.confirm !== undefined);
      if (changes.length > 0) this.#written.set(checkpointId, { captures: changes, operators });
      const inFlight = channels.length === 0 ? {} : { channels };
      reports.acknowledge({ checkpointId, snapshot: { ...snapshot, operators, ...inFlight }, metrics });
    } catch (error) {
      if (this.#writer === writer) this.#writer = null;
      this.#decline(checkpointId, error);
    }
  }

  #decline(checkpointId: number, error: unknown): void {
    if (this.#isClosed) return;
    this.#positions.delete(checkpointId);
    this.#events?.reports.decline({ checkpointId, error: serializeError(error) });
  }
}
