/** What the windows of a step hold: per key and slice, what the calls have seen. */
import type { IntColumn, StateChunk, StateSchema } from '../../core/index.ts';
import { AggregateCalls } from '../aggregate/aggregate-calls.ts';
import { KeyedRows } from '../aggregate/keyed-rows.ts';
import { ByteReader } from '../state/byte-reader.ts';
import { KeyTable } from '../state/key-table.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { SlotSnapshots } from '../state/slot-snapshots.ts';
import type { SnapshotEntries } from '../state/slot-snapshots.ts';
import { matchSchemas } from '../state/state-schema.ts';
import { tableEntries } from '../state/table-entries.ts';
import { MarkedSlots } from './marked-slots.ts';
import { Slices } from './slices.ts';
import { windowSchema } from './window-schema.ts';
import type { SlicedWindow, WindowSpec } from './window-spec.ts';

const NONE = -1;

/** What a restored entry belongs to. */
export interface RestoredSlices {
  /** Whether there is such a slice. */
  isSlice(startMs: number): boolean;
  /** Whether it is still wanted. */
  isGone(startMs: number): boolean;
  /** Its handle; made where it is new. */
  handleOf(startMs: number): number;
}

export class SliceStore {
  readonly calls: AggregateCalls;
  readonly table: KeyTable;
  readonly rows: KeyedRows;
  readonly slices = new Slices();
  readonly snapshots: SlotSnapshots;
  /** Slots of which windows that have fired have to be emitted again. */
  readonly late = new MarkedSlots();
  /** Slots that changed since windows were last emitted early. */
  readonly early = new MarkedSlots();
  readonly schema: StateSchema;
  readonly #stepId: string;
  /** The slot in which results are merged; -1 while none was needed. */
  #scratch = NONE;

  constructor(spec: WindowSpec<SlicedWindow>) {
    this.#stepId = spec.stepId;
    this.calls = new AggregateCalls(spec);
    this.table = new KeyTable(this.calls.keyFields.map(({ type }) => type));
    this.rows = new KeyedRows(this.calls, this.table);
    this.snapshots = new SlotSnapshots(this.#entries());
    this.schema = windowSchema(this.calls, spec.window);
  }

  get sizeBytes(): number {
    const marks = this.late.sizeBytes + this.early.sizeBytes;
    return this.table.sizeBytes + this.calls.sizeBytes + this.slices.sizeBytes + this.snapshots.sizeBytes + marks;
  }

  /** Adds the rows at hand to their slices; negative ones are left out. */
  addRows(slices: Int32Array): void {
    const { rows, slots } = this.rows;
    this.#assignSlots(slices, slots);
    this.calls.beginRows(rows, slots);
    this.calls.loops.addRows(slots.values, 0, rows.rowCount);
    this.calls.endRows(rows.rowCount);
  }

  /**
   * The slot with what all slots of the key of `slot` in these slices have seen: `slot`, which is in `slices[own]`, if
   * it is the only one. Slices after `newest` are known not to have the key. release() follows.
   */
  merged(slot: number, own: number, slices: readonly number[], newest: number): number {
    const { table, calls } = this;
    let result = slot;
    for (let index = newest; index >= 0; index--) {
      if (index === own) continue;
      const other = table.findLike(slot, slices[index] as number);
      if (other < 0) continue;
      if (result === slot) {
        result = this.#scratchSlot();
        calls.loops.merge(result, slot);
      }
      calls.loops.merge(result, other);
    }
    return result;
  }

  /** The result of merged() was used. */
  release(result: number): void {
    if (result === this.#scratch) this.calls.loops.clear(result);
  }

  freeSlot(slot: number): void {
    if (this.snapshots.isTaking) this.snapshots.beforeChange(slot);
    this.late.unmark(slot);
    this.early.unmark(slot);
    this.calls.loops.clear(slot);
    this.table.remove(slot);
  }

  /**
   * Frees the slots of a slice, or puts what is in them into another one, and then the slice: at most `budget` slots.
   * Returns what is left of the budget, or -1 where it was not enough: call again.
   */
  drain(slice: number, into: number | null, budget: number): number {
    const { slices } = this;
    for (let left = budget; ; left--) {
      const slot = slices.first(slice);
      if (slot < 0) {
        slices.remove(slice);
        return left;
      }
      if (left === 0) return -1;
      slices.dropFirst(slice);
      if (into === null) this.freeSlot(slot);
      else this.#moveSlot(slot, into);
    }
  }

  #moveSlot(slot: number, into: number): void {
    const { table, snapshots } = this;
    if (snapshots.isTaking) snapshots.beforeChange(slot);
    const other = table.findLike(slot, into);
    if (other < 0) {
      table.moveTo(slot, into);
      this.slices.append(into, slot);
      return;
    }
    if (snapshots.isTaking) snapshots.beforeChange(other);
    this.calls.loops.merge(other, slot);
    if (this.early.has(slot)) this.early.mark(other);
    this.freeSlot(slot);
  }

  restore({ bytes, keyGroup }: StateChunk, written: StateSchema, maxParallelism: number, target: RestoredSlices): void {
    const places = matchSchemas(written, this.schema, this.#stepId);
    const from = new ByteReader(bytes, this.#stepId);
    const key = new ScratchRow(this.schema.key);
    const { table, calls, slices } = this;
    while (!from.atEnd) {
      const hash = key.readKey(from, keyGroup, maxParallelism);
      const start = Number(from.integer());
      if (!target.isSlice(start)) from.fail(`no slice of the window starts at ${start}`);
      if (target.isGone(start)) {
        calls.skip(from, places.length);
        continue;
      }
      const slice = target.handleOf(start);
      table.bind(key.columns);
      if (table.find(hash, 0, slice) >= 0) from.fail('a key comes twice');
      const slot = table.insert(hash, 0, slice);
      slices.append(slice, slot);
      calls.reserve(table.slotLimit);
      calls.decode(slot, from, places);
      this.early.mark(slot);
    }
  }

  /** Loops over the rows: see bench/micro/windows.ts. */
  #assignSlots(slices: Int32Array, slots: IntColumn): void {
    const { table, snapshots } = this;
    const { rows, hashes } = this.rows;
    const target = slots.values;
    const { rowCount } = rows;
    for (let row = 0; row < rowCount; row++) {
      const slice = slices[row] as number;
      if (slice < 0) {
        target[row] = NONE;
        continue;
      }
      const hash = hashes[row] as number;
      let slot = table.find(hash, row, slice);
      if (slot < 0) {
        slot = table.insert(hash, row, slice);
        this.slices.append(slice, slot);
        if (snapshots.isTaking) snapshots.added(slot);
      }
      target[row] = slot;
    }
    this.calls.reserve(table.slotLimit);
    if (snapshots.isTaking) snapshots.beforeChanges(target, rowCount);
  }

  #scratchSlot(): number {
    if (this.#scratch === NONE) {
      this.#scratch = this.table.reserveSlot();
      this.calls.reserve(this.table.slotLimit);
      if (this.snapshots.isTaking) this.snapshots.added(this.#scratch);
    }
    return this.#scratch;
  }

  #entries(): SnapshotEntries {
    const { table, calls, slices } = this;
    return tableEntries(
      table,
      (slot, to) => {
        to.integer(slices.startOf(table.spaceOf(slot)), null);
        calls.encode(slot, to);
      },
      (slot) => slot !== this.#scratch && table.isUsed(slot),
    );
  }
}
