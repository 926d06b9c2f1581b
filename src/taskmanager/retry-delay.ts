import type { Randomness } from '../core/index.ts';

const FIRST_MS = 100;
const LONGEST_MS = 2000;

/** How long to wait before the next try after so many failures in a row; jitter keeps many callers apart. */
export function retryDelayMs(failures: number, randomness: Pick<Randomness, 'next'>): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return full * (0.5 + randomness.next() / 2);
}
