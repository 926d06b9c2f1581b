import type { ByteReader } from './byte-reader.ts';

/** A time in ms that ByteWriter.integer() wrote. */
export function readTime(from: ByteReader): number {
  const time = from.integer();
  const ms = Number(time);
  if (!Number.isSafeInteger(ms)) from.fail('a time is out of range');
  return ms;
}
