import type { Clock, InFlightRoute, StreamElement } from '../../core/index.ts';
import { ignore } from './channel.ts';
import type { Barrier, ControlElement, FrameTaker, InputChannel, RecordableChannel } from './channel.ts';
import { WatermarkValve } from './watermark-valve.ts';

export interface GateChannel {
  readonly channel: InputChannel;
  /** The position in the step's `from` list. */
  readonly input: number;
  /** Where a barrier may overtake its batches; null where it never does. */
  readonly overtakable: { readonly channel: RecordableChannel; readonly route: InFlightRoute } | null;
}

export interface GateOptions {
  readonly clock: Clock;
  /** Whether channels that have a barrier wait for the others: exactly-once. Else they go on: at-least-once. */
  readonly isAligning: boolean;
  /** The event time that the subtask is restored with; -Infinity for none. */
  readonly restoredWatermarkMs: number;
}

/**
 * The receiving end of a subtask: takes elements of its channels in turn and makes one stream of them. A watermark is
 * the least of all channels', a barrier comes once all have it (channels that have it wait), the end when all ended.
 *
 * One barrier is aligned at a time. A newer one overtakes it: the older checkpoint is aborted by then, though the news
 * of that may still be on its way. Barriers of aborted and of overtaken checkpoints are dropped wherever they appear.
 *
 * After overtake() a barrier does not wait for its turn: poll() gives it as soon as those channels have it whose
 * batches it cannot overtake, and record() copies the batches that stood in front of it (docs/design/016).
 */
export class InputGate {
  /** Called when poll() may have something. */
  onElement: () => void = ignore;
  /** Called when a barrier arrives that is wanted, whatever stands in front of it. */
  onBarrier: (barrier: Barrier) => void = ignore;
  /** Called when a sender cannot send its barrier before it gets a batch back that is borrowed here. */
  onHurry: (checkpointId: number) => void = ignore;
  /** Called when a newer barrier has taken the place of one that not all channels had. */
  onOvertaken: (checkpointId: number) => void = ignore;
  /** How long the barrier that was returned last had waited for the other channels. */
  alignmentMs = 0;
  readonly #channels: readonly GateChannel[];
  readonly #options: GateOptions;
  readonly #valve: WatermarkValve;
  readonly #hasEnded: boolean[];
  /** Channels that have sent the barrier that is being aligned. */
  readonly #hasBarrier: boolean[];
  /** Those of them that wait. */
  readonly #isBlocked: boolean[];
  #openCount: number;
  #barrier: Barrier | null = null;
  #alignedFromMs = 0;
  /** The newest barrier that has arrived anywhere, and when the first of its checkpoint did. */
  #arrived: Barrier | null = null;
  #arrivedAtMs = 0;
  /** The checkpoint whose barrier is not to wait any longer; -1 for none. */
  #hurriedId = -1;
  /** Channels whose batches the barrier that was returned last has overtaken. */
  #toRecord: readonly GateChannel[] = [];
  /** The newest checkpoint that is done with here: passed, or aborted while it was aligned. */
  #doneId = -1;
  /** Aborted checkpoints no barrier of which has been seen. */
  readonly #aborted = new Set<number>();
  /** A watermark that follows the barrier that was returned last. */
  #held: StreamElement | null = null;
  #next = 0;
  #current: GateChannel | null = null;
  #hasReportedEnd = false;

  constructor(channels: readonly GateChannel[], options: GateOptions) {
    this.#channels = channels;
    this.#options = options;
    this.#valve = new WatermarkValve(channels.length, options.restoredWatermarkMs);
    this.#hasEnded = channels.map(() => false);
    this.#hasBarrier = channels.map(() => false);
    this.#isBlocked = channels.map(() => false);
    this.#openCount = channels.length;
    for (const { channel } of channels) {
      channel.onElement = () => this.onElement();
      channel.onBarrier = (barrier) => this.#barrierArrived(barrier);
    }
  }

  /** The input of the batch that poll() returned last. */
  get input(): number {
    return this.#current?.input ?? 0;
  }

  /** The next element, or null where none is at hand. A batch is borrowed until the next call. */
  poll(): StreamElement | null {
    this.#current?.channel.release();
    this.#current = null;
    if (this.#held !== null) {
      const held = this.#held;
      this.#held = null;
      return held;
    }
    if (this.#openCount === 0) return this.#end();
    const overtaking = this.#overtaken();
    if (overtaking !== null) return overtaking;
    const count = this.#channels.length;
    for (let tried = 0; tried < count; tried++) {
      const index = this.#next;
      this.#next = index + 1 === count ? 0 : index + 1;
      if (this.#hasEnded[index] === true || this.#isBlocked[index] === true) continue;
      const gateChannel = this.#channels[index] as GateChannel;
      // What a barrier is going to overtake may stay where it is.
      if (this.#hurriedId >= 0 && gateChannel.overtakable !== null) continue;
      const element = gateChannel.channel.next();
      if (element === null) continue;
      if (element.kind === 'batch') {
        this.#current = gateChannel;
        return element;
      }
      gateChannel.channel.release();
      const combined = this.#combine(index, element) ?? this.#overtaken();
      if (combined !== null) return combined;
      // This channel may have more, and an element that was combined away is no turn.
      tried = -1;
    }
    return null;
  }

  /** The barrier of this checkpoint, which has arrived or is about to, is to wait no longer. */
  overtake(checkpointId: number): void {
    if (checkpointId <= this.#doneId || this.#aborted.has(checkpointId)) return;
    this.#hurriedId = Math.max(this.#hurriedId, checkpointId);
    this.onElement();
  }

  /** Copies what the barrier that was returned last has overtaken. Called before anything else. */
  record(checkpointId: number, takerOf: (route: InFlightRoute) => FrameTaker): void {
    const channels = this.#toRecord;
    this.#toRecord = [];
    for (const { overtakable } of channels) {
      if (overtakable !== null) overtakable.channel.record(checkpointId, takerOf(overtakable.route));
    }
  }

  /** The checkpoint is aborted: channels do not wait for its barrier, and it is dropped where it comes. */
  abort(checkpointId: number): void {
    if (checkpointId <= this.#doneId) return;
    if (this.#hurriedId === checkpointId) {
      this.#hurriedId = -1;
      this.onElement();
    }
    if (this.#barrier?.checkpointId !== checkpointId) {
      this.#aborted.add(checkpointId);
      return;
    }
    this.#endAlignment(checkpointId);
    this.onElement();
  }

  close(): void {
    for (const { channel } of this.#channels) channel.close();
  }

  #barrierArrived(barrier: Barrier): void {
    const { checkpointId } = barrier;
    if (checkpointId <= this.#doneId || this.#aborted.has(checkpointId)) return;
    if (checkpointId > (this.#arrived?.checkpointId ?? -1)) {
      this.#arrived = barrier;
      this.#arrivedAtMs = this.#options.clock.monotonicMs();
    }
    this.onBarrier(barrier);
  }

  /** The barrier that is not to wait, once it stands behind nothing but what it can overtake. */
  #overtaken(): StreamElement | null {
    if (this.#hurriedId < 0) return null;
    const barrier = this.#arrived;
    if (barrier?.checkpointId !== this.#hurriedId) return null;
    const { checkpointId } = barrier;
    const present = this.#barrier;
    const isReady = this.#channels.every(
      ({ overtakable }, index) =>
        overtakable !== null ||
        this.#hasEnded[index] === true ||
        (present?.checkpointId === checkpointId && this.#hasBarrier[index] === true),
    );
    if (!isReady) return null;
    const isSame = present?.checkpointId === checkpointId;
    if (present !== null && !isSame) this.onOvertaken(present.checkpointId);
    this.#toRecord = this.#channels.filter(
      (_, index) => this.#hasEnded[index] !== true && !(isSame && this.#hasBarrier[index] === true),
    );
    this.alignmentMs = this.#options.clock.monotonicMs() - this.#arrivedAtMs;
    this.#endAlignment(checkpointId);
    return { ...barrier, mode: 'unaligned' };
  }

  #combine(index: number, element: ControlElement): StreamElement | null {
    switch (element.kind) {
      case 'watermark':
        return this.#valve.received(index, element);
      case 'latency-marker':
        return element;
      case 'barrier':
        return this.#barrierCame(index, element);
      case 'end-of-input':
        this.#hasEnded[index] = true;
        this.#openCount--;
        return this.#channelEnded(index);
    }
  }

  #barrierCame(index: number, barrier: Barrier): StreamElement | null {
    const { checkpointId } = barrier;
    const present = this.#barrier;
    if (checkpointId <= this.#doneId || checkpointId < (present?.checkpointId ?? 0)) return null;
    if (checkpointId !== present?.checkpointId) {
      if (present !== null) {
        this.#endAlignment(present.checkpointId);
        this.onOvertaken(present.checkpointId);
      }
      if (this.#aborted.has(checkpointId)) {
        this.#endAlignment(checkpointId);
        return null;
      }
      this.#barrier = barrier;
      this.#alignedFromMs = this.#options.clock.monotonicMs();
    }
    this.#hasBarrier[index] = true;
    this.#isBlocked[index] = this.#options.isAligning;
    return this.#align();
  }

  /** The end of a channel may complete a barrier, and let a watermark pass that it held back. */
  #channelEnded(index: number): StreamElement | null {
    const watermark = this.#valve.ended(index);
    const barrier = this.#align();
    if (barrier === null) return watermark ?? (this.#openCount === 0 ? this.#end() : null);
    this.#held = watermark;
    return barrier;
  }

  /** The barrier, once every open channel has it. */
  #align(): StreamElement | null {
    const barrier = this.#barrier;
    if (barrier === null) return null;
    const isComplete = this.#hasBarrier.every((has, index) => has || this.#hasEnded[index] === true);
    if (!isComplete) return null;
    this.alignmentMs = this.#options.clock.monotonicMs() - this.#alignedFromMs;
    this.#endAlignment(barrier.checkpointId);
    return barrier;
  }

  #endAlignment(checkpointId: number): void {
    this.#hasBarrier.fill(false);
    this.#isBlocked.fill(false);
    this.#barrier = null;
    this.#doneId = checkpointId;
    if (this.#hurriedId <= checkpointId) this.#hurriedId = -1;
    for (const id of this.#aborted) if (id <= checkpointId) this.#aborted.delete(id);
  }

  #end(): StreamElement | null {
    if (this.#hasReportedEnd) return null;
    this.#hasReportedEnd = true;
    return { kind: 'end-of-input' };
  }
}
