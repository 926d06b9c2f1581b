/**
 * Rows that a step keeps by key, of one input or of two with the same keys. In memory each row is an entry by itself.
 * Where entries may leave memory for a store on the disk, an entry is a key with all of its rows: prepare() brings the
 * keys of a batch into memory, so that process() finds everything as ever. Either form is read back by both.
 */
import type { OperatorContext, StateChunk, StateSchema, StateSnapshot } from '../../core/index.ts';
import type { KeyedBatch } from '../keyed-batch.ts';
import { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { KeyTable } from './key-table.ts';
import { MARKED, RowChains, WHOLE_KEY } from './row-chains.ts';
import { migrationOf } from './row-migration.ts';
import type { KeptRows } from './row-migration.ts';
import { RowRoom } from './row-room.ts';
import { ScratchRow } from './scratch-row.ts';
import { SlotSnapshots } from './slot-snapshots.ts';
import { SpilledSlots } from './spilled-slots.ts';
import type { Expiry, SpillableEntries } from './spilled-slots.ts';
import { readTime } from './time-codec.ts';

const SPACE = 0;

/** The rows of an input, by which of their fields. */
export interface KeptInput extends KeptRows {
  readonly keys: readonly number[];
}

/** What a step does with its rows. */
export interface RowsUse {
  /** Whether a key may come to have no rows that count. */
  readonly expires: boolean;
  /** Whether rows with a NULL in their key are kept under no key. */
  readonly skipsNulls: boolean;
  /** Puts a row that comes back into the chain of its key; those of an entry of the disk come in the chain's order. */
  take(input: number, slot: number, key: number): void;
  /** Rows of a key have left their chains all at once. */
  cleared?(key: number): void;
  /** Whether something of a key will be due by time, so that it has to stay in memory. */
  isPinned(key: number): boolean;
  /** What decides about forgotten rows: the clock, or how far event time has come. */
  nowMs(): number;
  /** Rows of an input with a stamp up to that are forgotten at `nowMs`; -Infinity where none are. */
  forgottenMs(input: number, nowMs: number): number;
}

export class RowsByKey {
  readonly table: KeyTable;
  /** By input. */
  readonly chains: readonly RowChains[];
  readonly schema: StateSchema;
  readonly spilled: SpilledSlots;
  /** Of all inputs, one after the other. */
  readonly snapshots = { take: (keyGroupCount: number): StateSnapshot => this.#takeSnapshot(keyGroupCount) };
  readonly #stepId: string;
  readonly #inputs: readonly KeptInput[];
  readonly #use: RowsUse;
  /** Of keys with all their rows, where they may leave memory. */
  readonly #keySnapshots: SlotSnapshots;
  readonly #room: RowRoom;
  /** A row of each input, read back. */
  readonly #scratch: readonly ScratchRow[];
  readonly #scratchKey: ScratchRow;
  #keyGroupCount = 1;

  /** `inputs`: one or two. */
  constructor(stepId: string, inputs: readonly KeptInput[], schema: StateSchema, use: RowsUse) {
    this.#stepId = stepId;
    this.#inputs = inputs;
    this.#use = use;
    this.schema = schema;
    this.table = new KeyTable(schema.key.fields.map(({ type }) => type));
    this.chains = inputs.map(({ row }, index) => {
      const types = row.fields.map(({ type }) => type);
      return new RowChains(index === 0 ? 0 : 1, types, this.table);
    });
    this.#room = new RowRoom(this.chains);
    this.#scratch = inputs.map(({ row, keys }) => new ScratchRow(row, keys));
    this.#scratchKey = new ScratchRow(schema.key);
    const entries = this.#describeEntries();
    const isInSnapshot = (slot: number): boolean => entries.isUsed(slot) && this.spilled.includes(slot);
    this.#keySnapshots = new SlotSnapshots({
      get slotLimit() {
        return entries.slotLimit;
      },
      isUsed: isInSnapshot,
      hashOf: (slot) => entries.hashOf(slot),
      encode: (slot, to) => {
        entries.encode(slot, to);
      },
    });
    this.spilled = new SpilledSlots(entries, this.#keySnapshots);
  }

  open({ spill, ports, maxParallelism }: OperatorContext): Promise<void> | undefined {
    this.#keyGroupCount = maxParallelism;
    return spill === undefined ? undefined : this.spilled.open(spill, { ports });
  }

  get sizeBytes(): number {
    const spilled = this.spilled.sizeBytes + this.#keySnapshots.sizeBytes;
    return this.chains.reduce((sum, { sizeBytes }) => sum + sizeBytes, this.table.sizeBytes + spilled);
  }

  /**
   * Called before the rows of a batch come, where entries may leave memory: makes room, and brings what is kept for
   * their keys. The table is bound to the columns of `keyed`.
   */
  prepare(input: number, keyed: KeyedBatch, rowCount: number): Promise<void> | undefined {
    this.#room.expectBatch(input, rowCount);
    const room = this.spilled.makeRoom(rowCount);
    return room === undefined ? this.#load(keyed, rowCount) : room.then(() => this.#load(keyed, rowCount));
  }

  #load(keyed: KeyedBatch, rowCount: number): Promise<void> | undefined {
    for (let row = 0; row < rowCount; row++) {
      if (!this.#use.skipsNulls || !keyed.hasNull(row)) this.#prepareKey(keyed.hashes[row] as number, row);
    }
    return this.spilled.load();
  }

  /** Makes sure of the slot of a row's key; load() of `spilled` brings what the store has of it. */
  #prepareKey(hash: number, row: number): void {
    const slot = this.table.find(hash, row, SPACE);
    if (slot >= 0) this.spilled.hold(slot);
    else this.spilled.taken(this.#insert(hash, row));
  }

  /** The slot of a row's key, or -1. The table is bound to the row's columns. */
  findKey(hash: number, row: number): number {
    return this.table.find(hash, row, SPACE);
  }

  /** The slot of a row's key, which is made where it has none. The table is bound to the row's columns. */
  keyOf(hash: number, row: number): number {
    const slot = this.table.find(hash, row, SPACE);
    return slot < 0 ? this.#insert(hash, row) : slot;
  }

  /** Rows of a key are about to come, to go or to be marked. */
  changing(key: number): void {
    if (!this.spilled.isOpen) return;
    if (this.#keySnapshots.isTaking) this.#keySnapshots.beforeChange(key);
    this.spilled.changedOne(key);
  }

  /** Forgets a row, and its key with the last row of it; unless the store may have the key. */
  remove(input: number, slot: number): void {
    const own = this.chains[input] as RowChains;
    const key = own.keyOf(slot);
    own.remove(slot);
    if (key >= 0 && !this.spilled.isOpen) this.#removeIfEmpty(key);
  }

  /**
   * Removes the rows of a key that are forgotten at `nowMs`. Nothing has changed by it: whoever reads them knows that
   * they are forgotten, too.
   */
  removeForgotten(key: number, nowMs: number): void {
    for (const [input, own] of this.chains.entries()) {
      const forgottenMs = this.#use.forgottenMs(input, nowMs);
      for (let slot = own.head(key); slot >= 0; ) {
        const next = own.next(slot);
        if (own.stampOf(slot) <= forgottenMs) {
          if (this.#keySnapshots.isTaking) this.#keySnapshots.beforeChange(key);
          own.remove(slot);
        }
        slot = next;
      }
    }
  }

  restore({ bytes, keyGroup, replaces }: StateChunk, written: StateSchema, keyGroupCount: number): void {
    const stepId = this.#stepId;
    const rows = this.#rowsOf(written);
    const from = new ByteReader(bytes, stepId);
    this.spilled.restore(from, () => {
      const sort = from.byte();
      if (sort === WHOLE_KEY) this.#restoreKey(from, keyGroup, keyGroupCount, { replaces: replaces === true, rows });
      else if ((sort & ~MARKED) < this.chains.length) this.#restoreRow(from, sort, keyGroup, keyGroupCount, rows);
      else from.fail(`there is no kind of entry ${sort}`);
    });
  }

  /** For reading rows that were written with this schema. */
  #rowsOf(written: StateSchema): readonly ScratchRow[] {
    return this.#scratch.map((own, index) => {
      const input = this.#inputs[index] as KeptInput;
      const migration = migrationOf(written, this.schema, input, this.#stepId);
      return migration === null ? own : new ScratchRow(input.row, input.keys, migration);
    });
  }

  #insert(hash: number, row: number): number {
    const slot = this.table.insert(hash, row, SPACE);
    if (this.#keySnapshots.isTaking) this.#keySnapshots.added(slot);
    return slot;
  }

  #clear(key: number): void {
    for (const own of this.chains) own.clear(key);
    this.#use.cleared?.(key);
  }

  #removeIfEmpty(key: number): void {
    if (this.chains.every((own) => own.head(key) < 0)) this.table.remove(key);
  }

  /** One row: of a checkpoint that had all in memory. */
  #restoreRow(
    from: ByteReader,
    sort: number,
    keyGroup: number,
    keyGroupCount: number,
    rows: readonly ScratchRow[],
  ): void {
    const input = sort & ~MARKED;
    const time = readTime(from);
    const row = rows[input] as ScratchRow;
    const hash = row.readKey(from, keyGroup, keyGroupCount);
    this.table.bind(row.keys);
    const known = this.table.find(hash, 0, SPACE);
    const key = known < 0 ? this.#insert(hash, 0) : known;
    if (this.spilled.isOpen) this.spilled.restoredPart(key, known < 0);
    this.#keep(input, key, row, time, (sort & MARKED) !== 0);
  }

  /** All rows of a key, in place of those that earlier checkpoints had. */
  #restoreKey(
    from: ByteReader,
    keyGroup: number,
    keyGroupCount: number,
    { replaces, rows }: { readonly replaces: boolean; readonly rows: readonly ScratchRow[] },
  ): void {
    const counts = this.chains.map(() => from.count());
    const hash = this.#scratchKey.readKey(from, keyGroup, keyGroupCount);
    this.table.bind(this.#scratchKey.columns);
    const known = this.table.find(hash, 0, SPACE);
    if (known >= 0 && !replaces) from.fail('a key comes twice');
    const key = known < 0 ? this.#insert(hash, 0) : known;
    this.#clear(key);
    if (this.spilled.isOpen) this.spilled.restored(key);
    this.#readRows(key, counts, from, rows);
    if (!this.spilled.isOpen) this.#removeIfEmpty(key);
  }

  #readRows(key: number, counts: readonly number[], from: ByteReader, rows: readonly ScratchRow[]): void {
    const nowMs = this.#use.nowMs();
    for (const [input, row] of rows.entries()) {
      const forgottenMs = this.#use.forgottenMs(input, nowMs);
      for (let left = counts[input] as number; left > 0; left--) {
        const mark = from.byte();
        if ((mark & ~MARKED) !== 0) from.fail(`there is no kind of row ${mark}`);
        const time = readTime(from);
        if (row.read(from) !== this.table.hashOf(key)) from.fail('a row is not of its key');
        if (time > forgottenMs) this.#keep(input, key, row, time, mark !== 0);
      }
    }
  }

  /** Keeps the row that was read last. */
  #keep(input: number, key: number, row: ScratchRow, time: number, isMarked: boolean): void {
    const own = this.chains[input] as RowChains;
    own.rows.bind(row.columns);
    const slot = own.add(0, time);
    if (isMarked) own.mark(slot);
    this.#use.take(input, slot, key);
  }

  #describeEntries(): SpillableEntries {
    const { table, chains } = this;
    const keyGroupCount = (): number => this.#keyGroupCount;
    return {
      stepId: this.#stepId,
      table,
      rows: this.#room,
      get slotLimit() {
        return table.slotLimit;
      },
      get keyGroupCount() {
        return keyGroupCount();
      },
      get sizeBytes() {
        return chains.reduce((sum, { keyBytes }) => sum + keyBytes, table.sizeBytes);
      },
      isUsed: (slot: number) => table.isUsed(slot),
      hashOf: (slot: number) => table.hashOf(slot),
      *growing(slotCount: number): Generator<void> {
        for (const own of chains) yield* own.growingKeys(slotCount);
        yield* table.growing(slotCount);
      },
      isPinned: (slot: number) => this.#use.isPinned(slot),
      encode: (slot: number, to: ByteWriter) => {
        to.byte(WHOLE_KEY);
        for (const own of chains) to.varint(own.countOf(slot));
        table.encode(slot, to);
        for (const own of chains) own.encodeRows(slot, to);
      },
      decode: (slot: number, from: ByteReader) => {
        from.byte();
        const counts = chains.map(() => from.count());
        this.#scratchKey.read(from);
        this.#readRows(slot, counts, from, this.#scratch);
      },
      free: (slot: number) => {
        if (this.#keySnapshots.isTaking) this.#keySnapshots.beforeChange(slot);
        this.#clear(slot);
        table.remove(slot);
      },
      ...(this.#use.expires ? { expiry: this.#describeExpiry() } : {}),
    };
  }

  /** Keys without rows go, those with rows once they are forgotten. */
  #describeExpiry(): Expiry {
    return {
      nowMs: () => this.#use.nowMs(),
      isOver: (from, nowMs) => {
        from.byte();
        const counts = this.chains.map(() => from.count());
        if (counts.every((count) => count === 0)) return true;
        const forgotten = counts.map((_, input) => this.#use.forgottenMs(input, nowMs));
        if (counts.some((count, input) => count > 0 && forgotten[input] === -Infinity)) return false;
        this.#scratchKey.read(from);
        for (const [input, row] of this.#scratch.entries()) {
          for (let left = counts[input] as number; left > 0; left--) {
            from.byte();
            if (readTime(from) > (forgotten[input] as number)) return false;
            row.read(from);
          }
        }
        return true;
      },
    };
  }

  #takeSnapshot(keyGroupCount: number): StateSnapshot {
    const parts = this.chains.map(({ snapshots }) => snapshots.take(keyGroupCount));
    return {
      next: () => {
        for (const part of parts) {
          const chunk = part.next();
          if (chunk !== null) return chunk;
        }
        return null;
      },
      release: () => {
        for (const part of parts) part.release();
      },
    };
  }
}
