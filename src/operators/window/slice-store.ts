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
import { NO_SLOT, SliceChains } from './slice-chains.ts';
import { Slices } from './slices.ts';
import { windowSchema } from './window-schema.ts';
import type { SlicedWindow, WindowSpec } from './window-spec.ts';

const NONE = -1;
/** The space of the heads of chains; slices have others. */
const HEADS = -1;

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
  /** Null where windows have one slice. */
  readonly #chains: SliceChains | null;
  /** Slots of which windows that have fired have to be emitted again. */
  readonly late = new MarkedSlots();
  /** Slots that changed since windows were last emitted early. */
  readonly early = new MarkedSlots();
  readonly schema: StateSchema;
  readonly #stepId: string;
  /** The slot in which results are merged; -1 while none was needed. */
  #scratch = NONE;

  constructor(spec: WindowSpec<SlicedWindow>, hasManySlices: boolean) {
    this.#stepId = spec.stepId;
    this.calls = new AggregateCalls(spec);
    this.table = new KeyTable(this.calls.keyFields.map(({ type }) => type));
    this.rows = new KeyedRows(this.calls, this.table);
    this.#chains = hasManySlices ? new SliceChains((slot) => this.startOf(slot)) : null;
    this.snapshots = new SlotSnapshots(this.#entries());
    this.schema = windowSchema(this.calls, spec.window);
  }

  get sizeBytes(): number {
    const marks = this.late.sizeBytes + this.early.sizeBytes;
    const found = this.table.sizeBytes + this.slices.sizeBytes + (this.#chains?.sizeBytes ?? 0);
    return found + this.calls.sizeBytes + this.snapshots.sizeBytes + marks;
  }

  /** The start of the slice of a slot. */
  startOf(slot: number): number {
    return this.slices.startOf(this.table.spaceOf(slot));
  }

  /** The slot of the same key in the next newer slice of those that start before `untilMs`; negative for none. */
  newerUntil(slot: number, untilMs: number): number {
    if (this.#chains === null) return NO_SLOT;
    const newer = this.#chains.newer(slot);
    return newer >= 0 && this.startOf(newer) < untilMs ? newer : NO_SLOT;
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
   * The slot with what the key of `slot` has in its slice and in all older ones that start at `fromMs` or later: `slot`
   * itself where there is no other. release() follows.
   */
  merged(slot: number, fromMs: number): number {
    const chains = this.#chains;
    if (chains === null) return slot;
    let result = slot;
    for (let older = chains.older(slot); older !== NO_SLOT && this.startOf(older) >= fromMs; ) {
      if (result === slot) {
        result = this.#scratchSlot();
        this.calls.loops.merge(result, slot);
      }
      this.calls.loops.merge(result, older);
      older = chains.older(older);
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
    const head = this.#chains?.remove(slot) ?? NO_SLOT;
    this.table.remove(slot);
    if (head !== NO_SLOT) this.table.remove(head);
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
    // What came between went into the base before.
    const other = this.#chains?.older(slot) ?? NO_SLOT;
    if (other === NO_SLOT || table.spaceOf(other) !== into) {
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
    const { table, calls } = this;
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
      const slot = this.#insert(hash, 0, slice);
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
      if (slot < 0) slot = this.#insert(hash, row, slice);
      target[row] = slot;
    }
    this.calls.reserve(table.slotLimit);
    if (snapshots.isTaking) snapshots.beforeChanges(target, rowCount);
  }

  #insert(hash: number, row: number, slice: number): number {
    const { table, snapshots } = this;
    const slot = table.insert(hash, row, slice);
    this.slices.append(slice, slot);
    if (snapshots.isTaking) snapshots.added(slot);
    if (this.#chains === null) return slot;
    let head = table.find(hash, row, HEADS);
    if (head < 0) {
      head = table.insert(hash, row, HEADS);
      this.#chains.addHead(head);
      if (snapshots.isTaking) snapshots.added(head);
    }
    this.#chains.insert(head, slot);
    return slot;
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
      (slot) => slot !== this.#scratch && table.isUsed(slot) && table.spaceOf(slot) !== HEADS,
    );
  }
}
