import { grown } from '../state/grown.ts';
import { SlotAlarms } from './slot-alarms.ts';

/** The timers of all slots of one sort of time: each time once per slot. */
export class TimerSlots {
  readonly #alarms = new SlotAlarms();
  /** Per slot the earliest; Infinity where it has none. Nearly all slots have one or none. */
  #first = new Float64Array(0);
  /** Per slot the others, ascending. */
  readonly #others: (number[] | undefined)[] = [];
  #otherCount = 0;

  get sizeBytes(): number {
    return this.#alarms.sizeBytes + this.#first.byteLength + this.#others.length * 8 + this.#otherCount * 16;
  }

  /** No timer is earlier; Infinity where there is none. */
  get time(): number {
    return this.#alarms.time;
  }

  has(slot: number): boolean {
    return slot < this.#first.length && (this.#first[slot] as number) < Infinity;
  }

  /** Sets a timer; harmless where it is set. */
  add(slot: number, time: number): void {
    const { length } = this.#first;
    if (slot >= length) {
      this.#first = grown(this.#first, slot + 1);
      this.#first.fill(Infinity, length);
    }
    const first = this.#first[slot] as number;
    if (time === first) return;
    if (time > first) {
      this.#addOther(slot, time);
      return;
    }
    if (first < Infinity) this.#addOther(slot, first);
    this.#first[slot] = time;
    this.#alarms.set(slot, time);
  }

  /** Takes a timer away; harmless where there is none. */
  remove(slot: number, time: number): void {
    if (!this.has(slot)) return;
    if (this.#first[slot] === time) {
      this.#advance(slot);
      return;
    }
    const others = this.#others[slot];
    if (others === undefined) return;
    const at = placeOf(others, time);
    if (others[at] !== time) return;
    others.splice(at, 1);
    this.#otherCount--;
    if (others.length === 0) this.#others[slot] = undefined;
  }

  /** Takes the earliest timer out where its time is not after `until`: its slot, or -1 where there was a left-over. */
  take(until: number): number {
    const slot = this.#alarms.take();
    if (slot < 0 || !this.has(slot)) return -1;
    const first = this.#first[slot] as number;
    if (first > until) {
      this.#alarms.set(slot, first);
      return -1;
    }
    this.taken = first;
    this.#advance(slot);
    return slot;
  }

  /** The time of the timer that take() took out. */
  taken = 0;

  /** The timers of a slot, ascending. */
  of(slot: number): readonly number[] {
    return this.has(slot) ? [this.#first[slot] as number, ...(this.#others[slot] ?? [])] : [];
  }

  /** Takes all timers of a slot away. */
  clear(slot: number): void {
    for (const time of this.of(slot)) this.remove(slot, time);
  }

  /** The earliest of the slot is gone. */
  #advance(slot: number): void {
    const others = this.#others[slot];
    const next = others?.shift();
    if (next !== undefined) this.#otherCount--;
    if (others?.length === 0) this.#others[slot] = undefined;
    this.#first[slot] = next ?? Infinity;
    if (next !== undefined) this.#alarms.set(slot, next);
  }

  #addOther(slot: number, time: number): void {
    const others = this.#others[slot];
    if (others === undefined) this.#others[slot] = [time];
    else {
      const at = placeOf(others, time);
      if (others[at] === time) return;
      others.splice(at, 0, time);
    }
    this.#otherCount++;
  }
}

/** The place of the first time that is not below `time`. */
function placeOf(times: readonly number[], time: number): number {
  // Timers are mostly set in the order of their times.
  if (times.length === 0 || (times[times.length - 1] as number) < time) return times.length;
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
