import type { Clock, Randomness } from '../../../core/index.ts';
import { faultOf, UnansweredError } from './s3-fault.ts';
import type { S3Limits } from './s3-limits.ts';

export interface Attempt {
  readonly signal: AbortSignal;
  /** From 1. After the first it is not known what became of the ones before. */
  readonly number: number;
}

/** How long, and how often, answers are waited for. One policy, in place of the client's own. */
export class Patience {
  readonly #limits: S3Limits;
  readonly #clock: Clock;
  readonly #randomness: Randomness;

  constructor(limits: S3Limits, clock: Clock, randomness: Randomness) {
    this.#limits = limits;
    this.#clock = clock;
    this.#randomness = randomness;
  }

  /** Tries again whatever may pass by itself; rejects with the last failure. */
  async insist<T>(act: (attempt: Attempt) => Promise<T>): Promise<T> {
    for (let number = 1; ; number++) {
      try {
        return await this.await((signal) => act({ signal, number }));
      } catch (error) {
        if (faultOf(error) !== 'transient' || number >= this.#limits.attempts) throw error;
      }
      await this.#clock.sleep(this.#backoffMs(number));
    }
  }

  /** Rejects where it takes too long; then `signal` is aborted, so that nothing goes on. */
  async await<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#limits;
    const controller = new AbortController();
    let giveUp: (error: Error) => void = () => undefined;
    const tooLong = new Promise<never>((_resolve, reject) => {
      giveUp = reject;
    });
    const timer = this.#clock.schedule(timeoutMs, () => {
      giveUp(new UnansweredError(timeoutMs));
      controller.abort();
    });
    try {
      return await Promise.race([act(controller.signal), tooLong]);
    } finally {
      timer.cancel();
    }
  }

  /** Half of it is chance, so that tasks which failed together do not come back together. */
  #backoffMs(failures: number): number {
    const { firstBackoffMs, maxBackoffMs } = this.#limits;
    const longest = Math.min(maxBackoffMs, firstBackoffMs * 2 ** (failures - 1));
    return longest * (0.5 + this.#randomness.next() / 2);
  }
}
