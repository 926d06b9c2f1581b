/**
 * Reads partitions on a slot thread: fetched record batches become blocks, and the format's decoder makes rows of them.
 * What a batch borrows (the fetch answer, the block) is given back at the next poll.
 */
import {
  ColumnBatch,
  counterNames,
  emittedSchema,
  RecordBlock,
  type BatchOrigin,
  type CommittingPart,
  type Counter,
  type FormatDefinition,
  type OriginParts,
  type ReaderContext,
  type RecordDecoder,
  type SourceReader,
  type SourceSpec,
  type Split,
  type SplitId,
} from '../../../core/index.ts';
import { createKafkaClient, type Isolation, type KafkaClient } from '../client/index.ts';
import { clientConfig } from '../connection-options.ts';
import { Producer } from '../producer/index.ts';
import { BatchReader, DecompressionArena } from '../record-batch/index.ts';
import { TransactionalPart } from '../transaction/index.ts';
import { deadLetterProducer, deadLetterTransactions } from './dead-letter-transactions.ts';
import { DeadLetters, type DeadLetterError } from './dead-letters.ts';
import type { FetchedRange } from './fetched-range.ts';
import { Fetcher, type FetchConfig } from './fetcher.ts';
import { kafkaSplit, positionOf } from './kafka-split.ts';
import { KafkaMetadataWriter } from './metadata-columns.ts';
import { OffsetCommitter } from './offset-committer.ts';
import { createPartitionState, isRead, type PartitionState } from './partition-state.ts';

/**
 * Rows per batch and records per block: those of a batch of half a megabyte, which are found while its bytes are still
 * in the core's own cache, where the checksum left them. Formats take smaller pieces of a block at a time.
 */
const BLOCK_RECORDS = 2048;
/** Blocks that yield no row are passed over so many times before the task loop has its turn. */
const MAX_BLOCKS_PER_POLL = 4;

/** How long the end waits for offsets that are being committed. */
const SETTLE_OFFSETS_MS = 2000;
const NO_SPLITS: readonly SplitId[] = [];

export class KafkaReader implements SourceReader, BatchOrigin {
  readonly #spec: SourceSpec;
  readonly #block = new RecordBlock(BLOCK_RECORDS);
  readonly #batch: ColumnBatch;
  /** One more than rows: a record that failed has the place behind the last row while it is dealt with. */
  readonly #records = new Int32Array(BLOCK_RECORDS + 1);
  readonly #offsets = new Float64Array(BLOCK_RECORDS + 1);
  readonly #arena = new DecompressionArena();
  readonly #metadata: KafkaMetadataWriter;
  /** Whether somebody looks at keys, headers or timestamps of records. */
  readonly #withDetails: boolean;
  readonly #decoder: RecordDecoder;
  #context: ReaderContext | null = null;
  #client: KafkaClient | null = null;
  #fetcher: Fetcher | null = null;
  #producer: Producer | null = null;
  #deadLetters: DeadLetters | null = null;
  /** Of the dead letters; null where they are visible at once. */
  #transactions: TransactionalPart | null = null;
  #commits: OffsetCommitter | null = null;
  /** Splits that were told to have ended. */
  readonly #ended = new Set<SplitId>();
  #hasBoundedSplits = false;
  #mayHaveEnded = false;
  #recordsIn: Counter = { value: 0 };
  #bytesIn: Counter = { value: 0 };
  #crossRackBytesIn: Counter = { value: 0 };
  #lag: Counter = { value: 0 };
  /** The range that is being read. */
  #current: FetchedRange | null = null;
  #reader: BatchReader | null = null;
  /** Read to its end, but borrowed by the last batch. */
  #finished: FetchedRange | null = null;
  /** The next record of the block. */
  #next = 0;
  #mayAddSplits = true;
  #waiters: (() => void)[] = [];
  #pendingSplits: Split[] = [];

  constructor(spec: SourceSpec, format: FormatDefinition) {
    this.#spec = spec;
    this.#metadata = new KafkaMetadataWriter(spec);
    this.#withDetails = this.#metadata.readsDetails || spec.errors.kind === 'dead-letter';
    this.#decoder = format.createDecoder(spec, this.#metadata);
    this.#batch = new ColumnBatch(emittedSchema(spec), BLOCK_RECORDS);
  }

  async open(context: ReaderContext): Promise<void> {
    const { options, errors } = this.#spec;
    this.#context = context;
    this.#recordsIn = context.counter(counterNames.recordsIn.name);
    this.#bytesIn = context.counter(counterNames.bytesIn.name);
    if (context.rack !== null) this.#crossRackBytesIn = context.counter(counterNames.crossRackBytesIn.name);
    this.#lag = context.counter(counterNames.lag.name);
    const client = createKafkaClient(clientConfig(options), context.ports);
    this.#client = client;
    await client.connect();
    if (errors.kind === 'dead-letter') await this.#openDeadLetters(client, errors.target, context);
    const group = (options['group'] ?? null) as string | null;
    if (group !== null) this.#commits = new OffsetCommitter(client, group, this.#spec.stepId, context.ports);
    this.#fetcher = new Fetcher(client, fetchConfig(this.#spec, context), context.ports, () => this.#wake());
    this.#adopt(this.#pendingSplits.splice(0));
  }

  async #openDeadLetters(client: KafkaClient, target: string, context: ReaderContext): Promise<void> {
    const { ports, run, subtaskIndex, jobName } = context;
    const requestTimeoutMs = this.#spec.options['requestTimeout'] as number;
    const settings = deadLetterTransactions(this.#spec, run);
    const config = { ...deadLetterProducer, requestTimeoutMs, isTransactional: settings !== null };
    const producer = new Producer(client, config, ports);
    this.#producer = producer;
    producer.onFailure = () => this.#wake();
    await producer.open(settings === null ? [target] : [target, settings.commitsTopic]);
    this.#deadLetters = new DeadLetters(producer, target, jobName);
    if (settings === null) return;
    this.#transactions = new TransactionalPart(client, producer, settings, subtaskIndex, ports);
  }

  addSplits(splits: readonly Split[]): void {
    if (this.#fetcher === null) this.#pendingSplits.push(...splits);
    else this.#adopt(splits);
  }

  noMoreSplits(): void {
    this.#mayAddSplits = false;
    this.#wake();
  }

  poll(): ColumnBatch | null {
    const fetcher = this.#fetcher;
    if (fetcher === null) return null;
    if (this.#finished !== null) {
      this.#release(fetcher, this.#finished);
      this.#finished = null;
    }
    this.#failIfBroken(fetcher);
    if (!this.#hasRoomForDeadLetters) return null;
    const batch = this.#batch;
    for (let blocks = 0; blocks < MAX_BLOCKS_PER_POLL; blocks++) {
      batch.reset();
      batch.origin = this;
      if (this.#next >= this.#block.count && !this.#fillBlock(fetcher)) return null;
      this.#decode(fetcher, batch);
      if (batch.rowCount > 0) return batch;
    }
    return null;
  }

  get batchSplit(): SplitId | null {
    const range = this.#current ?? this.#finished;
    return range === null ? null : range.state.splitId;
  }

  async available(): Promise<void> {
    for (;;) {
      const fetcher = this.#fetcher;
      if (fetcher !== null) {
        this.#failIfBroken(fetcher);
        await this.#roomForDeadLetters();
        if (this.#hasWork(fetcher) || this.isFinished) return;
        if (this.#producer !== null && this.#isReadToTheEnd(fetcher)) {
          await this.#producer.flush();
          continue;
        }
      }
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  get isFinished(): boolean {
    const fetcher = this.#fetcher;
    if (fetcher === null || !this.#isReadToTheEnd(fetcher)) return false;
    return this.#transactions !== null || this.#producer?.isIdle !== false;
  }

  async flush(): Promise<void> {
    if (this.#transactions === null) await this.#producer?.flush();
  }

  get committing(): CommittingPart | undefined {
    return this.#transactions ?? undefined;
  }

  checkpointCompleted(positions: readonly Split[]): void {
    this.#commits?.commit(positions.map(positionOf));
  }

  takeEndedSplits(): readonly SplitId[] {
    const fetcher = this.#fetcher;
    if (fetcher === null || !this.#mayHaveEnded) return NO_SPLITS;
    this.#mayHaveEnded = false;
    const ended = Array.from(fetcher.partitions)
      .filter((state) => isRead(state) && !this.#ended.has(state.splitId))
      .map(({ splitId }) => splitId);
    for (const id of ended) this.#ended.add(id);
    return ended;
  }

  positions(): readonly Split[] {
    if (this.#fetcher === null) return this.#pendingSplits;
    return Array.from(this.#fetcher.partitions, ({ topic, partition, position, endOffset, isFromBeginning }) =>
      kafkaSplit({
        topic,
        partition,
        offset: position,
        endOffset: endOffset === Infinity ? null : endOffset,
        isFromBeginning,
      }),
    );
  }

  async close(): Promise<void> {
    await this.#commits?.settle(SETTLE_OFFSETS_MS);
    if (this.#transactions === null) await this.#producer?.closeGently();
    else await this.#transactions.close();
    this.#fetcher?.close();
    await this.#client?.close();
    this.#wake();
  }

  describe(row: number): string {
    return `${this.#prefix()}${this.#block.offsets[this.#records[row] as number]}`;
  }

  get parts(): OriginParts {
    const { rowCount } = this.#batch;
    for (let row = 0; row <= rowCount && row < this.#records.length; row++) {
      this.#offsets[row] = this.#block.offsets[this.#records[row] as number] as number;
    }
    return { prefix: this.#prefix(), offsets: this.#offsets };
  }

  deadLetter(row: number, error: DeadLetterError): void {
    if (this.#deadLetters === null) throw new TypeError('a dead letter without a target');
    this.#transactions?.admit();
    const from = { topic: this.#metadata.topic, partition: this.#metadata.partition };
    this.#deadLetters.send(this.#block, this.#records[row] as number, from, error);
  }

  #prefix(): string {
    return `topic ${this.#metadata.topic}, partition ${this.#metadata.partition}, offset `;
  }

  get #hasRoomForDeadLetters(): boolean {
    return this.#producer?.hasRoom !== false && this.#transactions?.canAdmit !== false;
  }

  async #roomForDeadLetters(): Promise<void> {
    while (!this.#hasRoomForDeadLetters) {
      await this.#transactions?.admission();
      await this.#producer?.room();
    }
  }

  #adopt(splits: readonly Split[]): void {
    const positions = splits.map(positionOf);
    this.#hasBoundedSplits ||= positions.some(({ endOffset }) => endOffset !== null);
    this.#fetcher?.add(positions.map(createPartitionState));
    this.#wake();
  }

  #hasWork(fetcher: Fetcher): boolean {
    return this.#next < this.#block.count || this.#current !== null || this.#finished !== null || fetcher.hasReady;
  }

  #isReadToTheEnd(fetcher: Fetcher): boolean {
    return !this.#mayAddSplits && !this.#hasWork(fetcher) && fetcher.areAllRead;
  }

  #failIfBroken(fetcher: Fetcher): void {
    // Records that arrived before the failure come first: their positions count.
    const failure = this.#producer?.failure ?? (this.#hasWork(fetcher) ? null : fetcher.failure);
    if (failure !== null) throw failure;
  }

  /** The next records, from this range or the next. False where none are at hand. */
  #fillBlock(fetcher: Fetcher): boolean {
    this.#block.count = 0;
    this.#next = 0;
    for (;;) {
      if (this.#current === null) {
        this.#current = fetcher.next();
        if (this.#current === null) return false;
        this.#reader = new BatchReader(this.#current.range, this.#arena, this.#withDetails);
        this.#metadata.topic = this.#current.state.topic;
        this.#metadata.partition = this.#current.state.partition;
      }
      const reader = this.#reader as BatchReader;
      reader.fill(this.#block);
      if (this.#block.count > 0) {
        this.#recordsIn.value += this.#block.count;
        return true;
      }
      const empty = this.#current;
      empty.state.position = Math.max(empty.state.position, reader.nextOffset);
      this.#current = null;
      this.#reader = null;
      this.#release(fetcher, empty);
    }
  }

  /** Decodes up to the end of the block or of the batch; deals with records that fail. */
  #decode(fetcher: Fetcher, batch: ColumnBatch): void {
    const block = this.#block;
    const decoder = this.#decoder;
    while (this.#next < block.count && batch.rowCount < batch.capacity) {
      this.#next = decoder.decode(block, this.#next, batch, this.#records);
      const { failure } = decoder;
      if (failure === null) continue;
      this.#records[batch.rowCount] = this.#next;
      (this.#context as ReaderContext).errors.handle(batch, batch.rowCount, failure.stepId, failure.error);
      this.#next++;
    }
    const current = this.#current as FetchedRange;
    const reader = this.#reader as BatchReader;
    if (this.#next < block.count) {
      if (this.#next > 0) current.state.position = (block.offsets[this.#next - 1] as number) + 1;
      return;
    }
    current.state.position = reader.nextOffset;
    if (!reader.isDone) return;
    this.#current = null;
    this.#reader = null;
    // A batch with rows borrows the range until the next poll.
    if (batch.rowCount > 0) this.#finished = current;
    else this.#release(fetcher, current);
  }

  #release(fetcher: Fetcher, range: FetchedRange): void {
    fetcher.release(range);
    this.#lag.value = fetcher.lag;
    this.#bytesIn.value = fetcher.bytesReceived;
    this.#crossRackBytesIn.value = fetcher.crossRackBytes;
    if (!isRead(range.state)) return;
    settleAtEnd(range.state);
    this.#mayHaveEnded = true;
  }

  #wake(): void {
    this.#mayHaveEnded = this.#hasBoundedSplits;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

/** A bounded partition may end in records that are not handed out: markers, or ones compacted away. */
function settleAtEnd(state: PartitionState): void {
  if (state.endOffset !== Infinity) state.position = state.endOffset;
}

function fetchConfig(spec: SourceSpec, context: ReaderContext): FetchConfig {
  const { options } = spec;
  return {
    isolation: options['isolation'] as Isolation,
    rack: (options['rack'] as string | null) ?? context.rack ?? '',
    ownRack: context.rack,
    fetchBytes: options['fetchBytes'] as number,
    partitionBytes: options['partitionBytes'] as number,
    bufferBytes: options['bufferBytes'] as number,
    maxWaitMs: options['fetchWait'] as number,
    minBytes: options['fetchMinBytes'] as number,
    maxBatchBytes: options['maxBatchBytes'] as number,
    unavailableTimeoutMs: options['unavailableTimeout'] as number,
    reset: options['reset'] as FetchConfig['reset'],
  };
}

