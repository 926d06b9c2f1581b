/**
 * Fetch, version 11, without a fetch session (KIP-227): every request names its partitions.
 *
 * Request: replica_id int32, max_wait int32, min_bytes int32, max_bytes int32, isolation int8, session_id int32,
 * session_epoch int32, [topic string, [partition int32, leader_epoch int32, offset int64, log_start int64,
 * max_bytes int32]], [forgotten], rack string.
 *
 * Response: throttle int32, error int16, session_id int32, [topic string, [partition int32, error int16,
 * high_watermark int64, last_stable int64, log_start int64, [aborted: producer_id int64, first_offset int64],
 * preferred_replica int32, records bytes]].
 */
import type { AbortedTransaction, FetchedPartition, FetchPartition, FetchRequest, FetchResponse } from './client.ts';
import { BODY_START, type RawResponse } from './connection.ts';
import { WireReader } from './wire-reader.ts';

const CONSUMER_REPLICA = -1;
const NO_SESSION_EPOCH = -1;
const NO_LEADER_EPOCH = -1;
const PARTITION_BYTES = 28;

export function encodeFetch(request: FetchRequest): Uint8Array {
  const byTopic = Map.groupBy(request.partitions, (partition) => partition.topic);
  const rack = Buffer.from(request.rack);
  const topics = [...byTopic].map(([topic, partitions]) => ({ name: Buffer.from(topic), partitions }));
  let size = 25 + 4 + 4 + 2 + rack.length;
  for (const { name, partitions } of topics) size += 2 + name.length + 4 + partitions.length * PARTITION_BYTES;
  const out = Buffer.allocUnsafe(size);
  let at = out.writeInt32BE(CONSUMER_REPLICA, 0);
  at = out.writeInt32BE(request.maxWaitMs, at);
  at = out.writeInt32BE(request.minBytes, at);
  at = out.writeInt32BE(request.maxBytes, at);
  at = out.writeInt8(request.isolation === 'read_committed' ? 1 : 0, at);
  at = out.writeInt32BE(0, at);
  at = out.writeInt32BE(NO_SESSION_EPOCH, at);
  at = out.writeInt32BE(topics.length, at);
  for (const { name, partitions } of topics) {
    at = out.writeInt16BE(name.length, at);
    out.set(name, at);
    at = out.writeInt32BE(partitions.length, at + name.length);
    for (const partition of partitions) at = encodePartition(out, at, partition);
  }
  at = out.writeInt32BE(0, at);
  at = out.writeInt16BE(rack.length, at);
  out.set(rack, at);
  return out;
}

function encodePartition(out: Buffer, start: number, partition: FetchPartition): number {
  let at = out.writeInt32BE(partition.partition, start);
  at = out.writeInt32BE(NO_LEADER_EPOCH, at);
  at = out.writeBigInt64BE(BigInt(partition.offset), at);
  at = out.writeBigInt64BE(-1n, at);
  return out.writeInt32BE(partition.maxBytes, at);
}

/** Throws RangeError where the answer does not have the form of one. */
export function decodeFetch({ data, sizeBytes }: RawResponse): FetchResponse {
  const reader = new WireReader(data, BODY_START, sizeBytes);
  const throttleMs = reader.int32();
  const errorCode = reader.int16();
  reader.skip(4);
  const partitions: FetchedPartition[] = [];
  for (let topics = reader.arrayLength(6); topics > 0; topics--) {
    const topic = reader.string();
    for (let count = reader.arrayLength(42); count > 0; count--) partitions.push(decodePartition(reader, topic));
  }
  return { data, sizeBytes, throttleMs, errorCode, partitions };
}

function decodePartition(reader: WireReader, topic: string): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  const logStartOffset = reader.int64();
  const abortedTransactions: AbortedTransaction[] = [];
  for (let count = reader.arrayLength(16); count > 0; count--) {
    abortedTransactions.push({ producerId: reader.bigInt64(), firstOffset: reader.int64() });
  }
  const preferredReplica = reader.int32();
  const recordBytes = Math.max(0, reader.int32());
  const recordsStart = reader.position;
  reader.skip(recordBytes);
  return {
    topic,
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    abortedTransactions,
    preferredReplica,
    recordsStart,
    recordsEnd: recordsStart + recordBytes,
  };
}
