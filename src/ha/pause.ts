import type { Clock, Timer } from '../core/index.ts';

/** Waiting that others can end: for loops that look again after a while, or as soon as something has happened. */
export class Pause {
  readonly #clock: Clock;
  #isWoken = false;
  #end: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves after `delayMs` or with the next wake(); at once where that has come since the last wait. */
  async wait(delayMs: number): Promise<void> {
    if (!this.#isWoken) {
      let timer: Timer | null = null;
      await new Promise<void>((resolve) => {
        this.#end = resolve;
        if (delayMs !== Infinity) timer = this.#clock.schedule(delayMs, resolve);
      });
      (timer as Timer | null)?.cancel();
    }
    this.#end = null;
    this.#isWoken = false;
  }

  wake(): void {
    this.#isWoken = true;
    this.#end?.();
  }
}
