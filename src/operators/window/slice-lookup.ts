import { MAX_TIMESTAMP_MS } from '../../core/index.ts';
import { grown } from '../state/grown.ts';
import { RowVerdict } from './row-verdicts.ts';
import type { SlicePlan } from './slice-plan.ts';
import type { Slices } from './slices.ts';

/** Slices that were found last; rows come from few at a time. A power of two. */
const CACHED = 16;

/** The slice of each row by its event time, as far as the watermark lets it. */
export class SliceLookup {
  readonly #plan: SlicePlan;
  readonly #slices: Slices;
  readonly #latenessMs: number;
  /** Makes a slice. */
  readonly #add: (startMs: number) => number;
  readonly #cachedStarts = new Float64Array(CACHED).fill(Infinity);
  readonly #cachedHandles = new Int32Array(CACHED);
  #watermarkMs = -Infinity;
  /** Per slice found since the watermark came: whether a window that holds it has fired and may still change. */
  #hasFired = new Uint8Array(0);
  /** Whether there is such a slice. */
  foundFired = false;

  constructor(plan: SlicePlan, slices: Slices, latenessMs: number, add: (startMs: number) => number) {
    this.#plan = plan;
    this.#slices = slices;
    this.#latenessMs = latenessMs;
    this.#add = add;
  }

  /** Event time has come to here. */
  advance(watermarkMs: number): void {
    this.#watermarkMs = watermarkMs;
    this.foundFired = false;
    this.#cachedStarts.fill(Infinity);
  }

  hasFired(slice: number): boolean {
    return this.#hasFired[slice] === 1;
  }

  /** Whether, by now or by a later time, everything of the slice is past its lateness or in another slice. */
  isGone(sliceStart: number, laterMs: number): boolean {
    const watermarkMs = Math.max(laterMs, this.#watermarkMs);
    const isOver = this.#plan.lastEnd(sliceStart) + this.#latenessMs <= watermarkMs;
    return isOver || this.#keeperOf(sliceStart, watermarkMs) !== sliceStart;
  }

  /** The slice of each of the first `count` times, or a RowVerdict. Returns whether there was one of those. */
  assign(times: Float64Array, count: number, slices: Int32Array): boolean {
    const { sliceMs, offsetMs } = this.#plan;
    const starts = this.#cachedStarts;
    const handles = this.#cachedHandles;
    let isComplete = true;
    for (let row = 0; row < count; row++) {
      const time = times[row] as number;
      // A guess, which need not be right: the start is compared.
      const place = Math.floor((time - offsetMs) / sliceMs) & (CACHED - 1);
      const distance = time - (starts[place] as number);
      if (distance >= 0 && distance < sliceMs) {
        slices[row] = handles[place] as number;
        continue;
      }
      const slice = this.#find(time, place);
      slices[row] = slice;
      if (slice < 0) isComplete = false;
    }
    return !isComplete;
  }

  #find(time: number, place: number): number {
    if (time !== time) return RowVerdict.noTime;
    if (!(Math.abs(time) <= MAX_TIMESTAMP_MS)) return RowVerdict.outOfRange;
    const plan = this.#plan;
    const own = plan.sliceOf(time);
    const lastEnd = plan.lastEnd(own);
    if (lastEnd === -Infinity) return RowVerdict.between;
    if (lastEnd + this.#latenessMs <= this.#watermarkMs) return RowVerdict.late;
    const firstStart = plan.startOf(plan.nextEnd(own, -Infinity));
    if (lastEnd > MAX_TIMESTAMP_MS || firstStart < -MAX_TIMESTAMP_MS) return RowVerdict.outOfRange;
    const start = this.#keeperOf(own, this.#watermarkMs);
    let slice = this.#slices.find(start);
    if (slice < 0) slice = this.#add(start);
    this.#cachedStarts[place] = own;
    this.#cachedHandles[place] = slice;
    this.#noteFired(slice, start);
    return slice;
  }

  /** The slice that holds what belongs to this one at a time. */
  #keeperOf(sliceStart: number, watermarkMs: number): number {
    const isMerged = sliceStart + this.#plan.sliceMs + this.#latenessMs <= watermarkMs;
    return isMerged ? this.#plan.baseOf(sliceStart) : sliceStart;
  }

  #noteFired(slice: number, start: number): void {
    const end = this.#plan.nextEnd(start, this.#watermarkMs - this.#latenessMs);
    const hasFired = end <= this.#watermarkMs;
    this.#hasFired = grown(this.#hasFired, slice + 1);
    this.#hasFired[slice] = hasFired ? 1 : 0;
    if (hasFired) this.foundFired = true;
  }
}
