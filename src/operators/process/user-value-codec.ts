/**
 * Values that user code keeps, as bytes: what is no object in the encoding of value-codec.ts, objects as V8 serialises
 * them (structured cloning). V8 reads what every earlier version of it has written, and refuses what later ones have.
 */
import { deserialize, serialize } from 'node:v8';
import { messageOf } from '../../core/index.ts';
import type { Value } from '../../core/index.ts';
import type { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { decodeValue, encodeValue } from '../state/value-codec.ts';

const PLAIN = 0;
const CLONED = 1;

/** Throws what V8 throws where the value cannot be cloned: a function, a promise. */
export function encodeUserValue(value: unknown, to: ByteWriter): void {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')) {
    to.byte(PLAIN);
    encodeValue(value as Value, to);
    return;
  }
  const bytes = serialize(value);
  to.byte(CLONED);
  to.varint(bytes.length);
  to.raw(bytes, 0, bytes.length);
}

export function decodeUserValue(from: ByteReader): unknown {
  const sort = from.byte();
  if (sort === PLAIN) return decodeValue(from);
  if (sort !== CLONED) return from.fail(`there is no sort of user value ${sort}`);
  const bytes = from.raw(from.count());
  try {
    return deserialize(bytes);
  } catch (error) {
    return from.fail(`V8 cannot read a value: ${messageOf(error)}`);
  }
}
