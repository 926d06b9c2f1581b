/** Writes batches to a topic: rows are encoded in runs, then appended to the record batches of their partitions. */
import {
  counterNames,
  EncodedBlock,
  isMillraceError,
  RowKind,
  type ColumnBatch,
  type Counter,
  type DoubleColumn,
  type FormatDefinition,
  type Options,
  type RecordEncoder,
  type SinkSpec,
  type SinkWriter,
  type WriterContext,
} from '../../../core/index.ts';
import { createKafkaClient, type KafkaClient } from '../client/index.ts';
import { clientConfig } from '../connection-options.ts';
import { kafkaErrors } from '../errors.ts';
import { Producer, type ProducerConfig, type TopicQueues } from '../producer/index.ts';
import { encodeHeaders, type CodecName } from '../record-batch/index.ts';
import type { KeyEncoder } from './key-encoder.ts';
import { planSink, type SinkPlan } from './sink-plan.ts';

/** Rows are encoded in runs that stay in the processor's cache. */
const RUN_ROWS = 512;
const RUN_BYTES = 128 * 1024;
const CLOSE_FLUSH_MS = 5000;

export class KafkaWriter implements SinkWriter {
  readonly #spec: SinkSpec;
  readonly #plan: SinkPlan;
  readonly #keys: KeyEncoder;
  readonly #values: RecordEncoder;
  readonly #block = new EncodedBlock(RUN_ROWS, 2 * RUN_BYTES);
  #context: WriterContext | null = null;
  #client: KafkaClient | null = null;
  #producer: Producer | null = null;
  #topic: TopicQueues | null = null;
  #recordsOut: Counter = { value: 0 };
  #bytesOut: Counter = { value: 0 };

  constructor(spec: SinkSpec, format: FormatDefinition, keyFormat: FormatDefinition | null) {
    this.#spec = spec;
    this.#plan = planSink(spec);
    this.#keys = this.#plan.createKeys(spec, keyFormat, RUN_ROWS);
    this.#values = format.createEncoder(spec, this.#plan.valueFields);
  }

  async open(context: WriterContext): Promise<void> {
    const { options } = this.#spec;
    this.#context = context;
    this.#recordsOut = context.counter(counterNames.recordsOut.name);
    this.#bytesOut = context.counter(counterNames.bytesOut.name);
    const client = createKafkaClient(clientConfig(options), context.ports);
    this.#client = client;
    await client.connect();
    const producer = new Producer(client, producerConfig(options), context.ports);
    this.#producer = producer;
    const topic = options['topic'] as string;
    await producer.open([topic]);
    this.#topic = producer.queuesOf(topic);
  }

  write(batch: ColumnBatch, fromRow: number): number {
    const producer = this.#producer as Producer;
    if (producer.failure !== null) throw producer.failure;
    let row = fromRow;
    while (row < batch.rowCount && producer.hasRoom) row = this.#writeRun(producer, batch, row);
    this.#bytesOut.value = producer.bytesSent;
    return row;
  }

  async writable(): Promise<void> {
    await this.#producer?.room();
  }

  poke(): void {
    this.#producer?.poke();
  }

  async flush(): Promise<void> {
    await this.#producer?.flush();
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    if (producer !== null && producer.failure === null && !producer.isIdle) {
      const { clock } = (this.#context as WriterContext).ports;
      await Promise.race([producer.flush().catch(() => undefined), clock.sleep(CLOSE_FLUSH_MS)]);
    }
    producer?.close();
    await this.#client?.close();
  }

  /** Encodes and appends some rows; returns the next. */
  #writeRun(producer: Producer, batch: ColumnBatch, fromRow: number): number {
    const block = this.#block;
    block.reset();
    let failure: unknown = null;
    let next: number;
    try {
      next = this.#values.encode(batch, fromRow, block, RUN_BYTES);
    } catch (error) {
      failure = error;
      next = this.#values.failedRow;
    }
    if (next > fromRow) {
      next = this.#keys.encode(batch, fromRow, next);
      failure = this.#keys.failure;
    }
    if (next > fromRow) this.#append(producer, batch, fromRow, next);
    else if (failure !== null) {
      this.#skip(batch, next, failure);
      next++;
    }
    return next;
  }

  #append(producer: Producer, batch: ColumnBatch, fromRow: number, toRow: number): void {
    const { data, starts, ends } = this.#block;
    const keys = this.#keys;
    const keyData = keys.data;
    const topic = this.#topic as TopicQueues;
    const { rowKinds } = batch;
    const nowMs = (this.#context as WriterContext).ports.clock.nowMs();
    const isPlain = this.#plan.isPlain && batch.timestamps === null;
    let written = 0;
    for (let row = fromRow; row < toRow; row++) {
      const kind = rowKinds === null ? RowKind.insert : (rowKinds[row] as number);
      // The row that replaces it follows.
      if (kind === RowKind.updateBefore) continue;
      const keyStart = keys.start(row);
      const start = kind === RowKind.delete ? -1 : (starts[row - fromRow] as number);
      const end = ends[row - fromRow] as number;
      try {
        if (isPlain) producer.append(topic, nowMs, keyData, keyStart, keys.end(row), data, start, end, null);
        else {
          this.#checkKey(keyStart);
          const timestamp = this.#timestampOf(batch, row, nowMs);
          const headers = this.#headersOf(batch, row);
          producer.append(topic, timestamp, keyData, keyStart, keys.end(row), data, start, end, headers);
        }
        written++;
      } catch (error) {
        this.#skip(batch, row, error);
      }
    }
    this.#recordsOut.value += written;
  }

  /** A row that cannot be written: the job's `errors:` decide. What concerns the whole sink is thrown on. */
  #skip(batch: ColumnBatch, row: number, error: unknown): void {
    if (!isMillraceError(error) || error.scope !== 'record') throw error;
    (this.#context as WriterContext).errors.handle(batch, row, this.#spec.stepId, error);
  }

  #checkKey(keyStart: number): void {
    if (!this.#plan.isUpsert || keyStart >= 0) return;
    const field = this.#plan.keyFields.map((index) => this.#spec.input.fields[index]?.name ?? '').join(', ');
    throw kafkaErrors.create('MR-KAFKA-NULL-KEY', { topic: (this.#topic as TopicQueues).topic, field });
  }

  #timestampOf(batch: ColumnBatch, row: number, nowMs: number): number {
    const { timestampField } = this.#plan;
    let timestamp = nowMs;
    if (timestampField >= 0) {
      const column = batch.columns[timestampField] as DoubleColumn;
      if (!(column.hasNulls && column.nulls[row] === 1)) timestamp = column.values[row] as number;
    } else if (batch.timestamps !== null) timestamp = batch.timestamps[row] as number;
    if (timestamp >= 0 && Number.isFinite(timestamp)) return Math.floor(timestamp);
    throw this.#invalidHeaders(`timestamp ${timestamp}`);
  }

  #headersOf(batch: ColumnBatch, row: number): Uint8Array | null {
    const { headersField } = this.#plan;
    if (headersField < 0) return null;
    const column = batch.columns[headersField];
    if (column?.kind !== 'object' || (column.hasNulls && column.nulls[row] === 1)) return null;
    const map = column.values[row] as ReadonlyMap<string | null, string | Uint8Array | null> | null;
    if (map === null) return null;
    return encodeHeaders(
      Array.from(map, ([name, value]) => {
        if (name === null) throw this.#invalidHeaders('a header without a name');
        return { name, value: typeof value === 'string' ? Buffer.from(value) : value };
      }),
    );
  }

  #invalidHeaders(reason: string): Error {
    return kafkaErrors.create('MR-KAFKA-INVALID-HEADERS', { topic: (this.#topic as TopicQueues).topic, reason });
  }
}

function producerConfig(options: Options): ProducerConfig {
  return {
    compression: options['compression'] as CodecName,
    batchBytes: options['batchBytes'] as number,
    lingerMs: options['linger'] as number,
    bufferBytes: options['bufferBytes'] as number,
    maxRequestBytes: options['maxRequestBytes'] as number,
    deliveryTimeoutMs: options['deliveryTimeout'] as number,
    requestTimeoutMs: options['requestTimeout'] as number,
  };
}
