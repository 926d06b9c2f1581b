/**
 * Chance that can be asked for in any order: a whole number from 0 to 2³² − 1 that depends on all of the numbers and on
 * nothing else (MurmurHash3's 32-bit mixing).
 */
export function seededHash(...numbers: readonly number[]): number {
  let hash = 0x9747b28c;
  for (const number of numbers) {
    let word = Math.imul(number | 0, 0xcc9e2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash ^= word;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The same as a share: from 0 up to 1, without 1. */
export function seededShare(...numbers: readonly number[]): number {
  return seededHash(...numbers) / 2 ** 32;
}
