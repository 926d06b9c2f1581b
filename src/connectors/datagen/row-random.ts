/**
 * Random numbers that depend on nothing but a seed, the index of a row and how many were drawn for it: any row can be
 * made anywhere, in any order, and after a restart. Mixing is MurmurHash3's finaliser (Appleby), the sequence Weyl's
 * (as in SplitMix, Steele et al. 2014, in 32 bits).
 */
export class RowRandom {
  readonly #seedLow: number;
  readonly #seedHigh: number;
  #state = 0;

  constructor(seed: number, stream: string) {
    let hash = mix(seed | 0) ^ mix(Math.floor(seed / 0x100000000) | 0);
    for (let i = 0; i < stream.length; i++) hash = mix(Math.imul(hash, 31) + stream.charCodeAt(i));
    this.#seedLow = hash;
    this.#seedHigh = mix(hash ^ 0x5bd1e995);
  }

  /** Begins the numbers of a row. */
  start(index: number): void {
    const high = Math.floor(index / 0x100000000);
    this.#state = mix(this.#seedLow ^ (index | 0)) ^ mix(this.#seedHigh + high);
  }

  /** 32 random bits as a signed integer. */
  bits(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return mix(this.#state);
  }

  /** In [0, 1), with 53 random bits. */
  next(): number {
    const high = this.bits() >>> 6;
    const low = this.bits() >>> 5;
    return (high * 0x8000000 + low) / 0x20000000000000;
  }

  /** An integer in [0, limit), for limits up to 2^53. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Normally distributed, mean 0, deviation 1 (Box-Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}

function mix(value: number): number {
  let h = value | 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
