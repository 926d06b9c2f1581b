import { grown } from '../state/grown.ts';

/** A set of slots, in the order in which they were marked first. */
export class MarkedSlots {
  #isMarked = new Uint8Array(0);
  /** Marked slots, and some that were unmarked since; these may stand here twice. */
  #list = new Int32Array(0);
  #count = 0;

  /** How many are marked, at most. */
  get count(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get sizeBytes(): number {
    return this.#isMarked.length + this.#list.byteLength;
  }

  has(slot: number): boolean {
    return this.#isMarked[slot] === 1;
  }

  mark(slot: number): void {
    if (this.#isMarked[slot] === 1) return;
    this.#isMarked = grown(this.#isMarked, slot + 1);
    this.#list = grown(this.#list, this.#count + 1);
    this.#isMarked[slot] = 1;
    this.#list[this.#count++] = slot;
  }

  unmark(slot: number): void {
    if (this.#isMarked[slot] === 1) this.#isMarked[slot] = 0;
  }

  /** The marked slots; valid until the next mark. */
  slots(): Int32Array {
    let count = 0;
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#list[i] as number;
      if (this.#isMarked[slot] !== 1) continue;
      // Taken: a second mention is passed over.
      this.#isMarked[slot] = 2;
      this.#list[count++] = slot;
    }
    for (let i = 0; i < count; i++) this.#isMarked[this.#list[i] as number] = 1;
    this.#count = count;
    return this.#list.subarray(0, count);
  }

  clear(): void {
    for (let i = 0; i < this.#count; i++) this.#isMarked[this.#list[i] as number] = 0;
    this.#count = 0;
  }
}
