import { grown, sized } from './grown.ts';

/** Hands out slots, small integers from 0 on, and takes them back to hand them out again. */
export class SlotAllocator {
  #used = new Uint8Array(0);
  #free = new Int32Array(0);
  #freeCount = 0;
  #limit = 0;

  /** All slots that were ever handed out are below. */
  get limit(): number {
    return this.#limit;
  }

  /** Slots in use. */
  get size(): number {
    return this.#limit - this.#freeCount;
  }

  get sizeBytes(): number {
    return this.#used.length + this.#free.byteLength;
  }

  /** Makes room for slots [0, slotCount), one array at a time. */
  *growing(slotCount: number): Generator<void> {
    this.#used = sized(this.#used, slotCount);
    yield;
    this.#free = sized(this.#free, slotCount);
    yield;
  }

  isUsed(slot: number): boolean {
    return this.#used[slot] === 1;
  }

  allocate(): number {
    const slot = this.#freeCount > 0 ? (this.#free[--this.#freeCount] as number) : this.#limit++;
    if (slot >= this.#used.length) this.#used = grown(this.#used, slot + 1);
    this.#used[slot] = 1;
    return slot;
  }

  release(slot: number): void {
    if (this.#used[slot] !== 1) throw new RangeError(`slot ${slot} is not in use`);
    this.#used[slot] = 0;
    if (this.#freeCount >= this.#free.length) this.#free = grown(this.#free, this.#freeCount + 1);
    this.#free[this.#freeCount++] = slot;
  }
}
