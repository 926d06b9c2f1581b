/**
 * Values of fields as the bytes of their text, without making strings: the usual spellings of the usual types. What is
 * unusual goes through field-text.ts, which judges it.
 */
import type { BytesColumn, Column, DataType, EncodedBlock } from '../../core/index.ts';
import { viewOf } from './byte-view.ts';
import { MAX_DOUBLE_BYTES, writeDecimal, writeDouble, writeInteger } from './digit-writer.ts';
import { IsoTimeParser } from './iso-time.ts';
import { IsoWriter, MAX_ISO_BYTES } from './iso-writer.ts';
import { POWERS_OF_TEN } from './json/exact-double.ts';

const MINUS = 0x2d;
const DOT = 0x2e;
/** Integers of so many digits are exact in doubles. */
const MAX_DIGITS = 15;
const MAX_INT = 2_147_483_647;

const times = new IsoTimeParser();

/** Writes bytes[start .. end) as the value of a row; false where that takes more than this function knows. */
export function putFieldBytes(
  column: Column,
  row: number,
  type: DataType,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const value = fieldNumber(type, bytes, start, end);
  if (Number.isNaN(value)) return false;
  if (column.kind === 'long' || column.kind === 'decimal') {
    if (column.wide !== null) return false;
    column.values[row] = value;
  } else if (column.kind === 'int' || column.kind === 'double') {
    column.values[row] = value;
  } else {
    return false;
  }
  if (column.hasNulls) column.nulls[row] = 0;
  return true;
}

/** The number in a column's `values` that text stands for; NaN for what is not known here. */
function fieldNumber(type: DataType, bytes: Uint8Array, start: number, end: number): number {
  switch (type.kind) {
    case 'timestamp':
      return times.timestamp(bytes, start, end);
    case 'date':
      return times.date(bytes, start, end);
    case 'time':
      return times.time(bytes, start, end);
    case 'int':
    case 'long':
    case 'decimal':
    case 'double':
      return decimalNumber(type, bytes, start, end);
    default:
      return NaN;
  }
}

function decimalNumber(type: DataType, bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === MINUS;
  const first = isNegative ? start + 1 : start;
  let value = 0;
  let point = -1;
  for (let p = first; p < end; p++) {
    const c = bytes[p] as number;
    if (c === DOT && point < 0) {
      point = p;
      continue;
    }
    const digit = c - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  const fraction = point < 0 ? 0 : end - point - 1;
  const digits = end - first - (point < 0 ? 0 : 1);
  if (digits === 0 || point === first || (point >= 0 && fraction === 0) || digits > MAX_DIGITS) return NaN;
  const magnitude = scaled(type, value, digits, fraction);
  return isNegative && (magnitude !== 0 || type.kind === 'double') ? -magnitude : magnitude;
}

function scaled(type: DataType, value: number, digits: number, fraction: number): number {
  switch (type.kind) {
    case 'double':
      return fraction === 0 ? value : value / (POWERS_OF_TEN[fraction] as number);
    case 'decimal': {
      if (fraction > type.scale || digits - fraction + type.scale > MAX_DIGITS) return NaN;
      const unscaled = value * (POWERS_OF_TEN[type.scale - fraction] as number);
      return unscaled < 10 ** Math.min(type.precision, MAX_DIGITS) ? unscaled : NaN;
    }
    case 'int':
      return fraction === 0 && value <= MAX_INT ? value : NaN;
    default:
      return fraction === 0 ? value : NaN;
  }
}

/** Writes values of columns as text into blocks. */
export class FieldBytesWriter {
  readonly #times = new IsoWriter();
  #view = viewOf(new Uint8Array(0));

  /** Writes the value of a row that is not NULL behind `block.used`; false where the type has no fast way. */
  write(block: EncodedBlock, column: Column, type: DataType, row: number): boolean {
    const data = block.reserve(MAX_DOUBLE_BYTES + MAX_ISO_BYTES);
    if (this.#view.buffer !== data.buffer) this.#view = viewOf(data);
    const end = this.#put(data, block.used, column, type, row);
    if (end < 0) return false;
    block.used = end;
    return true;
  }

  #put(data: Uint8Array, at: number, column: Column, type: DataType, row: number): number {
    switch (type.kind) {
      case 'int':
        return column.kind === 'int' ? writeInteger(data, this.#view, at, column.values[row] as number) : -1;
      case 'long':
        if (column.kind !== 'long' || column.wide !== null) return -1;
        return writeInteger(data, this.#view, at, column.values[row] as number);
      case 'decimal':
        if (column.kind !== 'decimal' || column.wide !== null || type.scale > MAX_DIGITS) return -1;
        return writeDecimal(data, this.#view, at, column.values[row] as number, type.scale);
      case 'double': {
        const value = column.kind === 'double' ? (column.values[row] as number) : NaN;
        return Number.isFinite(value) ? writeDouble(data, this.#view, at, value) : -1;
      }
      case 'timestamp':
        if (column.kind !== 'double') return -1;
        return this.#times.timestamp(data, this.#view, at, column.values[row] as number);
      default:
        return -1;
    }
  }
}

/** Appends the bytes of a row to a block. */
export function putColumnBytes(block: EncodedBlock, column: BytesColumn, row: number): void {
  const start = column.starts[row] as number;
  const end = column.ends[row] as number;
  const data = block.reserve(end - start);
  const from = column.data;
  if (end - start > 96) {
    data.set(from.subarray(start, end), block.used);
  } else {
    for (let p = start, o = block.used; p < end; p++, o++) data[o] = from[p] as number;
  }
  block.used += end - start;
}
