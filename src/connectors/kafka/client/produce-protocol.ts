/**
 * Produce, version 7.
 *
 * Request: transactional_id nullable string, acks int16, timeout int32, [topic string, [partition int32,
 * records bytes]].
 * Response: [topic string, [partition int32, error int16, base_offset int64, log_append_time int64,
 * log_start int64]], throttle int32.
 */
import type { ProducedPartition, ProducePartition, ProduceResponse } from './client.ts';
import { BODY_START, type RawResponse } from './connection.ts';
import { WireReader } from './wire-reader.ts';

const ALL_IN_SYNC = -1;
const NO_TRANSACTION = -1;

/** The request in parts: batches are passed on, not copied. */
export function encodeProduce(
  partitions: readonly ProducePartition[],
  timeoutMs: number,
  transactionalId: string | null = null,
): Uint8Array[] {
  const byTopic = Map.groupBy(partitions, (partition) => partition.topic);
  const id = Buffer.from(transactionalId ?? '');
  const head = Buffer.allocUnsafe(12 + id.length);
  let at = head.writeInt16BE(transactionalId === null ? NO_TRANSACTION : id.length, 0);
  at += id.copy(head, at);
  at = head.writeInt16BE(ALL_IN_SYNC, at);
  at = head.writeInt32BE(timeoutMs, at);
  head.writeInt32BE(byTopic.size, at);
  const parts: Uint8Array[] = [head];
  for (const [topic, ofTopic] of byTopic) {
    const name = Buffer.from(topic);
    const topicHead = Buffer.allocUnsafe(2 + name.length + 4);
    topicHead.writeInt16BE(name.length, 0);
    topicHead.set(name, 2);
    topicHead.writeInt32BE(ofTopic.length, 2 + name.length);
    parts.push(topicHead);
    for (const { partition, batch } of ofTopic) {
      const partitionHead = Buffer.allocUnsafe(8);
      partitionHead.writeInt32BE(partition, 0);
      partitionHead.writeInt32BE(batch.length, 4);
      parts.push(partitionHead, batch);
    }
  }
  return parts;
}

/** Throws RangeError where the answer does not have the form of one. */
export function decodeProduce({ data, sizeBytes }: RawResponse): ProduceResponse {
  const reader = new WireReader(data, BODY_START, sizeBytes);
  const partitions: ProducedPartition[] = [];
  for (let topics = reader.arrayLength(6); topics > 0; topics--) {
    const topic = reader.string();
    for (let count = reader.arrayLength(30); count > 0; count--) {
      const partition = reader.int32();
      const errorCode = reader.int16();
      const baseOffset = reader.int64();
      reader.skip(8);
      partitions.push({ topic, partition, errorCode, baseOffset, logStartOffset: reader.int64() });
    }
  }
  return { throttleMs: reader.int32(), partitions };
}
