import type { RowKind } from '../../core/index.ts';
import type { SlicePlan } from './slice-plan.ts';
import type { SliceStore } from './slice-store.ts';
import type { WindowOutput } from './window-output.ts';

const NONE = -1;

/** Emits one window after the other, each key as one row, going on where the output made it stop. */
export class WindowFiring {
  readonly #plan: SlicePlan;
  readonly #store: SliceStore;
  readonly #output: WindowOutput;
  readonly #kind: RowKind;
  /** Whether a slice is of no use once its last window has fired. */
  readonly #freesSlices: boolean;
  #isActive = false;
  #startMs = 0;
  #endMs = 0;
  /** Slices of the window, oldest first. */
  #slices: readonly number[] = [];
  /** The slice at hand, from the newest to the oldest, and its next slot. */
  #at = NONE;
  #slot = NONE;

  constructor(
    plan: SlicePlan,
    store: SliceStore,
    output: WindowOutput,
    options: { readonly kind: RowKind; readonly freesSlices: boolean },
  ) {
    this.#plan = plan;
    this.#store = store;
    this.#output = output;
    this.#kind = options.kind;
    this.#freesSlices = options.freesSlices;
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  /** Begins with the window that ends then; returns its slices. */
  begin(endMs: number): readonly number[] {
    this.#isActive = true;
    this.#endMs = endMs;
    this.#startMs = this.#plan.startOf(endMs);
    this.#slices = this.#store.slices.within(this.#startMs, endMs, this.#plan.sliceMs);
    this.#at = this.#slices.length;
    this.#slot = NONE;
    return this.#slices;
  }

  /** Returns true when the window is done, false where the output was not ready. */
  continue(): boolean {
    while (this.#nextSlice()) {
      // Only the oldest slice can go as it is read: the others tell which keys were emitted.
      if (!this.#emitSlice(this.#at === 0 && this.#isLast(this.#slices[0] as number))) return false;
    }
    this.#isActive = false;
    return true;
  }

  /** The slices for which this was the last window: nobody needs them any more. */
  get leaving(): readonly number[] {
    return this.#slices.filter((slice) => this.#isLast(slice));
  }

  /** Whether this is the last window of the slice, and the slice is of no use afterwards. */
  #isLast(slice: number): boolean {
    return this.#freesSlices && this.#plan.lastEnd(this.#store.slices.startOf(slice)) === this.#endMs;
  }

  /** Steps to the next older slice once the one at hand is done. */
  #nextSlice(): boolean {
    if (this.#slot !== NONE) return true;
    if (this.#at === 0) return false;
    this.#at--;
    this.#slot = this.#store.slices.first(this.#slices[this.#at] as number);
    return true;
  }

  /** The keys of the slice at hand that no newer slice has: those were emitted with that. */
  #emitSlice(frees: boolean): boolean {
    const { slices } = this.#store;
    for (let slot = this.#slot; slot !== NONE;) {
      if (!this.#output.canWrite()) {
        this.#slot = slot;
        return false;
      }
      const next = slices.next(slot);
      if (this.#store.newerUntil(slot, this.#endMs) < 0 && !this.#wasEmitted(slot)) this.#emit(slot);
      if (frees) {
        slices.dropFirst(this.#slices[this.#at] as number);
        this.#store.freeSlot(slot);
      }
      slot = next;
    }
    this.#slot = NONE;
    return true;
  }

  /** With what the disk had of its key. */
  #wasEmitted(slot: number): boolean {
    const { emitted } = this.#store;
    return !emitted.isEmpty && emitted.has(slot);
  }

  #emit(slot: number): void {
    const result = this.#store.merged(slot, this.#startMs);
    this.#output.write(slot, result, this.#startMs, this.#endMs, this.#kind);
    this.#store.release(result);
  }
}
