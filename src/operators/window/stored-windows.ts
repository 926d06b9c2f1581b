/**
 * What windows do with slices of which some entries are on the disk: walks through all of them, in pieces.
 *
 * A walk ends before anything else reaches the operator, so no barrier finds one half done. While it goes on nothing
 * leaves memory but where it says so itself: what is in memory counts, and the disk has an older version of it or none.
 */
import { RowKind } from '../../core/index.ts';
import type { MarkedSlots } from './marked-slots.ts';
import type { SlicePlan } from './slice-plan.ts';
import type { SliceStore } from './slice-store.ts';
import type { StoredEntry } from './stored-slices.ts';
import type { Walk } from './walk.ts';
import type { WindowFiring } from './window-firing.ts';
import type { WindowOutput } from './window-output.ts';
import { endsOfSlots, newestToEmit } from './window-refiring.ts';

/** Slots that are freed, or merged, at a time. */
const PIECE = 1024;
/** Keys that are read at a time. */
const READ_AT_ONCE = 1024;

/** A key whose window is emitted again: what is read for it, by the slice. */
interface Refired {
  readonly slot: number;
  readonly newest: number;
  readonly starts: readonly number[];
}

export class StoredWindows {
  readonly #plan: SlicePlan;
  readonly #store: SliceStore;
  readonly #output: WindowOutput;

  constructor(plan: SlicePlan, store: SliceStore, output: WindowOutput) {
    this.#plan = plan;
    this.#store = store;
    this.#output = output;
  }

  /** Emits a window that `firing` has begun with: the keys that the disk has something of, and then the others. */
  *fire(firing: WindowFiring, endMs: number, kind: RowKind): Walk {
    const startMs = this.#plan.startOf(endMs);
    const starts = this.#startsWithin(startMs, endMs);
    const { stored, spilled, emitted } = this.#store;
    for (const group of starts.length === 0 ? [] : stored.groups) {
      const entries = stored.merge(starts, group);
      for (;;) {
        const reading = entries.read(spilled.store, spilled.pieceBytes);
        if (reading !== undefined) yield reading;
        const found = entries.next();
        if (found.length === 0) break;
        while (!this.#output.canWrite()) yield undefined;
        this.#emit(found, startMs, endMs, kind);
      }
    }
    while (!firing.continue()) yield spilled.drained();
    emitted.clear();
  }

  /** As WindowRefiring, but that the marks stay. */
  *refire(marks: MarkedSlots, afterMs: number, untilMs: number): Walk {
    const slots = marks.slots();
    for (const endMs of endsOfSlots(this.#plan, this.#store, slots, afterMs, untilMs)) {
      const starts = this.#startsWithin(this.#plan.startOf(endMs), endMs);
      const count = Math.max(1, Math.floor(READ_AT_ONCE / Math.max(1, starts.length)));
      for (let first = 0; first < slots.length; first += count) {
        yield* this.#refireSome(marks, slots.subarray(first, first + count), endMs, starts);
      }
    }
  }

  /** Frees a slice. */
  *free(slice: number): Walk {
    const { slices, stored, spilled } = this.#store;
    const startMs = slices.startOf(slice);
    if (stored.has(startMs)) yield stored.remove(startMs, spilled.store);
    while (this.#store.drain(slice, null, PIECE) < 0) yield spilled.drained();
  }

  /** Puts what is in a slice into another one, and frees it. */
  *merge(slice: number, into: number): Walk {
    const { slices, stored, spilled } = this.#store;
    const startMs = slices.startOf(slice);
    while (slices.first(slice) >= 0) yield* this.#mergeSlots(slice, startMs, into);
    if (stored.has(startMs)) {
      for (const group of stored.groups) yield* this.#mergeGroup(startMs, group, into);
      yield stored.remove(startMs, spilled.store);
    }
    slices.remove(slice);
  }

  /** The slices of a window that the disk has something of, the newest first. */
  #startsWithin(startMs: number, endMs: number): readonly number[] {
    const { slices, stored } = this.#store;
    const all = slices.within(startMs, endMs, this.#plan.sliceMs).map((slice) => slices.startOf(slice));
    return all.filter((start) => stored.has(start)).reverse();
  }

  #emit(found: readonly StoredEntry[], startMs: number, endMs: number, kind: RowKind): void {
    const slot = this.#store.passing(found, startMs, endMs);
    this.#output.write(slot, slot, startMs, endMs, kind);
    this.#store.passed(slot);
  }

  *#refireSome(marks: MarkedSlots, slots: Int32Array, endMs: number, starts: readonly number[]): Walk {
    const store = this.#store;
    const startMs = this.#plan.startOf(endMs);
    const due: Refired[] = [];
    const keys: Uint8Array[] = [];
    for (const slot of slots) {
      const newest = newestToEmit(store, marks, slot, startMs, endMs);
      if (newest < 0) continue;
      const wanted = starts.filter((start) => store.stored.mayHave(start, store.table.hashOf(slot)));
      for (const start of wanted) keys.push(store.storedKeyOf(slot, start));
      due.push({ slot, newest, starts: wanted });
    }
    let values: readonly (Uint8Array | null)[] = [];
    if (keys.length > 0) {
      yield store.spilled.store.read(keys).then((read) => {
        values = read;
      });
    }
    let at = 0;
    for (const { slot, newest, starts: wanted } of due) {
      while (!this.#output.canWrite()) yield undefined;
      const first = at;
      at += wanted.length;
      const entries = wanted.flatMap((start, index) => entryOf(start, values[first + index]));
      const result = store.mergedWith(entries, newest, startMs);
      this.#output.write(slot, result, startMs, endMs, RowKind.updateAfter);
      store.release(result);
    }
  }

  /** Merges some of the slots that a slice has in memory. */
  *#mergeSlots(slice: number, startMs: number, into: number): Walk {
    const store = this.#store;
    const { spilled, stored } = store;
    // Those of the slice may leave, too: then they are merged with the rest of what is on the disk.
    yield spilled.makeRoom(store.slotsFor(PIECE));
    const pairs = store.basesOf(slice, into, PIECE);
    yield spilled.load();
    const stale: Uint8Array[] = [];
    for (const [slot, base] of pairs) {
      if (stored.mayHave(startMs, store.table.hashOf(slot))) stale.push(store.storedKeyOf(slot, startMs));
      store.mergeInto(base, slot);
    }
    if (stale.length > 0) yield spilled.store.remove(stale);
  }

  /** Merges what a slice has on the disk, of a key group. */
  *#mergeGroup(startMs: number, group: number, into: number): Walk {
    const store = this.#store;
    const { spilled } = store;
    const entries = store.stored.merge([startMs], group);
    for (;;) {
      const values: Uint8Array[] = [];
      yield entries.read(spilled.store, spilled.pieceBytes);
      for (const { value } of entries.taken()) values.push(value);
      if (values.length === 0) return;
      yield spilled.makeRoom(store.slotsFor(values.length));
      const bases = values.map((value) => store.baseOfStored(value, into));
      yield spilled.load();
      for (const [index, base] of bases.entries()) store.mergeStoredInto(base, values[index] as Uint8Array);
    }
  }
}

function entryOf(startMs: number, value: Uint8Array | null | undefined): readonly StoredEntry[] {
  return value == null ? [] : [{ startMs, value }];
}
