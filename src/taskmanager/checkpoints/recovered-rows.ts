import type { InFlightRoute } from '../../core/index.ts';
import type { Chain } from '../chain.ts';
import { BatchDecoder } from '../exchange/batch-codec.ts';
import type { InFlightRows } from './in-flight-rows.ts';

/** Batches that were on their way to one step. */
export interface RecoveredChannel {
  readonly route: InFlightRoute;
  /** Of the chain: the step that reads them; the number of stages for its sink. */
  readonly stage: number;
  readonly frames: readonly ArrayBuffer[];
}

/** What was on its way to a subtask when its checkpoint was taken: it enters the chain before anything else. */
export class RecoveredRows {
  readonly #waiting: { readonly channel: RecoveredChannel; readonly frame: ArrayBuffer }[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(channel: RecoveredChannel): void {
    for (const frame of channel.frames) this.#waiting.push({ channel, frame });
  }

  /** Feeds the next batch to an idle chain. Only while not empty. */
  feed(chain: Chain): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    const { route, stage } = next.channel;
    chain.offer(new BatchDecoder(route.schema).decode(next.frame), route.input, stage);
  }

  /** What is left is on its way still: another checkpoint takes it over. */
  record(rows: InFlightRows): void {
    for (const { channel, frame } of this.#waiting) rows.take(channel.route, frame);
  }
}
