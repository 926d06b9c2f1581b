import { appendBytes, setNull, writeValue } from '../../../core/index.ts';
import type { BytesColumn, Column, RecordBlock, SourceSpec } from '../../../core/index.ts';
import { formatErrors } from '../errors.ts';
import { putFieldBytes } from '../field-bytes.ts';
import { parseFieldText } from '../field-text.ts';
import type { RecordReader } from '../rowwise-decoder.ts';
import { checkUtf8 } from '../utf8.ts';
import type { WantedField, WantedFields } from '../wanted-fields.ts';
import type { CsvDialect } from './csv-options.ts';

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Reads records of CSV (RFC 4180), column by column; string columns without doubled quotes borrow the block. */
export class CsvReader implements RecordReader {
  readonly borrows = true;
  readonly #dialect: CsvDialect;
  readonly #fieldNames: readonly string[];
  readonly #wanted: WantedFields;
  readonly #nullLiteral: Uint8Array;
  /** By column of the record, the target that it fills, or -1. */
  #targetOfColumn: Int32Array;
  #columnCount: number;
  /** The column that was read last: its bytes without quotes, and whether it had them. */
  #start = 0;
  #end = 0;
  #isQuoted = false;
  #hasDoubledQuotes = false;

  constructor(spec: SourceSpec, dialect: CsvDialect, wanted: WantedFields) {
    this.#dialect = dialect;
    this.#wanted = wanted;
    this.#fieldNames = spec.schema.fields.map(({ name }) => name);
    this.#nullLiteral = new TextEncoder().encode(dialect.nullLiteral);
    this.#targetOfColumn = Int32Array.from(this.#fieldNames, (_, index) => wanted.targetOf(index));
    this.#columnCount = this.#fieldNames.length;
  }

  read(block: RecordBlock, record: number, columns: readonly Column[], row: number): boolean {
    const start = block.valueStarts[record] as number;
    const end = block.valueEnds[record] as number;
    if (this.#dialect.header && block.offsets[record] === 0) {
      this.#readHeader(block.data, start, end);
      return false;
    }
    let p = start;
    let column = 0;
    for (; p <= end; column++) {
      p = this.#column(block.data, p, end, start);
      const target = column < this.#targetOfColumn.length ? (this.#targetOfColumn[column] as number) : -1;
      if (target >= 0) this.#writeField(block, columns[target] as Column, target, row, start);
    }
    if (column !== this.#columnCount) this.#complete(column, columns, row);
    return true;
  }

  /** Reads one column and returns where the next one begins: end + 1 behind the last. */
  #column(data: Uint8Array, from: number, end: number, recordStart: number): number {
    const { delimiter, quote } = this.#dialect;
    this.#hasDoubledQuotes = false;
    this.#isQuoted = from < end && data[from] === quote;
    let p = from;
    if (!this.#isQuoted) {
      while (p < end && data[p] !== delimiter) p++;
      this.#start = from;
      this.#end = p;
      return p + 1;
    }
    for (p++; p < end; p++) {
      if (data[p] !== quote) continue;
      if (p + 1 >= end || data[p + 1] !== quote) break;
      this.#hasDoubledQuotes = true;
      p++;
    }
    if (p >= end) throw syntax('a quoted column does not end', from - recordStart);
    this.#start = from + 1;
    this.#end = p;
    if (p + 1 < end && data[p + 1] !== delimiter) throw syntax('text behind a quoted column', p + 1 - recordStart);
    return p + 2;
  }

  #writeField(block: RecordBlock, column: Column, target: number, row: number, recordStart: number): void {
    const { field } = this.#wanted.targets[target] as WantedField;
    if (!this.#isQuoted && this.#isNullLiteral(block.data)) {
      setNull(column, row);
      return;
    }
    if (putFieldBytes(column, row, field.type, block.data, this.#start, this.#end)) return;
    checkUtf8(block.data, this.#start, this.#end, recordStart);
    if (column.kind === 'bytes' && field.type.kind === 'string' && !this.#hasDoubledQuotes) {
      this.#putRange(block, column, row);
      return;
    }
    const text = this.#text(block.data);
    const place = { field: field.name, position: this.#start - recordStart };
    writeValue(column, row, parseFieldText(text, field.type, place));
  }

  #putRange(block: RecordBlock, column: BytesColumn, row: number): void {
    if (column.hasNulls) column.nulls[row] = 0;
    if (column.data === block.data) {
      column.starts[row] = this.#start;
      column.ends[row] = this.#end;
    } else {
      appendBytes(column, row, block.data.subarray(this.#start, this.#end));
    }
  }

  #isNullLiteral(data: Uint8Array): boolean {
    const literal = this.#nullLiteral;
    if (this.#end - this.#start !== literal.length) return false;
    for (let i = 0; i < literal.length; i++) if (data[this.#start + i] !== literal[i]) return false;
    return true;
  }

  #text(data: Uint8Array): string {
    const text = textDecoder.decode(data.subarray(this.#start, this.#end));
    if (!this.#hasDoubledQuotes) return text;
    const quote = String.fromCharCode(this.#dialect.quote);
    return text.replaceAll(quote + quote, quote);
  }

  /** The record has another number of columns than expected. */
  #complete(found: number, columns: readonly Column[], row: number): void {
    if (found > this.#columnCount || !this.#dialect.missingAsNull) {
      throw formatErrors.create('MR-FORMAT-COLUMNS', { found, expected: this.#columnCount });
    }
    for (let column = found; column < this.#targetOfColumn.length; column++) {
      const target = this.#targetOfColumn[column] as number;
      if (target >= 0) setNull(columns[target] as Column, row);
    }
  }

  #readHeader(data: Uint8Array, start: number, end: number): void {
    const names: string[] = [];
    const hasMark = BYTE_ORDER_MARK.every((byte, index) => data[start + index] === byte);
    for (let p = hasMark ? start + BYTE_ORDER_MARK.length : start; p <= end; ) {
      p = this.#column(data, p, end, start);
      names.push(this.#text(data));
    }
    const missing = this.#fieldNames.filter((name) => !names.includes(name));
    if (missing.length > 0) {
      throw formatErrors.create('MR-FORMAT-HEADER', { missing: missing.join(', '), found: names.join(', ') });
    }
    this.#columnCount = names.length;
    this.#targetOfColumn = Int32Array.from(names, (name) => {
      const index = this.#fieldNames.indexOf(name);
      return index < 0 ? -1 : this.#wanted.targetOf(index);
    });
  }
}

function syntax(problem: string, position: number): Error {
  return formatErrors.create('MR-FORMAT-SYNTAX', { format: 'CSV', problem, position });
}
