import { RowKind } from '../../core/index.ts';
import type { MarkedSlots } from './marked-slots.ts';
import type { SlicePlan } from './slice-plan.ts';
import type { SliceStore } from './slice-store.ts';
import type { WindowOutput } from './window-output.ts';

/** Emits windows again, or early, for the keys whose slots are marked; goes on where the output made it stop. */
export class WindowRefiring {
  readonly #plan: SlicePlan;
  readonly #store: SliceStore;
  readonly #output: WindowOutput;
  #marks: MarkedSlots | null = null;
  #slots: Int32Array = new Int32Array(0);
  #ends: readonly number[] = [];
  #endAt = 0;
  #slotAt = 0;

  constructor(plan: SlicePlan, store: SliceStore, output: WindowOutput) {
    this.#plan = plan;
    this.#store = store;
    this.#output = output;
  }

  get isActive(): boolean {
    return this.#marks !== null;
  }

  /** Begins with the windows that end after `afterMs` and not after `untilMs`, and hold a marked slot. */
  begin(marks: MarkedSlots, afterMs: number, untilMs: number): void {
    this.#marks = marks;
    this.#slots = marks.slots();
    this.#ends = endsOfSlots(this.#plan, this.#store, this.#slots, afterMs, untilMs);
    this.#endAt = 0;
    this.#slotAt = 0;
  }

  /** Returns true when all are done and nothing is marked any more, false where the output was not ready. */
  continue(): boolean {
    for (; this.#endAt < this.#ends.length; this.#endAt++) {
      const endMs = this.#ends[this.#endAt] as number;
      const startMs = this.#plan.startOf(endMs);
      for (; this.#slotAt < this.#slots.length; this.#slotAt++) {
        if (!this.#output.canWrite()) return false;
        this.#emit(this.#slots[this.#slotAt] as number, startMs, endMs);
      }
      this.#slotAt = 0;
    }
    this.#marks?.clear();
    this.#marks = null;
    return true;
  }

  #emit(slot: number, startMs: number, endMs: number): void {
    const store = this.#store;
    const newest = newestToEmit(store, this.#marks as MarkedSlots, slot, startMs, endMs);
    if (newest < 0) return;
    const result = store.merged(newest, startMs);
    this.#output.write(slot, result, startMs, endMs, RowKind.updateAfter);
    store.release(result);
  }
}

/** As endsOf(), of the slices of these slots. */
export function endsOfSlots(
  plan: SlicePlan,
  { table, slices }: SliceStore,
  slots: Int32Array,
  afterMs: number,
  untilMs: number,
): readonly number[] {
  const seen = new Set<number>();
  for (const slot of slots) seen.add(table.spaceOf(slot));
  return endsOf(plan, [...seen].map((slice) => slices.startOf(slice)), afterMs, untilMs);
}

/** The ends of all windows that hold one of these slices, after `afterMs` and not after `untilMs`, in order. */
export function endsOf(
  plan: SlicePlan,
  starts: Iterable<number>,
  afterMs: number,
  untilMs: number,
): readonly number[] {
  const ends = new Set<number>();
  for (const start of starts) {
    for (let end = plan.nextEnd(start, afterMs); end <= untilMs && end < Infinity;) {
      ends.add(end);
      end = plan.nextEnd(start, end);
    }
  }
  return [...ends].sort((a, b) => a - b);
}

/**
 * The newest slot, in the window of these times, of the key of a marked slot; -1 where the slot is not of the window,
 * or a newer one is marked and comes up by itself.
 */
export function newestToEmit(
  store: SliceStore,
  marks: MarkedSlots,
  slot: number,
  startMs: number,
  endMs: number,
): number {
  const ownMs = store.startOf(slot);
  if (ownMs < startMs || ownMs >= endMs || !marks.has(slot)) return -1;
  let newest = slot;
  for (let newer = store.newerUntil(slot, endMs); newer >= 0; newer = store.newerUntil(newer, endMs)) {
    if (marks.has(newer)) return -1;
    newest = newer;
  }
  return newest;
}
