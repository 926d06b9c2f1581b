import { grown } from './grown.ts';

/** How many entries an operator does in one call where time has come for many: some milliseconds' worth. */
export const ENTRIES_PER_CALL = 1 << 13;

/** Pairs of a time and an id, the earliest first; a binary heap in typed arrays. */
export class TimeHeap {
  #times = new Float64Array(0);
  #ids = new Int32Array(0);
  #size = 0;

  get sizeBytes(): number {
    return this.#times.byteLength + this.#ids.byteLength;
  }

  /** The earliest time; Infinity where there is none. */
  get time(): number {
    return this.#size === 0 ? Infinity : (this.#times[0] as number);
  }

  /** The id of the earliest time. */
  get id(): number {
    return this.#ids[0] as number;
  }

  push(time: number, id: number): void {
    let at = this.#size++;
    this.#times = grown(this.#times, this.#size);
    this.#ids = grown(this.#ids, this.#size);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#times[parent] as number) <= time) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#times[at] = time;
    this.#ids[at] = id;
  }

  /** Removes the earliest pair. */
  pop(): void {
    const last = --this.#size;
    const time = this.#times[last] as number;
    const id = this.#ids[last] as number;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= last) break;
      if (child + 1 < last && (this.#times[child + 1] as number) < (this.#times[child] as number)) child++;
      if ((this.#times[child] as number) >= time) break;
      this.#move(child, at);
      at = child;
    }
    this.#times[at] = time;
    this.#ids[at] = id;
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number;
    this.#ids[to] = this.#ids[from] as number;
  }
}
