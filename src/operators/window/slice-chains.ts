import { grown, sized } from '../state/grown.ts';

export const NO_SLOT = -1;

/**
 * For windows of several slices: the slots of each key in a chain from its newest slice to its oldest, so that nobody
 * has to look for the key in every slice of a window. A chain begins at a head, a slot of its own.
 */
export class SliceChains {
  /** The start of the slice of a slot. */
  readonly #startOf: (slot: number) => number;
  /** Per slot the next older one or NO_SLOT; per head the newest. */
  #older = new Int32Array(0);
  /** Per slot the next newer one; -1 - head for the newest. */
  #newer = new Int32Array(0);

  constructor(startOf: (slot: number) => number) {
    this.#startOf = startOf;
  }

  get sizeBytes(): number {
    return this.#older.byteLength * 2;
  }

  /** Makes room for slots [0, slotCount), one array at a time. */
  *growing(slotCount: number): Generator<void> {
    this.#older = sized(this.#older, slotCount);
    yield;
    this.#newer = sized(this.#newer, slotCount);
    yield;
  }

  addHead(head: number): void {
    this.#reserve(head);
    this.#older[head] = NO_SLOT;
  }

  insert(head: number, slot: number): void {
    this.#reserve(slot);
    const start = this.#startOf(slot);
    let newer = -1 - head;
    let older = this.older(head);
    while (older !== NO_SLOT && this.#startOf(older) > start) {
      newer = older;
      older = this.older(older);
    }
    this.#older[slot] = older;
    this.#newer[slot] = newer;
    if (older !== NO_SLOT) this.#newer[older] = slot;
    this.#older[newer < 0 ? head : newer] = slot;
  }

  /** Takes a slot out; returns the head if nothing is left in the chain, else NO_SLOT. */
  remove(slot: number): number {
    const older = this.older(slot);
    const newer = this.#newer[slot] as number;
    if (older !== NO_SLOT) this.#newer[older] = newer;
    const before = newer < 0 ? -1 - newer : newer;
    this.#older[before] = older;
    return newer < 0 && older === NO_SLOT ? before : NO_SLOT;
  }

  /** The slot of the key in the next older slice, or NO_SLOT. */
  older(slot: number): number {
    return this.#older[slot] as number;
  }

  /** The slot of the key in the next newer slice, or a negative number. */
  newer(slot: number): number {
    return this.#newer[slot] as number;
  }

  #reserve(slot: number): void {
    this.#older = grown(this.#older, slot + 1);
    this.#newer = grown(this.#newer, slot + 1);
  }
}
