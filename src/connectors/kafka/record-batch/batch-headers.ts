/** Whose a batch is and what it is, for those who follow transactions instead of records. */
import { crc32c } from '../../../core/index.ts';
import { kafkaErrors } from '../errors.ts';
import { Attribute, Batch, LENGTH_OVERHEAD, MAGIC, readBigInt64, readInt16, readInt32, readInt64 } from './layout.ts';

/** The types of control records. */
export const Marker = Object.freeze({ abort: 0, commit: 1 });

export interface BatchHeader {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly producerId: bigint;
  readonly epoch: number;
  readonly isTransactional: boolean;
  /** Null for a batch of records. */
  readonly markerType: number | null;
}

/** The headers of the whole batches at data[start .. end), in order. Throws MR-KAFKA-CORRUPT. */
export function* readBatchHeaders(data: Uint8Array, start: number, end: number): Generator<BatchHeader> {
  for (let at = start; at + LENGTH_OVERHEAD <= end; ) {
    const batchEnd = at + LENGTH_OVERHEAD + readInt32(data, at + Batch.length);
    if (batchEnd > end) return;
    const baseOffset = readInt64(data, at);
    const isWhole = batchEnd - at >= Batch.records && data[at + Batch.magic] === MAGIC;
    const checksum = isWhole ? crc32c(data.subarray(at + Batch.attributes, batchEnd)) | 0 : 0;
    if (!isWhole || checksum !== readInt32(data, at + Batch.crc)) {
      const fields = { position: `offset ${baseOffset}`, reason: 'it is not a record batch with its checksum' };
      throw kafkaErrors.create('MR-KAFKA-CORRUPT', fields);
    }
    const attributes = readInt16(data, at + Batch.attributes);
    yield {
      baseOffset,
      lastOffset: baseOffset + readInt32(data, at + Batch.lastOffsetDelta),
      producerId: readBigInt64(data, at + Batch.producerId),
      epoch: readInt16(data, at + Batch.producerEpoch),
      isTransactional: (attributes & Attribute.transactional) !== 0,
      markerType: (attributes & Attribute.control) === 0 ? null : controlType(data, at + Batch.records, batchEnd),
    };
    at = batchEnd;
  }
}

/** The type in a control record's key (version int16, type int16), or -1. Control batches are never compressed. */
export function controlType(data: Uint8Array, start: number, end: number): number {
  let at = start;
  const varint = (): number => {
    let bits = 0;
    for (let shift = 0; at < end; shift += 7) {
      const byte = data[at++] as number;
      bits |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    return (bits >>> 1) ^ -(bits & 1);
  };
  varint();
  at++;
  varint();
  varint();
  const keyLength = varint();
  return keyLength >= 4 && at + 4 <= end ? readInt16(data, at + 2) : -1;
}
