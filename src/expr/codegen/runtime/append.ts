/** Writing to columns from generated code: what does not fit into one store. */
import { reserveBytes, storeWideDecimal, widenDecimal, widenLong } from '../../../core/index.ts';
import type { BytesColumn, DecimalColumn, LongColumn } from '../../../core/index.ts';

const encoder = new TextEncoder();
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

function isSafe(value: bigint): boolean {
  return value <= MAX_SAFE && value >= -MAX_SAFE;
}

/** Rows [0, row) are written. */
export function storeLong(column: LongColumn, row: number, value: bigint): void {
  if (column.wide === null && isSafe(value)) column.values[row] = Number(value);
  else widenLong(column, row)[row] = value;
}

/** Rows [0, row) are written. */
export function storeDecimal(column: DecimalColumn, row: number, value: bigint): void {
  if (column.wide === null && isSafe(value)) column.values[row] = Number(value);
  else storeWideDecimal(widenDecimal(column, row), row, value);
}

/** Below this many bytes a loop is faster than a call of set(). */
const SHORT = 32;

export function appendSlice(column: BytesColumn, row: number, data: Uint8Array, start: number, end: number): void {
  const length = end - start;
  const arena = reserveBytes(column, row, length);
  const { used } = column;
  if (length < SHORT) for (let i = 0; i < length; i++) arena[used + i] = data[start + i] as number;
  else arena.set(data.subarray(start, end), used);
  column.starts[row] = used;
  column.used = used + length;
  column.ends[row] = used + length;
}

export function appendText(column: BytesColumn, row: number, text: string): void {
  const { length } = text;
  const arena = reserveBytes(column, row, length * 3);
  const { used } = column;
  let end = used;
  if (length < SHORT * 2) {
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 127) break;
      arena[end++] = unit;
    }
  }
  if (end - used !== length) end = used + encoder.encodeInto(text, arena.subarray(used)).written;
  column.starts[row] = used;
  column.used = end;
  column.ends[row] = end;
}

let zeros = new Uint8Array(4096);

/** Null flags that may be read for rows [0, rowCount): a column without NULLs may hold stale ones. */
export function readableNulls(
  column: { readonly hasNulls: boolean; readonly nulls: Uint8Array },
  rowCount: number,
): Uint8Array {
  if (column.hasNulls) return column.nulls;
  if (zeros.length < rowCount) zeros = new Uint8Array(rowCount * 2);
  return zeros;
}
