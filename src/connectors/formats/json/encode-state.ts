/** What a generated encoder calls where a value is not written by a few inlined stores. */
import { formatDecimal, formatType, isMillraceError, loadWideDecimal } from '../../../core/index.ts';
import type { Column, EncodedBlock, Field, Value } from '../../../core/index.ts';
import { formatFloat } from '../../../expr/index.ts';
import { viewOf } from '../byte-view.ts';
import { writeAscii } from '../digit-writer.ts';
import { formatErrors } from '../errors.ts';
import { IsoWriter } from '../iso-writer.ts';
import { jsonText, NoJsonSpelling, type JsonTextOptions } from './json-text.ts';

/** An escape is at most `\u001f`. */
const MAX_ESCAPE_BYTES = 6;
const MAX_DAYS = 100_000_000;

/** The letter behind `\` for a byte that has a short escape; 0x75 (u) for other control characters; 0 for none. */
const ESCAPES = new Uint8Array(256);
ESCAPES.fill(0x75, 0, 0x20);
for (const [byte, letter] of [
  [0x22, '"'],
  [0x5c, '\\'],
  [0x08, 'b'],
  [0x0c, 'f'],
  [0x0a, 'n'],
  [0x0d, 'r'],
  [0x09, 't'],
] as const) {
  ESCAPES[byte] = letter.charCodeAt(0);
}
const HEX = '0123456789abcdef';

export class EncodeState {
  readonly times = new IsoWriter();
  readonly fields: readonly Field[];
  readonly #options: JsonTextOptions;
  /** Of `block.data`, always. */
  view: DataView = viewOf(new Uint8Array(0));
  failedRow = -1;
  /** The field whose value was being written when something threw. */
  #current = 0;

  constructor(fields: readonly Field[], options: JsonTextOptions) {
    this.fields = fields;
    this.#options = options;
  }

  setBlock(block: EncodedBlock): void {
    const { view } = this;
    const { buffer, byteOffset, byteLength } = block.data;
    if (view.buffer !== buffer || view.byteOffset !== byteOffset || view.byteLength !== byteLength) {
      this.view = viewOf(block.data);
    }
  }

  /** Makes room for `extra` bytes at `at`. `block.data` and `view` may be new afterwards. */
  reserve(block: EncodedBlock, at: number, extra: number): Uint8Array {
    block.used = at;
    const before = block.data;
    const data = block.reserve(extra);
    if (data !== before) this.view = viewOf(data);
    return data;
  }

  viewOf(bytes: Uint8Array): DataView {
    return viewOf(bytes);
  }

  /** Writes what is left of a string with its escapes, and leaves room for `rest` bytes. */
  escape(block: EncodedBlock, at: number, source: Uint8Array, start: number, end: number, rest: number): number {
    const data = this.reserve(block, at, (end - start) * MAX_ESCAPE_BYTES + rest);
    let o = at;
    for (let p = start; p < end; p++) {
      const c = source[p] as number;
      const escape = ESCAPES[c] as number;
      if (escape === 0) {
        data[o++] = c;
        continue;
      }
      data[o++] = 0x5c;
      data[o++] = escape;
      if (escape === 0x75) o = writeAscii(data, o, `00${HEX.charAt(c >> 4)}${HEX.charAt(c & 15)}`);
    }
    return o;
  }

  /** JSON as it is, on one line. Line breaks in JSON text are white space: inside strings they are escaped. */
  raw(data: Uint8Array, at: number, source: Uint8Array, start: number, end: number): number {
    for (let p = start, o = at; p < end; p++, o++) {
      const c = source[p] as number;
      data[o] = c === 0x0a || c === 0x0d ? 0x20 : c;
    }
    return at + end - start;
  }

  base64(block: EncodedBlock, at: number, source: Uint8Array, start: number, end: number, rest: number): number {
    const text = Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('base64');
    return writeAscii(this.reserve(block, at, text.length + rest), at, text);
  }

  float(data: Uint8Array, at: number, value: number): number {
    return writeAscii(data, at, formatFloat(value));
  }

  wideLong(data: Uint8Array, at: number, value: bigint): number {
    return writeAscii(data, at, value.toString());
  }

  wideDecimal(data: Uint8Array, at: number, wide: BigInt64Array, row: number, scale: number): number {
    return writeAscii(data, at, formatDecimal(loadWideDecimal(wide, row), scale));
  }

  date(data: Uint8Array, at: number, days: number, field: number): number {
    if (Math.abs(days) > MAX_DAYS) throw this.#error(field, `${days} days since 1970 are outside the calendar`);
    return this.times.date(data, at, days);
  }

  notFinite(value: number, field: number): never {
    throw this.#error(field, `${value} is no JSON number`);
  }

  object(block: EncodedBlock, at: number, column: Column, row: number, field: number, rest: number): number {
    this.#current = field;
    const { type } = this.fields[field] as Field;
    const text = jsonText((column as { values: unknown[] }).values[row] as Value, type, this.#options);
    const data = this.reserve(block, at, text.length * 3 + rest);
    return at + encoder.encodeInto(text, data.subarray(at)).written;
  }

  /** Remembers the row and gives the error to throw. */
  failure(row: number, error: unknown): unknown {
    this.failedRow = row;
    if (isMillraceError(error) || !(error instanceof NoJsonSpelling)) return error;
    return this.#error(this.#current, error.message);
  }

  #error(index: number, problem: string): Error {
    const field = this.fields[index] as Field;
    return formatErrors.create('MR-FORMAT-ENCODE', {
      field: field.name,
      type: formatType(field.type),
      format: 'JSON',
      problem,
    });
  }
}

const encoder = new TextEncoder();
