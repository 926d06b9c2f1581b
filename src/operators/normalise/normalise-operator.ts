/**
 * Turns rows of which the newest per key counts into rows that take back what they replace: keeps the last row of every
 * key (Flink's ChangelogNormalize). A row that is as the last one says nothing; a delete, which may have no more than
 * the key, takes back the row that was there.
 */
import { RowKind, columnKind } from '../../core/index.ts';
import type {
  Column,
  ColumnBatch,
  Field,
  Operator,
  OperatorContext,
  OperatorState,
  RowKind as Kind,
  RowSchema,
  StateChunk,
  StateSchema,
} from '../../core/index.ts';
import { BufferedOutput } from '../buffered-output.ts';
import { KeyedBatch } from '../keyed-batch.ts';
import { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { grown } from '../state/grown.ts';
import { KeyTable } from '../state/key-table.ts';
import { RowSlots } from '../state/row-slots.ts';
import { fieldNames, keptRows, keptRowsSchema, migrationOf } from '../state/row-migration.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { SlotSnapshots } from '../state/slot-snapshots.ts';

/** The NormaliseNode of a job graph. */
export interface NormaliseSpec {
  readonly stepId: string;
  readonly keys: readonly number[];
  readonly input: RowSchema;
  readonly output: RowSchema;
}

interface Opened {
  readonly context: OperatorContext;
  readonly output: BufferedOutput;
}

const SPACE = 0;

export class NormaliseOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: NormaliseSpec;
  readonly #batch: KeyedBatch;
  readonly #table: KeyTable;
  readonly #rows: RowSlots;
  readonly #snapshots: SlotSnapshots;
  /** Whether rows can be compared: arrays, maps and rows cannot. */
  readonly #isComparable: boolean;
  /** Per slot of a key: its row. */
  #rowOf = new Int32Array(0);
  #opened: Opened | null = null;
  /** Whether the batch is bound, and whether its row has taken back the one before. */
  #isResuming = false;
  #isOldGone = false;

  constructor(spec: NormaliseSpec) {
    const keyFields = spec.keys.map((key) => spec.input.fields[key] as Field);
    const rowTypes = spec.input.fields.map(({ type }) => type);
    this.#spec = spec;
    this.#batch = new KeyedBatch(spec.keys);
    this.#table = new KeyTable(keyFields.map(({ type }) => type));
    this.#rows = new RowSlots(rowTypes);
    this.#isComparable = rowTypes.every((type) => columnKind(type) !== 'object');
    const [table, rows] = [this.#table, this.#rows];
    this.#snapshots = new SlotSnapshots({
      get slotLimit() {
        return table.slotLimit;
      },
      isUsed: (slot) => table.isUsed(slot),
      hashOf: (slot) => table.hashOf(slot),
      encode: (slot, to: ByteWriter) => {
        // An entry has one byte or more, also where a row has no fields.
        to.byte(0);
        rows.encode(this.#rowOf[slot] as number, to);
      },
    });
    this.state = this.#describeState({ fields: keyFields });
  }

  open(context: OperatorContext): void {
    this.#opened = { context, output: new BufferedOutput(context, this.#spec.output, true) };
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const { output } = this.#opened as Opened;
    if (!this.#isResuming) {
      this.#batch.read(batch);
      this.#table.bind(this.#batch.columns);
      this.#rows.bind(batch.columns);
    }
    this.#isResuming = true;
    for (let row = fromRow; row < batch.rowCount; row++) if (!this.#take(batch, row, output)) return row;
    this.#isResuming = false;
    output.emit();
    return batch.rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#opened = null;
  }

  /** False where the output is full; how far it came is remembered. */
  #take(batch: ColumnBatch, row: number, output: BufferedOutput): boolean {
    const kind = batch.rowKinds === null ? RowKind.insert : (batch.rowKinds[row] as Kind);
    // The row that replaces it follows.
    if (kind === RowKind.updateBefore) return true;
    const hash = this.#batch.hashes[row] as number;
    const timestamp = batch.timestamps === null ? NaN : (batch.timestamps[row] as number);
    const key = this.#table.find(hash, row, SPACE);
    if (kind === RowKind.delete) return key < 0 || this.#delete(key, timestamp, output);
    if (key < 0) return this.#insert(hash, row, timestamp, output);
    if (!this.#isOldGone && this.#isComparable && this.#rows.equals(this.#rowOf[key] as number, row)) return true;
    return this.#replace(key, row, timestamp, output);
  }

  #insert(hash: number, row: number, timestamp: number, output: BufferedOutput): boolean {
    if (!output.hasRoom()) return false;
    const key = this.#table.insert(hash, row, SPACE);
    if (this.#snapshots.isTaking) this.#snapshots.added(key);
    this.#keep(key, row);
    this.#say(key, RowKind.insert, timestamp, output);
    return true;
  }

  #replace(key: number, row: number, timestamp: number, output: BufferedOutput): boolean {
    if (!this.#isOldGone) {
      if (!output.hasRoom()) return false;
      this.#say(key, RowKind.updateBefore, timestamp, output);
      this.#isOldGone = true;
    }
    if (!output.hasRoom()) return false;
    if (this.#snapshots.isTaking) this.#snapshots.beforeChange(key);
    this.#rows.replace(this.#rowOf[key] as number, row);
    this.#say(key, RowKind.updateAfter, timestamp, output);
    this.#isOldGone = false;
    return true;
  }

  #delete(key: number, timestamp: number, output: BufferedOutput): boolean {
    if (!output.hasRoom()) return false;
    this.#say(key, RowKind.delete, timestamp, output);
    if (this.#snapshots.isTaking) this.#snapshots.beforeChange(key);
    this.#rows.remove(this.#rowOf[key] as number);
    this.#table.remove(key);
    return true;
  }

  #keep(key: number, row: number): void {
    this.#rowOf = grown(this.#rowOf, key + 1);
    this.#rowOf[key] = this.#rows.add(row);
  }

  #say(key: number, kind: Kind, timestamp: number, output: BufferedOutput): void {
    this.#rows.writeAll(this.#rowOf[key] as number, output.columns as readonly Column[], 0, output.row);
    output.add(kind, timestamp);
  }

  #describeState(key: RowSchema): OperatorState {
    const { input, keys } = this.#spec;
    const schema = keptRowsSchema('normalise', key, [keptRows(input)], { keys: fieldNames(input, keys) });
    const [table, rows, snapshots] = [this.#table, this.#rows, this.#snapshots];
    const perKey = (): number => this.#rowOf.byteLength;
    return {
      schema,
      get sizeBytes() {
        return table.sizeBytes + rows.sizeBytes + snapshots.sizeBytes + perKey();
      },
      snapshot: () => snapshots.take((this.#opened as Opened).context.maxParallelism),
      restore: (chunk, written) => {
        this.#restore(chunk, written, schema);
      },
    };
  }

  #restore({ bytes, keyGroup }: StateChunk, written: StateSchema, schema: StateSchema): void {
    const { stepId, input, keys } = this.#spec;
    const from = new ByteReader(bytes, stepId);
    const entry = new ScratchRow(input, keys, migrationOf(written, schema, keptRows(input), stepId));
    const { maxParallelism } = (this.#opened as Opened).context;
    while (!from.atEnd) {
      if (from.byte() !== 0) from.fail('there is only one kind of entry');
      const hash = entry.readKey(from, keyGroup, maxParallelism);
      this.#table.bind(entry.keys);
      this.#rows.bind(entry.columns);
      if (this.#table.find(hash, 0, SPACE) >= 0) from.fail('a key comes twice');
      this.#keep(this.#table.insert(hash, 0, SPACE), 0);
    }
  }
}
