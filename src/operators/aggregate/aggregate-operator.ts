/**
 * Keyed running aggregation in memory: for every input row one output row with the key and the new values of its group,
 * an insert the first time and an update after it (an upsert stream by key). Without a key there is one group, and
 * nothing is emitted before its first row.
 *
 * A row that fails (an argument that cannot be computed, a sum that does not fit) changes no value.
 */
import { ColumnBatch, IntColumn, RowKind, hashRows } from '../../core/index.ts';
import type {
  AggregateCall,
  Column,
  Expression,
  Field,
  Operator,
  OperatorContext,
  RowSchema,
  TransformStep,
} from '../../core/index.ts';
import { compileTransform, gatherColumn, gatherFloat64 } from '../../expr/index.ts';
import type { CompiledTransform } from '../../expr/index.ts';
import { operatorErrors } from '../errors.ts';
import { compileAccumulateRows } from './accumulate-rows.ts';
import type { AccumulateRows, AccumulateState } from './accumulate-rows.ts';
import type { Accumulator } from './accumulator.ts';
import { grown } from './accumulator.ts';
import { createAccumulator } from './create-accumulator.ts';
import { KeyTable } from './key-table.ts';

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
  readonly capacity: number;
  /** Keys and arguments. */
  readonly arguments: ColumnBatch;
  readonly out: ColumnBatch;
  readonly hashes: Int32Array;
  readonly groups: IntColumn;
  readonly timestamps: Float64Array;
  readonly originRows: Int32Array;
}

export class AggregateOperator implements Operator {
  readonly #spec: AggregateSpec;
  readonly #transform: CompiledTransform;
  readonly #table: KeyTable;
  readonly #accumulators: readonly Accumulator[];
  /** Per call, the column of its argument or condition in the arguments; -1 for COUNT(*). */
  readonly #argumentColumns: readonly number[];
  readonly #accumulate: AccumulateRows;
  readonly #state: AccumulateState;
  #buffers: Buffers | null = null;
  #context: OperatorContext | null = null;

  constructor(spec: AggregateSpec) {
    this.#spec = spec;
    const { step, columns } = argumentStep(spec);
    this.#transform = compileTransform([step], spec.input);
    this.#argumentColumns = columns;
    this.#table = new KeyTable(spec.keys.map((key) => (spec.input.fields[key] as Field).type));
    this.#accumulators = spec.calls.map(createAccumulator);
    this.#accumulate = compileAccumulateRows(this.#accumulators);
    this.#state = {
      row: 0,
      end: 0,
      outRow: 0,
      groups: new Int32Array(0),
      nextKinds: new Uint8Array(0),
      rowKinds: new Uint8Array(0),
      sourceRows: new Int32Array(0),
      failure: undefined,
    };
  }

  open(context: OperatorContext): void {
    this.#context = context;
  }

  process(batch: ColumnBatch, fromRow: number): number {
    this.#refuseUpdates(batch);
    const context = this.#context as OperatorContext;
    const buffers = this.#buffersFor(batch);
    buffers.arguments.reset();
    this.#computeArguments(batch, fromRow, buffers.arguments, context);
    this.#assignGroups(buffers);
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

  #refuseUpdates({ rowKinds, rowCount }: ColumnBatch): void {
    if (rowKinds === null) return;
    for (let row = 0; row < rowCount; row++) {
      if (rowKinds[row] !== RowKind.insert) {
        throw operatorErrors.create('MR-OPERATOR-CHANGELOG', { step: this.#spec.stepId });
      }
    }
  }

  /** One output row per input row at most, so a batch is always done in one call. */
  #buffersFor({ capacity }: ColumnBatch): Buffers {
    if (this.#buffers === null || this.#buffers.capacity < capacity) {
      this.#buffers = {
        capacity,
        arguments: new ColumnBatch(this.#transform.output, capacity),
        out: new ColumnBatch(this.#spec.output, capacity),
        hashes: new Int32Array(capacity),
        groups: new IntColumn(capacity),
        timestamps: new Float64Array(capacity),
        originRows: new Int32Array(capacity),
      };
      this.#state.rowKinds = new Uint8Array(capacity);
      this.#state.sourceRows = new Int32Array(capacity);
    }
    return this.#buffers;
  }

  #computeArguments(batch: ColumnBatch, fromRow: number, to: ColumnBatch, { errors }: OperatorContext): void {
    const transform = this.#transform;
    let row = transform.run(batch, fromRow, to);
    while (transform.failure !== undefined) {
      errors.handle(batch, transform.failedRow, this.#spec.stepId, transform.failure);
      row = transform.run(batch, row, to);
    }
  }

  #assignGroups(buffers: Buffers): void {
    const { hashes, groups } = buffers;
    const { columns, rowCount } = buffers.arguments;
    const keyCount = this.#spec.keys.length;
    const table = this.#table;
    const target = groups.values;
    if (keyCount === 0) {
      if (table.size === 0 && rowCount > 0) table.insert(0, 0);
      target.fill(0, 0, rowCount);
      return;
    }
    const keys = columns.slice(0, keyCount);
    hashRows(keys, rowCount, hashes);
    table.bind(keys);
    for (let row = 0; row < rowCount; row++) {
      const hash = hashes[row] as number;
      const group = table.find(hash, row);
      target[row] = group >= 0 ? group : table.insert(hash, row);
    }
  }

  #accumulateAll(buffers: Buffers, context: OperatorContext): void {
    const { out, groups } = buffers;
    const rows = buffers.arguments;
    out.reset();
    this.#bind(buffers);
    const state = this.#state;
    state.row = 0;
    state.outRow = 0;
    state.end = rows.rowCount;
    state.groups = groups.values;
    for (;;) {
      state.failure = undefined;
      this.#accumulate(state);
      if (state.failure === undefined) break;
      context.errors.handle(rows, state.row, this.#spec.stepId, state.failure);
      state.row++;
    }
    out.rowCount = state.outRow;
    this.#passOn(buffers);
  }

  #bind(buffers: Buffers): void {
    const { out, groups } = buffers;
    const rows = buffers.arguments;
    const groupCount = this.#table.size;
    const keyCount = this.#spec.keys.length;
    this.#state.nextKinds = grown(this.#state.nextKinds, groupCount);
    const batchRows = { rowCount: rows.rowCount, groups };
    this.#accumulators.forEach((accumulator, call) => {
      const argument = rows.columns[this.#argumentColumns[call] ?? -1] ?? null;
      accumulator.bind(argument, out.columns[keyCount + call] as Column, groupCount, batchRows);
    });
  }

  /** Keys, times and origins of the rows that did not fail. */
  #passOn({ arguments: rows, out, timestamps, originRows }: Buffers): void {
    const { sourceRows, outRow, rowKinds } = this.#state;
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
}

/** The select that computes keys, then arguments; FILTER makes an argument NULL, which no aggregate counts. */
function argumentStep(spec: AggregateSpec): { readonly step: TransformStep; readonly columns: readonly number[] } {
  const fields: { name: string; expression: Expression }[] = spec.keys.map((index) => {
    const { name, type } = spec.input.fields[index] as Field;
    return { name, expression: { kind: 'column', index, name, type } };
  });
  const columns = spec.calls.map((call) => {
    const expression = filteredArgument(call);
    if (expression === null) return -1;
    fields.push({ name: call.name, expression });
    return fields.length - 1;
  });
  return { step: { kind: 'select', stepId: spec.stepId, fields }, columns };
}

function filteredArgument({ argument, filter }: AggregateCall): Expression | null {
  if (argument === null) return filter;
  if (filter === null) return argument;
  const { type } = argument;
  const otherwise: Expression = { kind: 'literal', type, value: null };
  return { kind: 'case', branches: [{ when: filter, then: argument }], otherwise, type };
}
