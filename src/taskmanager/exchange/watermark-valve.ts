import type { ControlElement } from './channel.ts';

type Watermark = Extract<ControlElement, { readonly kind: 'watermark' }>;

/**
 * The event time of a subtask with several channels: the least of those that are not idle (Flink's
 * StatusWatermarkValve).
 */
export class WatermarkValve {
  readonly #timestamps: Float64Array;
  readonly #isIdle: boolean[];
  readonly #hasEnded: boolean[];
  #emitted = -Infinity;
  #wasIdle = false;

  constructor(channelCount: number) {
    this.#timestamps = new Float64Array(channelCount).fill(-Infinity);
    this.#isIdle = new Array<boolean>(channelCount).fill(false);
    this.#hasEnded = new Array<boolean>(channelCount).fill(false);
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
    for (let channel = 0; channel < this.#timestamps.length; channel++) {
      if (this.#hasEnded[channel] === true) continue;
      const timestamp = this.#timestamps[channel] as number;
      latest = Math.max(latest, timestamp);
      if (this.#isIdle[channel] === false) least = Math.min(least, timestamp);
    }
    const idle = least === Infinity;
    const timestampMs = Math.max(idle ? latest : least, this.#emitted);
    if (timestampMs === -Infinity || (timestampMs === this.#emitted && idle === this.#wasIdle)) return null;
    this.#emitted = timestampMs;
    this.#wasIdle = idle;
    return { kind: 'watermark', timestampMs, idle };
  }
}
