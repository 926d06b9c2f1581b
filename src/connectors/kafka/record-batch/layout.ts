/**
 * Record batch, version 2 (magic 2, since Kafka 0.11; KIP-98):
 *
 *   0 base offset int64          8 length int32 (of what follows)   12 leader epoch int32
 *  16 magic int8                17 CRC-32C uint32 (from 21 on)      21 attributes int16
 *  23 last offset delta int32   27 base timestamp int64             35 max timestamp int64
 *  43 producer id int64         51 producer epoch int16             53 base sequence int32
 *  57 record count int32        61 records, compressed together as the attributes say
 *
 * A record: length varint, attributes int8, timestamp delta varlong, offset delta varint, key length varint, key,
 * value length varint, value, header count varint, [name length varint, name, value length varint, value]. Varints are
 * zigzag; a length of -1 is null.
 */
export const Batch = Object.freeze({
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
});

/** Bytes before those that the length counts. */
export const LENGTH_OVERHEAD = 12;
export const MAGIC = 2;
/** The fewest bytes that a record takes: seven fields of one byte each. */
export const MIN_RECORD_BYTES = 7;

export const Attribute = Object.freeze({
  codecMask: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
});

export function readInt16(data: Uint8Array, at: number): number {
  return (((data[at] as number) << 24) >> 16) | (data[at + 1] as number);
}

export function readInt32(data: Uint8Array, at: number): number {
  return (
    ((data[at] as number) << 24) |
    ((data[at + 1] as number) << 16) |
    ((data[at + 2] as number) << 8) |
    (data[at + 3] as number)
  );
}

/** As a double, exact up to 2^53. */
export function readInt64(data: Uint8Array, at: number): number {
  return readInt32(data, at) * 4294967296 + (readInt32(data, at + 4) >>> 0);
}

/** The int64's bits as a map key; producer ids are compared, not counted. */
export function readBigInt64(data: Uint8Array, at: number): bigint {
  return (BigInt(readInt32(data, at)) << 32n) | BigInt(readInt32(data, at + 4) >>> 0);
}
