/**
 * Values of core/value.ts as tagged bytes, for the columns of arrays, maps and rows. Not a hot path.
 *
 * A value is a tag, then: number float64 · bigint sign byte, length and magnitude (little endian) · string and bytes
 * length and data · list count and values · map count and key, value pairs. Lengths and counts are uint32.
 */
import type { Value } from '../../core/index.ts';
import { taskErrors } from '../errors.ts';

const Tag = Object.freeze({
  null: 0,
  false: 1,
  true: 2,
  number: 3,
  bigint: 4,
  string: 5,
  bytes: 6,
  list: 7,
  map: 8,
});

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class ValueWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #used = 0;

  /** What was written so far; valid until the next call. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#used);
  }

  reset(): void {
    this.#used = 0;
  }

  uint32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
  }

  string(text: string): void {
    this.#block(encoder.encode(text));
  }

  value(value: Value): void {
    if (value === null) this.#tag(Tag.null);
    else if (typeof value === 'boolean') this.#tag(value ? Tag.true : Tag.false);
    else if (typeof value === 'number') {
      this.#tag(Tag.number);
      const at = this.#reserve(8);
      this.#view.setFloat64(at, value, true);
    } else if (typeof value === 'bigint') this.#bigint(value);
    else if (typeof value === 'string') {
      this.#tag(Tag.string);
      this.string(value);
    } else if (value instanceof Uint8Array) {
      this.#tag(Tag.bytes);
      this.#block(value);
    } else if (value instanceof Map) this.#map(value as ReadonlyMap<Value, Value>);
    else this.#list(value as readonly Value[]);
  }

  #list(values: readonly Value[]): void {
    this.#tag(Tag.list);
    this.uint32(values.length);
    for (const value of values) this.value(value);
  }

  #map(map: ReadonlyMap<Value, Value>): void {
    this.#tag(Tag.map);
    this.uint32(map.size);
    for (const [key, value] of map) {
      this.value(key);
      this.value(value);
    }
  }

  #bigint(value: bigint): void {
    this.#tag(Tag.bigint);
    let rest = value < 0n ? -value : value;
    const magnitude: number[] = [];
    for (; rest > 0n; rest >>= 8n) magnitude.push(Number(rest & 255n));
    this.#tag(value < 0n ? 1 : 0);
    this.#block(Uint8Array.from(magnitude));
  }

  #tag(tag: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = tag;
  }

  #block(data: Uint8Array): void {
    this.uint32(data.length);
    const at = this.#reserve(data.length);
    this.#bytes.set(data, at);
  }

  #reserve(size: number): number {
    const at = this.#used;
    this.#used += size;
    if (this.#used > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#used, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

export class ValueReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  string(): string {
    return decoder.decode(this.#block());
  }

  value(): Value {
    const tag = this.#bytes[this.#take(1)];
    switch (tag) {
      case Tag.null:
        return null;
      case Tag.false:
        return false;
      case Tag.true:
        return true;
      case Tag.number:
        return this.#view.getFloat64(this.#take(8), true);
      case Tag.bigint:
        return this.#bigint();
      case Tag.string:
        return this.string();
      case Tag.bytes:
        return this.#block().slice();
      case Tag.list:
        return Array.from({ length: this.#count() }, () => this.value());
      case Tag.map:
        return this.#map();
      default:
        throw taskErrors.create('MR-TASK-BAD-FRAME', { problem: `unknown value tag ${tag ?? -1}` });
    }
  }

  #bigint(): bigint {
    const negative = this.#bytes[this.#take(1)] === 1;
    let value = 0n;
    for (const byte of this.#block().toReversed()) value = (value << 8n) | BigInt(byte);
    return negative ? -value : value;
  }

  #map(): ReadonlyMap<Value, Value> {
    const map = new Map<Value, Value>();
    for (let left = this.#count(); left > 0; left--) {
      const key = this.value();
      map.set(key, this.value());
    }
    return map;
  }

  /** A number of values, each of which takes at least its tag. */
  #count(): number {
    const count = this.uint32();
    if (count > this.#bytes.length - this.#at) throw truncated();
    return count;
  }

  #block(): Uint8Array {
    const size = this.uint32();
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  #take(size: number): number {
    const at = this.#at;
    this.#at += size;
    if (this.#at > this.#bytes.length) throw truncated();
    return at;
  }
}

function truncated(): Error {
  return taskErrors.create('MR-TASK-BAD-FRAME', { problem: 'a value is cut short' });
}
