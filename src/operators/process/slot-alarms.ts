import { grown } from '../state/grown.ts';
import { TimeHeap } from '../state/time-heap.ts';

/**
 * For each slot, when it is to be looked at next. A later time than the one that is set changes nothing, so a time that
 * is put off again and again (a session's end, an expiry) costs no room: whoever is looked at too early sets the next.
 */
export class SlotAlarms {
  readonly #heap = new TimeHeap();
  /** Per slot the time that is set: there is one pair of them in the heap. Pairs of other times are left-overs. */
  #armed = new Float64Array(0);

  get sizeBytes(): number {
    return this.#heap.sizeBytes + this.#armed.byteLength;
  }

  /** The earliest time; Infinity where there is none. */
  get time(): number {
    return this.#heap.time;
  }

  set(slot: number, time: number): void {
    const { length } = this.#armed;
    if (slot >= length) {
      this.#armed = grown(this.#armed, slot + 1);
      this.#armed.fill(Infinity, length);
    }
    if (time >= (this.#armed[slot] as number)) return;
    this.#armed[slot] = time;
    this.#heap.push(time, slot);
  }

  /** Takes the earliest time out; the slot that it is of, or -1 for a left-over. */
  take(): number {
    const { time, id: slot } = this.#heap;
    this.#heap.pop();
    if (this.#armed[slot] !== time) return -1;
    this.#armed[slot] = Infinity;
    return slot;
  }
}
