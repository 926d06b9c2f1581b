import type { Clock } from '../core/index.ts';
import { exitCodes } from './exit-codes.ts';
import type { Environment } from './process-environment.ts';

/** A terminal signals the whole group, and npm and bin/millrace.mjs pass what they get on: one press arrives often. */
const SAME_PRESS_MS = 400;

/**
 * The first signal calls `onFirst`; another one after that ends the process at once. Returns what makes signals end the
 * process by themselves again.
 */
export function watchForInterruption(environment: Environment, clock: Clock, onFirst: () => void): () => void {
  let firstAtMs: number | null = null;
  return environment.onSignal(() => {
    const now = clock.monotonicMs();
    if (firstAtMs === null) {
      firstAtMs = now;
      onFirst();
    } else if (now - firstAtMs >= SAME_PRESS_MS) environment.exitNow(exitCodes.interrupted);
  });
}
