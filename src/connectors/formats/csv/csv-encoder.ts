import { readValue } from '../../../core/index.ts';
import type { Column, ColumnBatch, EncodedBlock, Field, RecordEncoder, SinkSpec } from '../../../core/index.ts';
import { fieldText } from '../field-text.ts';
import type { CsvDialect } from './csv-options.ts';

const encoder = new TextEncoder();
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Writes rows as CSV records: quotes where they are needed, and around what would read as NULL. */
export class CsvEncoder implements RecordEncoder {
  readonly failedRow = -1;
  readonly #fields: readonly { readonly field: Field; readonly index: number }[];
  readonly #dialect: CsvDialect;

  constructor(spec: SinkSpec, indexes: readonly number[], dialect: CsvDialect) {
    this.#fields = indexes.map((index) => ({ field: spec.input.fields[index] as Field, index }));
    this.#dialect = dialect;
  }

  encode(batch: ColumnBatch, fromRow: number, block: EncodedBlock, maxBytes: number): number {
    let row = fromRow;
    for (; row < batch.rowCount && block.count < block.capacity && block.used <= maxBytes; row++) {
      block.starts[block.count] = block.used;
      this.#fields.forEach(({ field, index }, position) => {
        if (position > 0) putByte(block, this.#dialect.delimiter);
        const value = readValue(batch.columns[index] as Column, field.type, row);
        const text = value === null ? this.#dialect.nullLiteral : fieldText(value, field.type);
        this.#putText(block, text, value !== null && text === this.#dialect.nullLiteral);
      });
      block.ends[block.count] = block.used;
      block.count++;
    }
    return row;
  }

  #putText(block: EncodedBlock, text: string, mustQuote: boolean): void {
    putText(block, text, this.#dialect, mustQuote);
  }
}

/** The line of column names. */
export function csvHeader(fields: readonly Field[], dialect: CsvDialect, block: EncodedBlock): void {
  fields.forEach(({ name }, position) => {
    if (position > 0) putByte(block, dialect.delimiter);
    putText(block, name, dialect, false);
  });
}

function putByte(block: EncodedBlock, byte: number): void {
  block.reserve(1)[block.used] = byte;
  block.used++;
}

function putText(block: EncodedBlock, text: string, { delimiter, quote }: CsvDialect, mustQuote: boolean): void {
  const bytes = encoder.encode(text);
  const special = (byte: number): boolean =>
    byte === delimiter || byte === quote || byte === LINE_FEED || byte === CARRIAGE_RETURN;
  if (!mustQuote && !bytes.some(special)) {
    block.reserve(bytes.length).set(bytes, block.used);
    block.used += bytes.length;
    return;
  }
  const data = block.reserve(bytes.length * 2 + 2);
  let at = block.used;
  data[at++] = quote;
  for (const byte of bytes) {
    if (byte === quote) data[at++] = quote;
    data[at++] = byte;
  }
  data[at++] = quote;
  block.used = at;
}
