import { setTimeout as delay } from 'node:timers/promises';

import { ServicesError } from './errors.ts';

export interface WaitOptions {
  timeoutMs: number;
  /** How often the condition is asked. */
  intervalMs?: number;
  /** Extra text for the error of a wait that ran out, such as the end of a log. */
  explain?: () => string;
}

/**
 * Asks `condition` until it gives something other than `undefined`, and returns that.
 * Rejects with what was awaited once the time has passed; an error of the condition itself ends the wait at once.
 */
export async function waitUntil<T>(
  awaited: string,
  condition: () => Promise<T | undefined> | T | undefined,
  options: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const result = await condition();
    if (result !== undefined) return result;
    if (performance.now() >= deadline) {
      const explanation = options.explain?.() ?? '';
      throw new ServicesError(
        `waited ${String(options.timeoutMs / 1000)} s for ${awaited}, in vain` +
          (explanation === '' ? '' : `\n${explanation}`),
      );
    }
    await delay(options.intervalMs ?? 50);
  }
}
