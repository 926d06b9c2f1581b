/** Values of arrays, maps and rows (core/value.ts) as bytes that describe themselves. */
import { columnKind } from '../../core/index.ts';
import type { ColumnKind, DataType, Value } from '../../core/index.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

const TAG_NULL = 0;
const TAG_FALSE = 1;
const TAG_TRUE = 2;
const TAG_NUMBER = 3;
const TAG_INTEGER = 4;
const TAG_STRING = 5;
const TAG_BYTES = 6;
const TAG_LIST = 7;
const TAG_MAP = 8;

/** Types nest as deep as somebody writes them; bytes that go deeper are not ours. */
const MAX_DEPTH = 200;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function encodeValue(value: Value, to: ByteWriter): void {
  if (value === null) to.byte(TAG_NULL);
  else if (typeof value === 'boolean') to.byte(value ? TAG_TRUE : TAG_FALSE);
  else if (typeof value === 'number') {
    to.byte(TAG_NUMBER);
    to.double(value);
  } else if (typeof value === 'bigint') {
    to.byte(TAG_INTEGER);
    to.integer(0, value);
  } else if (typeof value === 'string') encodeBytes(TAG_STRING, encoder.encode(value), to);
  else if (value instanceof Uint8Array) encodeBytes(TAG_BYTES, value, to);
  else if (value instanceof Map) {
    const entries = value as ReadonlyMap<Value, Value>;
    to.byte(TAG_MAP);
    to.varint(entries.size);
    for (const [key, each] of entries) {
      encodeValue(key, to);
      encodeValue(each, to);
    }
  } else {
    const elements = value as readonly Value[];
    to.byte(TAG_LIST);
    to.varint(elements.length);
    for (const element of elements) encodeValue(element, to);
  }
}

function encodeBytes(tag: number, bytes: Uint8Array, to: ByteWriter): void {
  to.byte(tag);
  to.varint(bytes.length);
  to.raw(bytes, 0, bytes.length);
}

export function decodeValue(from: ByteReader, depth = 0): Value {
  if (depth > MAX_DEPTH) from.fail('a value nests too deep');
  const tag = from.byte();
  switch (tag) {
    case TAG_NULL:
      return null;
    case TAG_FALSE:
    case TAG_TRUE:
      return tag === TAG_TRUE;
    case TAG_NUMBER:
      return from.double();
    case TAG_INTEGER:
      return from.integer();
    case TAG_STRING:
      return decoder.decode(from.raw(from.count()));
    case TAG_BYTES:
      return from.raw(from.count()).slice();
    case TAG_LIST: {
      const elements: Value[] = [];
      for (let left = from.count(); left > 0; left--) elements.push(decodeValue(from, depth + 1));
      return elements;
    }
    case TAG_MAP: {
      const entries = new Map<Value, Value>();
      for (let left = from.count(); left > 0; left--) {
        const key = decodeValue(from, depth + 1);
        entries.set(key, decodeValue(from, depth + 1));
      }
      return entries;
    }
    default:
      return from.fail(`there is no kind of value ${tag}`);
  }
}

/** Whether a value has the form that values of this type have. */
export function conforms(value: Value, type: DataType): boolean {
  if (value === null) return true;
  switch (type.kind) {
    case 'array':
      return Array.isArray(value) && value.every((element: Value) => conforms(element, type.element));
    case 'row':
      return (
        Array.isArray(value) &&
        value.length === type.fields.length &&
        type.fields.every((field, index) => conforms((value as readonly Value[])[index] ?? null, field.type))
      );
    case 'map':
      return (
        value instanceof Map &&
        [...(value as ReadonlyMap<Value, Value>)].every(
          ([key, each]) => conforms(key, type.key) && conforms(each, type.value),
        )
      );
    case 'bytes':
      return value instanceof Uint8Array;
    default:
      return typeof value === PRIMITIVES[columnKind(type)];
  }
}

const PRIMITIVES: Readonly<Record<ColumnKind, string>> = {
  boolean: 'boolean',
  int: 'number',
  double: 'number',
  long: 'bigint',
  decimal: 'bigint',
  bytes: 'string',
  object: 'object',
};
