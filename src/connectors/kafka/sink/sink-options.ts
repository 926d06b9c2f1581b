import { defineOptions } from '../../../core/index.ts';
import { connectionOptions } from '../connection-options.ts';
import { transactionOptions } from '../transaction/index.ts';

export const sinkOptions = defineOptions({
  ...connectionOptions,
  topic: { kind: 'string', required: true, doc: 'the topic to write', aliases: ['topics'] },
  key: {
    kind: 'list',
    default: [],
    doc: 'the fields that make the key of a record; the key decides the partition',
    aliases: ['key.fields', 'keyFields', 'primaryKey'],
  },
  keyFormat: {
    kind: 'enum',
    values: ['auto', 'raw', 'json'],
    default: 'auto',
    doc: 'raw: the bytes of one string or bytes field; json: an object of the fields; auto: raw where it can be',
    aliases: ['key.format'],
  },
  delivery: {
    kind: 'enum',
    values: ['at-least-once', 'exactly-once'],
    default: 'at-least-once',
    doc:
      'at-least-once: acknowledged by all in-sync replicas and free of duplicates by retries, but not by restarts; ' +
      'exactly-once: in transactions that become visible (to readers with read_committed) when their checkpoint is ' +
      'complete',
    aliases: ['sink.delivery-guarantee', 'delivery.guarantee', 'acks', 'semantic', 'enable.idempotence'],
  },
  headers: {
    kind: 'string',
    doc: 'a field of type map<string, string> or map<string, bytes> that becomes the headers, not part of the value',
  },
  timestamp: {
    kind: 'string',
    doc: 'a timestamp field for the time of the record; by default its event time, or else the time of writing',
    aliases: ['timestampField'],
  },
  compression: {
    kind: 'enum',
    values: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    default: 'none',
    doc: 'how batches are compressed',
    aliases: ['compression.type', 'properties.compression.type', 'compression.codec'],
  },
  batchBytes: {
    kind: 'size',
    default: '512KiB',
    min: 1024,
    max: 1 << 30,
    doc: 'a batch of one partition is sent when it is this large',
    aliases: ['batch.size', 'properties.batch.size'],
  },
  linger: {
    kind: 'duration',
    default: '10ms',
    doc: 'a batch that is not full is sent after this time; at once when no input is at hand',
    aliases: ['linger.ms', 'properties.linger.ms', 'queue.buffering.max.ms'],
  },
  bufferBytes: {
    kind: 'size',
    default: '32MiB',
    min: 1024,
    doc: 'how much may wait for acknowledgement per subtask before the job is slowed down',
    aliases: ['buffer.memory'],
  },
  maxRequestBytes: {
    kind: 'size',
    default: '16MiB',
    min: 1024,
    max: 1 << 30,
    doc: 'the most that one record may take',
    aliases: ['max.request.size', 'message.max.bytes'],
  },
  deliveryTimeout: {
    kind: 'duration',
    default: '2m',
    min: 1,
    doc: 'how long a batch may wait for its acknowledgement, retries included, before the task fails',
    aliases: ['delivery.timeout.ms', 'message.timeout.ms'],
  },
  ...transactionOptions,
});
