import type { StreamElement } from '../../core/index.ts';
import { ignore } from './channel.ts';
import type { InputChannel } from './channel.ts';
import { WatermarkValve } from './watermark-valve.ts';

export interface GateChannel {
  readonly channel: InputChannel;
  /** The position in the step's `from` list. */
  readonly input: number;
}

/**
 * The receiving end of a subtask: takes elements of its channels in turn and makes one stream of them. A watermark is
 * the least of all channels', a barrier comes once all have it (channels that have it wait), the end when all ended.
 */
export class InputGate {
  /** Called when poll() may have something. */
  onElement: () => void = ignore;
  readonly #channels: readonly GateChannel[];
  readonly #valve: WatermarkValve;
  readonly #hasEnded: boolean[];
  readonly #isAligned: boolean[];
  #openCount: number;
  #barrier: Extract<StreamElement, { readonly kind: 'barrier' }> | null = null;
  /** A watermark that follows the barrier that was returned last. */
  #held: StreamElement | null = null;
  #next = 0;
  #current: GateChannel | null = null;
  #hasReportedEnd = false;

  constructor(channels: readonly GateChannel[]) {
    this.#channels = channels;
    this.#valve = new WatermarkValve(channels.length);
    this.#hasEnded = channels.map(() => false);
    this.#isAligned = channels.map(() => false);
    this.#openCount = channels.length;
    for (const { channel } of channels) channel.onElement = () => this.onElement();
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
    const count = this.#channels.length;
    for (let tried = 0; tried < count; tried++) {
      const index = this.#next;
      this.#next = index + 1 === count ? 0 : index + 1;
      if (this.#hasEnded[index] === true || this.#isAligned[index] === true) continue;
      const gateChannel = this.#channels[index] as GateChannel;
      const element = gateChannel.channel.next();
      if (element === null) continue;
      if (element.kind === 'batch') {
        this.#current = gateChannel;
        return element;
      }
      gateChannel.channel.release();
      const combined = this.#combine(index, element);
      if (combined !== null) return combined;
      // This channel may have more, and an element that was combined away is no turn.
      tried = -1;
    }
    return null;
  }

  close(): void {
    for (const { channel } of this.#channels) channel.close();
  }

  #combine(index: number, element: Exclude<StreamElement, { readonly kind: 'batch' }>): StreamElement | null {
    switch (element.kind) {
      case 'watermark':
        return this.#valve.received(index, element);
      case 'latency-marker':
        return element;
      case 'barrier':
        this.#barrier = element;
        this.#isAligned[index] = true;
        return this.#align();
      case 'end-of-input':
        this.#hasEnded[index] = true;
        this.#openCount--;
        return this.#channelEnded(index);
    }
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
    const isComplete = this.#isAligned.every((aligned, index) => aligned || this.#hasEnded[index] === true);
    if (!isComplete) return null;
    this.#isAligned.fill(false);
    this.#barrier = null;
    return barrier;
  }

  #end(): StreamElement | null {
    if (this.#hasReportedEnd) return null;
    this.#hasReportedEnd = true;
    return { kind: 'end-of-input' };
  }
}
