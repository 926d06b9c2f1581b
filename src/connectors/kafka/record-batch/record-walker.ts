/**
 * The hot loop of reading: records of a batch become rows of a RecordBlock. See bench/micro/kafka-source.ts.
 *
 * A read behind the end of the bytes gives undefined, which every varint loop takes for a last byte; one check per
 * record then finds that it does not lie inside its batch. So corrupt bytes end in an error and never in a hang.
 */
import { MAX_TIMESTAMP_MS, type RecordBlock } from '../../../core/index.ts';
import type { BatchCursor } from './batch-cursor.ts';

/**
 * Walks until the block is full or the batch ends. Returns false where the bytes are not records. Keys, headers and
 * timestamps are only put down where the cursor says so: that is half of the work. Most varints have one or two bytes.
 */
export function walkRecords(cursor: BatchCursor, block: RecordBlock): boolean {
  const { data, end, baseOffset, fromOffset, endOffset, withDetails } = cursor;
  const { valueStarts, valueEnds, keyStarts, keyEnds, headerStarts, headerEnds, offsets, capacity } = block;
  let count = block.count;
  let left = cursor.recordsLeft;
  let at = cursor.position;
  let byte = 0;
  let bits = 0;
  let shift = 7;
  while (left > 0 && count < capacity) {
    if ((bits = data[at++] as number) > 127) {
      bits &= 127;
      for (shift = 7, byte = 128; byte > 127; shift += 7) bits |= ((byte = data[at++] as number) & 127) << shift;
    }
    const next = at + ((bits >>> 1) ^ -(bits & 1));
    // The record's attributes are unused.
    const deltaStart = ++at;
    while ((data[at++] as number) > 127);
    if (withDetails) storeTimestamp(cursor, block, count, deltaStart, at);
    if ((bits = data[at++] as number) > 127) {
      bits &= 127;
      for (shift = 7, byte = 128; byte > 127; shift += 7) bits |= ((byte = data[at++] as number) & 127) << shift;
    }
    const offset = baseOffset + ((bits >>> 1) ^ -(bits & 1));
    if ((bits = data[at++] as number) > 127) {
      bits &= 127;
      for (shift = 7, byte = 128; byte > 127; shift += 7) bits |= ((byte = data[at++] as number) & 127) << shift;
    }
    const keyLength = (bits >>> 1) ^ -(bits & 1);
    const keyStart = keyLength < 0 ? -1 : at;
    if (keyLength > 0) at += keyLength;
    if ((bits = data[at++] as number) > 127) {
      bits &= 127;
      for (shift = 7, byte = 128; byte > 127; shift += 7) bits |= ((byte = data[at++] as number) & 127) << shift;
    }
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
    valueStarts[count] = valueStart;
    valueEnds[count] = valueStart + valueLength;
    offsets[count] = offset;
    if (withDetails) {
      keyStarts[count] = keyStart;
      keyEnds[count] = keyStart + keyLength;
      headerStarts[count] = data[at] === 0 ? -1 : at;
      headerEnds[count] = next;
    }
    count++;
    at = next;
  }
  block.count = count;
  cursor.recordsLeft = left;
  cursor.position = at;
  // Bytes behind the last record would be records that the header does not count.
  return left > 0 || at === end;
}

/** The timestamp of record `index`, whose delta stands at [start, end). */
function storeTimestamp(cursor: BatchCursor, block: RecordBlock, index: number, start: number, end: number): void {
  const { data, baseTimestamp, appendTimestamp } = cursor;
  let timestamp = appendTimestamp;
  if (timestamp !== timestamp) {
    let bits = 0;
    for (let at = end - 1; at >= start; at--) bits = (bits << 7) | ((data[at] as number) & 127);
    const isSmall = end - start <= 4;
    timestamp = baseTimestamp + (isSmall ? (bits >>> 1) ^ -(bits & 1) : readLongBefore(data, end, end - start));
  }
  block.timestamps[index] = timestamp >= 0 && timestamp <= MAX_TIMESTAMP_MS ? timestamp : -1;
}

/** The zigzag varlong of `length` bytes that ends before `end`, as a double. */
function readLongBefore(data: Uint8Array, end: number, length: number): number {
  let bits = 0n;
  for (let i = Math.min(length, 10); i > 0; i--) {
    bits = (bits << 7n) | BigInt((data[end - length + i - 1] ?? 0) & 127);
  }
  return Number(BigInt.asIntN(64, (bits >> 1n) ^ -(bits & 1n)));
}
