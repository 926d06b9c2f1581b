/**
 * A batch is a run of rows of one schema, column by column.
 *
 * Ownership: whoever emits a batch owns it and may reuse it and its arrays as soon as the receiver has processed all of
 * its rows; until then it is borrowed and must not change. A receiver that keeps anything longer copies it. A column
 * object may stand in two batches at once (a projection passes its input's columns on), so receivers never write to a
 * batch that they received.
 */
import {
  appendBytes,
  createColumn,
  loadWideDecimal,
  resetColumn,
  setNull,
  storeWideDecimal,
  widenDecimal,
  widenLong,
} from './column.ts';
import type { Column } from './column.ts';
import type { DataType, RowSchema } from './types.ts';
import type { Value } from './value.ts';

/** What a row does to a changelog (FLIP-95's RowKind). A batch without row kinds holds inserts only. */
export const RowKind = Object.freeze({
  insert: 0,
  updateBefore: 1,
  updateAfter: 2,
  delete: 3,
});
export type RowKind = (typeof RowKind)[keyof typeof RowKind];

/** Where the rows of a batch came from, for messages and dead letters. */
export interface BatchOrigin {
  /** For example `topic orders, partition 3, offset 1234`. */
  describe(row: number): string;
  /**
   * Hands the original record of a row to the source's dead-letter target. Absent where the source has none, and on
   * batches that crossed an exchange.
   */
  deadLetter?(row: number, error: { readonly code: string; readonly message: string; readonly stepId: string }): void;
  /**
   * The same as describe(), in parts that an exchange can carry to another thread or machine. Where it is absent, rows
   * lose their position at the next exchange.
   */
  readonly parts?: OriginParts;
}

/** describe(row) is the prefix, then the offset: `topic orders, partition 3, offset ` and 1234. */
export interface OriginParts {
  /** One for all rows, or one per row. */
  readonly prefix: string | ((row: number) => string);
  /** By row of the origin, as `BatchOrigin.describe` counts them. */
  readonly offsets: Float64Array;
}

export class ColumnBatch {
  readonly schema: RowSchema;
  readonly capacity: number;
  /** Replaced, not written, where a column is passed on from another batch. */
  readonly columns: Column[];
  /** The columns made for this batch: what reset() puts back after passing on. */
  readonly ownColumns: readonly Column[];
  rowCount = 0;
  /** Event time per row in ms, or null where the stream has none. */
  timestamps: Float64Array | null = null;
  /** RowKind per row, or null where all are inserts. */
  rowKinds: Uint8Array | null = null;
  origin: BatchOrigin | null = null;
  /** The row of `origin` that each row came from; null where they are the same number. */
  originRows: Int32Array | null = null;

  constructor(schema: RowSchema, capacity: number) {
    this.schema = schema;
    this.capacity = capacity;
    this.ownColumns = schema.fields.map((field) => createColumn(field.type, capacity));
    this.columns = [...this.ownColumns];
  }

  /** Ready for new rows; keeps the arrays. */
  reset(): void {
    this.rowCount = 0;
    this.timestamps = null;
    this.rowKinds = null;
    this.origin = null;
    this.originRows = null;
    for (let index = 0; index < this.ownColumns.length; index++) {
      const column = this.ownColumns[index] as Column;
      resetColumn(column);
      this.columns[index] = column;
    }
  }
}

/** The position of a row for messages, where the batch knows it. */
export function describeOrigin(batch: ColumnBatch, row: number): string | null {
  if (batch.origin === null) return null;
  return batch.origin.describe(batch.originRows === null ? row : (batch.originRows[row] as number));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Reads one value in the form of value.ts. Slow: for tests, messages, the interpreter and user code. */
export function readValue(column: Column, type: DataType, row: number): Value {
  if (column.hasNulls && column.nulls[row] === 1) return null;
  switch (column.kind) {
    case 'boolean':
      return column.values[row] === 1;
    case 'int':
    case 'double':
      return column.values[row] as number;
    case 'long':
      return column.wide === null ? BigInt(column.values[row] as number) : (column.wide[row] as bigint);
    case 'decimal':
      return column.wide === null
        ? BigInt(column.values[row] as number)
        : loadWideDecimal(column.wide, row);
    case 'bytes': {
      const bytes = column.data.subarray(column.starts[row], column.ends[row]);
      return type.kind === 'bytes' ? bytes.slice() : decoder.decode(bytes);
    }
    case 'object':
      return column.values[row] as Value;
  }
}

/** Writes one value at `row`, where rows [0, row) are written. Slow, as readValue. */
export function writeValue(column: Column, row: number, value: Value): void {
  if (value === null) {
    setNull(column, row);
    return;
  }
  if (column.hasNulls) column.nulls[row] = 0;
  switch (column.kind) {
    case 'boolean':
      column.values[row] = value === true ? 1 : 0;
      return;
    case 'int':
    case 'double':
      column.values[row] = value as number;
      return;
    case 'long':
      writeLong(column, row, value as bigint);
      return;
    case 'decimal':
      writeDecimal(column, row, value as bigint);
      return;
    case 'bytes':
      appendBytes(column, row, typeof value === 'string' ? encoder.encode(value) : (value as Uint8Array));
      return;
    case 'object':
      column.values[row] = value;
  }
}

function isSafe(value: bigint): boolean {
  return value <= 9007199254740991n && value >= -9007199254740991n;
}

function writeLong(column: Extract<Column, { kind: 'long' }>, row: number, value: bigint): void {
  if (column.wide === null && isSafe(value)) column.values[row] = Number(value);
  else widenLong(column, row)[row] = value;
}

function writeDecimal(column: Extract<Column, { kind: 'decimal' }>, row: number, value: bigint): void {
  if (column.wide === null && isSafe(value)) column.values[row] = Number(value);
  else storeWideDecimal(widenDecimal(column, row), row, value);
}

/** A batch of the given rows, for tests and small inputs. */
export function batchOf(schema: RowSchema, rows: readonly (readonly Value[])[]): ColumnBatch {
  const batch = new ColumnBatch(schema, Math.max(1, rows.length));
  rows.forEach((row, index) => {
    batch.columns.forEach((column, field) => {
      writeValue(column, index, row[field] ?? null);
    });
  });
  batch.rowCount = rows.length;
  return batch;
}

/** The rows of a batch as values, for tests and messages. */
export function rowsOf(batch: ColumnBatch): Value[][] {
  return Array.from({ length: batch.rowCount }, (_, row) =>
    batch.columns.map((column, field) =>
      readValue(column, (batch.schema.fields[field] as { type: DataType }).type, row),
    ),
  );
}
