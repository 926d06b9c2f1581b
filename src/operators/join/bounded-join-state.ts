/** What a join within bounds of time remembers in memory: the rows of both sides, in the order of arrival. */
import type { ColumnBatch, OperatorState, StateChunk, StateSchema, StateSnapshot } from '../../core/index.ts';
import type { KeyedBatch } from '../keyed-batch.ts';
import { ByteReader } from '../state/byte-reader.ts';
import { MARKED, WHOLE_KEY } from '../state/row-chains.ts';
import { RowLog } from '../state/row-log.ts';
import { migrationOf } from '../state/row-migration.ts';
import type { SlotRows } from '../state/row-slots.ts';
import type { KeptInput } from '../state/rows-by-key.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { readTime } from '../state/time-codec.ts';
import type { JoinReach } from './join-reach.ts';
import type { JoinStore } from './join-rows.ts';
import { Side } from './join-spec.ts';
import type { JoinSpec } from './join-spec.ts';
import { joinSchema, keptSides } from './join-state.ts';

const SIDES = [Side.left, Side.right] as const;

export class BoundedJoinState implements JoinStore, OperatorState {
  readonly left: RowLog;
  readonly right: RowLog;
  readonly schema: StateSchema;
  /** Known from open() on. */
  keyGroupCount = 1;
  /** The rows of the batch at hand that are kept, by row. */
  ids = new Int32Array(0);
  readonly #stepId: string;
  readonly #sides: readonly KeptInput[];
  readonly #scratch: readonly ScratchRow[];
  readonly #scratchKey: ScratchRow;
  #batch: ColumnBatch | null = null;
  #keyed: KeyedBatch | null = null;
  #kept = new Int32Array(0);
  readonly #one = { times: new Float64Array(1), hashes: new Int32Array(1), ids: new Int32Array(1) };

  /** `waits`: by side, whether its rows leave alone. */
  constructor(spec: JoinSpec, reach: JoinReach, waits: readonly [boolean, boolean]) {
    this.#stepId = spec.stepId;
    this.#sides = keptSides(spec);
    this.schema = joinSchema(spec);
    const logOf = (side: Side): RowLog => {
      const { row, keys } = this.#sides[side] as KeptInput;
      const types = row.fields.map(({ type }) => type);
      const dueMs = (timeMs: number): number => reach.last(side, timeMs);
      return new RowLog(side, types, keys, { dueMs, waits: waits[side] });
    };
    this.left = logOf(Side.left);
    this.right = logOf(Side.right);
    this.#scratch = this.#sides.map(({ row, keys }) => new ScratchRow(row, keys));
    this.#scratchKey = new ScratchRow(this.schema.key);
  }

  get sizeBytes(): number {
    return this.left.sizeBytes + this.right.sizeBytes;
  }

  side(side: Side): RowLog {
    return side === Side.left ? this.left : this.right;
  }

  rowsOf(side: Side): SlotRows {
    return this.side(side);
  }

  bind(_: Side, batch: ColumnBatch, keyed: KeyedBatch): void {
    this.#batch = batch;
    this.#keyed = keyed;
    if (this.ids.length >= batch.rowCount) return;
    this.ids = new Int32Array(batch.capacity);
    this.#kept = new Int32Array(batch.capacity);
  }

  /** Keeps the rows of the batch for which `isKept` says so, and sets their `ids`; those of the others are -1. */
  keep(side: Side, isKept: (row: number) => boolean): void {
    const { rowCount, columns, timestamps } = this.#batch as ColumnBatch;
    let count = 0;
    for (let row = 0; row < rowCount; row++) {
      if (isKept(row)) this.#kept[count++] = row;
      else this.ids[row] = -1;
    }
    const { hashes } = this.#keyed as KeyedBatch;
    const rows = count === rowCount ? null : this.#kept;
    this.side(side).append(columns, timestamps as Float64Array, hashes, rows, count, this.ids);
  }

  snapshot(): StateSnapshot {
    const parts = SIDES.map((side) => this.side(side).snapshots.take(this.keyGroupCount));
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

  restore({ bytes, keyGroup, replaces }: StateChunk, written: StateSchema): void {
    const rows = this.#rowsOf(written);
    const from = new ByteReader(bytes, this.#stepId);
    while (!from.atEnd) {
      const sort = from.byte();
      if (sort === WHOLE_KEY) this.#restoreKey(from, keyGroup, replaces === true, rows);
      else if ((sort & ~MARKED) <= Side.right) {
        const side = (sort & ~MARKED) as Side;
        const row = rows[side] as ScratchRow;
        const timeMs = readTime(from);
        this.#keepOne(side, row, row.readKey(from, keyGroup, this.keyGroupCount), timeMs, sort !== side);
      } else from.fail(`there is no kind of entry ${sort}`);
    }
  }

  /** For reading rows that were written with this schema. */
  #rowsOf(written: StateSchema): readonly ScratchRow[] {
    return this.#scratch.map((own, side) => {
      const input = this.#sides[side] as KeptInput;
      const migration = migrationOf(written, this.schema, input, this.#stepId);
      return migration === null ? own : new ScratchRow(input.row, input.keys, migration);
    });
  }

  /** All rows of a key, as a store on the disk had them. */
  #restoreKey(from: ByteReader, keyGroup: number, replaces: boolean, rows: readonly ScratchRow[]): void {
    const counts = SIDES.map(() => from.count());
    const hash = this.#scratchKey.readKey(from, keyGroup, this.keyGroupCount);
    for (const side of SIDES) if (this.#removeKey(side, hash) && !replaces) from.fail('a key comes twice');
    for (const side of SIDES) {
      const row = rows[side] as ScratchRow;
      for (let left = counts[side] as number; left > 0; left--) {
        const mark = from.byte();
        if ((mark & ~MARKED) !== 0) from.fail(`there is no kind of row ${mark}`);
        const timeMs = readTime(from);
        if (row.read(from) !== hash) from.fail('a row is not of its key');
        this.#keepOne(side, row, hash, timeMs, mark !== 0);
      }
    }
  }

  /** Removes the rows of the key that was read last. */
  #removeKey(side: Side, hash: number): boolean {
    const own = this.side(side);
    let hadSome = false;
    for (let id = own.first(hash); id >= 0; id = own.next(id)) {
      if (!own.hasKey(id, this.#scratchKey.columns, 0)) continue;
      own.remove(id);
      hadSome = true;
    }
    return hadSome;
  }

  /** Keeps the row that was read last. */
  #keepOne(side: Side, row: ScratchRow, hash: number, timeMs: number, isMarked: boolean): void {
    const own = this.side(side);
    const { times, hashes, ids } = this.#one;
    times[0] = timeMs;
    hashes[0] = hash;
    own.append(row.columns, times, hashes, null, 1, ids);
    if (isMarked) own.mark(ids[0] as number);
  }
}
