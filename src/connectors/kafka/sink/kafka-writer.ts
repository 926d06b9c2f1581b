/** Writes batches to a topic: rows are encoded in runs, then appended to the record batches of their partitions. */
import {
  counterNames,
  EncodedBlock,
  isMillraceError,
  RowKind,
  type ColumnBatch,
  type CommittingPart,
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
import { encodeHeaders, type BatchBuilder, type CodecName } from '../record-batch/index.ts';
import { requireCheckpoints, TransactionalPart } from '../transaction/index.ts';
import type { KeyEncoder } from './key-encoder.ts';
import { planSink, type SinkPlan } from './sink-plan.ts';
import { deliversExactlyOnce, sinkTransactions } from './sink-transactions.ts';

/** Rows are encoded in runs that stay in the processor's cache. */
const RUN_ROWS = 1024;
const RUN_BYTES = 256 * 1024;
/** Room to leave behind a run: encoders ask for more than a record then takes. */
const SPARE_BYTES = 2048;
/** After a run that had to be copied after all, so many are copied straight away. */
const COPIED_RUNS = 32;
const NO_KEY = new Uint8Array(0);

export class KafkaWriter implements SinkWriter {
  readonly #spec: SinkSpec;
  readonly #plan: SinkPlan;
  readonly #keys: KeyEncoder;
  readonly #values: RecordEncoder;
  readonly #block = new EncodedBlock(RUN_ROWS, 2 * RUN_BYTES);
  /** For runs that are encoded where they will be sent; its data is an open batch's. */
  readonly #inPlace = new EncodedBlock(RUN_ROWS, 0);
  /** Of the last record that was encoded in place: the next is likely to be about as long. */
  #valueBytes = 0;
  #copiedRuns = 0;
  #context: WriterContext | null = null;
  #client: KafkaClient | null = null;
  #producer: Producer | null = null;
  #topic: TopicQueues | null = null;
  /** Null where rows are visible as soon as they are written. */
  #transactions: TransactionalPart | null = null;
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
    const isTransactional = deliversExactlyOnce(options);
    const producer = new Producer(client, { ...producerConfig(options), isTransactional }, context.ports);
    this.#producer = producer;
    const topic = options['topic'] as string;
    await producer.open(isTransactional ? [topic, options['commitsTopic'] as string] : [topic]);
    this.#topic = producer.queuesOf(topic);
    if (!isTransactional) return;
    const { run, subtaskIndex, ports } = context;
    const settings = sinkTransactions(this.#spec, requireCheckpoints(run, this.#spec.stepId));
    this.#transactions = new TransactionalPart(client, producer, settings, subtaskIndex, ports);
  }

  get committing(): CommittingPart | undefined {
    return this.#transactions ?? undefined;
  }

  write(batch: ColumnBatch, fromRow: number): number {
    const producer = this.#producer as Producer;
    if (producer.failure !== null) throw producer.failure;
    if (this.#transactions !== null && !this.#transactions.admit()) return fromRow;
    let row = fromRow;
    const canFrame = this.#canFrame(batch);
    while (row < batch.rowCount && producer.hasRoom) {
      const isInPlace = canFrame && this.#copiedRuns === 0;
      row = isInPlace ? this.#writeRunInPlace(producer, batch, row) : this.#writeRun(producer, batch, row);
    }
    this.#bytesOut.value = producer.bytesSent;
    return row;
  }

  async writable(): Promise<void> {
    await this.#transactions?.admission();
    await this.#producer?.room();
  }

  poke(): void {
    this.#producer?.poke();
  }

  /** In transactions nothing is durable before prepareCommit(). */
  async flush(): Promise<void> {
    if (this.#transactions === null) await this.#producer?.flush();
  }

  async close(): Promise<void> {
    if (this.#transactions === null) await this.#producer?.closeGently();
    else await this.#transactions.close();
    await this.#client?.close();
  }

  /** Whether rows become records of a value alone, which all go to the same partition. */
  #canFrame(batch: ColumnBatch): boolean {
    const { isPlain, keyForm } = this.#plan;
    const isAlone = isPlain && keyForm === 'none' && batch.rowKinds === null && batch.timestamps === null;
    return isAlone && this.#values.framesInPlace === true;
  }

  /**
   * As #writeRun, with the rows encoded into the open batch itself: the headroom is what the header of a record like
   * the last takes, so that only headers have to be filled in. Where a header turns out longer or shorter, or the
   * encoder had to take other memory, the rest of the run is copied.
   */
  #writeRunInPlace(producer: Producer, batch: ColumnBatch, fromRow: number): number {
    const topic = this.#topic as TopicQueues;
    const nowMs = (this.#context as WriterContext).ports.clock.nowMs();
    const spare = 2 * this.#valueBytes + SPARE_BYTES;
    const open = producer.openBatch(topic, 2 * spare);
    const header = open.headerSize(nowMs, this.#valueBytes);
    const block = this.#inPlace;
    block.data = open.data;
    block.count = 0;
    block.used = open.used - 1;
    block.headroom = header + 1;
    block.capacity = Math.min(RUN_ROWS, open.recordsOfThisHeader);
    const limit = Math.min(block.used + RUN_BYTES, Math.min(open.data.length, producer.batchBytes) - spare);
    let failure: unknown = null;
    let next: number;
    try {
      next = this.#values.encode(batch, fromRow, block, limit);
    } catch (error) {
      failure = error;
      next = this.#values.failedRow;
    }
    const count = next - fromRow;
    if (count > 0) this.#adopt(producer, open, nowMs, batch, fromRow, count);
    else if (failure !== null) {
      this.#skip(batch, next, failure);
      next++;
    }
    return next;
  }

  #adopt(
    producer: Producer,
    open: BatchBuilder,
    nowMs: number,
    batch: ColumnBatch,
    fromRow: number,
    count: number,
  ): void {
    const { data, starts, ends, headroom } = this.#inPlace;
    const isInPlace = data === open.data;
    const taken = isInPlace ? open.adopt(nowMs, headroom - 1, starts, ends, count) : 0;
    this.#valueBytes = (ends[count - 1] as number) - (starts[count - 1] as number);
    this.#recordsOut.value += taken;
    if (taken === count) return;
    this.#copiedRuns = COPIED_RUNS;
    // The rest lies where the batch goes on, so it is moved out of its way first.
    const rest = isInPlace ? new Uint8Array(data.subarray(starts[taken], ends[count - 1])) : data;
    const shift = isInPlace ? (starts[taken] as number) : 0;
    const topic = this.#topic as TopicQueues;
    for (let row = taken; row < count; row++) {
      const [start, end] = [(starts[row] as number) - shift, (ends[row] as number) - shift];
      try {
        producer.append(topic, nowMs, NO_KEY, -1, -1, rest, start, end, null);
        this.#recordsOut.value++;
      } catch (error) {
        this.#skip(batch, fromRow + row, error);
      }
    }
  }

  /** Encodes and appends some rows; returns the next. */
  #writeRun(producer: Producer, batch: ColumnBatch, fromRow: number): number {
    const block = this.#block;
    block.reset();
    if (this.#copiedRuns > 0) this.#copiedRuns--;
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
