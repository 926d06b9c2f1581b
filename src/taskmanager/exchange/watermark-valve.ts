import { MAX_WATERMARK_MS } from '../../core/index.ts';
import type { ControlElement } from './channel.ts';

type Watermark = Extract<ControlElement, { readonly kind: 'watermark' }>;

/**
 * The event time of a subtask with several channels: the least of those that are not idle (Flink's
 * StatusWatermarkValve). A channel that has ended, or has sent the last watermark, holds nobody back.
 */
export class WatermarkValve {
  readonly #timestamps: Float64Array;
  readonly #isIdle: boolean[];
  readonly #hasEnded: boolean[];
  #emitted: number;
  #wasIdle = false;

  /** `restoredMs`: what it had reached before, and never goes back behind; -Infinity for nothing. */
  constructor(channelCount: number, restoredMs: number) {
    this.#timestamps = new Float64Array(channelCount).fill(-Infinity);
    this.#isIdle = new Array<boolean>(channelCount).fill(false);
    this.#hasEnded = new Array<boolean>(channelCount).fill(false);
    this.#emitted = restoredMs;
  }

  /** The watermark of the subtask, where that of a channel has changed it; else null. */
  received(channel: number, watermark: Watermark): Watermark | null {
    this.#timestamps[channel] = Math.max(this.#timestamps[channel] as number, watermark.timestampMs);
    this.#isIdle[channel] = watermark.idle;
    return this.#combined();
  }

  ended(channel: number): Watermark | null {
    this.#hasEnded[channel] = true;
    return this.#hasEnded.every(Boolean) ? null : this.#combined();
  }

  #combined(): Watermark | null {
    let least = Infinity;
    let latest = -Infinity;
    let isOpen = false;
    for (let channel = 0; channel < this.#timestamps.length; channel++) {
      const timestamp = this.#timestamps[channel] as number;
      if (this.#hasEnded[channel] === true || timestamp === MAX_WATERMARK_MS) continue;
      isOpen = true;
      latest = Math.max(latest, timestamp);
      if (this.#isIdle[channel] === false) least = Math.min(least, timestamp);
    }
    if (!isOpen) return this.#next(MAX_WATERMARK_MS, false);
    const idle = least === Infinity;
    return this.#next(idle ? latest : least, idle);
  }

  #next(reached: number, idle: boolean): Watermark | null {
    const timestampMs = Math.max(reached, this.#emitted);
    if (timestampMs === this.#emitted && idle === this.#wasIdle) return null;
    this.#emitted = timestampMs;
    this.#wasIdle = idle;
    return { kind: 'watermark', timestampMs, idle };
  }
}
