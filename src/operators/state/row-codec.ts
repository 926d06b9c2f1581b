/**
 * Rows of a batch as bytes, and back: one bit per field that is NULL, then the other fields in order (docs/design/013).
 * The bytes of a row depend on its values alone, not on how the batch holds them.
 */
import { appendBytes, createColumn, formatType, loadWideDecimal, resetColumn, setNull } from '../../core/index.ts';
import type { Column, DataType, Value } from '../../core/index.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { isSafe, writeInteger, writeNull } from './column-writes.ts';
import { conforms, decodeValue, encodeValue } from './value-codec.ts';

export function encodeRow(columns: readonly Column[], row: number, to: ByteWriter): void {
  for (let first = 0; first < columns.length; first += 8) {
    let nulls = 0;
    for (let bit = 0; bit < 8 && first + bit < columns.length; bit++) {
      const column = columns[first + bit] as Column;
      if (column.hasNulls && column.nulls[row] === 1) nulls |= 1 << bit;
    }
    to.byte(nulls);
  }
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] as Column;
    if (!column.hasNulls || column.nulls[row] === 0) encodeField(column, row, to);
  }
}

/** Reads a row of fields of these types; throws where the bytes are not one. Rows [0, row) are written. */
export function decodeRow(from: ByteReader, types: readonly DataType[], columns: readonly Column[], row: number): void {
  const nulls = from.raw((columns.length + 7) >> 3);
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] as Column;
    if ((((nulls[index >> 3] as number) >> (index & 7)) & 1) === 1) setNull(column, row);
    else decodeField(from, types[index] as DataType, column, row);
  }
}

/** A value that is not NULL. */
function encodeField(column: Column, row: number, to: ByteWriter): void {
  switch (column.kind) {
    case 'boolean':
      to.byte(column.values[row] as number);
      return;
    case 'int':
      to.integer(column.values[row] as number, null);
      return;
    case 'double':
      to.double(column.values[row] as number);
      return;
    case 'long':
      if (column.wide === null) to.integer(column.values[row] as number, null);
      else to.integer(0, column.wide[row] as bigint);
      return;
    case 'decimal':
      if (column.wide === null) to.integer(column.values[row] as number, null);
      else to.integer(0, loadWideDecimal(column.wide, row));
      return;
    case 'bytes': {
      const start = column.starts[row] as number;
      const end = column.ends[row] as number;
      to.varint(end - start);
      to.raw(column.data, start, end);
      return;
    }
    case 'object':
      encodeValue(column.values[row] as Value, to);
  }
}

function decodeField(from: ByteReader, type: DataType, column: Column, row: number): void {
  writeNull(column, row, false);
  switch (column.kind) {
    case 'boolean':
      column.values[row] = from.byte() === 0 ? 0 : 1;
      return;
    case 'int':
      column.values[row] = Number(integerOf(from, 32));
      return;
    case 'double':
      column.values[row] = doubleOf(from, type);
      return;
    case 'long':
    case 'decimal': {
      const value = integerOf(from, column.kind === 'long' ? 64 : 128);
      writeInteger(column, row, isSafe(value) ? Number(value) : 0, isSafe(value) ? null : value);
      return;
    }
    case 'bytes':
      appendBytes(column, row, from.raw(from.count()));
      return;
    case 'object':
      column.values[row] = objectOf(from, type);
  }
}

function integerOf(from: ByteReader, bits: number): bigint {
  const value = from.integer();
  if (BigInt.asIntN(bits, value) !== value) from.fail(`an integer has more than ${bits} bits`);
  return value;
}

function doubleOf(from: ByteReader, type: DataType): number {
  const value = from.double();
  if (type.kind === 'timestamp' && !Number.isSafeInteger(value)) from.fail('a timestamp is not whole milliseconds');
  return value;
}

function objectOf(from: ByteReader, type: DataType): Value {
  const value = decodeValue(from);
  if (!conforms(value, type)) from.fail(`a value is not of ${formatType(type)}`);
  return value;
}

/** One value at a time, as a column: for reading entries back. */
export class ScratchColumn {
  readonly column: Column;
  readonly #type: DataType;

  constructor(type: DataType) {
    this.#type = type;
    this.column = createColumn(type, 1);
  }

  /** Reads a value that is not NULL, or makes it NULL where `from` is null. */
  read(from: ByteReader | null): void {
    resetColumn(this.column);
    if (from === null) setNull(this.column, 0);
    else decodeField(from, this.#type, this.column, 0);
  }
}
