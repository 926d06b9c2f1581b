/** Record batches for tests, by our own writer and by kafkajs's, which is another opinion. */
import { createRequire } from 'node:module';
import { RecordBlock } from '../../../core/index.ts';
import { BatchBuilder, MAX_RECORD_OVERHEAD, stampBatch } from './batch-builder.ts';
import { BatchReader, DecompressionArena, type RecordRange } from './batch-reader.ts';
import { codecByName, type CodecName } from './codecs/index.ts';
import { Attribute, Batch } from './layout.ts';
import { decodeHeaders, encodeHeaders, type RecordHeader } from './record-headers.ts';

const require = createRequire(import.meta.url);

export interface TestRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}

export interface ReadRecord extends TestRecord {
  readonly offset: number;
}

export function record(value: string | null, more: Partial<TestRecord> = {}): TestRecord {
  return {
    key: null,
    value: value === null ? null : Buffer.from(value),
    timestamp: 1_700_000_000_000,
    headers: [],
    ...more,
  };
}

export interface BatchOptions {
  readonly compression?: CodecName;
  readonly baseOffset?: number;
  readonly producerId?: bigint;
  readonly isTransactional?: boolean;
}

const NO_BYTES = new Uint8Array(0);

/** A batch by our own writer. */
export function buildBatch(records: readonly TestRecord[], options: BatchOptions = {}): Buffer {
  const size = records.reduce<number>(
    (sum, { key, value, headers }) =>
      sum + (key?.length ?? 0) + (value?.length ?? 0) + (encodeHeaders(headers)?.length ?? 0) + MAX_RECORD_OVERHEAD,
    Batch.records,
  );
  const builder = new BatchBuilder(Buffer.allocUnsafe(size));
  for (const { key, value, timestamp, headers } of records) {
    builder.append(
      timestamp,
      key ?? NO_BYTES,
      key === null ? -1 : 0,
      key?.length ?? 0,
      value ?? NO_BYTES,
      value === null ? -1 : 0,
      value?.length ?? 0,
      encodeHeaders(headers),
    );
  }
  const bytes = Buffer.from(builder.close(codecByName(options.compression ?? 'none')));
  bytes.writeBigInt64BE(BigInt(options.baseOffset ?? 0), 0);
  if (options.isTransactional === true) {
    bytes.writeInt16BE(bytes.readInt16BE(Batch.attributes) | Attribute.transactional, Batch.attributes);
  }
  stampBatch(bytes, { producerId: options.producerId ?? -1n, epoch: 0 }, 0);
  return bytes;
}

/** A control batch that ends a transaction. */
export function markerBatch(producerId: bigint, baseOffset: number, type: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  const bytes = buildBatch([{ key, value: Buffer.alloc(6), timestamp: 1, headers: [] }], { baseOffset, producerId });
  bytes.writeInt16BE(Attribute.transactional | Attribute.control, Batch.attributes);
  stampBatch(bytes, { producerId, epoch: 0 }, 0);
  return bytes;
}

/** Sets the checksum that the bytes now need. */
export function reseal(batch: Buffer): Buffer {
  const producerId = batch.readBigInt64BE(Batch.producerId);
  stampBatch(
    batch,
    { producerId, epoch: batch.readInt16BE(Batch.producerEpoch) },
    batch.readInt32BE(Batch.baseSequence),
  );
  return batch;
}

export function range(data: Uint8Array, more: Partial<RecordRange> = {}): RecordRange {
  return {
    topic: 'orders',
    partition: 3,
    data,
    start: 0,
    end: data.length,
    fromOffset: 0,
    endOffset: Infinity,
    aborted: null,
    maxBatchBytes: 1 << 20,
    ...more,
  };
}

/** Everything that the reader hands out, block by block of `capacity`. */
export function readAll(
  what: RecordRange,
  capacity = 16,
): { readonly records: ReadRecord[]; readonly nextOffset: number } {
  return readRecords(new BatchReader(what, new DecompressionArena()), capacity, recordOf);
}

/** As readAll, of a reader that leaves out the details of records. */
export function readValues(what: RecordRange, capacity: number): (Pick<ReadRecord, 'value' | 'offset'>)[] {
  const reader = new BatchReader(what, new DecompressionArena(), false);
  return readRecords(reader, capacity, (block, index) => ({
    value: bytesOf(block, block.valueStarts, block.valueEnds, index),
    offset: block.offsets[index] as number,
  })).records;
}

function readRecords<T>(
  reader: BatchReader,
  capacity: number,
  read: (block: RecordBlock, index: number) => T,
): { readonly records: T[]; readonly nextOffset: number } {
  const block = new RecordBlock(capacity);
  const records: T[] = [];
  for (;;) {
    reader.fill(block);
    if (block.count === 0) break;
    for (let i = 0; i < block.count; i++) records.push(read(block, i));
  }
  if (!reader.isDone) throw new Error('the reader stopped before its end');
  return { records, nextOffset: reader.nextOffset };
}

function bytesOf(block: RecordBlock, starts: Int32Array, ends: Int32Array, index: number): Buffer | null {
  return (starts[index] as number) < 0 ? null : Buffer.from(block.data.slice(starts[index], ends[index]));
}

function recordOf(block: RecordBlock, index: number): ReadRecord {
  return {
    key: bytesOf(block, block.keyStarts, block.keyEnds, index),
    value: bytesOf(block, block.valueStarts, block.valueEnds, index),
    timestamp: block.timestamps[index] as number,
    offset: block.offsets[index] as number,
    headers: decodeHeaders(block.data, block.headerStarts[index] as number, block.headerEnds[index] as number).map(
      ({ name, value }) => ({ name, value: value === null ? null : Buffer.from(value) }),
    ),
  };
}

interface KafkajsRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly offset: string;
  readonly headers: Readonly<Record<string, Buffer | Buffer[]>>;
}

const kafkajsEncodeBatch = (
  require('kafkajs/src/protocol/recordBatch/v0') as {
    readonly RecordBatch: (batch: object) => Promise<{ readonly buffer: Buffer }>;
  }
).RecordBatch;
const kafkajsEncodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => object;
const kafkajsDecodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: object,
) => Promise<{ readonly records: readonly KafkajsRecord[] }>;
const KafkajsDecoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;

/** The records of a batch as kafkajs's decoder reads them. */
export async function kafkajsDecode(batch: Buffer): ReturnType<typeof kafkajsDecodeBatch> {
  return kafkajsDecodeBatch(new KafkajsDecoder(batch));
}

/** A batch as kafkajs's producer writes it. */
export async function kafkajsEncode(records: readonly TestRecord[], baseOffset: number): Promise<Buffer> {
  const times = records.map(({ timestamp }) => timestamp);
  const base = times[0] ?? 0;
  const encoded = records.map(({ key, value, timestamp, headers }, offsetDelta) =>
    kafkajsEncodeRecord({
      offsetDelta,
      timestampDelta: timestamp - base,
      key,
      value,
      headers: Object.fromEntries(headers.map((header) => [header.name, header.value])),
    }),
  );
  const batch = await kafkajsEncodeBatch({
    firstOffset: baseOffset,
    firstTimestamp: base,
    maxTimestamp: Math.max(...times),
    lastOffsetDelta: records.length - 1,
    records: encoded,
  });
  return batch.buffer;
}
