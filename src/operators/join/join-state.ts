/**
 * What a join remembers: the rows of both sides, by key. In memory each row is an entry by itself. Where entries may
 * leave memory for a store on the disk, an entry is a key with all rows of both sides: prepare() brings the keys of a
 * batch into memory, so that process() finds everything as ever. Either form is read back by both.
 */
import type {
  Field,
  OperatorContext,
  OptionValue,
  RowSchema,
  StateChunk,
  StateSchema,
  StateSnapshot,
} from '../../core/index.ts';
import { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { KeyTable } from '../state/key-table.ts';
import { MARKED, RowChains, WHOLE_KEY } from '../state/row-chains.ts';
import { fieldNames, keptRows, keptRowsSchema, migrationOf } from '../state/row-migration.ts';
import type { KeptRows } from '../state/row-migration.ts';
import { RowRoom } from '../state/row-room.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { SlotSnapshots } from '../state/slot-snapshots.ts';
import { SpilledSlots } from '../state/spilled-slots.ts';
import type { Expiry, SpillableEntries } from '../state/spilled-slots.ts';
import { readTime } from '../state/time-codec.ts';
import { Side } from './join-spec.ts';
import type { JoinSpec } from './join-spec.ts';

const SPACE = 0;
const SIDES = [Side.left, Side.right] as const;

/** A row of each side, read back. */
type ScratchRows = readonly [left: ScratchRow, right: ScratchRow];

/** What a join does with its rows. */
export interface JoinUse {
  /** Whether a key may come to have no rows that count. */
  readonly expires: boolean;
  /** Puts a row that comes back into the chain of its key. */
  take(side: Side, slot: number, key: number): void;
  /** Whether something of a key will be due by time, so that it has to stay in memory. */
  isPinned(key: number): boolean;
  /** Rows with a stamp up to that are forgotten, as of now; -Infinity where none are. */
  forgottenMs(): number;
}

export class JoinState {
  readonly table: KeyTable;
  readonly left: RowChains;
  readonly right: RowChains;
  readonly schema: StateSchema;
  readonly spilled: SpilledSlots;
  /** Of both sides, one after the other. */
  readonly snapshots = { take: (keyGroupCount: number): StateSnapshot => this.#takeSnapshot(keyGroupCount) };
  readonly #spec: JoinSpec;
  readonly #use: JoinUse;
  /** Of keys with all their rows, where they may leave memory. */
  readonly #keySnapshots: SlotSnapshots;
  readonly #room: RowRoom;
  readonly #scratch: ScratchRows;
  readonly #scratchKey: ScratchRow;
  #keyGroupCount = 1;

  constructor(spec: JoinSpec, use: JoinUse) {
    this.#spec = spec;
    this.#use = use;
    const keyFields = spec.leftKeys.map((key) => spec.left.fields[key] as Field);
    const typesOf = ({ fields }: RowSchema) => fields.map(({ type }) => type);
    this.table = new KeyTable(keyFields.map(({ type }) => type));
    this.left = new RowChains(Side.left, typesOf(spec.left), this.table);
    this.right = new RowChains(Side.right, typesOf(spec.right), this.table);
    this.schema = describe(spec, { fields: keyFields });
    this.#room = new RowRoom([this.left, this.right]);
    this.#scratch = [new ScratchRow(spec.left, spec.leftKeys), new ScratchRow(spec.right, spec.rightKeys)];
    this.#scratchKey = new ScratchRow({ fields: keyFields });
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
    return this.table.sizeBytes + this.left.sizeBytes + this.right.sizeBytes + spilled;
  }

  side(side: Side): RowChains {
    return side === Side.left ? this.left : this.right;
  }

  /** Room for a batch of a side, where entries may leave memory. */
  makeRoom(side: Side, rowCount: number): Promise<void> | undefined {
    this.#room.expectBatch(side, rowCount);
    return this.spilled.makeRoom(rowCount);
  }

  /** Makes sure of the slot of a row's key; load() of `spilled` brings what the store has of it. */
  prepareKey(hash: number, row: number): void {
    const slot = this.table.find(hash, row, SPACE);
    if (slot >= 0) this.spilled.hold(slot);
    else this.spilled.taken(this.#insert(hash, row));
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
  remove(side: Side, slot: number): void {
    const own = this.side(side);
    const key = own.keyOf(slot);
    own.remove(slot);
    if (key >= 0 && !this.spilled.isOpen) this.#removeIfEmpty(key);
  }

  /**
   * Removes the rows of a key with a stamp up to `forgottenMs`. Nothing has changed by it: whoever reads them knows
   * that they are forgotten, too.
   */
  removeForgotten(key: number, forgottenMs: number): void {
    for (const own of [this.left, this.right]) {
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
    const { stepId } = this.#spec;
    const rows = this.#rowsOf(written);
    const from = new ByteReader(bytes, stepId);
    this.spilled.restore(from, () => {
      const sort = from.byte();
      if (sort === WHOLE_KEY) this.#restoreKey(from, keyGroup, keyGroupCount, { replaces: replaces === true, rows });
      else if (sort <= (MARKED | 1)) this.#restoreRow(from, sort, keyGroup, keyGroupCount, rows);
      else from.fail(`there is no kind of entry ${sort}`);
    });
  }

  /** For reading rows that were written with this schema. */
  #rowsOf(written: StateSchema): ScratchRows {
    const { stepId, left, leftKeys, right, rightKeys } = this.#spec;
    const [fromLeft, fromRight] = keptSides(this.#spec).map((rows) =>
      migrationOf(written, this.schema, rows, stepId),
    );
    const [own, other] = this.#scratch;
    return [
      fromLeft == null ? own : new ScratchRow(left, leftKeys, fromLeft),
      fromRight == null ? other : new ScratchRow(right, rightKeys, fromRight),
    ];
  }

  #insert(hash: number, row: number): number {
    const slot = this.table.insert(hash, row, SPACE);
    if (this.#keySnapshots.isTaking) this.#keySnapshots.added(slot);
    return slot;
  }

  #removeIfEmpty(key: number): void {
    if (this.left.head(key) < 0 && this.right.head(key) < 0) this.table.remove(key);
  }

  /** One row: of a checkpoint that had all in memory. */
  #restoreRow(from: ByteReader, sort: number, keyGroup: number, keyGroupCount: number, rows: ScratchRows): void {
    const side = (sort & 1) as Side;
    const time = readTime(from);
    const row = rows[side];
    const hash = row.readKey(from, keyGroup, keyGroupCount);
    this.table.bind(row.keys);
    const known = this.table.find(hash, 0, SPACE);
    const key = known < 0 ? this.#insert(hash, 0) : known;
    if (this.spilled.isOpen) this.spilled.restoredPart(key, known < 0);
    this.#keep(side, key, row, time, (sort & MARKED) !== 0);
  }

  /** All rows of a key, in place of those that earlier checkpoints had. */
  #restoreKey(
    from: ByteReader,
    keyGroup: number,
    keyGroupCount: number,
    { replaces, rows }: { readonly replaces: boolean; readonly rows: ScratchRows },
  ): void {
    const counts = SIDES.map(() => from.count());
    const hash = this.#scratchKey.readKey(from, keyGroup, keyGroupCount);
    this.table.bind(this.#scratchKey.columns);
    const known = this.table.find(hash, 0, SPACE);
    if (known >= 0 && !replaces) from.fail('a key comes twice');
    const key = known < 0 ? this.#insert(hash, 0) : known;
    for (const side of SIDES) this.side(side).clear(key);
    if (this.spilled.isOpen) this.spilled.restored(key);
    this.#readRows(key, counts, from, rows);
    if (!this.spilled.isOpen) this.#removeIfEmpty(key);
  }

  #readRows(key: number, counts: readonly number[], from: ByteReader, rows: ScratchRows): void {
    const forgottenMs = this.#use.forgottenMs();
    for (const side of SIDES) {
      for (let left = counts[side] as number; left > 0; left--) {
        const mark = from.byte();
        if ((mark & ~MARKED) !== 0) from.fail(`there is no kind of row ${mark}`);
        const time = readTime(from);
        if (rows[side].read(from) !== this.table.hashOf(key)) from.fail('a row is not of its key');
        if (time > forgottenMs) this.#keep(side, key, rows[side], time, mark !== 0);
      }
    }
  }

  /** Keeps the row that was read last. */
  #keep(side: Side, key: number, row: ScratchRow, time: number, isMarked: boolean): void {
    const own = this.side(side);
    own.rows.bind(row.columns);
    const slot = own.add(0, time);
    if (isMarked) own.mark(slot);
    this.#use.take(side, slot, key);
  }

  #describeEntries(): SpillableEntries {
    const { table, left, right } = this;
    const keyGroupCount = (): number => this.#keyGroupCount;
    return {
      stepId: this.#spec.stepId,
      table,
      rows: this.#room,
      get slotLimit() {
        return table.slotLimit;
      },
      get keyGroupCount() {
        return keyGroupCount();
      },
      get sizeBytes() {
        return table.sizeBytes + left.keyBytes + right.keyBytes;
      },
      isUsed: (slot: number) => table.isUsed(slot),
      hashOf: (slot: number) => table.hashOf(slot),
      *growing(slotCount: number): Generator<void> {
        yield* left.growingKeys(slotCount);
        yield* right.growingKeys(slotCount);
        yield* table.growing(slotCount);
      },
      isPinned: (slot: number) => this.#use.isPinned(slot),
      encode: (slot: number, to: ByteWriter) => {
        to.byte(WHOLE_KEY);
        to.varint(left.countOf(slot));
        to.varint(right.countOf(slot));
        table.encode(slot, to);
        left.encodeRows(slot, to);
        right.encodeRows(slot, to);
      },
      decode: (slot: number, from: ByteReader) => {
        from.byte();
        const counts = SIDES.map(() => from.count());
        this.#scratchKey.read(from);
        this.#readRows(slot, counts, from, this.#scratch);
      },
      free: (slot: number) => {
        if (this.#keySnapshots.isTaking) this.#keySnapshots.beforeChange(slot);
        left.clear(slot);
        right.clear(slot);
        table.remove(slot);
      },
      ...(this.#use.expires ? { expiry: this.#describeExpiry() } : {}),
    };
  }

  /** Keys without rows go, those with rows once they are forgotten. */
  #describeExpiry(): Expiry {
    return {
      nowMs: () => this.#use.forgottenMs(),
      isOver: (from, forgottenMs) => {
        from.byte();
        const counts = SIDES.map(() => from.count());
        if (counts.every((count) => count === 0)) return true;
        if (forgottenMs === -Infinity) return false;
        this.#scratchKey.read(from);
        for (const side of SIDES) {
          for (let left = counts[side] as number; left > 0; left--) {
            from.byte();
            if (readTime(from) > forgottenMs) return false;
            this.#scratch[side].read(from);
          }
        }
        return true;
      },
    };
  }

  #takeSnapshot(keyGroupCount: number): StateSnapshot {
    const parts = [this.left, this.right].map(({ snapshots }) => snapshots.take(keyGroupCount));
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

/** What has to be equal for the entries to be read: all that decides about pairs but the rest of the condition. */
function describe(spec: JoinSpec, key: RowSchema): StateSchema {
  const { type, leftKeys, rightKeys, bounds, left, right } = spec;
  const settings: Readonly<Record<string, OptionValue>> = {
    type,
    bounds: bounds === null ? null : { ...bounds },
    leftKeys: fieldNames(left, leftKeys),
    rightKeys: fieldNames(right, rightKeys),
  };
  return keptRowsSchema('join', key, keptSides(spec), settings);
}

function keptSides({ left, right }: JoinSpec): readonly KeptRows[] {
  return [keptRows(left, 'left.'), keptRows(right, 'right.')];
}
