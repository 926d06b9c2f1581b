import type { Clock } from '../core/index.ts';

/** Resolves when the promise has settled, whichever way, or when the time is over. */
export async function withinTimeout(clock: Clock, timeoutMs: number, promise: Promise<unknown>): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = clock.schedule(timeoutMs, resolve);
    const done = (): void => {
      timer.cancel();
      resolve();
    };
    promise.then(done, done);
  });
}
