/**
 * The calls of an aggregating step: what they read from the rows of a batch, and what they keep per slot. Steps differ
 * in what a slot is: the row's key, or its key in a window.
 */
import { ColumnBatch } from '../../core/index.ts';
import type {
  AggregateCall,
  BooleanColumn,
  Column,
  Expression,
  Field,
  IntColumn,
  RecordErrorHandler,
  RowSchema,
  TransformStep,
} from '../../core/index.ts';
import { compileTransform } from '../../expr/index.ts';
import type { CompiledTransform } from '../../expr/index.ts';
import type { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import type { Accumulator, ArrivalClock, CallState } from './accumulator.ts';
import { compileCallLoops } from './call-loops.ts';
import type { CallLoops } from './call-loops.ts';
import { countsNulls, createAccumulator } from './create-accumulator.ts';

const FIRST_SLOTS = 256;

export interface CallsSpec {
  readonly stepId: string;
  /** Indexes of the input's fields. */
  readonly keys: readonly number[];
  readonly calls: readonly AggregateCall[];
  readonly input: RowSchema;
}

/** The calls, however their states are kept. */
export class CallStates<A extends CallState> {
  readonly accumulators: readonly A[];
  readonly #spec: CallsSpec;
  readonly #transform: CompiledTransform;
  readonly #columns: readonly CallColumns[];
  readonly #clock: ArrivalClock = { next: 0 };
  #reserved = 0;

  constructor(spec: CallsSpec, create: (call: AggregateCall, clock: ArrivalClock) => A) {
    this.#spec = spec;
    const { step, columns } = argumentStep(spec);
    this.#transform = compileTransform([step], spec.input);
    this.#columns = columns;
    this.accumulators = spec.calls.map((call) => create(call, this.#clock));
  }

  /** What is kept of each call, for the state's schema. */
  get values(): readonly (Field & { readonly layout: string })[] {
    return this.#spec.calls.map(({ name, type }, index) => ({
      name,
      type,
      layout: (this.accumulators[index] as A).layout,
    }));
  }

  get keyFields(): readonly Field[] {
    return this.#spec.keys.map((key) => this.#spec.input.fields[key] as Field);
  }

  get sizeBytes(): number {
    return this.accumulators.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** A batch for what compute() makes. */
  createRows(capacity: number): ColumnBatch {
    return new ColumnBatch(this.#transform.output, capacity);
  }

  /** Computes keys and then arguments of the rows from `fromRow` on. Rows that fail are left out. */
  compute(batch: ColumnBatch, fromRow: number, rows: ColumnBatch, errors: RecordErrorHandler): void {
    const transform = this.#transform;
    rows.reset();
    let row = transform.run(batch, fromRow, rows);
    while (transform.failure !== undefined) {
      errors.handle(batch, transform.failedRow, this.#spec.stepId, transform.failure);
      row = transform.run(batch, row, rows);
    }
  }

  /** Per row of the last compute(), the row of the batch. */
  get sourceRows(): Int32Array {
    return this.#transform.sourceRows;
  }

  /** Makes room for slots [0, slotCount). */
  reserve(slotCount: number): void {
    if (slotCount <= this.#reserved) return;
    this.#reserved = Math.max(slotCount, this.#reserved * 2, FIRST_SLOTS);
    for (const accumulator of this.accumulators) accumulator.reserve(this.#reserved);
  }

  /** As reserve(), one call after the other, and for no more slots than asked for. */
  *growing(slotCount: number): Generator<void> {
    for (const accumulator of this.accumulators) {
      accumulator.reserve(slotCount);
      yield;
    }
    this.#reserved = Math.max(this.#reserved, slotCount);
  }

  /** The rows that compute() made are about to be added; endRows() follows. */
  beginRows(rows: ColumnBatch, slots: IntColumn): void {
    this.accumulators.forEach((accumulator, call) => {
      const { argument, condition } = this.#columns[call] as CallColumns;
      accumulator.bindInput({
        argument: argument < 0 ? null : (rows.columns[argument] as Column),
        condition: condition < 0 ? null : (rows.columns[condition] as BooleanColumn),
        rowCount: rows.rowCount,
        slots,
      });
    });
  }

  endRows(rowCount: number): void {
    this.#clock.next += rowCount;
  }

  /** Where results go: one column per call. */
  bindOutputs(outputs: readonly Column[]): void {
    for (let call = 0; call < outputs.length; call++) {
      (this.accumulators[call] as A).bindOutput(outputs[call] as Column);
    }
  }

  /** Each call in a part of its own, so that one that was dropped can be skipped. */
  encode(slot: number, to: ByteWriter): void {
    for (const accumulator of this.accumulators) {
      const part = to.beginPart();
      accumulator.encode(slot, to);
      to.endPart(part);
    }
  }

  /** Into a slot that has seen nothing; `places` as matchSchemas() gives it. */
  decode(slot: number, from: ByteReader, places: readonly number[]): void {
    for (const place of places) {
      const accumulator = this.accumulators[place];
      const length = from.varint();
      const read = accumulator === undefined ? null : (): void => {
              accumulator.decode(slot, from);
            };
      from.within(length, read);
    }
  }

  /** Passes over what encode() wrote of `count` calls. */
  skip(from: ByteReader, count: number): void {
    for (let left = count; left > 0; left--) from.within(from.varint(), null);
  }
}

/** Over rows that are only added. */
export class AggregateCalls extends CallStates<Accumulator> {
  readonly loops: CallLoops;

  constructor(spec: CallsSpec) {
    super(spec, createAccumulator);
    this.loops = compileCallLoops(this.accumulators);
  }
}

/** Columns of the computed rows; -1 for none. */
interface CallColumns {
  readonly argument: number;
  readonly condition: number;
}

/** The select that computes keys, then arguments. */
function argumentStep({ stepId, keys, calls, input }: CallsSpec): {
  readonly step: TransformStep;
  readonly columns: readonly CallColumns[];
} {
  const fields: { name: string; expression: Expression }[] = keys.map((index) => {
    const { name, type } = input.fields[index] as Field;
    return { name, expression: { kind: 'column', index, name, type } };
  });
  const add = (name: string, expression: Expression | null): number => {
    if (expression === null) return -1;
    fields.push({ name, expression });
    return fields.length - 1;
  };
  const columns = calls.map((call) => ({
    argument: add(call.name, filteredArgument(call)),
    condition: add(call.name, call.argument !== null && countsNulls(call) ? call.filter : null),
  }));
  return { step: { kind: 'select', stepId, fields }, columns };
}

/** FILTER makes an argument NULL, which most calls do not count. */
function filteredArgument({ argument, filter }: AggregateCall): Expression | null {
  if (argument === null) return filter;
  if (filter === null) return argument;
  const { type } = argument;
  const otherwise: Expression = { kind: 'literal', type, value: null };
  return { kind: 'case', branches: [{ when: filter, then: argument }], otherwise, type };
}
