/**
 * Values of JSON, one at a time: what the generated decoder calls where its inlined code does not know what to do, and
 * what reads the elements of arrays, maps and rows. Correct first; the generated code is the fast one.
 */
import { formatType, MAX_INT, MAX_LONG, MIN_INT, MIN_LONG } from '../../../core/index.ts';
import type { DataType, Field, Value } from '../../../core/index.ts';
import { IsoTimeParser } from '../iso-time.ts';
import { formatErrors } from '../errors.ts';
import { decodeBase64 } from './base64.ts';
import { nearestDouble } from './exact-double.ts';
import { matchNumber, unscaledValue } from './exact-number.ts';
import { ESCAPED, hexDigit, type JsonScanner } from './json-scanner.ts';

const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const LETTER_N = 0x6e;

export class JsonValues {
  readonly scanner: JsonScanner;
  readonly times = new IsoTimeParser();
  /** The end of the value that was read last. */
  position = 0;
  #scratch = new Uint8Array(256);

  constructor(scanner: JsonScanner) {
    this.scanner = scanner;
  }

  /** Reads the value at `p`; `path` names it in messages. Sets `position`. */
  read(type: DataType, path: string, p: number): Value {
    const { scanner } = this;
    if (p < scanner.end && scanner.bytes[p] === LETTER_N) {
      this.position = scanner.skipValue(p);
      return null;
    }
    switch (type.kind) {
      case 'array':
        return this.#readArray(type.element, type, path, p);
      case 'map':
        return this.#readMap(type, path, p);
      case 'row':
        return this.#readRow(type.fields, type, path, p);
      case 'json':
        this.position = scanner.skipValue(p);
        return scanner.text(p, this.position);
      case 'string':
        return this.#readString(type, path, p);
      default:
        return this.#readScalar(type, path, p);
    }
  }

  #readScalar(type: DataType, path: string, p: number): Value {
    switch (type.kind) {
      case 'boolean':
        return this.#readBoolean(type, path, p);
      case 'bytes':
        return this.#readBytes(type, path, p);
      case 'date':
      case 'time':
      case 'timestamp':
        return this.#readTime(type, path, p);
      case 'float':
      case 'double':
        return this.#readDouble(type, path, p);
      default:
        return this.#readExact(type, path, p);
    }
  }

  #readBoolean(type: DataType, path: string, p: number): boolean {
    const end = this.scanner.skipValue(p);
    const text = end - p <= 5 ? this.scanner.text(p, end) : '';
    if (text !== 'true' && text !== 'false') throw this.#typeError(type, path, p);
    this.position = end;
    return text === 'true';
  }

  #readString(type: DataType, path: string, p: number): string {
    const { scanner } = this;
    const end = this.#stringEnd(type, path, p);
    if (!scanner.hasEscapes) return scanner.text(p + 1, end);
    const size = this.unescape(p + 1, end, this.#scratchOf(end - p), 0);
    return textDecoder.decode(this.#scratch.subarray(0, size));
  }

  /** Checks the string at `p` and returns where its closing quote is; sets `position` behind it. */
  #stringEnd(type: DataType, path: string, p: number): number {
    const { scanner } = this;
    if (scanner.bytes[p] !== QUOTE) {
      scanner.skipValue(p);
      throw this.#typeError(type, path, p);
    }
    const end = scanner.skipString(p + 1);
    this.position = end + 1;
    return end;
  }

  #scratchOf(size: number): Uint8Array {
    if (this.#scratch.length < size) this.#scratch = new Uint8Array(size * 2);
    return this.#scratch;
  }

  /** Writes what the checked string [start, end) stands for to `target` at `to`; returns the end there. */
  unescape(start: number, end: number, target: Uint8Array, to: number): number {
    const { bytes } = this.scanner;
    let p = start;
    let o = to;
    while (p < end) {
      const c = bytes[p] as number;
      if (c !== 0x5c) {
        target[o++] = c;
        p++;
        continue;
      }
      const escape = bytes[p + 1] as number;
      if (escape !== 0x75) {
        target[o++] = ESCAPED[escape] as number;
        p += 2;
        continue;
      }
      const unit = this.#hex4(p + 2);
      if (unit < 0xd800 || unit > 0xdfff) {
        o = putCodePoint(target, o, unit);
        p += 6;
        continue;
      }
      o = putCodePoint(target, o, this.#surrogatePair(unit, p, end));
      p += 12;
    }
    return o;
  }

  #surrogatePair(high: number, p: number, end: number): number {
    const { bytes, recordStart } = this.scanner;
    const escaped = p + 12 <= end && bytes[p + 6] === 0x5c && bytes[p + 7] === 0x75;
    const low = escaped ? this.#hex4(p + 8) : 0;
    if (high >= 0xdc00 || low < 0xdc00 || low > 0xdfff) {
      const problem = 'a surrogate without its partner';
      throw formatErrors.create('MR-FORMAT-UTF8', { problem, position: p - recordStart });
    }
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }

  #hex4(p: number): number {
    const { bytes } = this.scanner;
    let value = 0;
    for (let i = 0; i < 4; i++) value = (value << 4) | hexDigit(bytes[p + i] as number);
    return value;
  }

  #readBytes(type: DataType, path: string, p: number): Uint8Array {
    const decoded = decodeBase64(this.#readString(type, path, p));
    if (decoded === null) throw this.#typeError(type, path, p, 'bytes in base64');
    return decoded;
  }

  #readTime(type: DataType, path: string, p: number): number {
    const { scanner, times } = this;
    if (type.kind === 'timestamp' && isNumberStart(scanner.bytes[p] as number)) {
      const ms = Number(this.#exact(type, path, p, 0));
      if (Math.abs(ms) > 8.64e15) throw this.#rangeError(type, path, p);
      return ms;
    }
    const end = this.#stringEnd(type, path, p);
    const start = p + 1;
    const value =
      type.kind === 'timestamp'
        ? times.timestamp(scanner.bytes, start, end)
        : type.kind === 'date'
          ? times.date(scanner.bytes, start, end)
          : times.time(scanner.bytes, start, end);
    if (Number.isNaN(value)) throw this.#typeError(type, path, p, SPELLINGS[type.kind as keyof typeof SPELLINGS]);
    return value;
  }

  #readDouble(type: DataType, path: string, p: number): number {
    const { scanner } = this;
    if (!isNumberStart(scanner.bytes[p] as number)) {
      scanner.skipValue(p);
      throw this.#typeError(type, path, p);
    }
    this.position = scanner.skipNumber(p);
    const near = nearestDouble(scanner.bytes, p, this.position);
    const parsed = Number.isNaN(near) ? Number(scanner.text(p, this.position)) : near;
    const value = type.kind === 'float' ? Math.fround(parsed) : parsed;
    if (!Number.isFinite(value)) throw this.#rangeError(type, path, p);
    return value;
  }

  /** int, long and decimal; a long or a decimal may stand in quotes, to protect it from readers that make doubles. */
  #readExact(type: DataType, path: string, p: number): number | bigint {
    const value = this.#exact(type, path, p, type.kind === 'decimal' ? type.scale : 0);
    if (type.kind === 'decimal') {
      const limit = 10n ** BigInt(type.precision);
      if (value >= limit || value <= -limit) throw this.#rangeError(type, path, p);
      return value;
    }
    if (type.kind === 'long') {
      if (value > MAX_LONG || value < MIN_LONG) throw this.#rangeError(type, path, p);
      return value;
    }
    if (value > MAX_INT || value < MIN_INT) throw this.#rangeError(type, path, p);
    return Number(value);
  }

  /** The number at `p` times 10^scale, which must be an integer. */
  #exact(type: DataType, path: string, p: number, scale: number): bigint {
    const { scanner } = this;
    let start = p;
    let end: number;
    const quoted = scanner.bytes[p] === QUOTE && (type.kind === 'long' || type.kind === 'decimal');
    if (quoted) {
      end = scanner.skipString(p + 1);
      start = p + 1;
      this.position = end + 1;
    } else {
      if (!isNumberStart(scanner.bytes[p] as number)) {
        scanner.skipValue(p);
        throw this.#typeError(type, path, p);
      }
      end = scanner.skipNumber(p);
      this.position = end;
    }
    const match = matchNumber(scanner.text(start, end));
    if (match === null) throw this.#typeError(type, path, p);
    const unscaled = unscaledValue(match, scale);
    if (unscaled === null) throw this.#rangeError(type, path, p);
    return unscaled;
  }

  #readArray(element: DataType, type: DataType, path: string, start: number): Value[] {
    const { scanner } = this;
    let p = this.#open(OPEN_BRACKET, type, path, start);
    const values: Value[] = [];
    if (scanner.bytes[p] === CLOSE_BRACKET) {
      this.position = p + 1;
      return values;
    }
    for (;;) {
      values.push(this.read(element, `${path}[${values.length}]`, p));
      p = this.#afterElement(CLOSE_BRACKET);
      if (p < 0) return values;
    }
  }

  #readMap(type: Extract<DataType, { kind: 'map' }>, path: string, start: number): Map<Value, Value> {
    const map = new Map<Value, Value>();
    this.#readEntries(type, path, start, (key, p) => {
      map.set(this.#mapKey(type.key, key, path, start), this.read(type.value, `${path}.${key}`, p));
    });
    return map;
  }

  /** Keys of JSON are strings: those of other types are read from their text. */
  #mapKey(type: DataType, key: string, path: string, p: number): Value {
    if (type.kind === 'string') return key;
    const match = matchNumber(key);
    const value = match === null ? null : unscaledValue(match, type.kind === 'decimal' ? type.scale : 0);
    const isInt = value !== null && value >= MIN_INT && value <= MAX_INT;
    const isLong = value !== null && value >= MIN_LONG && value <= MAX_LONG;
    if (type.kind === 'long' && isLong) return value;
    if (type.kind === 'int' && isInt) return Number(value);
    if (type.kind === 'decimal' && value !== null && magnitude(value) < 10n ** BigInt(type.precision)) return value;
    if (type.kind === 'boolean' && (key === 'true' || key === 'false')) return key === 'true';
    if ((type.kind === 'double' || type.kind === 'float') && match !== null) return Number(key);
    throw this.#typeError(type, `${path} (key)`, p);
  }

  #readRow(fields: readonly Field[], type: DataType, path: string, start: number): Value[] {
    const row: Value[] = fields.map(() => null);
    this.#readEntries(type, path, start, (key, p) => {
      const index = fields.findIndex((field) => field.name === key);
      const field = fields[index];
      if (field === undefined) this.position = this.scanner.skipValue(p);
      else row[index] = this.read(field.type, `${path}.${key}`, p);
    });
    return row;
  }

  #readEntries(type: DataType, path: string, start: number, each: (key: string, p: number) => void): void {
    const { scanner } = this;
    let p = this.#open(OPEN_BRACE, type, path, start);
    if (scanner.bytes[p] === CLOSE_BRACE) {
      this.position = p + 1;
      return;
    }
    while (p >= 0) {
      const key = this.readKey(p);
      each(key, scanner.skipColon(this.position));
      p = this.#afterElement(CLOSE_BRACE);
    }
  }

  /** The key at `p` as a string; sets `position` behind it. A lone surrogate gives U+FFFD: it names no field. */
  readKey(p: number): string {
    const { scanner } = this;
    if (p >= scanner.end || scanner.bytes[p] !== QUOTE) throw scanner.unexpected(p, 'a key in quotes');
    const end = scanner.skipString(p + 1);
    this.position = end + 1;
    if (!scanner.hasEscapes) return scanner.text(p + 1, end);
    return (JSON.parse(scanner.text(p, end + 1)) as string).toWellFormed();
  }

  #open(bracket: number, type: DataType, path: string, p: number): number {
    const { scanner } = this;
    if (scanner.bytes[p] !== bracket) {
      scanner.skipValue(p);
      throw this.#typeError(type, path, p);
    }
    // The whole extent first: its depth is limited there, and what follows can rely on the grammar.
    scanner.skipValue(p);
    return scanner.skipSpace(p + 1);
  }

  /** The start of the next element, or -1 where the array or object ends; `position` is behind it then. */
  #afterElement(close: number): number {
    const { scanner } = this;
    const p = scanner.skipSpace(this.position);
    if (scanner.bytes[p] === close) {
      this.position = p + 1;
      return -1;
    }
    if (scanner.bytes[p] !== COMMA) throw scanner.unexpected(p, 'a comma');
    return scanner.skipSpace(p + 1);
  }

  #typeError(type: DataType, path: string, p: number, spelling?: string): Error {
    return this.scanner.fieldError('MR-FORMAT-TYPE', path, spelling ?? formatType(type), p);
  }

  #rangeError(type: DataType, path: string, p: number): Error {
    return this.scanner.fieldError('MR-FORMAT-RANGE', path, formatType(type), p);
  }
}

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

const SPELLINGS = {
  date: 'date (YYYY-MM-DD)',
  time: 'time (HH:MM:SS)',
  timestamp: 'timestamp (ISO 8601, or milliseconds since 1970)',
};

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function isNumberStart(c: number): boolean {
  return c === 0x2d || (c >= 0x30 && c <= 0x39);
}

function putCodePoint(target: Uint8Array, at: number, codePoint: number): number {
  let o = at;
  if (codePoint < 0x80) {
    target[o++] = codePoint;
  } else if (codePoint < 0x800) {
    target[o++] = 0xc0 | (codePoint >> 6);
    target[o++] = 0x80 | (codePoint & 0x3f);
  } else if (codePoint < 0x10000) {
    target[o++] = 0xe0 | (codePoint >> 12);
    target[o++] = 0x80 | ((codePoint >> 6) & 0x3f);
    target[o++] = 0x80 | (codePoint & 0x3f);
  } else {
    target[o++] = 0xf0 | (codePoint >> 18);
    target[o++] = 0x80 | ((codePoint >> 12) & 0x3f);
    target[o++] = 0x80 | ((codePoint >> 6) & 0x3f);
    target[o++] = 0x80 | (codePoint & 0x3f);
  }
  return o;
}
