/**
 * Keyed running aggregation over rows that may be taken back (a retract stream). For every batch one output row per
 * group that it changed: an insert, an update after it, or a delete once the group has no rows left (an upsert stream
 * by key; a delete has the key, and NULL for what was computed). Groups are forgotten when they are deleted.
 *
 * What is kept has no limits: a result that does not fit is a record error of the last row that changed it, nothing is
 * emitted, and later rows count as if nothing had been. So each row that is taken back has been added.
 */
import { ColumnBatch, RowKind, setNull } from '../../../core/index.ts';
import type {
  Column,
  Operator,
  OperatorContext,
  OperatorState,
  RowKind as Kind,
  StateChunk,
  StateSchema,
} from '../../../core/index.ts';
import { ByteReader } from '../../state/byte-reader.ts';
import type { ByteWriter } from '../../state/byte-writer.ts';
import { grown } from '../../state/grown.ts';
import { KeyTable } from '../../state/key-table.ts';
import { ScratchRow } from '../../state/scratch-row.ts';
import { SlotSnapshots } from '../../state/slot-snapshots.ts';
import { layoutSchema, matchSchemas } from '../../state/state-schema.ts';
import { tableEntries } from '../../state/table-entries.ts';
import type { UpdatingAccumulator } from '../accumulator.ts';
import { CallStates } from '../aggregate-calls.ts';
import type { AggregateSpec } from '../aggregate-operator.ts';
import { compileForEach } from '../call-loops.ts';
import { KeyedRows } from '../keyed-rows.ts';
import { createUpdatingAccumulator } from './create-updating-accumulator.ts';
import { compileUpdatingLoop } from './updating-loop.ts';
import type { UpdatingState } from './updating-loop.ts';

/** All groups are in one space of the table. */
const SPACE = 0;

export class UpdatingAggregateOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: AggregateSpec;
  readonly #calls: CallStates<UpdatingAccumulator>;
  readonly #table: KeyTable;
  readonly #rows: KeyedRows;
  readonly #snapshots: SlotSnapshots;
  readonly #update: (state: UpdatingState) => void;
  readonly #write: (slot: number, outRow: number) => void;
  readonly #clear: (slot: number) => void;
  readonly #updating: UpdatingState = {
    end: 0,
    slots: new Int32Array(0),
    rowKinds: null,
    counts: new Float64Array(0),
  };
  /** Per slot: 1 where its group has been emitted. */
  #emitted = new Uint8Array(0);
  /** Groups that the batch changes, in the order in which it does; per slot, the last row that did, + 1. */
  #changed = new Int32Array(0);
  #changedCount = 0;
  #lastRows = new Int32Array(0);
  #out: ColumnBatch | null = null;
  #rowKinds = new Uint8Array(0);
  #context: OperatorContext | null = null;

  constructor(spec: AggregateSpec) {
    this.#spec = spec;
    this.#calls = new CallStates(spec, createUpdatingAccumulator);
    this.#table = new KeyTable(this.#calls.keyFields.map(({ type }) => type));
    this.#rows = new KeyedRows(this.#calls, this.#table);
    const encode = (slot: number, to: ByteWriter): void => {
      to.varint(this.#updating.counts[slot] as number);
      to.byte(this.#emitted[slot] as number);
      this.#calls.encode(slot, to);
    };
    this.#snapshots = new SlotSnapshots(tableEntries(this.#table, encode));
    const { accumulators } = this.#calls;
    this.#update = compileUpdatingLoop(accumulators);
    this.#write = compileForEach(accumulators, 'write');
    this.#clear = compileForEach(accumulators, 'clear');
    this.state = this.#describeState();
  }

  open(context: OperatorContext): void {
    this.#context = context;
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const context = this.#context as OperatorContext;
    this.#rows.compute(batch, fromRow, context.errors);
    this.#assignSlots();
    this.#updateAll();
    const out = this.#outputFor(batch);
    this.#emitChanged(out, context);
    context.output.emit(out);
    return batch.rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#out = null;
  }

  /** A batch changes at most as many groups as it has rows. */
  #outputFor({ capacity }: ColumnBatch): ColumnBatch {
    if (this.#out === null || this.#out.capacity < capacity) {
      this.#out = new ColumnBatch(this.#spec.output, capacity);
      this.#rowKinds = new Uint8Array(capacity);
    }
    this.#out.reset();
    return this.#out;
  }

  #assignSlots(): void {
    const { rows, hashes, slots } = this.#rows;
    const [table, target] = [this.#table, slots.values];
    const { rowCount } = rows;
    const { isTaking } = this.#snapshots;
    this.#changed = grown(this.#changed, rowCount);
    this.#changedCount = 0;
    for (let row = 0; row < rowCount; row++) {
      const hash = hashes[row] as number;
      let slot = table.find(hash, row, SPACE);
      if (slot < 0) {
        slot = table.insert(hash, row, SPACE);
        this.#reserve();
        if (isTaking) this.#snapshots.added(slot);
      }
      target[row] = slot;
      if (this.#lastRows[slot] === 0) this.#changed[this.#changedCount++] = slot;
      this.#lastRows[slot] = row + 1;
    }
    this.#calls.reserve(table.slotLimit);
    if (isTaking) this.#snapshots.beforeChanges(target, rowCount);
  }

  #reserve(): void {
    const { slotLimit } = this.#table;
    this.#updating.counts = grown(this.#updating.counts, slotLimit);
    this.#emitted = grown(this.#emitted, slotLimit);
    this.#lastRows = grown(this.#lastRows, slotLimit);
  }

  #updateAll(): void {
    const { rows, slots } = this.#rows;
    const state = this.#updating;
    this.#calls.beginRows(rows, slots);
    state.end = rows.rowCount;
    state.slots = slots.values;
    state.rowKinds = rows.rowKinds;
    this.#update(state);
    this.#calls.endRows(rows.rowCount);
  }

  #emitChanged(out: ColumnBatch, context: OperatorContext): void {
    this.#calls.bindOutputs(out.columns.slice(this.#spec.keys.length));
    for (let index = 0; index < this.#changedCount; index++) {
      const slot = this.#changed[index] as number;
      const lastRow = (this.#lastRows[slot] as number) - 1;
      this.#lastRows[slot] = 0;
      if (this.#updating.counts[slot] === 0) this.#delete(slot, out);
      else this.#emitGroup(slot, lastRow, out, context);
    }
    out.rowKinds = this.#rowKinds;
  }

  #emitGroup(slot: number, lastRow: number, out: ColumnBatch, context: OperatorContext): void {
    try {
      this.#write(slot, out.rowCount);
    } catch (error) {
      context.errors.handle(this.#rows.rows, lastRow, this.#spec.stepId, error);
      return;
    }
    this.#add(slot, this.#emitted[slot] === 1 ? RowKind.updateAfter : RowKind.insert, out);
    this.#emitted[slot] = 1;
  }

  #delete(slot: number, out: ColumnBatch): void {
    if (this.#emitted[slot] === 1) {
      const row = out.rowCount;
      for (let column = this.#spec.keys.length; column < out.columns.length; column++) {
        setNull(out.columns[column] as Column, row);
      }
      this.#add(slot, RowKind.delete, out);
      this.#emitted[slot] = 0;
    }
    this.#clear(slot);
    this.#table.remove(slot);
  }

  #add(slot: number, kind: Kind, out: ColumnBatch): void {
    const row = out.rowCount++;
    for (let key = 0; key < this.#spec.keys.length; key++) {
      this.#table.write(slot, key, out.columns[key] as Column, row);
    }
    this.#rowKinds[row] = kind;
  }

  #describeState(): OperatorState {
    const [table, calls, snapshots] = [this.#table, this.#calls, this.#snapshots];
    const perSlot = (): number => this.#updating.counts.byteLength + this.#emitted.length + this.#lastRows.byteLength;
    const schema = layoutSchema({
      kind: 'updating-aggregate',
      version: 1,
      key: { fields: calls.keyFields },
      values: calls.values,
      // A call that is new would be asked to take back rows that it has never seen.
      settings: { calls: calls.values.map(({ name }) => name) },
    });
    return {
      schema,
      get sizeBytes() {
        return table.sizeBytes + calls.sizeBytes + snapshots.sizeBytes + perSlot();
      },
      snapshot: () => snapshots.take((this.#context as OperatorContext).maxParallelism),
      restore: (chunk, written) => {
        this.#restore(chunk, written, schema);
      },
    };
  }

  #restore({ bytes, keyGroup }: StateChunk, written: StateSchema, schema: StateSchema): void {
    const { stepId } = this.#spec;
    const places = matchSchemas(written, schema, stepId);
    const from = new ByteReader(bytes, stepId);
    const key = new ScratchRow(schema.key);
    const { maxParallelism } = this.#context as OperatorContext;
    const table = this.#table;
    while (!from.atEnd) {
      const hash = key.readKey(from, keyGroup, maxParallelism);
      table.bind(key.columns);
      if (table.find(hash, 0, SPACE) >= 0) from.fail('a key comes twice');
      const slot = table.insert(hash, 0, SPACE);
      this.#reserve();
      this.#calls.reserve(table.slotLimit);
      this.#updating.counts[slot] = from.varint();
      this.#emitted[slot] = from.byte();
      this.#calls.decode(slot, from, places);
    }
  }
}
