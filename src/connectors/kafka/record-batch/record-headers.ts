/** The headers of a record: a count (varint), then name and value of each, with their lengths. */
import { kafkaErrors } from '../errors.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export interface RecordHeader {
  readonly name: string;
  readonly value: Uint8Array | null;
}

/** The headers that lie at data[start .. end); none for a start of -1. The values are views. */
export function decodeHeaders(data: Uint8Array, start: number, end: number): RecordHeader[] {
  if (start < 0) return [];
  let at = start;
  const length = (): number => {
    let bits = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = at < end ? (data[at++] as number) : malformed();
      bits |= (byte & 127) << shift;
      if (byte < 128) return (bits >>> 1) ^ -(bits & 1);
    }
    return malformed();
  };
  const bytes = (count: number): Uint8Array => {
    if (count < 0 || at + count > end) return malformed();
    at += count;
    return data.subarray(at - count, at);
  };
  const headers: RecordHeader[] = [];
  for (let count = length(); count > 0; count--) {
    const name = decoder.decode(bytes(length()));
    const valueLength = length();
    headers.push({ name, value: valueLength < 0 ? null : bytes(valueLength) });
  }
  return headers;
}

function malformed(): never {
  throw kafkaErrors.create('MR-KAFKA-CORRUPT', { position: 'a record', reason: 'its headers are malformed' });
}

/** The encoding of headers, or null for none. */
export function encodeHeaders(headers: readonly RecordHeader[]): Buffer | null {
  if (headers.length === 0) return null;
  const parts: Uint8Array[] = [varint(headers.length)];
  for (const { name, value } of headers) {
    const nameBytes = Buffer.from(name);
    parts.push(varint(nameBytes.length), nameBytes, varint(value === null ? -1 : value.length));
    if (value !== null) parts.push(value);
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
