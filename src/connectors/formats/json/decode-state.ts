/**
 * What a generated decoder works on, and what it calls where its inlined code does not know what to do: another key
 * than the expected one, a value in another shape than the usual one, a broken record.
 */
import { reserveBytes, writeValue } from '../../../core/index.ts';
import type { BytesColumn, Column, Field } from '../../../core/index.ts';
import { cacheMinute, type MinuteCache } from '../iso-time.ts';
import { JsonScanner } from './json-scanner.ts';
import { JsonValues } from './json-values.ts';
import type { RecordLayout } from './record-layout.ts';

const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const COMMA = 0x2c;

export class DecodeState {
  readonly scanner = new JsonScanner();
  readonly values = new JsonValues(this.scanner);
  readonly targets: readonly Field[];
  /** One column per target, in the batch or in the decoder's scratch. */
  columns: readonly Column[] = [];
  /** `data` of the block: what columns borrow. */
  blockData: Uint8Array = this.scanner.bytes;
  /** Where begin() and next() stopped: at the first byte of a value. */
  position = 0;
  /** Set by value(): the value was NULL. */
  isNull = false;
  /** The next row, handed in and out. */
  row = 0;
  /** What was thrown for the record that the generated function returned, and in which filter (-1: decoding). */
  error: unknown = null;
  failedFilter = -1;
  /** How often keys were not where the layout expects them. */
  surprises = 0;
  #layout: RecordLayout = [];
  /** Slots by the hash of their key: the first slot + 1, then chains. */
  #buckets = new Int32Array(0);
  #chains = new Int32Array(0);
  #keys: readonly Uint8Array[] = [];
  #slotOfKey = new Map<string, number>();

  constructor(targets: readonly Field[]) {
    this.targets = targets;
  }

  setBlock(data: Uint8Array): void {
    this.blockData = data;
    this.scanner.setBytes(data);
  }

  setLayout(layout: RecordLayout): void {
    this.#layout = layout;
    this.#keys = layout.map((slot) => new TextEncoder().encode(slot.key));
    this.#slotOfKey = new Map(layout.map((slot, index) => [slot.key, index]));
    let size = 8;
    while (size < layout.length * 2) size *= 2;
    this.#buckets = new Int32Array(size);
    this.#chains = new Int32Array(layout.length);
    this.#keys.forEach((key, slot) => {
      const bucket = hashKey(key, 0, key.length) & (size - 1);
      this.#chains[slot] = this.#buckets[bucket] as number;
      this.#buckets[bucket] = slot + 1;
    });
  }

  /** From the start of a record to its first key that the layout knows: the slot, or their number at the end. */
  begin(start: number): number {
    const { scanner } = this;
    const p = scanner.skipSpace(start);
    if (scanner.bytes[p] !== OPEN_BRACE) throw scanner.unexpected(p, 'an object');
    const first = scanner.skipSpace(p + 1);
    if (scanner.bytes[first] === CLOSE_BRACE) return this.#finish(first);
    return this.#findSlot(first);
  }

  /** As begin(), from behind a value. */
  next(from: number): number {
    const { scanner } = this;
    const p = scanner.skipSpace(from);
    const c = p < scanner.end ? (scanner.bytes[p] as number) : -1;
    if (c === COMMA) return this.#findSlot(scanner.skipSpace(p + 1));
    if (c === CLOSE_BRACE) return this.#finish(p);
    throw scanner.unexpected(p, ', or }');
  }

  #finish(p: number): number {
    const { scanner } = this;
    if (p + 1 !== scanner.end) throw scanner.unexpected(scanner.skipSpace(p + 1), 'the end of the record');
    return this.#layout.length;
  }

  #findSlot(start: number): number {
    const { scanner } = this;
    this.surprises++;
    let p = start;
    for (;;) {
      if (p >= scanner.end || scanner.bytes[p] !== QUOTE) throw scanner.unexpected(p, 'a key in quotes');
      const end = scanner.skipString(p + 1);
      const slot = scanner.hasEscapes ? this.#slotOfEscaped(p) : this.#slotOf(p + 1, end);
      p = scanner.skipColon(end + 1);
      if (slot >= 0) {
        this.position = p;
        return slot;
      }
      p = scanner.skipSpace(scanner.skipValue(p));
      const c = p < scanner.end ? (scanner.bytes[p] as number) : -1;
      if (c === CLOSE_BRACE) return this.#finish(p);
      if (c !== COMMA) throw scanner.unexpected(p, ', or }');
      p = scanner.skipSpace(p + 1);
    }
  }

  #slotOf(start: number, end: number): number {
    const { bytes } = this.scanner;
    const bucket = hashKey(bytes, start, end) & (this.#buckets.length - 1);
    for (let slot = (this.#buckets[bucket] as number) - 1; slot >= 0; slot = (this.#chains[slot] as number) - 1) {
      const key = this.#keys[slot] as Uint8Array;
      if (key.length === end - start && sameBytes(bytes, start, key)) return slot;
    }
    return -1;
  }

  #slotOfEscaped(p: number): number {
    return this.#slotOfKey.get(this.values.readKey(p)) ?? -1;
  }

  /** The end of a value that is not wanted. */
  skip(start: number): number {
    return this.scanner.skipValue(this.scanner.skipSpace(start));
  }

  /**
   * Decodes the value at `start` (or behind white space there) into row `row` of the target's column, or sets `isNull`;
   * returns the value's end.
   */
  value(target: number, start: number, row: number): number {
    const { type, name } = this.targets[target] as Field;
    const column = this.columns[target] as Column;
    const { scanner, values } = this;
    const p = scanner.skipSpace(start);
    this.isNull = p < scanner.end && scanner.bytes[p] === 0x6e;
    if (this.isNull) return scanner.skipValue(p);
    if (column.kind === 'bytes') {
      if (type.kind === 'json') {
        const end = scanner.skipValue(p);
        this.putRange(column, row, p, end);
        return end;
      }
      if (type.kind === 'string' && scanner.bytes[p] === QUOTE) return this.#stringValue(column, p, row);
    }
    writeValue(column, row, values.read(type, name, p));
    return values.position;
  }

  #stringValue(column: BytesColumn, p: number, row: number): number {
    const end = this.scanner.skipString(p + 1);
    if (!this.scanner.hasEscapes) {
      this.putRange(column, row, p + 1, end);
      return end + 1;
    }
    const arena = reserveBytes(column, row, end - p);
    column.starts[row] = column.used;
    column.used = this.values.unescape(p + 1, end, arena, column.used);
    column.ends[row] = column.used;
    return end + 1;
  }

  /** Bytes of the block as the value of a row: borrowed, or copied where the column already owns its bytes. */
  putRange(column: BytesColumn, row: number, start: number, end: number): void {
    if (column.data === this.blockData) {
      column.starts[row] = start;
      column.ends[row] = end;
      return;
    }
    const arena = reserveBytes(column, row, end - start);
    const to = column.used;
    copyBytes(this.scanner.bytes, start, end, arena, to);
    column.starts[row] = to;
    column.used = to + end - start;
    column.ends[row] = column.used;
  }

  /** Whether the 16 bytes at `start` are the minute of a timestamp; remembers it. */
  minute(cache: MinuteCache, start: number): boolean {
    return cacheMinute(cache, this.values.times, this.scanner.bytes, this.scanner.view, start);
  }

  fail(error: unknown, filter: number): void {
    this.error = error;
    this.failedFilter = filter;
  }
}

function hashKey(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let p = start; p < end; p++) hash = Math.imul(hash ^ (bytes[p] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}

function sameBytes(bytes: Uint8Array, start: number, key: Uint8Array): boolean {
  for (let i = 0; i < key.length; i++) if (bytes[start + i] !== key[i]) return false;
  return true;
}

/** Native copies have a fixed cost that short values do not earn back. */
const NATIVE_COPY_BYTES = 96;

function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > NATIVE_COPY_BYTES) {
    to.set(from.subarray(start, end), at);
    return;
  }
  for (let p = start, o = at; p < end; p++, o++) to[o] = from[p] as number;
}
