import type { ManualClock } from './manual-clock.ts';

/** Far more than any test needs. */
const LIMIT_MS = 3_600_000;

/** Runs a test by a clock that goes on by itself whenever everything waits for it: no test waits in real time. */
export async function inVirtualTime<T>(clock: ManualClock, task: () => Promise<T>): Promise<T> {
  const endMs = clock.nowMs() + LIMIT_MS;
  const state = { isDone: false };
  const running = task().finally(() => {
    state.isDone = true;
  });
  running.catch(() => undefined);
  for (;;) {
    // All promises that can have had their turn by then.
    await new Promise((resolve) => setImmediate(resolve));
    if (state.isDone) return running;
    if (!clock.runNext(endMs)) throw new Error(`the test waits in vain: no timer is left at ${clock.nowMs()} ms`);
  }
}
