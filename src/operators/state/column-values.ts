/** Single values of columns: copied from one to another, and compared. Both columns are of one kind. */
import { loadWideDecimal, reserveBytes } from '../../core/index.ts';
import type { BytesColumn, Column, DecimalColumn, LongColumn } from '../../core/index.ts';
import { isSafe, writeInteger, writeNull } from './column-writes.ts';

type Integers = LongColumn | DecimalColumn;

/** Below this many bytes a loop is faster than a call of set(). */
const SHORT_BYTES = 16;

/** Copies the value of row `row` to row `at` of a column whose rows [0, at) are written. */
export function copyValue(from: Column, row: number, to: Column, at: number): void {
  const isNull = from.hasNulls && from.nulls[row] === 1;
  writeNull(to, at, isNull);
  if (isNull) return;
  switch (from.kind) {
    case 'boolean':
    case 'int':
    case 'double':
      (to as typeof from).values[at] = from.values[row] as number;
      return;
    case 'long':
    case 'decimal':
      copyInteger(from, row, to as typeof from, at);
      return;
    case 'bytes':
      copyBytes(from, row, to as BytesColumn, at);
      return;
    case 'object':
      (to as typeof from).values[at] = from.values[row];
  }
}

/** Whether two values are one key: NULL is NULL, NaN is NaN. Arrays, maps and rows are no keys. */
export function sameValue(a: Column, row: number, b: Column, other: number): boolean {
  const isNull = a.hasNulls && a.nulls[row] === 1;
  if (isNull !== (b.hasNulls && b.nulls[other] === 1)) return false;
  if (isNull) return true;
  switch (a.kind) {
    case 'boolean':
    case 'int':
      return a.values[row] === (b as typeof a).values[other];
    case 'double':
      return sameDouble(a.values[row] as number, (b as typeof a).values[other] as number);
    case 'long':
    case 'decimal':
      return sameInteger(a, row, b as typeof a, other);
    case 'bytes':
      return sameBytes(a, row, b as BytesColumn, other);
    case 'object':
      throw new TypeError('arrays, maps and rows are not compared');
  }
}

function sameDouble(a: number, b: number): boolean {
  return a === b || (a !== a && b !== b);
}

function sameInteger(a: Integers, row: number, b: Integers, other: number): boolean {
  if (a.wide === null && b.wide === null) return a.values[row] === b.values[other];
  return integerOf(a, row) === integerOf(b, other);
}

function integerOf(column: Integers, row: number): bigint {
  if (column.wide === null) return BigInt(column.values[row] as number);
  return column.kind === 'long' ? (column.wide[row] as bigint) : loadWideDecimal(column.wide, row);
}

function copyInteger(from: Integers, row: number, to: Integers, at: number): void {
  if (from.wide === null) {
    writeInteger(to, at, from.values[row] as number, null);
    return;
  }
  const value = integerOf(from, row);
  writeInteger(to, at, isSafe(value) ? Number(value) : 0, isSafe(value) ? null : value);
}

function sameBytes(a: BytesColumn, row: number, b: BytesColumn, other: number): boolean {
  const start = a.starts[row] as number;
  const length = (a.ends[row] as number) - start;
  const from = b.starts[other] as number;
  if ((b.ends[other] as number) - from !== length) return false;
  for (let i = 0; i < length; i++) if (a.data[start + i] !== b.data[from + i]) return false;
  return true;
}

function copyBytes(from: BytesColumn, row: number, to: BytesColumn, at: number): void {
  const start = from.starts[row] as number;
  const end = from.ends[row] as number;
  const arena = reserveBytes(to, at, end - start);
  const { used } = to;
  if (end - start > SHORT_BYTES) arena.set(from.data.subarray(start, end), used);
  else for (let i = start; i < end; i++) arena[used + i - start] = from.data[i] as number;
  to.starts[at] = used;
  to.used = used + end - start;
  to.ends[at] = to.used;
}
