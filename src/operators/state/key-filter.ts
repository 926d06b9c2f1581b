/**
 * Tells by the hash of a key that a store certainly does not have it, and so spares the reading: Bloom filters (1970),
 * each of twice the size of the one before, because nobody knows beforehand how many keys there will be. What was added
 * once stays.
 */
const FIRST_BITS = 16;
const MAX_BITS = 31;
/** About one key in a hundred that was never added seems to be there. */
const BITS_PER_KEY = 10;
const PROBES = 4;

const FIRST_FACTOR = 0x9e3779b1;
const STEP_FACTOR = 0x85ebca6b;

interface Level {
  readonly words: Int32Array;
  /** Bits of a position that are not used. */
  readonly shift: number;
  room: number;
}

export class KeyFilter {
  readonly #levels: Level[] = [];
  readonly #firstBits: number;

  /** Begins with 2 to the power of `firstBits` bits. */
  constructor(firstBits = FIRST_BITS) {
    this.#firstBits = firstBits;
  }

  get sizeBytes(): number {
    return this.#levels.reduce((sum, { words }) => sum + words.byteLength, 0);
  }

  add(hash: number): void {
    if (this.mayHave(hash)) return;
    let level = this.#levels.at(-1);
    if (level === undefined || level.room === 0) {
      const bits = Math.min(MAX_BITS, this.#firstBits + this.#levels.length);
      level = { words: new Int32Array(2 ** (bits - 5)), shift: 32 - bits, room: Math.floor(2 ** bits / BITS_PER_KEY) };
      this.#levels.push(level);
    }
    level.room--;
    const { words, shift } = level;
    const step = stepOf(hash);
    for (let probe = 0, at = Math.imul(hash, FIRST_FACTOR); probe < PROBES; probe++, at = (at + step) | 0) {
      const bit = at >>> shift;
      words[bit >>> 5] = (words[bit >>> 5] as number) | (1 << (bit & 31));
    }
  }

  /** False: it was never added. */
  mayHave(hash: number): boolean {
    const step = stepOf(hash);
    for (let index = this.#levels.length - 1; index >= 0; index--) {
      const { words, shift } = this.#levels[index] as Level;
      let probe = 0;
      for (let at = Math.imul(hash, FIRST_FACTOR); probe < PROBES; probe++, at = (at + step) | 0) {
        const bit = at >>> shift;
        if ((((words[bit >>> 5] as number) >>> (bit & 31)) & 1) === 0) break;
      }
      if (probe === PROBES) return true;
    }
    return false;
  }
}

function stepOf(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), STEP_FACTOR) | 1;
}
