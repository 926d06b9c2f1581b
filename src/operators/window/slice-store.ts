/** What the windows of a step hold: per key and slice, what the calls have seen. */
import type { IntColumn, OperatorContext, SpillSpace, StateChunk, StateSchema } from '../../core/index.ts';
import { AggregateCalls } from '../aggregate/aggregate-calls.ts';
import { KeyedRows } from '../aggregate/keyed-rows.ts';
import { ByteReader } from '../state/byte-reader.ts';
import { ByteWriter } from '../state/byte-writer.ts';
import { KeyTable } from '../state/key-table.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { SlotSnapshots } from '../state/slot-snapshots.ts';
import type { SnapshotEntries } from '../state/slot-snapshots.ts';
import { SpilledSlots } from '../state/spilled-slots.ts';
import { matchSchemas } from '../state/state-schema.ts';
import { tableEntries } from '../state/table-entries.ts';
import { MarkedSlots } from './marked-slots.ts';
import { NO_SLOT, SliceChains } from './slice-chains.ts';
import { Slices } from './slices.ts';
import { StoredSlices, writeStart } from './stored-slices.ts';
import type { StoredEntry } from './stored-slices.ts';
import { windowSchema } from './window-schema.ts';
import type { SlicedWindow, WindowSpec } from './window-spec.ts';

const NONE = -1;
/** The space of the heads of chains; slices have others. */
const HEADS = -1;
/** The space of a slot that is made to emit a key that has none. */
const PASSING = -2;

/** What a restored entry belongs to. */
export interface RestoredSlices {
  /** Whether there is such a slice. */
  isSlice(startMs: number): boolean;
  /** Whether it is gone by the event time that the key group has reached. */
  isGone(startMs: number, keyGroup: number): boolean;
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
  /** Of slots that stand for their key in the window that fires: those that were emitted with what was on the disk. */
  readonly emitted = new MarkedSlots();
  readonly schema: StateSchema;
  /** What memory has no room for, where the job keeps state on the disk. */
  readonly spilled: SpilledSlots;
  readonly stored = new StoredSlices();
  readonly #stepId: string;
  readonly #key: ScratchRow;
  /** Where entries that this store has written have what each accumulator needs. */
  readonly #places: readonly number[];
  readonly #encodedKey = new ByteWriter();
  #keyGroupCount = 1;
  /** The slots in which results are merged, and entries of the disk are read; -1 while none was needed. */
  #scratch = NONE;
  #decoded = NONE;

  constructor(spec: WindowSpec<SlicedWindow>, hasManySlices: boolean) {
    this.#stepId = spec.stepId;
    this.calls = new AggregateCalls(spec);
    this.table = new KeyTable(this.calls.keyFields.map(({ type }) => type));
    this.rows = new KeyedRows(this.calls, this.table);
    this.#chains = hasManySlices ? new SliceChains((slot) => this.startOf(slot)) : null;
    this.snapshots = new SlotSnapshots(this.#entries((slot) => this.#isEntry(slot) && this.spilled.includes(slot)));
    this.spilled = this.#createSpilled();
    this.schema = windowSchema(this.calls, spec.window);
    this.#key = new ScratchRow(this.schema.key);
    this.#places = this.calls.accumulators.map((_, index) => index);
  }

  /** Entries may leave memory. Called before there are any. */
  async openSpill(space: SpillSpace, context: OperatorContext): Promise<void> {
    this.#keyGroupCount = context.maxParallelism;
    this.slices.linkBothWays();
    this.stored.open(context);
    await this.spilled.open(space, context);
  }

  get sizeBytes(): number {
    return this.#heldBytes + this.snapshots.sizeBytes + this.spilled.sizeBytes;
  }

  get #heldBytes(): number {
    const marks = this.late.sizeBytes + this.early.sizeBytes + this.emitted.sizeBytes;
    const found = this.table.sizeBytes + this.slices.sizeBytes + (this.#chains?.sizeBytes ?? 0);
    return found + this.calls.sizeBytes + marks;
  }

  /** How many slots that many rows may take. */
  slotsFor(rowCount: number): number {
    return this.#chains === null ? rowCount : rowCount * 2;
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

  /** Gives the rows at hand the slots of their slices; negative ones get none. */
  assignSlots(slices: Int32Array): void {
    this.#assignSlots(slices, this.rows.slots);
  }

  /** Adds the rows at hand to their slots. */
  addRows(): void {
    const { rows, slots } = this.rows;
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

  /** The newest slot of a key among the slices that start in [fromMs, untilMs); negative for none. */
  #newestOf(hash: number, fromMs: number, untilMs: number): number {
    const { table, slices } = this;
    const chains = this.#chains;
    if (chains === null) {
      const slice = slices.find(fromMs);
      return slice < 0 ? NO_SLOT : table.find(hash, 0, slice);
    }
    const head = table.find(hash, 0, HEADS);
    if (head < 0) return NO_SLOT;
    let slot = chains.older(head);
    while (slot !== NO_SLOT && this.startOf(slot) >= untilMs) slot = chains.older(slot);
    return slot !== NO_SLOT && this.startOf(slot) >= fromMs ? slot : NO_SLOT;
  }

  /**
   * The key of entries of the disk, as a slot with what it has in a window, in memory and on the disk. In memory it is
   * marked as emitted. passed() follows.
   */
  passing(entries: readonly StoredEntry[], fromMs: number, untilMs: number): number {
    const { table } = this;
    const hash = this.#key.read(new ByteReader((entries[0] as StoredEntry).value, this.#stepId));
    table.bind(this.#key.columns);
    const newest = this.#newestOf(hash, fromMs, untilMs);
    if (newest >= 0) this.emitted.mark(newest);
    const slot = table.insert(hash, 0, PASSING);
    this.calls.reserve(table.slotLimit);
    if (this.snapshots.isTaking) this.snapshots.added(slot);
    this.#gather(slot, newest, fromMs, entries);
    return slot;
  }

  passed(slot: number): void {
    this.calls.loops.clear(slot);
    this.table.remove(slot);
  }

  /** As merged(), with what the disk has of the key, the newest first. release() follows. */
  mergedWith(entries: readonly StoredEntry[], slot: number, fromMs: number): number {
    const result = this.#scratchSlot();
    this.#gather(result, slot, fromMs, entries);
    return result;
  }

  /** Puts a key's slots from `newest` on, and its entries of the disk, into an empty slot. What is in memory counts. */
  #gather(result: number, newest: number, fromMs: number, entries: readonly StoredEntry[]): void {
    const { loops } = this.calls;
    let slot = newest;
    for (const { startMs, value } of entries) {
      for (; slot >= 0 && this.startOf(slot) > startMs; slot = this.#older(slot)) loops.merge(result, slot);
      if (slot < 0 || this.startOf(slot) < startMs) this.#mergeEntry(result, value);
    }
    for (; slot >= 0 && this.startOf(slot) >= fromMs; slot = this.#older(slot)) loops.merge(result, slot);
  }

  #older(slot: number): number {
    return this.#chains?.older(slot) ?? NO_SLOT;
  }

  #mergeEntry(result: number, value: Uint8Array): void {
    if (this.#decoded === NONE) this.#decoded = this.#reserveSlot();
    const { calls } = this;
    const from = new ByteReader(value, this.#stepId);
    this.#key.read(from);
    this.#decodeEntry(this.#decoded, from);
    calls.loops.merge(result, this.#decoded);
    calls.loops.clear(this.#decoded);
  }

  /** Behind the key. */
  #decodeEntry(slot: number, from: ByteReader): void {
    from.integer();
    this.calls.decode(slot, from, this.#places);
  }

  /** The key under which the store has, or would have, an entry of a slot's key in a slice. */
  storedKeyOf(slot: number, startMs: number): Uint8Array {
    const key = new ByteWriter();
    this.stored.writePrefix(this.table.hashOf(slot), startMs, key);
    this.table.encode(slot, key);
    return key.written;
  }

  /** Takes a slot out of its slice, and frees it; where entries may leave memory. */
  #dropSlot(slot: number): void {
    this.slices.drop(this.table.spaceOf(slot), slot);
    this.freeSlot(slot);
  }

  /**
   * Finds, for some of a slice's slots, those of the same keys in another slice, or makes them; spilled.load() and
   * mergeInto() follow.
   */
  basesOf(slice: number, into: number, count: number): readonly (readonly [slot: number, base: number])[] {
    const pairs: [number, number][] = [];
    const encoded = this.#encodedKey;
    for (let slot = this.slices.first(slice); slot >= 0 && pairs.length < count; slot = this.slices.next(slot)) {
      encoded.truncate(0);
      this.table.encode(slot, encoded);
      pairs.push([slot, this.#slotOfKey(new ByteReader(encoded.written, this.#stepId), into)]);
    }
    return pairs;
  }

  /** The same for what the disk has. */
  baseOfStored(value: Uint8Array, into: number): number {
    return this.#slotOfKey(new ByteReader(value, this.#stepId), into);
  }

  /** Adds a slot to that of its key in another slice, and frees it. */
  mergeInto(base: number, slot: number): void {
    this.#beforeMerge(base);
    this.calls.loops.merge(base, slot);
    if (this.early.has(slot)) this.early.mark(base);
    this.#dropSlot(slot);
  }

  mergeStoredInto(base: number, value: Uint8Array): void {
    this.#beforeMerge(base);
    this.#mergeEntry(base, value);
  }

  #beforeMerge(base: number): void {
    if (this.snapshots.isTaking) this.snapshots.beforeChange(base);
    this.spilled.changedOne(base);
  }

  #slotOfKey(from: ByteReader, slice: number): number {
    const hash = this.#key.read(from);
    this.table.bind(this.#key.columns);
    const known = this.table.find(hash, 0, slice);
    if (known >= 0) return known;
    const slot = this.#insert(hash, 0, slice);
    this.spilled.taken(slot);
    this.calls.reserve(this.table.slotLimit);
    return slot;
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

  restore(
    { bytes, keyGroup, replaces }: StateChunk,
    written: StateSchema,
    maxParallelism: number,
    target: RestoredSlices,
  ): void {
    const places = matchSchemas(written, this.schema, this.#stepId);
    const from = new ByteReader(bytes, this.#stepId);
    const key = this.#key;
    const { table, calls, spilled } = this;
    spilled.restore(from, () => {
      const hash = key.readKey(from, keyGroup, maxParallelism);
      const start = Number(from.integer());
      if (!target.isSlice(start)) from.fail(`no slice of the window starts at ${start}`);
      if (target.isGone(start, keyGroup)) {
        calls.skip(from, places.length);
        return;
      }
      const slice = target.handleOf(start);
      table.bind(key.columns);
      const known = table.find(hash, 0, slice);
      if (known >= 0 && replaces !== true) from.fail('a key comes twice');
      if (known >= 0) calls.loops.clear(known);
      const slot = known >= 0 ? known : this.#insert(hash, 0, slice);
      if (spilled.isOpen) spilled.restored(slot);
      calls.reserve(table.slotLimit);
      calls.decode(slot, from, places);
      // What may leave memory is not kept there by a mark: the operator emits all of it early.
      if (!spilled.isOpen) this.early.mark(slot);
    });
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
        slot = this.#insert(hash, row, slice);
        if (this.spilled.isOpen) this.spilled.taken(slot);
      }
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
    if (this.#scratch === NONE) this.#scratch = this.#reserveSlot();
    return this.#scratch;
  }

  #reserveSlot(): number {
    const slot = this.table.reserveSlot();
    this.calls.reserve(this.table.slotLimit);
    if (this.snapshots.isTaking) this.snapshots.added(slot);
    return slot;
  }

  #isEntry(slot: number): boolean {
    const isScratch = slot === this.#scratch || slot === this.#decoded;
    return !isScratch && this.table.isUsed(slot) && this.table.spaceOf(slot) !== HEADS;
  }

  #entries(isUsed: (slot: number) => boolean): SnapshotEntries {
    const { table, calls, slices } = this;
    return tableEntries(
      table,
      (slot, to) => {
        to.integer(slices.startOf(table.spaceOf(slot)), null);
        calls.encode(slot, to);
      },
      isUsed,
    );
  }

  #createSpilled(): SpilledSlots {
    const { table, stored } = this;
    const heldBytes = (): number => this.#heldBytes;
    const keyGroupCount = (): number => this.#keyGroupCount;
    const entries = this.#entries((slot) => this.#isEntry(slot));
    return new SpilledSlots(
      {
        stepId: this.#stepId,
        table,
        get keyGroupCount() {
          return keyGroupCount();
        },
        get slotLimit() {
          return table.slotLimit;
        },
        get sizeBytes() {
          return heldBytes();
        },
        growing: (slotCount) => this.#growing(slotCount),
        isUsed: (slot) => entries.isUsed(slot),
        hashOf: (slot) => entries.hashOf(slot),
        encode: (slot, to) => {
          entries.encode(slot, to);
        },
        // What is marked has to be found by its mark.
        isPinned: (slot) => !this.#isEntry(slot) || this.late.has(slot) || this.early.has(slot),
        decode: (slot, from) => {
          this.#key.read(from);
          this.#decodeEntry(slot, from);
        },
        free: (slot) => {
          this.#dropSlot(slot);
        },
        spaces: {
          encode: (slot, to) => {
            writeStart(this.startOf(slot), to);
          },
          mayHave: (slot) => stored.mayHave(this.startOf(slot), table.hashOf(slot)),
          add: (slot) => {
            stored.add(this.startOf(slot), table.hashOf(slot));
          },
          get sizeBytes() {
            return stored.sizeBytes;
          },
        },
      },
      this.snapshots,
    );
  }

  /** Makes room for slots [0, slotCount), one array at a time. */
  *#growing(slotCount: number): Generator<void> {
    yield* this.calls.growing(slotCount);
    yield* this.slices.growing(slotCount);
    if (this.#chains !== null) yield* this.#chains.growing(slotCount);
    yield* this.table.growing(slotCount);
  }
}
