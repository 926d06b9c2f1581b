import { readValue } from '../../../core/index.ts';
import type { Column, ColumnBatch, EncodedBlock, Field, RecordEncoder, SinkSpec, Value } from '../../../core/index.ts';
import { FieldBytesWriter, putColumnBytes } from '../field-bytes.ts';
import { fieldText } from '../field-text.ts';
import type { CsvDialect } from './csv-options.ts';

const encoder = new TextEncoder();
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

interface CsvColumn {
  readonly field: Field;
  readonly index: number;
}

/** Writes rows as CSV records: quotes where they are needed, and around what would read as NULL. */
export class CsvEncoder implements RecordEncoder {
  readonly failedRow = -1;
  readonly #columns: readonly CsvColumn[];
  readonly #dialect: CsvDialect;
  readonly #nullLiteral: Uint8Array;
  readonly #writer = new FieldBytesWriter();

  constructor(spec: SinkSpec, indexes: readonly number[], dialect: CsvDialect) {
    this.#columns = indexes.map((index) => ({ field: spec.input.fields[index] as Field, index }));
    this.#dialect = dialect;
    this.#nullLiteral = encoder.encode(dialect.nullLiteral);
  }

  encode(batch: ColumnBatch, fromRow: number, block: EncodedBlock, maxBytes: number): number {
    const columns = this.#columns;
    let row = fromRow;
    for (; row < batch.rowCount && block.count < block.capacity && block.used <= maxBytes; row++) {
      block.starts[block.count] = block.used;
      for (let position = 0; position < columns.length; position++) {
        const { field, index } = columns[position] as CsvColumn;
        if (position > 0) putByte(block, this.#dialect.delimiter);
        this.#putField(block, batch.columns[index] as Column, field, row);
      }
      block.ends[block.count] = block.used;
      block.count++;
    }
    return row;
  }

  #putField(block: EncodedBlock, column: Column, field: Field, row: number): void {
    if (column.hasNulls && column.nulls[row] === 1) {
      putBytes(block, this.#nullLiteral);
      return;
    }
    const start = block.used;
    if (column.kind === 'bytes' && field.type.kind === 'string') {
      putColumnBytes(block, column, row);
    } else if (!this.#writer.write(block, column, field.type, row)) {
      const value = readValue(column, field.type, row) as Exclude<Value, null>;
      putBytes(block, encoder.encode(fieldText(value, field.type)));
    }
    if (isNullLiteral(block, start, this.#nullLiteral)) quoteFrom(block, start, this.#dialect);
    else quoteIfNeeded(block, start, this.#dialect);
  }
}

/** The line of column names. */
export function csvHeader(fields: readonly Field[], dialect: CsvDialect, block: EncodedBlock): void {
  fields.forEach(({ name }, position) => {
    if (position > 0) putByte(block, dialect.delimiter);
    const start = block.used;
    putBytes(block, encoder.encode(name));
    quoteIfNeeded(block, start, dialect);
  });
}

function putByte(block: EncodedBlock, byte: number): void {
  block.reserve(1)[block.used] = byte;
  block.used++;
}

function putBytes(block: EncodedBlock, bytes: Uint8Array): void {
  block.reserve(bytes.length).set(bytes, block.used);
  block.used += bytes.length;
}

function isNullLiteral(block: EncodedBlock, start: number, literal: Uint8Array): boolean {
  if (block.used - start !== literal.length) return false;
  for (let i = 0; i < literal.length; i++) if (block.data[start + i] !== literal[i]) return false;
  return true;
}

/** Puts quotes around what was written from `start` on, where it holds something that would end the column. */
function quoteIfNeeded(block: EncodedBlock, start: number, dialect: CsvDialect): void {
  const { data, used } = block;
  const { delimiter, quote } = dialect;
  for (let p = start; p < used; p++) {
    const c = data[p] as number;
    if (c === delimiter || c === quote || c === LINE_FEED || c === CARRIAGE_RETURN) {
      quoteFrom(block, start, dialect);
      return;
    }
  }
}

function quoteFrom(block: EncodedBlock, start: number, { quote }: CsvDialect): void {
  const text = block.data.slice(start, block.used);
  const data = block.reserve(text.length + 2);
  let at = start;
  data[at++] = quote;
  for (const byte of text) {
    if (byte === quote) data[at++] = quote;
    data[at++] = byte;
  }
  data[at++] = quote;
  block.used = at;
}
