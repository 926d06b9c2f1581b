/**
 * The raw limit: fetches through the engine's Kafka client, checks every batch's CRC, walks every record, and for every
 * row that the query writes sends as many bytes as that row has (copied from the input record), in record batches of
 * the sink's size with their CRC. Nothing is decoded or computed, so no engine on this client can do with less.
 */
import { crc32c } from '@node-rs/crc32';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from '../../src/connectors/index.ts';
import type { FetchResponse, KafkaClient, ProducerIdentity } from '../../src/connectors/index.ts';
import { connectKafka } from '../systems/kafka-client.ts';
import { partitionsOf, runPeer } from '../systems/peer-process.ts';
import type { PeerTask } from '../systems/peer-process.ts';

const FETCH_PARTITION_BYTES = 1 << 20;
const FETCH_BYTES = 16 << 20;
const BATCH_BYTES = 1 << 20;
const MAX_IN_FLIGHT = 5;
const BATCH_HEADER_BYTES = 61;
const RECORD_OVERHEAD_BYTES = 32;
const PRODUCE_TIMEOUT_MS = 30_000;

/** Writes records of a fixed size into batches and sends them, one partition after the other. */
class RawProducer {
  readonly #client: KafkaClient;
  readonly #topic: string;
  readonly #leaders: readonly number[];
  readonly #identity: ProducerIdentity;
  readonly #rowBytes: number;
  readonly #sequences: number[];
  readonly #inFlight: Promise<void>[] = [];
  readonly #free: Uint8Array[] = [];
  #batch: Uint8Array;
  #used = BATCH_HEADER_BYTES;
  #count = 0;
  #partition = 0;

  constructor(
    client: KafkaClient,
    topic: string,
    leaders: readonly number[],
    identity: ProducerIdentity,
    rowBytes: number,
  ) {
    this.#client = client;
    this.#topic = topic;
    this.#leaders = leaders;
    this.#identity = identity;
    this.#rowBytes = rowBytes;
    this.#sequences = leaders.map(() => 0);
    this.#batch = new Uint8Array(BATCH_BYTES);
  }

  get isFull(): boolean {
    return this.#used + this.#rowBytes + RECORD_OVERHEAD_BYTES > BATCH_BYTES;
  }

  add(data: Uint8Array, start: number): void {
    const batch = this.#batch;
    const size = this.#rowBytes;
    const delta = this.#count++;
    let at = this.#used;
    const body = 4 + varintSize(delta) + varintSize(size) + size;
    at = writeVarint(batch, at, body);
    batch[at++] = 0;
    batch[at++] = 0;
    at = writeVarint(batch, at, delta);
    batch[at++] = 1;
    at = writeVarint(batch, at, size);
    batch.set(data.subarray(start, start + size), at);
    at += size;
    batch[at++] = 0;
    this.#used = at;
  }

  async send(): Promise<void> {
    if (this.#count === 0) return;
    const partition = this.#partition;
    this.#partition = (partition + 1) % this.#leaders.length;
    const buffer = this.#batch;
    const bytes = buffer.subarray(0, this.#used);
    this.#finishHeader(bytes, partition);
    const leader = this.#leaders[partition] as number;
    const sent = this.#client
      .produce(leader, [{ topic: this.#topic, partition, batch: bytes }], PRODUCE_TIMEOUT_MS)
      .then(({ partitions }) => {
        if (partitions[0]?.errorCode !== 0) throw new Error(`produce failed with ${partitions[0]?.errorCode}`);
        this.#free.push(buffer);
      });
    this.#inFlight.push(sent);
    if (this.#inFlight.length >= MAX_IN_FLIGHT) await this.#inFlight.shift();
    this.#batch = this.#free.pop() ?? new Uint8Array(BATCH_BYTES);
    this.#used = BATCH_HEADER_BYTES;
    this.#count = 0;
  }

  async finish(): Promise<void> {
    await this.send();
    await Promise.all(this.#inFlight);
  }

  #finishHeader(bytes: Uint8Array, partition: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const now = BigInt(Date.now());
    view.setBigInt64(0, 0n);
    view.setInt32(8, bytes.length - 12);
    view.setInt32(12, 0);
    view.setInt8(16, 2);
    view.setInt16(21, 0);
    view.setInt32(23, this.#count - 1);
    view.setBigInt64(27, now);
    view.setBigInt64(35, now);
    view.setBigInt64(43, this.#identity.producerId);
    view.setInt16(51, this.#identity.epoch);
    view.setInt32(53, this.#sequences[partition] as number);
    view.setInt32(57, this.#count);
    this.#sequences[partition] = (this.#sequences[partition] as number) + this.#count;
    view.setUint32(17, crc32c(bytes.subarray(21)));
  }
}

function varintSize(value: number): number {
  const zigzag = value << 1;
  return zigzag < 128 ? 1 : zigzag < 16384 ? 2 : 3;
}

function writeVarint(bytes: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value << 1;
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** Walks one partition of an answer; returns the next offset. Calls `add` for the records that the query keeps. */
class Walker {
  records = 0;
  #debt = 0;
  readonly #rowsPerRecord: number;
  readonly #producer: RawProducer;

  constructor(producer: RawProducer, rowsPerRecord: number) {
    this.#producer = producer;
    this.#rowsPerRecord = rowsPerRecord;
  }

  async walk(data: Uint8Array, start: number, end: number, from: number): Promise<number> {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    let at = start;
    let next = from;
    while (at + BATCH_HEADER_BYTES <= end) {
      const size = view.getInt32(at + 8) + 12;
      if (at + size > end) break;
      if (crc32c(data.subarray(at + 21, at + size)) !== view.getUint32(at + 17)) throw new Error('CRC differs');
      next = Number(view.getBigInt64(at)) + view.getInt32(at + 23) + 1;
      let record = at + BATCH_HEADER_BYTES;
      let left = view.getInt32(at + 57);
      while (left > 0) {
        if (this.#producer.isFull) await this.#producer.send();
        [record, left] = this.#walkRecords(data, record, left);
      }
      at += size;
    }
    return next;
  }

  /** Until the producer's batch is full or no record is left. */
  #walkRecords(data: Uint8Array, start: number, count: number): [number, number] {
    let at = start;
    let left = count;
    while (left > 0 && !this.#producer.isFull) {
      let length = 0;
      let shift = 0;
      let byte: number;
      do {
        byte = data[at++] as number;
        length |= (byte & 127) << shift;
        shift += 7;
      } while (byte > 127);
      const end = at + ((length >>> 1) ^ -(length & 1));
      at++;
      while ((data[at++] as number) > 127);
      while ((data[at++] as number) > 127);
      while ((data[at++] as number) > 127);
      while ((data[at++] as number) > 127);
      this.#debt += this.#rowsPerRecord;
      if (this.#debt >= 1) {
        this.#debt -= 1;
        this.#producer.add(data, at);
      }
      at = end;
      left--;
      this.records++;
    }
    return [at, left];
  }
}

async function work(task: PeerTask): Promise<void> {
  const client = await connectKafka(task.brokers, 'bench-raw');
  const { topics } = await client.metadata([task.inputTopic, task.outputTopic]);
  const leadersOf = (topic: string) => topics.get(topic)?.partitions.map((p) => p.leader) ?? [];
  const mine = partitionsOf(task).map((partition) => ({ topic: task.inputTopic, partition }));
  const find = async (timestamp: number) =>
    (await client.listOffsets(mine.map((p) => ({ ...p, timestamp })), 'read_committed')).map((o) => o.offset ?? 0);
  const positions = await find(EARLIEST_TIMESTAMP);
  const ends = await find(LATEST_TIMESTAMP);
  const producer = new RawProducer(
    client,
    task.outputTopic,
    leadersOf(task.outputTopic),
    await client.initProducerId(),
    task.rowBytes,
  );
  const walker = new Walker(producer, task.rowsPerRecord);
  const leader = leadersOf(task.inputTopic)[mine[0]?.partition ?? 0] as number;
  const free: Uint8Array[] = [];
  const fetch = (): Promise<FetchResponse> | null => {
    const open = mine.flatMap((p, i) =>
      (positions[i] as number) < (ends[i] as number)
        ? [{ ...p, offset: positions[i] as number, maxBytes: FETCH_PARTITION_BYTES }]
        : [],
    );
    if (open.length === 0) return null;
    const allocate = (size: number) => {
      const known = free.pop();
      return known !== undefined && known.length >= size ? known : new Uint8Array(Math.max(size, FETCH_BYTES >> 1));
    };
    return client.fetch(leader, {
      partitions: open,
      isolation: 'read_committed',
      maxWaitMs: 100,
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      rack: '',
      allocate,
    });
  };
  let pending = fetch();
  while (pending !== null) {
    const response = await pending;
    for (const part of response.partitions) {
      const index = mine.findIndex((p) => p.partition === part.partition);
      positions[index] = lastOffset(response.data, part.recordsStart, part.recordsEnd, positions[index] as number);
    }
    pending = fetch();
    for (const part of response.partitions) {
      await walker.walk(response.data, part.recordsStart, part.recordsEnd, 0);
      task.progress[task.index] = walker.records;
    }
    free.push(response.data);
  }
  await producer.finish();
  await client.close();
}

/** The offset after the last whole batch: known before the walk, so that the next fetch overlaps with it. */
function lastOffset(data: Uint8Array, start: number, end: number, from: number): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = start;
  let next = from;
  while (at + BATCH_HEADER_BYTES <= end) {
    const size = view.getInt32(at + 8) + 12;
    if (at + size > end) break;
    next = Number(view.getBigInt64(at)) + view.getInt32(at + 23) + 1;
    at += size;
  }
  return next;
}

await runPeer(new URL(import.meta.url), work);
