import type { Randomness } from '../core/index.ts';

/** Hexadecimal digits that count up, so that names are unique and the same in every run. */
export function countingRandomness(): Randomness {
  let count = 0;
  return { next: () => 0.5, hex: (byteCount) => (++count).toString(16).padStart(byteCount * 2, '0') };
}
