/**
 * Hot loops: copies chosen rows of a column behind the rows of another one of the same kind. `rows` is a list of which
 * [from, from + count) is copied, or null for the rows from, from + 1, … themselves. bench/micro/exchange.ts has the
 * figures.
 */
import { reserveBytes, widenDecimal, widenLong } from './column.ts';
import type { BytesColumn, Column, DecimalColumn, LongColumn } from './column.ts';

type Rows = Int32Array | null;

/** Appends to `target`, of which rows [0, at) are written and which has room. Both columns are of one kind. */
export function appendRows(
  source: Column,
  rows: Rows,
  from: number,
  count: number,
  target: Column,
  at: number,
): void {
  appendNulls(source, rows, from, count, target, at);
  switch (source.kind) {
    case 'boolean':
      appendUint8(source.values, rows, from, count, (target as typeof source).values, at);
      return;
    case 'int':
      appendInt32(source.values, rows, from, count, (target as typeof source).values, at);
      return;
    case 'double':
      appendFloat64(source.values, rows, from, count, (target as typeof source).values, at);
      return;
    case 'long':
      appendLong(source, rows, from, count, target as LongColumn, at);
      return;
    case 'decimal':
      appendDecimal(source, rows, from, count, target as DecimalColumn, at);
      return;
    case 'bytes':
      appendValues(source, rows, from, count, target as BytesColumn, at);
      return;
    case 'object': {
      const out = (target as typeof source).values;
      for (let i = 0; i < count; i++) {
        out[at + i] = source.values[rows === null ? from + i : (rows[from + i] as number)];
      }
    }
  }
}

function appendNulls(source: Column, rows: Rows, from: number, count: number, target: Column, at: number): void {
  if (source.hasNulls) {
    if (!target.hasNulls) {
      target.nulls.fill(0, 0, at);
      target.hasNulls = true;
    }
    appendUint8(source.nulls, rows, from, count, target.nulls, at);
  } else if (target.hasNulls) target.nulls.fill(0, at, at + count);
}

export function appendUint8(
  source: Uint8Array,
  rows: Rows,
  from: number,
  count: number,
  target: Uint8Array,
  at: number,
): void {
  if (rows === null) {
    target.set(source.subarray(from, from + count), at);
    return;
  }
  for (let i = 0; i < count; i++) target[at + i] = source[rows[from + i] as number] as number;
}

function appendInt32(
  source: Int32Array,
  rows: Rows,
  from: number,
  count: number,
  target: Int32Array,
  at: number,
): void {
  if (rows === null) {
    target.set(source.subarray(from, from + count), at);
    return;
  }
  for (let i = 0; i < count; i++) target[at + i] = source[rows[from + i] as number] as number;
}

export function appendFloat64(
  source: Float64Array,
  rows: Rows,
  from: number,
  count: number,
  target: Float64Array,
  at: number,
): void {
  if (rows === null) {
    target.set(source.subarray(from, from + count), at);
    return;
  }
  for (let i = 0; i < count; i++) target[at + i] = source[rows[from + i] as number] as number;
}

function appendLong(source: LongColumn, rows: Rows, from: number, count: number, target: LongColumn, at: number): void {
  if (source.wide === null && target.wide === null) {
    appendFloat64(source.values, rows, from, count, target.values, at);
    return;
  }
  const wide = widenLong(target, at);
  for (let i = 0; i < count; i++) {
    const row = rows === null ? from + i : (rows[from + i] as number);
    if (source.wide !== null) wide[at + i] = source.wide[row] as bigint;
    // The slot of a NULL may hold what is no integer.
    else if (!source.hasNulls || source.nulls[row] === 0) wide[at + i] = BigInt(source.values[row] as number);
  }
}

function appendDecimal(
  source: DecimalColumn,
  rows: Rows,
  from: number,
  count: number,
  target: DecimalColumn,
  at: number,
): void {
  if (source.wide === null && target.wide === null) {
    appendFloat64(source.values, rows, from, count, target.values, at);
    return;
  }
  const wide = widenDecimal(target, at);
  for (let i = 0; i < count; i++) {
    const row = rows === null ? from + i : (rows[from + i] as number);
    const out = (at + i) * 2;
    if (source.wide !== null) {
      wide[out] = source.wide[row * 2] as bigint;
      wide[out + 1] = source.wide[row * 2 + 1] as bigint;
    } else if (!source.hasNulls || source.nulls[row] === 0) {
      const value = source.values[row] as number;
      wide[out] = BigInt(value);
      wide[out + 1] = value < 0 ? -1n : 0n;
    }
  }
}

/** Values up to this many bytes are copied four at a time: a call of set() costs as much (50 ns). */
const SHORT_BYTES = 96;

/** Keeps the target compact: its rows follow each other in its arena, NULLs with no bytes. */
function appendValues(
  source: BytesColumn,
  rows: Rows,
  from: number,
  count: number,
  target: BytesColumn,
  at: number,
): void {
  const { starts, ends, nulls, hasNulls, data } = source;
  let size = 0;
  for (let i = 0; i < count; i++) {
    const row = rows === null ? from + i : (rows[from + i] as number);
    if (!hasNulls || nulls[row] === 0) size += (ends[row] as number) - (starts[row] as number);
  }
  const arena = reserveBytes(target, at, size);
  const from32 = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const to32 = new DataView(arena.buffer, arena.byteOffset, arena.byteLength);
  const outStarts = target.starts;
  const outEnds = target.ends;
  let used = target.used;
  for (let i = 0; i < count; i++) {
    const row = rows === null ? from + i : (rows[from + i] as number);
    outStarts[at + i] = used;
    if (!hasNulls || nulls[row] === 0) {
      let start = starts[row] as number;
      const end = ends[row] as number;
      if (end - start <= SHORT_BYTES) {
        for (; start + 4 <= end; start += 4, used += 4) to32.setInt32(used, from32.getInt32(start, true), true);
        for (; start < end; start++, used++) arena[used] = data[start] as number;
      } else {
        arena.set(data.subarray(start, end), used);
        used += end - start;
      }
    }
    outEnds[at + i] = used;
  }
  target.used = used;
}

/** How many bytes the values of row `row` have beside the fixed ones. */
export function variableBytes(column: Column, row: number): number {
  if (column.kind !== 'bytes' || (column.hasNulls && column.nulls[row] === 1)) return 0;
  return (column.ends[row] as number) - (column.starts[row] as number);
}
