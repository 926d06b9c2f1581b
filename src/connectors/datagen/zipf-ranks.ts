import type { RowRandom } from './row-random.ts';

/**
 * Ranks 1 to n of Zipf's law by rejection-inversion (Hörmann and Derflinger 1996): no table, a little more than one
 * random number per rank whatever n is.
 */
export class ZipfRanks {
  readonly #count: number;
  readonly #exponent: number;
  readonly #low: number;
  readonly #high: number;
  readonly #squeeze: number;

  constructor(count: number, exponent: number) {
    this.#count = count;
    this.#exponent = exponent;
    this.#low = this.#integral(1.5) - 1;
    this.#high = this.#integral(count + 0.5);
    this.#squeeze = 2 - this.#inverse(this.#integral(2.5) - this.#weight(2));
  }

  draw(random: RowRandom): number {
    for (;;) {
      const u = this.#high + random.next() * (this.#low - this.#high);
      const x = this.#inverse(u);
      const rank = Math.min(this.#count, Math.max(1, Math.round(x)));
      if (rank - x <= this.#squeeze || u >= this.#integral(rank + 0.5) - this.#weight(rank)) return rank;
    }
  }

  #weight(x: number): number {
    return x ** -this.#exponent;
  }

  #integral(x: number): number {
    const rest = 1 - this.#exponent;
    return Math.abs(rest) < 1e-9 ? Math.log(x) : (x ** rest - 1) / rest;
  }

  #inverse(y: number): number {
    const rest = 1 - this.#exponent;
    return Math.abs(rest) < 1e-9 ? Math.exp(y) : Math.max(0, 1 + rest * y) ** (1 / rest);
  }
}
