/**
 * Work that reads from the disk and emits: a generator that yields where it has to wait, a promise for what it reads,
 * and undefined until the output is ready. It goes on in the next call of the operator.
 */
export type Walk = Generator<Promise<void> | undefined, void>;

/** One walk at a time, driven by calls that may be repeated (Operator.onWatermark and the like). */
export class Walks {
  #walk: Walk | null = null;
  #reading: Promise<void> | undefined = undefined;

  /** Goes on with the walk at hand, or with a new one. Returns whether it has come to its end. */
  goOn(begin: () => Walk): boolean {
    this.#walk ??= begin();
    const { done, value } = this.#walk.next();
    if (done === true) {
      this.#walk = null;
      return true;
    }
    this.#reading = value;
    return false;
  }

  /** As Operator.reading(). */
  reading(): Promise<void> | undefined {
    const reading = this.#reading;
    this.#reading = undefined;
    return reading;
  }
}
