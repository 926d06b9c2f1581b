import type { Clock } from '../../core/index.ts';

/** Resolves once the work has settled, however, or the time is up; leaves no timer behind. */
export async function settledWithin(work: Promise<unknown>, timeoutMs: number, clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = clock.schedule(timeoutMs, resolve);
    const end = (): void => {
      timer.cancel();
      resolve();
    };
    work.then(end, end);
  });
}
