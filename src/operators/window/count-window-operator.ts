/**
 * Windows of so many rows of a key, whatever their time. A window that is not full is never emitted, as in Flink. A
 * result that does not fit its type is a record error; the window begins anew all the same.
 */
import { RowKind } from '../../core/index.ts';
import type {
  ColumnBatch,
  Operator,
  OperatorContext,
  OperatorState,
  StateChunk,
  StateSchema,
} from '../../core/index.ts';
import { AggregateCalls } from '../aggregate/aggregate-calls.ts';
import { KeyedRows } from '../aggregate/keyed-rows.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { ByteReader } from '../state/byte-reader.ts';
import { grown } from '../state/grown.ts';
import { KeyTable } from '../state/key-table.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { SlotSnapshots } from '../state/slot-snapshots.ts';
import { matchSchemas } from '../state/state-schema.ts';
import { tableEntries } from '../state/table-entries.ts';
import { WindowOutput } from './window-output.ts';
import { windowSchema } from './window-schema.ts';
import type { CountWindow, WindowSpec } from './window-spec.ts';

const SPACE = 0;

export class CountWindowOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: WindowSpec<CountWindow>;
  readonly #calls: AggregateCalls;
  readonly #table: KeyTable;
  readonly #rows: KeyedRows;
  readonly #snapshots: SlotSnapshots;
  /** Per slot, the rows that its window has. */
  #counts = new Float64Array(0);
  #output: WindowOutput | null = null;
  #capacity = 0;
  #context: OperatorContext | null = null;

  constructor(spec: WindowSpec<CountWindow>) {
    this.#spec = spec;
    this.#calls = new AggregateCalls(spec);
    this.#table = new KeyTable(this.#calls.keyFields.map(({ type }) => type));
    this.#rows = new KeyedRows(this.#calls, this.#table);
    const entries = tableEntries(this.#table, (slot, to) => {
      to.varint(this.#counts[slot] as number);
      this.#calls.encode(slot, to);
    });
    this.#snapshots = new SlotSnapshots(entries);
    this.state = this.#describeState();
  }

  open(context: OperatorContext): void {
    this.#context = context;
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const context = this.#context as OperatorContext;
    refuseUpdates(batch, this.#spec.stepId);
    this.#rows.compute(batch, fromRow, context.errors);
    const output = this.#outputFor(batch.capacity, context);
    const { rows, hashes, slots } = this.#rows;
    const target = slots.values;
    this.#calls.beginRows(rows, slots);
    let added = 0;
    for (let row = 0; row < rows.rowCount; row++) {
      const slot = this.#slotOf(row, hashes[row] as number);
      target[row] = slot;
      const count = (this.#counts[slot] as number) + 1;
      this.#counts[slot] = count;
      if (count < this.#spec.window.size) continue;
      this.#calls.loops.addRows(target, added, row + 1);
      added = row + 1;
      output.write(slot, slot, NaN, NaN, RowKind.insert);
      this.#calls.loops.clear(slot);
      this.#table.remove(slot);
    }
    this.#calls.loops.addRows(target, added, rows.rowCount);
    this.#calls.endRows(rows.rowCount);
    output.emit();
    return batch.rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#output = null;
  }

  /** Room for all that a batch can fill, so that a batch is always done in one call. */
  #outputFor(capacity: number, context: OperatorContext): WindowOutput {
    if (this.#output === null || this.#capacity < capacity) {
      const parts = { table: this.#table, calls: this.#calls, context };
      this.#output = new WindowOutput(this.#spec, { isUpsert: false, hasTime: false, capacity }, parts);
      this.#capacity = capacity;
    }
    if (!this.#output.canWrite()) throw new Error('called while the output is not ready');
    return this.#output;
  }

  /** The slot of the row's key, which is about to change. */
  #slotOf(row: number, hash: number): number {
    const known = this.#table.find(hash, row, SPACE);
    if (known >= 0) {
      if (this.#snapshots.isTaking) this.#snapshots.beforeChange(known);
      return known;
    }
    const slot = this.#table.insert(hash, row, SPACE);
    if (this.#snapshots.isTaking) this.#snapshots.added(slot);
    this.#calls.reserve(slot + 1);
    this.#counts = grown(this.#counts, slot + 1);
    this.#counts[slot] = 0;
    return slot;
  }

  #describeState(): OperatorState {
    const [table, calls, snapshots] = [this.#table, this.#calls, this.#snapshots];
    const schema = windowSchema(calls, this.#spec.window);
    return {
      schema,
      get sizeBytes() {
        return table.sizeBytes + calls.sizeBytes + snapshots.sizeBytes;
      },
      snapshot: () => snapshots.take((this.#context as OperatorContext).maxParallelism),
      restore: (chunk, written) => {
        this.#restore(chunk, written, schema);
      },
    };
  }

  #restore({ bytes, keyGroup }: StateChunk, written: StateSchema, schema: StateSchema): void {
    const places = matchSchemas(written, schema, this.#spec.stepId);
    const from = new ByteReader(bytes, this.#spec.stepId);
    const key = new ScratchRow(schema.key);
    const { maxParallelism } = this.#context as OperatorContext;
    while (!from.atEnd) {
      const hash = key.readKey(from, keyGroup, maxParallelism);
      const count = from.varint();
      if (count === 0 || count >= this.#spec.window.size) from.fail(`a window of ${count} rows is not open`);
      this.#table.bind(key.columns);
      if (this.#table.find(hash, 0, SPACE) >= 0) from.fail('a key comes twice');
      const slot = this.#slotOf(0, hash);
      this.#counts[slot] = count;
      this.#calls.decode(slot, from, places);
    }
  }
}
