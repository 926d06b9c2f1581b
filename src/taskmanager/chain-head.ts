import { MAX_WATERMARK_MS } from '../core/index.ts';
import type { Clock, Committable, Counter, SourceReader, Split, Timer } from '../core/index.ts';
import type { CheckpointTrigger } from '../rpc/index.ts';
import type { Chain } from './chain.ts';
import type { InFlightRows } from './checkpoints/in-flight-rows.ts';
import { taskErrors } from './errors.ts';
import type { Barrier, FrameTaker } from './exchange/channel.ts';
import type { InputGate } from './exchange/input-gate.ts';
import type { SplitWatermarks } from './split-watermarks.ts';

/** The first part of a chain: a source, or the exchanges that feed it. */
export interface ChainHead {
  /** The step that failures of pull() belong to. */
  readonly stepId: string;
  /** Called when pull() may have something. */
  onReady: () => void;
  /**
   * Feeds an idle chain: `fed` with a batch or a control element, `ended` with the end of input; `empty` where nothing
   * is at hand until onReady is called. Gives the last batch back first. Throws what went wrong since.
   */
  pull(chain: Chain): 'fed' | 'empty' | 'ended';
  /** The barrier of this checkpoint, which is there or about to come, enters the chain as soon as that is empty. */
  overtake(checkpointId: number): void;
  /** The checkpoint is aborted: a barrier of it that has not entered the chain yet never does. */
  abort(checkpointId: number): void;
}

/** What is told of barriers that enter a chain, in a job that takes checkpoints. */
export interface BarrierEntry {
  /** A barrier is on its way, whatever stands in front of it. */
  heard(checkpointId: number, mode: Barrier['mode']): void;
  /**
   * The barrier is there on all inputs, or has overtaken what was in front of it: then that goes to what is returned.
   * Nothing is processed from now on until it has left the chain.
   */
  aligned(checkpointId: number, alignmentMs: number): InFlightRows;
  /** What the source at the head contributes. */
  captured(splits: readonly Split[], committables: readonly Committable[]): void;
}

export interface SourceHeadParts {
  readonly reader: SourceReader;
  readonly stepId: string;
  readonly recordsOut: Counter;
  /** Null where the stream has no event time. */
  readonly watermarks: SplitWatermarks | null;
  /** How often watermarks are sent, at most. */
  readonly watermarkIntervalMs: number;
  readonly clock: Clock;
  /** Null where the job takes no checkpoints. */
  readonly barriers: BarrierEntry | null;
}

/** Time that passed while nobody looked, such as a suspended machine's, does not make a split idle. */
const MAX_ELAPSED_INTERVALS = 3;

export class SourceHead implements ChainHead {
  onReady: () => void = () => undefined;
  readonly stepId: string;
  readonly #parts: SourceHeadParts;
  readonly #reader: SourceReader;
  readonly #recordsOut: Counter;
  readonly #watermarks: SplitWatermarks | null;
  #isAwaiting = false;
  #failure: { readonly error: unknown } | null = null;
  /** Whether a watermark or a barrier may have to enter: the one question that every pull asks. */
  #isControlDue = false;
  #timer: Timer | null = null;
  #tickAtMs = 0;
  /** Whether the reader has been asked since the last tick: a source that is held up does not fall idle. */
  #wasAsked = false;
  #maxWatermarkMs = Infinity;
  /** Too far ahead of other sources: the next watermark or alignment decides anew. */
  #isPaused = false;
  /** The checkpoint whose barrier was its last, unless that is aborted. */
  #stoppedBehind: number | null = null;
  #triggers: CheckpointTrigger[] = [];
  #isDrained = false;
  #barrierPhase: 'none' | 'flushed' | 'preparing' | 'prepared' = 'none';
  #committables: readonly Committable[] = [];
  #hasFlushedAtEnd = false;

  constructor(parts: SourceHeadParts) {
    this.#parts = parts;
    this.#reader = parts.reader;
    this.stepId = parts.stepId;
    this.#recordsOut = parts.recordsOut;
    this.#watermarks = parts.watermarks;
  }

  /** Called when the reader is open. */
  start(): void {
    if (this.#watermarks === null) return;
    this.#tickAtMs = this.#parts.clock.monotonicMs();
    this.#schedule();
  }

  addSplits(splits: readonly Split[]): void {
    this.#watermarks?.addSplits(splits);
    this.#isControlDue = true;
    if (splits.length > 0) this.#reader.addSplits(splits);
  }

  noMoreSplits(): void {
    this.#watermarks?.noMoreSplits();
    this.#reader.noMoreSplits();
  }

  /** A barrier is to enter the stream as soon as the chain is idle. */
  trigger(trigger: CheckpointTrigger): void {
    this.#triggers.push(trigger);
    this.#isControlDue = true;
    this.#parts.barriers?.heard(trigger.checkpointId, modeOf(trigger));
    this.onReady();
  }

  /** It may go on as long as its watermark is not later than this. */
  align(maxWatermarkMs: number): void {
    this.#maxWatermarkMs = maxWatermarkMs;
    this.#isControlDue = true;
    this.onReady();
  }

  overtake(): void {
    // Nothing stands in front of a source's barrier but what is in the chain.
  }

  /** How far it has come, where its watermarks are aligned with those of others. */
  get progress(): SplitWatermarks['progress'] {
    return this.#watermarks?.progress ?? null;
  }

  abort(checkpointId: number): void {
    this.#triggers = this.#triggers.flatMap((trigger, index) => {
      if (trigger.checkpointId !== checkpointId) return [trigger];
      // What has begun goes on.
      return index === 0 && this.#barrierPhase !== 'none' ? [{ ...trigger, stopsSource: false }] : [];
    });
    if (this.#isDrained && this.#failure === null) {
      const fields = { step: this.stepId, checkpoint: checkpointId };
      this.#failure = { error: taskErrors.create('MR-TASK-DRAIN-ABORTED', fields) };
      this.onReady();
    }
    if (this.#stoppedBehind !== checkpointId) return;
    this.#stoppedBehind = null;
    this.#isControlDue = true;
    this.onReady();
  }

  pull(chain: Chain): 'fed' | 'empty' | 'ended' {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#isControlDue) {
      const fed = this.#pullControl(chain);
      if (fed !== null) return fed;
    }
    if (this.#isPaused || this.#stoppedBehind !== null) return 'empty';
    this.#wasAsked = true;
    const batch = this.#reader.poll();
    if (batch !== null) {
      this.#recordsOut.value += batch.rowCount;
      this.#watermarks?.stamp(batch, this.#reader.batchSplit);
      chain.offer(batch, 0);
      return 'fed';
    }
    if (this.#reader.isFinished) return this.#pullEnd(chain);
    this.#hasFlushedAtEnd = false;
    if (!this.#isAwaiting) {
      this.#isAwaiting = true;
      this.#await(this.#reader.available(), () => {
        this.#isAwaiting = false;
      });
    }
    return 'empty';
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** What a checkpoint stores of the source. */
  positions(): readonly Split[] {
    const splits = this.#reader.positions();
    return this.#watermarks?.withEventTime(splits) ?? splits;
  }

  /** A barrier or a watermark, where there is one; null where the reader has its turn. */
  #pullControl(chain: Chain): 'fed' | 'empty' | null {
    const [trigger] = this.#triggers;
    if (trigger !== undefined) return this.#pullBarrier(chain, trigger);
    this.#isControlDue = false;
    if (this.#watermarks === null || this.#stoppedBehind !== null) return null;
    const ended = this.#reader.takeEndedSplits?.() ?? [];
    if (ended.length > 0) this.#watermarks.removeSplits(ended);
    const watermark = this.#watermarks.next();
    const { progress } = this.#watermarks;
    this.#isPaused = progress !== null && !progress.isIdle && progress.watermarkMs > this.#maxWatermarkMs;
    if (watermark === null) return null;
    chain.start(watermark);
    return 'fed';
  }

  /**
   * A barrier enters in three steps: what the chain has buffered leaves it, as it may send dead letters; what the
   * reader has written itself becomes durable; its positions are taken.
   */
  #pullBarrier(chain: Chain, trigger: CheckpointTrigger): 'fed' | 'empty' {
    const { checkpointId, triggeredAtMs, stopsSource = false } = trigger;
    switch (this.#barrierPhase) {
      case 'none':
        if (trigger.drains === true && !this.#isDrained && this.#watermarks !== null) {
          this.#isDrained = true;
          chain.start({ kind: 'watermark', timestampMs: MAX_WATERMARK_MS, idle: false });
          return 'fed';
        }
        this.#parts.barriers?.aligned(checkpointId, 0);
        this.#barrierPhase = 'flushed';
        chain.start({ kind: 'flush' });
        return 'fed';
      case 'flushed':
        this.#barrierPhase = 'preparing';
        this.#await(this.#prepare(checkpointId), () => {
          this.#barrierPhase = 'prepared';
        });
        return 'empty';
      case 'preparing':
        return 'empty';
      case 'prepared':
        this.#triggers.shift();
        this.#barrierPhase = 'none';
        if (stopsSource) this.#stoppedBehind = checkpointId;
        this.#parts.barriers?.captured(this.positions(), this.#committables);
        chain.start({ kind: 'barrier', checkpointId, triggeredAtMs, ...(trigger.isAligned ? ALIGNED : {}) });
        return 'fed';
    }
  }

  async #prepare(checkpointId: number): Promise<void> {
    const { committing } = this.#reader;
    if (committing === undefined) await this.#reader.flush?.();
    else this.#committables = await committing.prepareCommit(checkpointId);
  }

  /** What the chain has buffered leaves it, the last watermark follows, then the end. */
  #pullEnd(chain: Chain): 'fed' | 'ended' {
    if (!this.#hasFlushedAtEnd) {
      // May send dead letters, so that the reader is not finished after all.
      this.#hasFlushedAtEnd = true;
      chain.start({ kind: 'flush' });
      return 'fed';
    }
    const watermark = this.#watermarks?.last() ?? null;
    if (watermark !== null) {
      chain.start(watermark);
      return 'fed';
    }
    this.close();
    chain.start({ kind: 'end-of-input' });
    return 'ended';
  }

  #schedule(): void {
    const { clock, watermarkIntervalMs } = this.#parts;
    this.#timer = clock.schedule(watermarkIntervalMs, () => this.#tick(), true);
  }

  #tick(): void {
    const { clock, watermarkIntervalMs } = this.#parts;
    const now = clock.monotonicMs();
    const elapsedMs = Math.min(now - this.#tickAtMs, watermarkIntervalMs * MAX_ELAPSED_INTERVALS);
    this.#tickAtMs = now;
    if (this.#wasAsked || this.#isAwaiting) this.#watermarks?.elapse(elapsedMs);
    this.#wasAsked = false;
    this.#isControlDue = true;
    this.#schedule();
    this.onReady();
  }

  #await(promise: Promise<void>, then: () => void): void {
    promise.then(
      () => {
        then();
        this.onReady();
      },
      (error: unknown) => {
        this.#failure = { error };
        this.onReady();
      },
    );
  }
}

const ALIGNED = { mode: 'aligned' } as const;

function modeOf({ isAligned = false }: CheckpointTrigger): Barrier['mode'] {
  return isAligned ? ALIGNED.mode : undefined;
}

export class GateHead implements ChainHead {
  onReady: () => void = () => undefined;
  readonly stepId: string;
  readonly #gate: InputGate;
  readonly #barriers: BarrierEntry | null;

  /** `barriers`: null where the job takes no checkpoints. */
  constructor(gate: InputGate, stepId: string, barriers: BarrierEntry | null) {
    this.#gate = gate;
    this.stepId = stepId;
    this.#barriers = barriers;
    gate.onElement = () => this.onReady();
    gate.onBarrier = ({ checkpointId, mode }) => barriers?.heard(checkpointId, mode);
    gate.onHurry = (checkpointId) => barriers?.heard(checkpointId, 'unaligned');
  }

  overtake(checkpointId: number): void {
    this.#gate.overtake(checkpointId);
  }

  abort(checkpointId: number): void {
    this.#gate.abort(checkpointId);
  }

  pull(chain: Chain): 'fed' | 'empty' | 'ended' {
    const element = this.#gate.poll();
    if (element === null) return 'empty';
    if (element.kind === 'batch') {
      chain.offer(element.batch, this.#gate.input);
      return 'fed';
    }
    if (element.kind === 'barrier') this.#barrier(element);
    chain.start(element);
    return element.kind === 'end-of-input' ? 'ended' : 'fed';
  }

  #barrier({ checkpointId, mode }: Barrier): void {
    const rows = this.#barriers?.aligned(checkpointId, this.#gate.alignmentMs);
    if (mode === 'unaligned') this.#gate.record(checkpointId, (route) => rows?.takerOf(route) ?? NOBODY);
  }
}

/** For jobs that take no checkpoints, and so have no barriers. */
const NOBODY: FrameTaker = Object.freeze({ isOver: true, take: () => undefined, end: () => undefined });
