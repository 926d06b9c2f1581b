import type { Clock, Timer } from '../core/index.ts';

interface Pending {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A clock that stands still but for advanceTo() and runNext(). Both of its times are the same. */
export class ManualClock implements Clock {
  #nowMs: number;
  #pending: Pending[] = [];

  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, run: () => void): Timer {
    const pending = { dueMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#pending.push(pending);
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((each) => each !== pending);
      },
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.schedule(delayMs, resolve);
    });
  }

  /** Goes forward to `nowMs`, and runs the timers that are due by then, each at its time. */
  advanceTo(nowMs: number): void {
    while (this.runNext(nowMs));
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }

  /** Goes forward without running anything, as where a machine was suspended: what was due by then runs late. */
  suspend(durationMs: number): void {
    this.#nowMs += durationMs;
  }

  /** Goes forward to the next timer and runs it; false where none is due by `untilMs`. */
  runNext(untilMs = Infinity): boolean {
    const next = this.#pending.reduce<Pending | null>(
      (first, each) => (first === null || each.dueMs < first.dueMs ? each : first),
      null,
    );
    if (next === null || next.dueMs > untilMs) return false;
    this.#pending = this.#pending.filter((each) => each !== next);
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.run();
    return true;
  }
}
