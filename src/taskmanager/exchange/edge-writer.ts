import type { ColumnBatch } from '../../core/index.ts';
import { ignore } from './channel.ts';
import type { Barrier, ControlElement, FrameTaker, OutputChannel } from './channel.ts';
import type { ForwardChannel } from './forward-channel.ts';
import type { Partitioner } from './partitioner.ts';

/** Where copies of batches go that a barrier overtakes on the way to a receiver. */
export type OvertakenBatches = (receiver: number) => FrameTaker;

/**
 * The sending end of one edge of a subtask, in call order: offer() a batch, pump() until it says true; control() an
 * element until it says true; flush() and hurry() any time between.
 */
export interface EdgeWriter {
  /** Called when pump() or control() may get further. */
  onReady: () => void;
  /** Takes a batch, borrowed until pump() has returned true. */
  offer(batch: ColumnBatch): void;
  /** Goes on with the batch; true once it is no longer needed. */
  pump(): boolean;
  /** Goes on with an element that follows everything offered so far on every channel; true once it is sent. */
  control(element: ControlElement): boolean;
  /** Sends what is gathered, as soon as there is credit for it. */
  flush(): void;
  /** A checkpoint waits for what is offered: until calm(), it is taken without credit, up to the overdraft. */
  hurry(checkpointId: number): void;
  calm(): void;
  /** Whether nothing waits any more that was taken without credit. Nothing new is offered before. */
  readonly isSettled: boolean;
  /** As control(), but the barrier overtakes what waits for credit, where the edge allows that. */
  overtake(barrier: Barrier, batches: OvertakenBatches): boolean;
  close(): void;
}

export class ForwardWriter implements EdgeWriter {
  onReady: () => void = ignore;
  readonly #channel: ForwardChannel;

  constructor(channel: ForwardChannel) {
    this.#channel = channel;
    channel.onReleased = () => this.onReady();
  }

  offer(batch: ColumnBatch): void {
    this.#channel.lend(batch);
  }

  pump(): boolean {
    return !this.#channel.isLent;
  }

  control(element: ControlElement): boolean {
    if (!this.#channel.hasRoom) return false;
    this.#channel.sendControl(element);
    return true;
  }

  flush(): void {
    // Nothing is gathered.
  }

  hurry(checkpointId: number): void {
    // The receiver has to give the batch back.
    this.#channel.onHurry(checkpointId);
  }

  calm(): void {
    // Nothing was taken without room.
  }

  get isSettled(): boolean {
    return true;
  }

  overtake(barrier: Barrier): boolean {
    return this.control(barrier);
  }

  close(): void {
    this.#channel.close();
  }
}

/** Spreads rows over channels; holds back only the rows whose own channel lacks credit. */
export class SpreadingWriter implements EdgeWriter {
  onReady: () => void = ignore;
  readonly #channels: readonly OutputChannel[];
  readonly #partitioner: Partitioner;
  /** Per channel, whether a partial batch leaves with the next credit. */
  readonly #isFlushDue: boolean[];
  /** Per channel, whether the present control element was sent. */
  readonly #isSent: boolean[];
  readonly #canOvertake: boolean;
  #batch: ColumnBatch | null = null;
  #isHurried = false;
  /** Whether it was hurried since all was settled. */
  #mayBeBehind = false;

  /** `canOvertake`: batches that a barrier overtakes can be handed to whoever is to have their rows after a restore. */
  constructor(channels: readonly OutputChannel[], partitioner: Partitioner, canOvertake: boolean) {
    this.#channels = channels;
    this.#partitioner = partitioner;
    this.#canOvertake = canOvertake;
    this.#isFlushDue = channels.map(() => false);
    this.#isSent = channels.map(() => false);
    channels.forEach((channel, index) => {
      channel.onCredit = () => {
        const isDue = this.#isFlushDue[index] === true || channel.builder.isFull;
        if (channel.hasCredit && isDue && !channel.builder.isEmpty) this.#send(channel, index);
        this.onReady();
      };
    });
  }

  offer(batch: ColumnBatch): void {
    this.#batch = batch;
    this.#partitioner.partition(batch, (target) => this.#channels[target]?.hasCredit === true);
  }

  pump(): boolean {
    const batch = this.#batch;
    if (batch === null) return true;
    let isDone = true;
    for (let target = 0; target < this.#channels.length; target++) {
      if (!this.#fill(target, batch)) isDone = false;
    }
    if (isDone) this.#batch = null;
    return isDone;
  }

  control(element: ControlElement): boolean {
    // A barrier that may still overtake does not get in line; the end of input is no part of any checkpoint's hurry.
    const mayWait = element.kind !== 'end-of-input' && !(element.kind === 'barrier' && this.#canOvertake);
    let isDone = true;
    for (let target = 0; target < this.#channels.length; target++) {
      if (this.#isSent[target] === true) continue;
      const channel = this.#channels[target] as OutputChannel;
      const mustHaveCredit = !(mayWait && this.#isHurried);
      if (!channel.builder.isEmpty && this.#canSend(channel)) this.#send(channel, target);
      if (channel.builder.isEmpty && (mustHaveCredit ? channel.hasCredit : this.#canSend(channel))) {
        channel.sendControl(element);
        this.#isSent[target] = true;
      } else isDone = false;
    }
    if (isDone) this.#isSent.fill(false);
    return isDone;
  }

  hurry(): void {
    this.#isHurried = true;
    this.#mayBeBehind = true;
  }

  get isSettled(): boolean {
    if (this.#mayBeBehind) this.#mayBeBehind = this.#channels.some(({ isBehind }) => isBehind);
    return !this.#mayBeBehind;
  }

  calm(): void {
    this.#isHurried = false;
  }

  overtake(barrier: Barrier, batches: OvertakenBatches): boolean {
    if (!this.#canOvertake) return this.control(barrier);
    for (let target = 0; target < this.#channels.length; target++) {
      if (this.#isSent[target] === true) continue;
      const channel = this.#channels[target] as OutputChannel;
      if (!channel.builder.isEmpty) this.#send(channel, target);
      channel.overtake(barrier, batches(target));
    }
    this.#isSent.fill(false);
    return true;
  }

  flush(): void {
    for (let target = 0; target < this.#channels.length; target++) {
      const channel = this.#channels[target] as OutputChannel;
      if (channel.builder.isEmpty) continue;
      if (channel.hasCredit) this.#send(channel, target);
      else this.#isFlushDue[target] = true;
    }
  }

  close(): void {
    for (const channel of this.#channels) channel.close();
  }

  /** Appends what is left for a target; false where it lacks credit. */
  #fill(target: number, batch: ColumnBatch): boolean {
    const { rows, cursors, ends } = this.#partitioner;
    const channel = this.#channels[target] as OutputChannel;
    const end = ends[target] as number;
    let cursor = cursors[target] as number;
    while (cursor < end) {
      if (channel.builder.isFull) {
        if (!this.#canSend(channel)) break;
        this.#send(channel, target);
      }
      cursor = channel.builder.append(batch, rows, cursor, end);
    }
    cursors[target] = cursor;
    if (channel.builder.isFull && this.#canSend(channel)) this.#send(channel, target);
    return cursor === end;
  }

  #canSend(channel: OutputChannel): boolean {
    return channel.hasCredit || (this.#isHurried && channel.hasOverdraft);
  }

  #send(channel: OutputChannel, target: number): void {
    this.#isFlushDue[target] = false;
    channel.sendBatch();
  }
}
