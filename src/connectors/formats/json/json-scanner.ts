/**
 * The grammar of JSON (RFC 8259) over the bytes of one record: checks it and finds where values end; makes nothing.
 *
 * Positions are indexes into `bytes`. A record is [recordStart, end), and its last byte is `}`: loops that stop at a
 * byte that they do not take need no check of the end, because `}` stops all of them but those inside strings.
 */
import type { ErrorCode, MillraceError } from '../../../core/index.ts';
import { viewOf } from '../byte-view.ts';
import { formatErrors } from '../errors.ts';
import { utf8SequenceLength } from '../utf8.ts';
import { scanPlain } from './byte-scan.ts';

/** As Jackson's StreamReadConstraints. */
const MAX_DEPTH = 1000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class JsonScanner {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = viewOf(this.bytes);
  recordStart = 0;
  end = 0;
  /** Set by skipString: whether the string holds an escape. */
  hasEscapes = false;
  readonly #isObject = new Uint8Array(MAX_DEPTH + 1);

  setBytes(bytes: Uint8Array): void {
    // Always a plain Uint8Array, so that hot loops see one class whether a Buffer was handed in or not.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = viewOf(bytes);
  }

  /** Sets the bounds of a record without the white space around its end; fails where it does not end like an object. */
  setRecord(start: number, end: number): void {
    this.recordStart = start;
    this.end = end;
    let last = end - 1;
    while (last >= start && isSpace(this.bytes[last] as number)) last--;
    this.end = last + 1;
    if (last < start) throw this.syntax('an empty record where an object is expected', start);
    if (this.bytes[last] === CLOSE_BRACE && last > start) return;
    this.#failAtWrongEnd(start);
  }

  /** The record cannot be an object: says what it is instead, or what is missing. */
  #failAtWrongEnd(start: number): never {
    let p = start;
    while (isSpace(this.bytes[p] as number)) p++;
    const c = this.bytes[p] as number;
    if (c !== OPEN_BRACE) throw this.syntax(`${this.describe(p)} where an object is expected`, p);
    throw this.syntax('the object does not end', this.end);
  }

  skipSpace(from: number): number {
    let p = from;
    while (p < this.end && isSpace(this.bytes[p] as number)) p++;
    return p;
  }

  /** The end of the value that begins at `start`. */
  skipValue(start: number): number {
    let p = start;
    let depth = 0;
    for (;;) {
      const c = p < this.end ? (this.bytes[p] as number) : -1;
      if (c === OPEN_BRACE || c === OPEN_BRACKET) {
        const isObject = c === OPEN_BRACE;
        p = this.skipSpace(p + 1);
        if (this.bytes[p] !== (isObject ? CLOSE_BRACE : CLOSE_BRACKET) || p >= this.end) {
          if (++depth > MAX_DEPTH) throw this.syntax(`more than ${MAX_DEPTH} levels`, p);
          this.#isObject[depth] = isObject ? 1 : 0;
          if (isObject) p = this.skipKey(p);
          continue;
        }
        p++;
      } else {
        p = this.#skipScalar(p, c);
      }
      while (depth > 0) {
        p = this.skipSpace(p);
        const isObject = this.#isObject[depth] === 1;
        const next = p < this.end ? (this.bytes[p] as number) : -1;
        if (next === COMMA) {
          p = this.skipSpace(p + 1);
          if (isObject) p = this.skipKey(p);
          break;
        }
        if (next !== (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) throw this.unexpected(p, isObject ? ', or }' : ', or ]');
        p++;
        depth--;
      }
      if (depth === 0) return p;
    }
  }

  /** From the opening quote of a key to the first byte of its value. */
  skipKey(start: number): number {
    if (start >= this.end || this.bytes[start] !== QUOTE) throw this.unexpected(start, 'a key in quotes');
    return this.skipColon(this.skipString(start + 1) + 1);
  }

  /** From behind a key to the first byte of its value. */
  skipColon(from: number): number {
    const p = this.skipSpace(from);
    if (p >= this.end || this.bytes[p] !== COLON) throw this.unexpected(p, 'a colon');
    return this.skipSpace(p + 1);
  }

  #skipScalar(p: number, c: number): number {
    if (c === QUOTE) return this.skipString(p + 1) + 1;
    if (c === MINUS || (c >= 0x30 && c <= 0x39)) return this.skipNumber(p);
    if (c === 0x74) return this.#skipWord(p, TRUE);
    if (c === 0x66) return this.#skipWord(p, FALSE);
    if (c === 0x6e) return this.#skipWord(p, NULL);
    throw this.unexpected(p, 'a value');
  }

  #skipWord(p: number, word: Uint8Array): number {
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[p + i] !== word[i]) throw this.unexpected(p, 'a value');
    }
    return p + word.length;
  }

  /** From the first byte behind an opening quote to the closing quote. */
  skipString(from: number): number {
    const { bytes, end } = this;
    this.hasEscapes = false;
    let p = from;
    for (;;) {
      p = scanPlain(bytes, this.view, p);
      if (p >= end) throw this.syntax('the string does not end', from - 1);
      const c = bytes[p] as number;
      if (c === QUOTE) return p;
      if (c === BACKSLASH) {
        this.hasEscapes = true;
        p = this.#skipEscape(p);
      } else if (c >= 0x80) {
        const length = utf8SequenceLength(bytes, p, end);
        if (length === 0) throw this.invalidUtf8(p);
        p += length;
      } else {
        throw this.syntax(`the control character 0x${c.toString(16).padStart(2, '0')} inside a string`, p);
      }
    }
  }

  #skipEscape(p: number): number {
    const c = this.bytes[p + 1] as number;
    if (c === 0x75) {
      for (let i = 2; i < 6; i++) {
        if (hexDigit(this.bytes[p + i] as number) < 0) throw this.syntax('an escape that is not \\uXXXX', p);
      }
      return p + 6;
    }
    if (ESCAPED[c] === 0) throw this.syntax('an unknown escape', p);
    return p + 2;
  }

  skipNumber(start: number): number {
    const { bytes } = this;
    let p = start;
    if (bytes[p] === MINUS) p++;
    if (bytes[p] === 0x30) p++;
    else p = this.#skipDigits(p, start);
    if (bytes[p] === DOT) p = this.#skipDigits(p + 1, start);
    if (bytes[p] === 0x65 || bytes[p] === 0x45) {
      p++;
      if (bytes[p] === PLUS || bytes[p] === MINUS) p++;
      p = this.#skipDigits(p, start);
    }
    const next = bytes[p] as number;
    if (isDigit(next)) throw this.syntax('a number with a leading zero', start);
    return p;
  }

  #skipDigits(from: number, start: number): number {
    let p = from;
    while (isDigit(this.bytes[p] as number)) p++;
    if (p === from) throw this.syntax('a number without digits', start);
    return p;
  }

  text(start: number, end: number): string {
    return textDecoder.decode(this.bytes.subarray(start, end));
  }

  /** What begins at `p`, for messages. */
  describe(p: number): string {
    const c = this.bytes[p] as number;
    if (c === OPEN_BRACE) return 'an object';
    if (c === OPEN_BRACKET) return 'an array';
    return excerpt(this.text(p, Math.min(this.#tokenEnd(p), p + 60)));
  }

  #tokenEnd(start: number): number {
    let p = start + 1;
    const quoted = this.bytes[start] === QUOTE;
    while (p < this.end) {
      const c = this.bytes[p] as number;
      if (quoted && c === QUOTE) return p + 1;
      if (!quoted && (isSpace(c) || c === COMMA || c === CLOSE_BRACE || c === CLOSE_BRACKET || c === QUOTE)) return p;
      p += quoted && c === BACKSLASH ? 2 : 1;
    }
    return Math.min(p, this.end);
  }

  unexpected(p: number, expected: string): MillraceError {
    if (p >= this.end) return this.syntax(`${expected} is expected, but the record ends`, p);
    return this.syntax(`${expected} is expected, not ${this.describe(p)}`, p);
  }

  syntax(problem: string, p: number): MillraceError {
    return formatErrors.create('MR-FORMAT-SYNTAX', { format: 'JSON', problem, position: p - this.recordStart });
  }

  invalidUtf8(p: number): MillraceError {
    const problem = `0x${(this.bytes[p] as number).toString(16)} begins no character`;
    return formatErrors.create('MR-FORMAT-UTF8', { problem, position: p - this.recordStart });
  }

  fieldError(code: 'MR-FORMAT-TYPE' | 'MR-FORMAT-RANGE', field: string, expected: string, p: number): MillraceError {
    const fields = { field, expected, found: this.describe(p), position: p - this.recordStart };
    return formatErrors.create(code satisfies ErrorCode, fields);
  }
}

const ascii = new TextEncoder();
const TRUE = ascii.encode('true');
const FALSE = ascii.encode('false');
const NULL = ascii.encode('null');

/** The byte that `\` and this byte stand for, or 0. */
export const ESCAPED = new Uint8Array(256);
for (const [escape, value] of [
  ['"', 0x22],
  ['\\', 0x5c],
  ['/', 0x2f],
  ['b', 0x08],
  ['f', 0x0c],
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
] as const) {
  ESCAPED[escape.charCodeAt(0)] = value;
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** The value of a hexadecimal digit, or -1. */
export function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function excerpt(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
