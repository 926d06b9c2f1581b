/**
 * The hot loop of reading: records of a batch become rows of a RecordBlock. See bench/micro/kafka-source.ts.
 *
 * A read behind the end of the bytes gives undefined, which every varint loop takes for a last byte; one check per
 * record then finds that it does not lie inside its batch. So corrupt bytes end in an error and never in a hang.
 */
import { MAX_TIMESTAMP_MS, type RecordBlock } from '../../../core/index.ts';
import type { BatchCursor } from './batch-cursor.ts';

/** Walks until the block is full or the batch ends. Returns false where the bytes are not records. */
export function walkRecords(cursor: BatchCursor, block: RecordBlock): boolean {
  const { data, end, baseOffset, baseTimestamp, appendTimestamp, fromOffset, endOffset } = cursor;
  const { valueStarts, valueEnds, keyStarts, keyEnds, headerStarts, headerEnds, timestamps, offsets, capacity } = block;
  const isStamped = appendTimestamp === appendTimestamp;
  let count = block.count;
  let left = cursor.recordsLeft;
  let at = cursor.position;
  let byte = 0;
  let bits = 0;
  let shift = 0;
  while (left > 0 && count < capacity) {
    for (bits = shift = 0, byte = 128; byte > 127; shift += 7) bits |= ((byte = data[at++] as number) & 127) << shift;
    const next = at + ((bits >>> 1) ^ -(bits & 1));
    // The record's attributes are unused.
    at++;
    for (bits = shift = 0, byte = 128; byte > 127; shift += 7) bits |= ((byte = data[at++] as number) & 127) << shift;
    const delta = shift <= 28 ? (bits >>> 1) ^ -(bits & 1) : readLongBefore(data, at, shift / 7);
    for (bits = shift = 0, byte = 128; byte > 127; shift += 7) bits |= ((byte = data[at++] as number) & 127) << shift;
    const offset = baseOffset + ((bits >>> 1) ^ -(bits & 1));
    for (bits = shift = 0, byte = 128; byte > 127; shift += 7) bits |= ((byte = data[at++] as number) & 127) << shift;
    const keyLength = (bits >>> 1) ^ -(bits & 1);
    const keyStart = keyLength < 0 ? -1 : at;
    if (keyLength > 0) at += keyLength;
    for (bits = shift = 0, byte = 128; byte > 127; shift += 7) bits |= ((byte = data[at++] as number) & 127) << shift;
    const valueLength = (bits >>> 1) ^ -(bits & 1);
    const valueStart = valueLength < 0 ? -1 : at;
    if (valueLength > 0) at += valueLength;
    if (next > end || at >= next) return false;
    left--;
    if (offset < fromOffset) {
      at = next;
      continue;
    }
    if (offset >= endOffset) {
      cursor.isPastEnd = true;
      left = 0;
      at = end;
      break;
    }
    keyStarts[count] = keyStart;
    keyEnds[count] = keyStart + keyLength;
    valueStarts[count] = valueStart;
    valueEnds[count] = valueStart + valueLength;
    headerStarts[count] = data[at] === 0 ? -1 : at;
    headerEnds[count] = next;
    offsets[count] = offset;
    const timestamp = isStamped ? appendTimestamp : baseTimestamp + delta;
    timestamps[count] = timestamp >= 0 && timestamp <= MAX_TIMESTAMP_MS ? timestamp : -1;
    count++;
    at = next;
  }
  block.count = count;
  cursor.recordsLeft = left;
  cursor.position = at;
  // Bytes behind the last record would be records that the header does not count.
  return left > 0 || at === end;
}

/** The zigzag varlong of `length` bytes that ends before `end`, as a double. */
function readLongBefore(data: Uint8Array, end: number, length: number): number {
  let bits = 0n;
  for (let i = Math.min(length, 10); i > 0; i--) {
    bits = (bits << 7n) | BigInt((data[end - length + i - 1] ?? 0) & 127);
  }
  return Number(BigInt.asIntN(64, (bits >> 1n) ^ -(bits & 1n)));
}
