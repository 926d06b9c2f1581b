/**
 * Keyed running aggregation: for every input row one output row with the key and the new values of its group, an insert
 * the first time and an update after it (an upsert stream by key). Without a key there is one group, and nothing is
 * emitted before its first row.
 *
 * A row that fails (an argument that cannot be computed, a sum that does not fit) changes no value.
 */
import { ColumnBatch, RowKind } from '../../core/index.ts';
import type {
  AggregateCall,
  Column,
  Operator,
  OperatorContext,
  OperatorState,
  RowSchema,
  StateChunk,
  StateSchema,
} from '../../core/index.ts';
import { gatherColumn, gatherFloat64 } from '../../expr/index.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { grown } from '../state/grown.ts';
import { KeyTable } from '../state/key-table.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { SlotSnapshots } from '../state/slot-snapshots.ts';
import { layoutSchema, matchSchemas } from '../state/state-schema.ts';
import { tableEntries } from '../state/table-entries.ts';
import { AggregateCalls } from './aggregate-calls.ts';
import { compileRunningLoop } from './call-loops.ts';
import type { RunningState } from './call-loops.ts';
import { KeyedRows } from './keyed-rows.ts';

/** The AggregateNode of a job graph. */
export interface AggregateSpec {
  readonly stepId: string;
  readonly keys: readonly number[];
  readonly calls: readonly AggregateCall[];
  readonly input: RowSchema;
  readonly output: RowSchema;
}

/** What belongs to one capacity of batches. */
interface Buffers {
  readonly out: ColumnBatch;
  readonly timestamps: Float64Array;
  readonly originRows: Int32Array;
}

/** All groups are in one space of the table. */
const SPACE = 0;

export class AggregateOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: AggregateSpec;
  readonly #calls: AggregateCalls;
  readonly #table: KeyTable;
  readonly #rows: KeyedRows;
  readonly #snapshots: SlotSnapshots;
  readonly #accumulate: (state: RunningState) => void;
  readonly #running: RunningState;
  #buffers: Buffers | null = null;
  #context: OperatorContext | null = null;

  constructor(spec: AggregateSpec) {
    this.#spec = spec;
    this.#calls = new AggregateCalls(spec);
    this.#table = new KeyTable(this.#calls.keyFields.map(({ type }) => type));
    this.#rows = new KeyedRows(this.#calls, this.#table);
    const encode = (slot: number, to: ByteWriter): void => {
      this.#calls.encode(slot, to);
    };
    this.#snapshots = new SlotSnapshots(tableEntries(this.#table, encode, (slot) => this.#isEmitted(slot)));
    this.#accumulate = compileRunningLoop(this.#calls.accumulators);
    this.#running = {
      row: 0,
      end: 0,
      outRow: 0,
      slots: new Int32Array(0),
      nextKinds: new Uint8Array(0),
      rowKinds: new Uint8Array(0),
      sourceRows: new Int32Array(0),
      failure: undefined,
    };
    this.state = this.#describeState();
  }

  open(context: OperatorContext): void {
    this.#context = context;
  }

  process(batch: ColumnBatch, fromRow: number): number {
    refuseUpdates(batch, this.#spec.stepId);
    const context = this.#context as OperatorContext;
    const buffers = this.#buffersFor(batch);
    this.#rows.compute(batch, fromRow, context.errors);
    this.#assignSlots();
    this.#accumulateAll(buffers, context);
    context.output.emit(buffers.out);
    return batch.rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#buffers = null;
  }

  /** One output row per input row at most, so a batch is always done in one call. */
  #buffersFor({ capacity }: ColumnBatch): Buffers {
    if (this.#buffers === null || this.#buffers.out.capacity < capacity) {
      this.#buffers = {
        out: new ColumnBatch(this.#spec.output, capacity),
        timestamps: new Float64Array(capacity),
        originRows: new Int32Array(capacity),
      };
      this.#running.rowKinds = new Uint8Array(capacity);
      this.#running.sourceRows = new Int32Array(capacity);
    }
    return this.#buffers;
  }

  #assignSlots(): void {
    const { rows, hashes, slots } = this.#rows;
    const table = this.#table;
    const target = slots.values;
    const { rowCount } = rows;
    const isTaking = this.#snapshots.isTaking;
    for (let row = 0; row < rowCount; row++) {
      const hash = hashes[row] as number;
      let slot = table.find(hash, row, SPACE);
      if (slot < 0) {
        slot = table.insert(hash, row, SPACE);
        if (isTaking) this.#snapshots.added(slot);
      }
      target[row] = slot;
    }
    this.#calls.reserve(table.slotLimit);
    if (isTaking) this.#snapshots.beforeChanges(target, rowCount);
  }

  #accumulateAll(buffers: Buffers, context: OperatorContext): void {
    const { rows, slots } = this.#rows;
    const { out } = buffers;
    const state = this.#running;
    out.reset();
    this.#calls.beginRows(rows, slots);
    this.#calls.bindOutputs(out.columns.slice(this.#spec.keys.length));
    state.nextKinds = grown(state.nextKinds, this.#table.slotLimit);
    state.row = 0;
    state.outRow = 0;
    state.end = rows.rowCount;
    state.slots = slots.values;
    for (;;) {
      state.failure = undefined;
      this.#accumulate(state);
      if (state.failure === undefined) break;
      context.errors.handle(rows, state.row, this.#spec.stepId, state.failure);
      state.row++;
    }
    this.#calls.endRows(rows.rowCount);
    out.rowCount = state.outRow;
    this.#passOn(buffers);
  }

  /** Keys, times and origins of the rows that did not fail. */
  #passOn({ out, timestamps, originRows }: Buffers): void {
    const { rows } = this.#rows;
    const { sourceRows, outRow, rowKinds } = this.#running;
    const isComplete = outRow === rows.rowCount;
    out.rowKinds = rowKinds;
    for (let key = 0; key < this.#spec.keys.length; key++) {
      const column = rows.columns[key] as Column;
      if (isComplete) out.columns[key] = column;
      else gatherColumn(column, out.columns[key] as Column, sourceRows, 0, outRow);
    }
    out.origin = rows.origin;
    out.timestamps = rows.timestamps;
    out.originRows = rows.originRows;
    if (isComplete) return;
    if (rows.timestamps !== null) {
      gatherFloat64(rows.timestamps, timestamps, sourceRows, 0, outRow);
      out.timestamps = timestamps;
    }
    if (rows.origin === null) return;
    for (let row = 0; row < outRow; row++) {
      const source = sourceRows[row] as number;
      originRows[row] = rows.originRows === null ? source : (rows.originRows[source] as number);
    }
    out.originRows = originRows;
  }

  /** A group of which every row has failed has not been emitted, and has nothing to remember. */
  #isEmitted(slot: number): boolean {
    return this.#running.nextKinds[slot] === RowKind.updateAfter;
  }

  #describeState(): OperatorState {
    const [table, calls, snapshots, running] = [this.#table, this.#calls, this.#snapshots, this.#running];
    const schema = layoutSchema({
      kind: 'aggregate',
      version: 1,
      key: { fields: calls.keyFields },
      values: calls.values,
      settings: {},
    });
    return {
      schema,
      get sizeBytes() {
        return table.sizeBytes + calls.sizeBytes + snapshots.sizeBytes + running.nextKinds.length;
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
    const [table, calls, running] = [this.#table, this.#calls, this.#running];
    while (!from.atEnd) {
      const hash = key.readKey(from, keyGroup, maxParallelism);
      table.bind(key.columns);
      if (table.find(hash, 0, SPACE) >= 0) from.fail('a key comes twice');
      const slot = table.insert(hash, 0, SPACE);
      calls.reserve(table.slotLimit);
      calls.decode(slot, from, places);
      running.nextKinds = grown(running.nextKinds, slot + 1);
      running.nextKinds[slot] = RowKind.updateAfter;
    }
  }
}
