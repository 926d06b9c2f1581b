/**
 * How event time is cut into slices, and which windows consist of which. A row is added to one slice, and a window is
 * the sum of its slices (Carbone et al., Cutty, CIKM 2016): a row of a hopping window is not added once per window.
 *
 *     hop of 10 s every 4 s, slices of 2 s        cumulate up to 6 s by 2 s, slices of 2 s
 *     |  |  |  |  |  |  |  |  |                   |  |  |  |  |  |  |
 *     [--------------)                            [--)      [--)
 *           [--------------)                      [-----)   [-----)
 *                 [--------------)                [--------)[--------)
 *
 * Slices are known by their start, windows by their end. All times are whole milliseconds.
 */
import type { SlicedWindow } from './window-spec.ts';

export interface SlicePlan {
  readonly sliceMs: number;
  readonly offsetMs: number;
  /** Whether a window can have more than one. */
  readonly hasManySlices: boolean;
  /** The start of the slice that an instant is in. */
  sliceOf(timestampMs: number): number;
  /** The end of the first window that holds the slice and ends after `afterMs`; Infinity where there is none. */
  nextEnd(sliceStart: number, afterMs: number): number;
  /** The end of the last window that holds the slice; -Infinity for slices between windows. */
  lastEnd(sliceStart: number): number;
  /** The start of the window that ends at `endMs`. */
  startOf(endMs: number): number;
  /**
   * The start of the slice that takes over what is in this one, once no window ends between them any more; the slice
   * itself where there is none.
   */
  baseOf(sliceStart: number): number;
}

export function planSlices(window: SlicedWindow): SlicePlan {
  switch (window.kind) {
    case 'tumble':
      return new HopPlan(window.sizeMs, window.sizeMs, window.offsetMs);
    case 'hop':
      return new HopPlan(window.sizeMs, window.slideMs, window.offsetMs);
    case 'cumulate':
      return new CumulatePlan(window.stepMs, window.maxMs, window.offsetMs);
  }
}

/** The last multiple of `unit` from `offset` on that is not after `time`. Exact: so is the remainder of doubles. */
function floorTo(time: number, unit: number, offset: number): number {
  const rest = (time - offset) % unit;
  return rest < 0 ? time - rest - unit : time - rest;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

class HopPlan implements SlicePlan {
  readonly sliceMs: number;
  readonly offsetMs: number;
  readonly hasManySlices: boolean;
  readonly #sizeMs: number;
  readonly #slideMs: number;

  constructor(sizeMs: number, slideMs: number, offsetMs: number) {
    this.#sizeMs = sizeMs;
    this.#slideMs = slideMs;
    this.offsetMs = offsetMs;
    this.sliceMs = greatestDivisor(sizeMs, slideMs);
    this.hasManySlices = sizeMs > this.sliceMs;
  }

  sliceOf(timestampMs: number): number {
    return floorTo(timestampMs, this.sliceMs, this.offsetMs);
  }

  nextEnd(sliceStart: number, afterMs: number): number {
    const least = Math.max(sliceStart + this.sliceMs - this.#sizeMs, afterMs - this.#sizeMs + 1);
    const start = floorTo(least + this.#slideMs - 1, this.#slideMs, this.offsetMs);
    return start > sliceStart ? Infinity : start + this.#sizeMs;
  }

  lastEnd(sliceStart: number): number {
    const end = floorTo(sliceStart, this.#slideMs, this.offsetMs) + this.#sizeMs;
    return end > sliceStart ? end : -Infinity;
  }

  startOf(endMs: number): number {
    return endMs - this.#sizeMs;
  }

  baseOf(sliceStart: number): number {
    return sliceStart;
  }
}

class CumulatePlan implements SlicePlan {
  readonly sliceMs: number;
  readonly offsetMs: number;
  readonly hasManySlices: boolean;
  readonly #maxMs: number;

  constructor(stepMs: number, maxMs: number, offsetMs: number) {
    this.sliceMs = stepMs;
    this.hasManySlices = maxMs > stepMs;
    this.#maxMs = maxMs;
    this.offsetMs = offsetMs;
  }

  sliceOf(timestampMs: number): number {
    return floorTo(timestampMs, this.sliceMs, this.offsetMs);
  }

  nextEnd(sliceStart: number, afterMs: number): number {
    const first = sliceStart + this.sliceMs;
    if (afterMs < first) return first;
    const end = floorTo(afterMs, this.sliceMs, this.offsetMs) + this.sliceMs;
    return end > this.lastEnd(sliceStart) ? Infinity : end;
  }

  lastEnd(sliceStart: number): number {
    return this.baseOf(sliceStart) + this.#maxMs;
  }

  startOf(endMs: number): number {
    return this.baseOf(endMs - this.sliceMs);
  }

  baseOf(sliceStart: number): number {
    return floorTo(sliceStart, this.#maxMs, this.offsetMs);
  }
}
