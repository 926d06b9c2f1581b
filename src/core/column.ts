/**
 * A column holds one field of a batch. Hot loops read its arrays directly; the shapes below are the contract.
 *
 * `nulls[row]` is 1 where the value is NULL, else 0; the value slot of a NULL row is unspecified. `hasNulls` false
 * promises that no row of the batch is NULL, and then `nulls` need not be read (it may hold stale ones: a writer that
 * sets a NULL in a column whose `hasNulls` is false must first clear `nulls` for the rows written so far; use setNull).
 */
import type { DataType } from './types.ts';

/** boolean: 0 or 1. */
export class BooleanColumn {
  readonly kind = 'boolean';
  values: Uint8Array;
  nulls: Uint8Array;
  hasNulls = false;
  constructor(capacity: number) {
    this.values = new Uint8Array(capacity);
    this.nulls = new Uint8Array(capacity);
  }
}

/** int, date (days since 1970-01-01), time (ms of day). */
export class IntColumn {
  readonly kind = 'int';
  values: Int32Array;
  nulls: Uint8Array;
  hasNulls = false;
  constructor(capacity: number) {
    this.values = new Int32Array(capacity);
    this.nulls = new Uint8Array(capacity);
  }
}

/** float (every value rounded to 32 bits by the writer), double, timestamp (ms since the epoch, always an integer). */
export class DoubleColumn {
  readonly kind = 'double';
  values: Float64Array;
  nulls: Uint8Array;
  hasNulls = false;
  constructor(capacity: number) {
    this.values = new Float64Array(capacity);
    this.nulls = new Uint8Array(capacity);
  }
}

/**
 * long. While every value of the batch is a safe integer, `values` holds them and `wide` is null. As soon as one is
 * not, `wide` holds all of them and `values` is unspecified. widenLong makes the switch.
 */
export class LongColumn {
  readonly kind = 'long';
  values: Float64Array;
  wide: BigInt64Array | null = null;
  nulls: Uint8Array;
  hasNulls = false;
  constructor(capacity: number) {
    this.values = new Float64Array(capacity);
    this.nulls = new Uint8Array(capacity);
  }
}

/**
 * decimal(p,s): unscaled values, in `values` while all are safe integers, else in `wide` as two 64-bit words a row,
 * low word (unsigned bits) at 2 × row and high word (signed) at 2 × row + 1.
 */
export class DecimalColumn {
  readonly kind = 'decimal';
  values: Float64Array;
  wide: BigInt64Array | null = null;
  nulls: Uint8Array;
  hasNulls = false;
  constructor(capacity: number) {
    this.values = new Float64Array(capacity);
    this.nulls = new Uint8Array(capacity);
  }
}

/**
 * string (UTF-8), json (UTF-8 text), bytes. Row i is `data[starts[i] .. ends[i])`. `data` is either borrowed (a fetch
 * response, another column's data) or the column's own arena; a writer that appends must own it (appendBytes checks).
 * Many rows may share the same range.
 */
export class BytesColumn {
  readonly kind = 'bytes';
  data: Uint8Array = EMPTY_BYTES;
  starts: Int32Array;
  ends: Int32Array;
  nulls: Uint8Array;
  hasNulls = false;
  /** Bytes of the column's own arena in use. */
  used = 0;
  /** The column's own arena, kept between batches; `data === arena` when the column owns its bytes. */
  arena: Uint8Array = EMPTY_BYTES;
  constructor(capacity: number) {
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
    this.nulls = new Uint8Array(capacity);
  }
}

/** array, map, row: values in the forms of value.ts. Not for hot paths. */
class ObjectColumn {
  readonly kind = 'object';
  values: unknown[];
  nulls: Uint8Array;
  hasNulls = false;
  constructor(capacity: number) {
    this.values = new Array<unknown>(capacity).fill(null);
    this.nulls = new Uint8Array(capacity);
  }
}

export type Column =
  | BooleanColumn
  | IntColumn
  | DoubleColumn
  | LongColumn
  | DecimalColumn
  | BytesColumn
  | ObjectColumn;

export type ColumnKind = Column['kind'];

const EMPTY_BYTES = new Uint8Array(0);

export function columnKind(type: DataType): ColumnKind {
  switch (type.kind) {
    case 'boolean':
      return 'boolean';
    case 'int':
    case 'date':
    case 'time':
      return 'int';
    case 'float':
    case 'double':
    case 'timestamp':
      return 'double';
    case 'long':
      return 'long';
    case 'decimal':
      return 'decimal';
    case 'string':
    case 'bytes':
    case 'json':
      return 'bytes';
    case 'array':
    case 'map':
    case 'row':
      return 'object';
  }
}

export function createColumn(type: DataType, capacity: number): Column {
  switch (columnKind(type)) {
    case 'boolean':
      return new BooleanColumn(capacity);
    case 'int':
      return new IntColumn(capacity);
    case 'double':
      return new DoubleColumn(capacity);
    case 'long':
      return new LongColumn(capacity);
    case 'decimal':
      return new DecimalColumn(capacity);
    case 'bytes':
      return new BytesColumn(capacity);
    case 'object':
      return new ObjectColumn(capacity);
  }
}

/** Makes a column ready for a new batch: no rows, no nulls, narrow, owning its (empty) arena. */
export function resetColumn(column: Column): void {
  column.hasNulls = false;
  if (column.kind === 'long' || column.kind === 'decimal') column.wide = null;
  if (column.kind === 'bytes') {
    column.used = 0;
    column.data = column.arena;
  }
}

/** Marks a row NULL; keeps the promise of `hasNulls`. */
export function setNull(column: Column, row: number): void {
  if (!column.hasNulls) {
    column.nulls.fill(0);
    column.hasNulls = true;
  }
  column.nulls[row] = 1;
}

/** Moves rows [0, rowCount) of a narrow long column into `wide`. Call before writing a value that is not safe. */
export function widenLong(column: LongColumn, rowCount: number): BigInt64Array {
  if (column.wide !== null) return column.wide;
  const wide = new BigInt64Array(column.values.length);
  for (let row = 0; row < rowCount; row++) {
    if (!column.hasNulls || column.nulls[row] === 0) wide[row] = BigInt(column.values[row] as number);
  }
  column.wide = wide;
  return wide;
}

/** As widenLong, for decimals. */
export function widenDecimal(column: DecimalColumn, rowCount: number): BigInt64Array {
  if (column.wide !== null) return column.wide;
  const wide = new BigInt64Array(column.values.length * 2);
  column.wide = wide;
  for (let row = 0; row < rowCount; row++) {
    if (!column.hasNulls || column.nulls[row] === 0) {
      storeWideDecimal(wide, row, BigInt(column.values[row] as number));
    }
  }
  return wide;
}

export function storeWideDecimal(wide: BigInt64Array, row: number, unscaled: bigint): void {
  wide[row * 2] = BigInt.asIntN(64, unscaled);
  wide[row * 2 + 1] = unscaled >> 64n;
}

export function loadWideDecimal(wide: BigInt64Array, row: number): bigint {
  return ((wide[row * 2 + 1] as bigint) << 64n) | BigInt.asUintN(64, wide[row * 2] as bigint);
}

/**
 * Makes sure that the column owns its bytes and has room for `extra` more; returns the arena to write to, at
 * `column.used`. The caller writes, sets starts and ends, and raises `used`. A column that borrows other data (its
 * first `rowCount` rows written) is copied into its arena first.
 */
export function reserveBytes(column: BytesColumn, rowCount: number, extra: number): Uint8Array {
  if (column.data !== column.arena) takeOwnership(column, rowCount);
  const needed = column.used + extra;
  if (needed > column.arena.length) {
    const grown = new Uint8Array(Math.max(needed, column.arena.length * 2, 4096));
    grown.set(column.arena.subarray(0, column.used));
    column.arena = grown;
    column.data = grown;
  }
  return column.arena;
}

function takeOwnership(column: BytesColumn, rowCount: number): void {
  const borrowed = column.data;
  let size = 0;
  for (let row = 0; row < rowCount; row++) {
    if (!column.hasNulls || column.nulls[row] === 0) {
      size += (column.ends[row] as number) - (column.starts[row] as number);
    }
  }
  if (column.arena.length < size) column.arena = new Uint8Array(Math.max(size, 4096));
  let used = 0;
  for (let row = 0; row < rowCount; row++) {
    if (column.hasNulls && column.nulls[row] === 1) continue;
    const start = column.starts[row] as number;
    const end = column.ends[row] as number;
    column.arena.set(borrowed.subarray(start, end), used);
    column.starts[row] = used;
    used += end - start;
    column.ends[row] = used;
  }
  column.used = used;
  column.data = column.arena;
}

/** Appends a value at `row`, where rows [0, row) are written. */
export function appendBytes(column: BytesColumn, row: number, bytes: Uint8Array): void {
  const arena = reserveBytes(column, row, bytes.length);
  arena.set(bytes, column.used);
  column.starts[row] = column.used;
  column.used += bytes.length;
  column.ends[row] = column.used;
}
