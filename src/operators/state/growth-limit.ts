/** By how much arrays may grow where memory is limited: the most that it has room for. */
const GROWTHS = [2, 1.5, 1.25, 1.125];

/** How many there may be of something that takes memory, found out as it grows. */
export class GrowthLimit {
  #max = Infinity;
  /** What was held when there were too many. */
  #fullBytes = 0;

  /** Infinity while memory has never been full. */
  get max(): number {
    return this.#max;
  }

  /** `count` of them hold so much. What is held does not become less, so it says so only when it has become more. */
  held(bytes: number, limitBytes: number, count: number): void {
    if (bytes <= Math.max(limitBytes, this.#fullBytes)) return;
    this.#fullBytes = bytes;
    this.#max = Math.min(this.#max, count);
  }

  /** Room for `wanted`, or for more where that fits. Null where it does not: then there is what there is. */
  grown(wanted: number, capacity: number, fits: (count: number) => boolean): number | null {
    for (const growth of GROWTHS) {
      const count = Math.ceil(Math.max(wanted, capacity * growth));
      if (fits(count)) return count;
    }
    this.#max = Math.min(this.#max, capacity);
    return null;
  }
}
