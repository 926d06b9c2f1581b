/**
 * Values that user code keeps, as bytes (docs/design/014): what is no object in the encoding of value-codec.ts; a plain
 * object of such values field by field, because most are, and V8 takes ten times as long; all other objects as V8
 * serialises them (structured cloning). V8 reads what every earlier version of it has written.
 */
import { deserialize, serialize } from 'node:v8';
import { messageOf } from '../../core/index.ts';
import type { Value } from '../../core/index.ts';
import type { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { decodeValue, encodeValue } from '../state/value-codec.ts';
import { setField } from './user-values.ts';

const PLAIN = 0;
const CLONED = 1;
const FIELDS = 2;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Names of fields are few, and come again and again. */
const MAX_KNOWN_NAMES = 4096;
const knownNames = new Map<string, Uint8Array>();

/** Throws what V8 throws where the value cannot be cloned: a function, a promise. */
export function encodeUserValue(value: unknown, to: ByteWriter): void {
  if (isPlain(value)) {
    to.byte(PLAIN);
    encodeValue(value, to);
    return;
  }
  const start = to.length;
  if (isObject(value) && Object.getPrototypeOf(value) === Object.prototype && encodeFields(value, to)) return;
  to.truncate(start);
  const bytes = serialize(value);
  to.byte(CLONED);
  to.varint(bytes.length);
  to.raw(bytes, 0, bytes.length);
}

export function decodeUserValue(from: ByteReader): unknown {
  const sort = from.byte();
  if (sort === PLAIN) return decodeValue(from);
  if (sort === FIELDS) return decodeFields(from);
  if (sort !== CLONED) return from.fail(`there is no sort of user value ${sort}`);
  const bytes = from.raw(from.count());
  try {
    return deserialize(bytes);
  } catch (error) {
    return from.fail(`V8 cannot read a value: ${messageOf(error)}`);
  }
}

function isPlain(value: unknown): value is Value {
  const type = typeof value;
  return type === 'number' || type === 'string' || type === 'boolean' || type === 'bigint' || value === null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** False where a field is more than a plain value; what was written then is to be forgotten. */
function encodeFields(value: Readonly<Record<string, unknown>>, to: ByteWriter): boolean {
  const names = Object.keys(value);
  to.byte(FIELDS);
  to.varint(names.length);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const field = value[name];
    if (!isPlain(field)) return false;
    const bytes = bytesOf(name);
    to.varint(bytes.length);
    to.raw(bytes, 0, bytes.length);
    encodeValue(field, to);
  }
  return true;
}

function decodeFields(from: ByteReader): object {
  const value: Record<string, unknown> = {};
  for (let left = from.count(); left > 0; left--) {
    const name = decoder.decode(from.raw(from.count()));
    const field = decodeValue(from);
    if (name === '__proto__') setField(value, name, field);
    else value[name] = field;
  }
  return value;
}

function bytesOf(name: string): Uint8Array {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const bytes = encoder.encode(name);
  if (knownNames.size < MAX_KNOWN_NAMES) knownNames.set(name, bytes);
  return bytes;
}
