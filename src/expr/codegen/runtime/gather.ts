/**
 * Copies the rows of a column that passed a transform: column by column, because a tight loop over one array is faster
 * than touching every column in the row loop, and because a column that nobody computes with then needs no code.
 */
import { loadWideDecimal, storeWideDecimal, widenDecimal, widenLong } from '../../../core/index.ts';
import type { BytesColumn, Column, DecimalColumn, LongColumn } from '../../../core/index.ts';

/**
 * Rows [from, to) of `target` become rows `rows[from .. to)` of `source`. Bytes are borrowed: the target's earlier rows
 * must come from the same data.
 */
export function gatherColumn(source: Column, target: Column, rows: Int32Array, from: number, to: number): void {
  gatherNulls(source, target, rows, from, to);
  switch (source.kind) {
    case 'boolean':
      gatherUint8(source.values, (target as typeof source).values, rows, from, to);
      return;
    case 'int':
      gatherInt32(source.values, (target as typeof source).values, rows, from, to);
      return;
    case 'double':
      gatherFloat64(source.values, (target as typeof source).values, rows, from, to);
      return;
    case 'long':
      gatherLong(source, target as LongColumn, rows, from, to);
      return;
    case 'decimal':
      gatherDecimal(source, target as DecimalColumn, rows, from, to);
      return;
    case 'bytes':
      gatherBytes(source, target as BytesColumn, rows, from, to);
      return;
    case 'object':
      for (let row = from; row < to; row++) (target as typeof source).values[row] = source.values[rows[row] as number];
  }
}

function gatherNulls(source: Column, target: Column, rows: Int32Array, from: number, to: number): void {
  if (!source.hasNulls) {
    if (target.hasNulls) target.nulls.fill(0, from, to);
    return;
  }
  if (!target.hasNulls) {
    target.nulls.fill(0, 0, from);
    target.hasNulls = true;
  }
  gatherUint8(source.nulls, target.nulls, rows, from, to);
}

export function gatherUint8(source: Uint8Array, target: Uint8Array, rows: Int32Array, from: number, to: number): void {
  for (let row = from; row < to; row++) target[row] = source[rows[row] as number] as number;
}

function gatherInt32(source: Int32Array, target: Int32Array, rows: Int32Array, from: number, to: number): void {
  for (let row = from; row < to; row++) target[row] = source[rows[row] as number] as number;
}

export function gatherFloat64(
  source: Float64Array,
  target: Float64Array,
  rows: Int32Array,
  from: number,
  to: number,
): void {
  for (let row = from; row < to; row++) target[row] = source[rows[row] as number] as number;
}

function gatherLong(source: LongColumn, target: LongColumn, rows: Int32Array, from: number, to: number): void {
  if (source.wide === null && target.wide === null) {
    gatherFloat64(source.values, target.values, rows, from, to);
    return;
  }
  const wide = widenLong(target, from);
  for (let row = from; row < to; row++) {
    const at = rows[row] as number;
    if (source.hasNulls && source.nulls[at] === 1) continue;
    wide[row] = source.wide === null ? BigInt(source.values[at] as number) : (source.wide[at] as bigint);
  }
}

function gatherDecimal(source: DecimalColumn, target: DecimalColumn, rows: Int32Array, from: number, to: number): void {
  if (source.wide === null && target.wide === null) {
    gatherFloat64(source.values, target.values, rows, from, to);
    return;
  }
  const wide = widenDecimal(target, from);
  for (let row = from; row < to; row++) {
    const at = rows[row] as number;
    if (source.hasNulls && source.nulls[at] === 1) continue;
    const value = source.wide === null ? BigInt(source.values[at] as number) : loadWideDecimal(source.wide, at);
    storeWideDecimal(wide, row, value);
  }
}

function gatherBytes(source: BytesColumn, target: BytesColumn, rows: Int32Array, from: number, to: number): void {
  target.data = source.data;
  gatherInt32(source.starts, target.starts, rows, from, to);
  gatherInt32(source.ends, target.ends, rows, from, to);
}
