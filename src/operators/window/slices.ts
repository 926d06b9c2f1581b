import { grown, sized } from '../state/grown.ts';

const NONE = -1;

/**
 * The slices that hold anything: each has a handle, a small integer, and the list of its slots in the order in which
 * they came.
 */
export class Slices {
  readonly #byStart = new Map<number, number>();
  readonly #free: number[] = [];
  #starts = new Float64Array(0);
  #heads = new Int32Array(0);
  #tails = new Int32Array(0);
  /** Per slot, the next one of its slice. */
  #next = new Int32Array(0);
  /** Per slot, the one before it; null where slots leave their slice in order only. */
  #previous: Int32Array | null = null;
  #limit = 0;

  get sizeBytes(): number {
    const links = this.#next.byteLength + (this.#previous?.byteLength ?? 0);
    return this.#starts.byteLength * 2 + links + this.#byStart.size * 40;
  }

  /** Slots will leave from anywhere. Called before there are any. */
  linkBothWays(): void {
    this.#previous = new Int32Array(0);
  }

  /** Makes room for slots [0, slotCount), one array at a time. */
  *growing(slotCount: number): Generator<void> {
    this.#next = sized(this.#next, slotCount);
    yield;
    if (this.#previous !== null) this.#previous = sized(this.#previous, slotCount);
    yield;
  }

  /** All there are, by their starts. */
  starts(): Iterable<number> {
    return this.#byStart.keys();
  }

  /** The handle of the slice that starts then, or -1. */
  find(startMs: number): number {
    return this.#byStart.get(startMs) ?? NONE;
  }

  add(startMs: number): number {
    const handle = this.#free.pop() ?? this.#limit++;
    this.#starts = grown(this.#starts, handle + 1);
    this.#heads = grown(this.#heads, handle + 1);
    this.#tails = grown(this.#tails, handle + 1);
    this.#starts[handle] = startMs;
    this.#heads[handle] = NONE;
    this.#byStart.set(startMs, handle);
    return handle;
  }

  remove(handle: number): void {
    this.#byStart.delete(this.startOf(handle));
    this.#free.push(handle);
  }

  startOf(handle: number): number {
    return this.#starts[handle] as number;
  }

  /** The first slot of the slice, or -1. */
  first(handle: number): number {
    return this.#heads[handle] as number;
  }

  next(slot: number): number {
    return this.#next[slot] as number;
  }

  /** Takes the first slot out of the list. */
  dropFirst(handle: number): void {
    const next = this.next(this.first(handle));
    this.#heads[handle] = next;
    if (this.#previous !== null && next !== NONE) this.#previous[next] = NONE;
  }

  /** Takes any slot out of the list; where they are linked both ways. */
  drop(handle: number, slot: number): void {
    const previous = this.#previous as Int32Array;
    const [before, after] = [previous[slot] as number, this.next(slot)];
    if (before === NONE) this.#heads[handle] = after;
    else this.#next[before] = after;
    if (after === NONE) this.#tails[handle] = before;
    else previous[after] = before;
  }

  append(handle: number, slot: number): void {
    if (slot >= this.#next.length) this.#next = grown(this.#next, slot + 1);
    this.#next[slot] = NONE;
    if (this.#previous !== null) {
      this.#previous = grown(this.#previous, slot + 1);
      this.#previous[slot] = this.#heads[handle] === NONE ? NONE : (this.#tails[handle] as number);
    }
    if (this.#heads[handle] === NONE) this.#heads[handle] = slot;
    else this.#next[this.#tails[handle] as number] = slot;
    this.#tails[handle] = slot;
  }

  /** The handles of the slices that start in [fromMs, toMs), every `stepMs` at most, in order. */
  within(fromMs: number, toMs: number, stepMs: number): number[] {
    const handles: number[] = [];
    if ((toMs - fromMs) / stepMs > this.#byStart.size * 4) {
      for (const [start, handle] of this.#byStart) if (start >= fromMs && start < toMs) handles.push(handle);
      return handles.sort((a, b) => this.startOf(a) - this.startOf(b));
    }
    for (let start = fromMs; start < toMs; start += stepMs) {
      const handle = this.find(start);
      if (handle >= 0) handles.push(handle);
    }
    return handles;
  }
}
