/**
 * An idempotent producer of encoded records, for sinks and dead letters. Everything is on one thread; append() never
 * waits: hasRoom says when to stop, room() when to go on.
 *
 * Records gather in one open batch per partition. A batch is sent when it is full, when it lingered long enough, or
 * when poke() says that nothing more will come; as long as MAX_IN_FLIGHT requests to its broker are under way it keeps
 * growing instead. The order of batches within a partition and what a retry may do is partition-queue.ts.
 */
import { isMillraceError, type Clock, type Ports, type Timer } from '../../../core/index.ts';
import {
  describeErrorCode,
  ErrorCode,
  isAuthorization,
  isFenced,
  isTransient,
  type ProducedPartition,
  type ProducerIdentity,
  type ProducingClient,
  type TopicInfo,
  type TopicPartition,
  type TransactionIdentity,
} from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import {
  Batch,
  BatchBuilder,
  codecByName,
  MAX_RECORD_OVERHEAD,
  type Codec,
  type CodecName,
} from '../record-batch/index.ts';
import { settledWithin } from '../settled-within.ts';
import { BufferPool } from './buffer-pool.ts';
import { partitionOfKey } from './murmur2.ts';
import { MAX_IN_FLIGHT, PartitionQueue, type PendingBatch } from './partition-queue.ts';

export interface ProducerConfig {
  readonly compression: CodecName;
  readonly batchBytes: number;
  readonly lingerMs: number;
  readonly bufferBytes: number;
  readonly maxRequestBytes: number;
  readonly deliveryTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Nothing is sent but in transactions: between begin() and end(). */
  readonly isTransactional?: boolean;
}

/** The transaction that batches are part of, as far as the producer has to know it. */
export interface ProducerTransaction {
  readonly identity: TransactionIdentity;
  /** Makes the partitions part of it. What this rejects with fails the producer. */
  addPartitions(partitions: readonly TopicPartition[]): Promise<void>;
}

/** The partitions of a topic, as far as they are known. */
export interface TopicQueues {
  readonly topic: string;
  /** By partition number. */
  queues: PartitionQueue[];
  /** Where records without a key go until its batch is closed (KIP-480). */
  sticky: number;
}

interface BrokerState {
  inFlight: number;
  throttledUntilMs: number;
}

const CLOSE_FLUSH_MS = 5000;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1000;
/** How long open() waits for a topic to appear. */
const OPEN_TIMEOUT_MS = 5000;
const METADATA_MAX_AGE_MS = 300_000;
const UNEXPECTED_SEQUENCE: ReadonlySet<number> = new Set([
  ErrorCode.outOfOrderSequence,
  ErrorCode.unknownProducerId,
  ErrorCode.invalidProducerEpoch,
]);
const MAY_PASS: ReadonlySet<number> = new Set([ErrorCode.corruptMessage, ErrorCode.concurrentTransactions]);
const TOO_LARGE: ReadonlySet<number> = new Set([ErrorCode.messageTooLarge, ErrorCode.recordListTooLarge]);

export class Producer {
  readonly #client: ProducingClient;
  readonly #config: ProducerConfig;
  readonly #ports: Ports;
  readonly #clock: Clock;
  readonly #codec: Codec;
  readonly #pool: BufferPool;
  readonly #topics = new Map<string, TopicQueues>();
  readonly #brokers = new Map<number, BrokerState>();
  #identity: ProducerIdentity = { producerId: -1n, epoch: -1 };
  readonly #isTransactional: boolean;
  #transaction: ProducerTransaction | null = null;
  /** While partitions are being added to the transaction. */
  #joining: Promise<void> | null = null;
  #usedBytes = 0;
  #failure: Error | null = null;
  #isClosed = false;
  #timer: Timer | null = null;
  #timerAtMs = Infinity;
  #refreshing: Promise<void> | null = null;
  #refreshedMs = 0;
  #sentMs = -Infinity;
  #waiters: (() => void)[] = [];
  /** Bytes of batches handed to the network, without retries. */
  bytesSent = 0;
  /** Called once, when `failure` is set. */
  onFailure: () => void = () => undefined;

  constructor(client: ProducingClient, config: ProducerConfig, ports: Ports) {
    this.#client = client;
    this.#config = config;
    this.#ports = ports;
    this.#clock = ports.clock;
    this.#codec = codecByName(config.compression);
    this.#pool = new BufferPool(config.bufferBytes / 2);
    this.#isTransactional = config.isTransactional === true;
  }

  /** Called once, first; the client is connected. Rejects with MR-KAFKA-TOPIC-NOT-FOUND and its like. */
  async open(topics: readonly string[]): Promise<void> {
    if (!this.#isTransactional) this.#identity = await this.#client.initProducerId();
    const deadlineMs = this.#clock.monotonicMs() + OPEN_TIMEOUT_MS;
    for (;;) {
      const isLate = this.#clock.monotonicMs() > deadlineMs;
      try {
        const { topics: found } = await this.#client.metadata(topics);
        for (const topic of topics) this.#introduce(topic, found.get(topic));
      } catch (error) {
        if (isLate || !isMillraceError(error) || error.retry === 'never') throw error;
      }
      if (topics.every((topic) => this.#topics.has(topic))) break;
      // A topic that was made a moment ago is not known to every broker yet.
      if (isLate) {
        const topic = topics.find((name) => !this.#topics.has(name)) as string;
        throw kafkaErrors.create('MR-KAFKA-TOPIC-NOT-FOUND', { topic, brokers: 'the cluster', hint: '' });
      }
      await this.#clock.sleep(FIRST_RETRY_MS * 2);
    }
    this.#refreshedMs = this.#clock.monotonicMs();
  }

  #introduce(topic: string, info: TopicInfo | undefined): void {
    if (info === undefined || info.partitions.length === 0) return;
    const { name, reason } = describeErrorCode(info.errorCode);
    if (info.errorCode !== ErrorCode.none && !isTransient(info.errorCode)) {
      const resource = `topic ${topic}`;
      throw kafkaErrors.create('MR-KAFKA-REFUSED', { operation: 'write to', resource, reason, error: name });
    }
    const queues: TopicQueues = { topic, queues: [], sticky: -1 };
    this.#topics.set(topic, queues);
    this.#adopt(info);
    queues.sticky = Math.max(0, this.#chooseSticky(queues));
  }

  /** What was appended since end(), and what will be, is part of this transaction, and may be sent. */
  begin(transaction: ProducerTransaction): void {
    this.#transaction = transaction;
    this.#identity = transaction.identity;
    for (const queue of this.#allQueues()) queue.beginAnew(transaction.identity);
    this.#dispatch();
  }

  /** Of the transaction that was begun last. */
  get identity(): ProducerIdentity {
    return this.#identity;
  }

  /** Whether anything was appended to the transaction. */
  get hasTransactionData(): boolean {
    return this.#allQueues().some(
      (queue) => queue.isInTransaction || queue.waiting.length > 0 || (queue.open?.count ?? 0) > 0,
    );
  }

  #allQueues(): readonly PartitionQueue[] {
    return Array.from(this.#topics.values(), ({ queues }) => queues).flat();
  }

  /** To be called after flush(): what is appended from now on waits for the next transaction. */
  end(): void {
    this.#transaction = null;
    for (const queue of this.#allQueues()) queue.isInTransaction = false;
  }

  queuesOf(topic: string): TopicQueues {
    return this.#topics.get(topic) as TopicQueues;
  }

  /** Why nothing can be written any more; null while all is well. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** False while too much waits for acknowledgement. */
  get hasRoom(): boolean {
    return this.#usedBytes < this.#config.bufferBytes;
  }

  /** The size at which a batch is full. */
  get batchBytes(): number {
    return this.#config.batchBytes;
  }

  /** Whether everything appended is acknowledged. */
  get isIdle(): boolean {
    return this.#usedBytes === 0;
  }

  /** Resolves when hasRoom; rejects when the producer has failed. */
  async room(): Promise<void> {
    await this.#until(() => this.hasRoom);
  }

  /**
   * Takes a record; a null key or value is a start of -1. Copies what it takes. Throws MR-KAFKA-RECORD-TOO-LARGE, or
   * the failure of the producer.
   */
  append(
    topic: TopicQueues,
    timestamp: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    headers: Uint8Array | null,
  ): void {
    const { queues } = topic;
    const partition = keyStart < 0 ? topic.sticky : partitionOfKey(key, keyStart, keyEnd, queues.length);
    const queue = queues[partition] as PartitionQueue;
    const needed =
      (keyStart < 0 ? 0 : keyEnd - keyStart) +
      (valueStart < 0 ? 0 : valueEnd - valueStart) +
      (headers === null ? 0 : headers.length) +
      MAX_RECORD_OVERHEAD;
    let batch = queue.open;
    if (batch === null || batch.used + needed > batch.data.length || batch.used + needed > this.#config.batchBytes) {
      batch = this.#makeRoom(topic, queue, needed);
    }
    batch.append(timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd, headers);
  }

  /**
   * The open batch for records without a key, with room for a record of `needed` bytes, for a caller that encodes into
   * its `data` and has it adopt the run.
   */
  openBatch(topic: TopicQueues, needed: number): BatchBuilder {
    const queue = topic.queues[topic.sticky] as PartitionQueue;
    const batch = queue.open;
    const room = needed + MAX_RECORD_OVERHEAD;
    const isRoomy = batch !== null && batch.used + room <= Math.min(batch.data.length, this.#config.batchBytes);
    if (!isRoomy) return this.#makeRoom(topic, queue, room);
    if (batch.count === 0) this.#startLingering(queue);
    return batch;
  }

  /**
   * No more is at hand just now: sends what is there, unless something is on its way already or left a moment ago. Then
   * it lingers, so that a reader that keeps running dry for a moment does not make a request of every few records
   * (Nagle, RFC 896).
   */
  poke(): void {
    if (this.#isAnythingInFlight() || this.#clock.monotonicMs() - this.#sentMs < this.#config.lingerMs) return;
    this.#sendOpen();
  }

  #isAnythingInFlight(): boolean {
    for (const { inFlight } of this.#brokers.values()) if (inFlight > 0) return true;
    return false;
  }

  #sendOpen(): void {
    for (const { queues } of this.#topics.values()) {
      for (const queue of queues) {
        if (queue.open === null) continue;
        if (queue.open.count > 0) queue.isDue = true;
        else this.#drop(queue, queue.open);
      }
    }
    this.#dispatch();
  }

  /** Gives up an open batch that nothing was written to, as when all rows of a run could not be encoded. */
  #drop(queue: PartitionQueue, open: BatchBuilder): void {
    queue.open = null;
    this.#give(open.data);
  }

  /** Resolves when everything appended so far is acknowledged by all in-sync replicas; rejects if it cannot be. */
  async flush(): Promise<void> {
    this.#sendOpen();
    await this.#until(() => this.isIdle && this.#joining === null);
  }

  /** As close(), but what is not acknowledged gets a last chance, of bounded time. */
  async closeGently(): Promise<void> {
    if (this.#failure === null && !this.isIdle) {
      await settledWithin(this.flush(), CLOSE_FLUSH_MS, this.#clock);
    }
    this.close();
  }

  /** Gives up what is not acknowledged; flush() first. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#failure ??= kafkaErrors.create('MR-KAFKA-CLOSED', {});
    this.#wake();
  }

  #makeRoom(topic: TopicQueues, queue: PartitionQueue, needed: number): BatchBuilder {
    if (this.#failure !== null) throw this.#failure;
    const limit = this.#config.maxRequestBytes;
    if (needed + Batch.records > limit) {
      throw kafkaErrors.create('MR-KAFKA-RECORD-TOO-LARGE', { topic: topic.topic, size: needed, limit });
    }
    const open = queue.open;
    if (open !== null && open.count > 0 && open.used + needed > this.#config.batchBytes) {
      this.#close(topic, queue);
      this.#dispatch();
    } else if (open !== null) {
      const grown = this.#take(Math.max(open.data.length * 2, open.used + needed));
      open.data.copy(grown, 0, 0, open.used);
      this.#give(open.data);
      open.data = grown;
      return open;
    }
    const size = Math.max(Math.min(queue.expectedBytes, this.#config.batchBytes), Batch.records + needed);
    const batch = new BatchBuilder(this.#take(size));
    queue.open = batch;
    queue.isDue = false;
    this.#startLingering(queue);
    return batch;
  }

  #startLingering(queue: PartitionQueue): void {
    queue.openedMs = this.#clock.monotonicMs();
    this.#wakeAt(queue.openedMs + this.#config.lingerMs);
  }

  #take(leastBytes: number): Buffer {
    const buffer = this.#pool.take(leastBytes);
    this.#usedBytes += buffer.length;
    return buffer;
  }

  #give(buffer: Buffer): void {
    this.#usedBytes -= buffer.length;
    this.#pool.give(buffer);
  }

  #close(topic: TopicQueues, queue: PartitionQueue): void {
    const batch = queue.open as BatchBuilder;
    queue.open = null;
    queue.isDue = false;
    queue.expectedBytes = batch.used;
    const bytes = batch.close(this.#codec);
    const isShared = bytes.buffer === batch.data.buffer;
    if (!isShared) {
      this.#give(batch.data);
      this.#usedBytes += bytes.length;
    }
    const memory = isShared ? batch.data : null;
    const { count } = batch;
    queue.waiting.push({ bytes, memory, count, createdMs: queue.openedMs, baseSequence: -1, outcome: 'none' });
    if (queue.partition === topic.sticky) topic.sticky = this.#chooseSticky(topic);
  }

  /** Another partition that has a leader, at random (KIP-794). */
  #chooseSticky(topic: TopicQueues): number {
    const others = topic.queues.filter(({ partition, leader }) => partition !== topic.sticky && leader >= 0);
    if (others.length === 0) return topic.sticky;
    return (others[Math.floor(this.#ports.randomness.next() * others.length)] as PartitionQueue).partition;
  }

  /** Sends all that may be sent now, and sets the clock for the rest. */
  #dispatch(): void {
    if (this.#failure !== null || (this.#isTransactional && this.#transaction === null)) return;
    const nowMs = this.#clock.monotonicMs();
    const byBroker = new Map<number, PartitionQueue[]>();
    let needsLeader = false;
    let needsJoin = false;
    for (const topic of this.#topics.values()) {
      for (const queue of topic.queues) {
        if (queue.open !== null && queue.open.count > 0 && !queue.isDue) this.#checkLinger(queue, nowMs);
        if (queue.waiting.length === 0 && !(queue.open !== null && queue.isDue)) continue;
        if (queue.leader < 0) needsLeader = true;
        if (this.#isTransactional && !queue.isInTransaction) {
          needsJoin = true;
          continue;
        }
        if (!queue.maySend(nowMs)) {
          if (queue.retryAtMs > nowMs) this.#wakeAt(queue.retryAtMs);
          continue;
        }
        const broker = this.#broker(queue.leader);
        if (broker.throttledUntilMs > nowMs) this.#wakeAt(broker.throttledUntilMs);
        else if (broker.inFlight < MAX_IN_FLIGHT) {
          const list = byBroker.get(queue.leader);
          if (list === undefined) byBroker.set(queue.leader, [queue]);
          else list.push(queue);
        }
      }
    }
    for (const [brokerId, queues] of byBroker) this.#sendTo(brokerId, queues);
    if (needsJoin) this.#join();
    if (needsLeader || nowMs - this.#refreshedMs > METADATA_MAX_AGE_MS) void this.#refresh();
  }

  /** Adds all partitions that have something to the transaction, one request at a time. */
  #join(): void {
    const transaction = this.#transaction;
    if (transaction === null || this.#joining !== null) return;
    const queues = this.#allQueues().filter(
      (queue) => !queue.isInTransaction && (queue.open !== null || queue.waiting.length > 0),
    );
    this.#joining = transaction
      .addPartitions(queues.map(({ topic, partition }) => ({ topic, partition })))
      .then(
        () => {
          for (const queue of queues) queue.isInTransaction = true;
        },
        (error: unknown) => this.fail(error instanceof Error ? error : new Error(String(error))),
      )
      .finally(() => {
        this.#joining = null;
        this.#dispatch();
        this.#wake();
      });
  }

  #checkLinger(queue: PartitionQueue, nowMs: number): void {
    const dueMs = queue.openedMs + this.#config.lingerMs;
    if (dueMs <= nowMs) queue.isDue = true;
    else this.#wakeAt(dueMs);
  }

  #broker(id: number): BrokerState {
    let broker = this.#brokers.get(id);
    if (broker === undefined) {
      broker = { inFlight: 0, throttledUntilMs: 0 };
      this.#brokers.set(id, broker);
    }
    return broker;
  }

  /** One request holds at most one batch per partition. */
  #sendTo(brokerId: number, queues: readonly PartitionQueue[]): void {
    const broker = this.#broker(brokerId);
    let rest = queues;
    while (rest.length > 0 && broker.inFlight < MAX_IN_FLIGHT) {
      const sent: { readonly queue: PartitionQueue; readonly batch: PendingBatch }[] = [];
      let sizeBytes = 0;
      let taken = 0;
      for (const queue of rest) {
        if (sizeBytes >= this.#config.maxRequestBytes) break;
        taken++;
        if (queue.waiting.length === 0) this.#close(this.queuesOf(queue.topic), queue);
        const batch = queue.takeForSending();
        sizeBytes += batch.bytes.length;
        sent.push({ queue, batch });
      }
      rest = rest.slice(taken);
      broker.inFlight++;
      this.#sentMs = this.#clock.monotonicMs();
      this.bytesSent += sizeBytes;
      void this.#request(brokerId, broker, sent);
    }
  }

  async #request(
    brokerId: number,
    broker: BrokerState,
    sent: readonly { readonly queue: PartitionQueue; readonly batch: PendingBatch }[],
  ): Promise<void> {
    try {
      const partitions = sent.map(({ queue, batch }) => ({
        topic: queue.topic,
        partition: queue.partition,
        batch: batch.bytes,
      }));
      const { requestTimeoutMs } = this.#config;
      const transactionalId = this.#transaction?.identity.transactionalId ?? null;
      const response = await this.#client.produce(brokerId, partitions, requestTimeoutMs, transactionalId);
      broker.throttledUntilMs = response.throttleMs > 0 ? this.#clock.monotonicMs() + response.throttleMs : 0;
      const results = new Map(response.partitions.map((result) => [`${result.topic}/${result.partition}`, result]));
      for (const { queue, batch } of sent) this.#settle(queue, batch, results.get(`${queue.topic}/${queue.partition}`));
    } catch (error) {
      if (isMillraceError(error) && error.retry === 'never') this.fail(error);
      const reason = error instanceof Error ? error.message : String(error);
      for (const { queue, batch } of sent) this.#retry(queue, batch, reason, false);
    } finally {
      broker.inFlight--;
    }
    this.#dispatch();
    this.#wake();
  }

  #settle(queue: PartitionQueue, batch: PendingBatch, result: ProducedPartition | undefined): void {
    const code = result?.errorCode ?? ErrorCode.networkException;
    if (code === ErrorCode.none || code === ErrorCode.duplicateSequence) {
      queue.acknowledge(batch);
      if (batch.memory !== null) this.#give(batch.memory);
      else this.#usedBytes -= batch.bytes.length;
      queue.onAcknowledged?.(result?.baseOffset ?? -1);
      if (queue.settle()) this.#recover(queue);
      return;
    }
    const { name, reason } = describeErrorCode(code);
    if (UNEXPECTED_SEQUENCE.has(code)) this.#retry(queue, batch, name, true);
    else if (isTransient(code) || MAY_PASS.has(code)) this.#retry(queue, batch, name, false);
    else this.fail(this.#refusal(queue, batch, code, name, reason));
  }

  #refusal(queue: PartitionQueue, batch: PendingBatch, code: number, name: string, reason: string): Error {
    const { topic, partition } = queue;
    const resource = `topic ${topic}`;
    if (this.#isTransactional && isFenced(code)) return this.#fenced(name);
    if (TOO_LARGE.has(code)) {
      const fields = { topic, partition, size: batch.bytes.length, count: batch.count };
      return kafkaErrors.create('MR-KAFKA-MESSAGE-TOO-LARGE', fields);
    }
    if (isAuthorization(code)) {
      return kafkaErrors.create('MR-KAFKA-NOT-AUTHORIZED', { operation: 'write to', resource, reason });
    }
    return kafkaErrors.create('MR-KAFKA-REFUSED', { operation: 'write to', resource, reason, error: name });
  }

  #retry(queue: PartitionQueue, batch: PendingBatch, reason: string, isSequenceUnknown: boolean): void {
    if (queue.fail(batch, reason, isSequenceUnknown)) this.#recover(queue);
  }

  /** All in flight have settled, and some failed: they wait for their time and for a leader. */
  #recover(queue: PartitionQueue): void {
    const nowMs = this.#clock.monotonicMs();
    const oldest = queue.waiting[0];
    if (oldest !== undefined && nowMs - oldest.createdMs > this.#config.deliveryTimeoutMs) {
      this.fail(this.#unavailable(queue));
      return;
    }
    if (queue.needsNewEpoch && this.#isTransactional) this.fail(this.#fenced(queue.lastReason));
    else if (queue.needsNewEpoch) void this.#beginAnew(queue);
    queue.retryAtMs = nowMs + Math.min(FIRST_RETRY_MS * 2 ** (queue.attempts - 1), MAX_RETRY_MS);
    this.#wakeAt(queue.retryAtMs);
    void this.#refresh();
  }

  async #beginAnew(queue: PartitionQueue): Promise<void> {
    if (!queue.isEpochExhausted) {
      queue.beginAnew(null);
      return;
    }
    queue.retryAtMs = Infinity;
    try {
      queue.beginAnew(await this.#client.initProducerId());
      queue.retryAtMs = 0;
      this.#dispatch();
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fenced(reason: string): Error {
    const transactionalId = this.#transaction?.identity.transactionalId ?? '';
    return kafkaErrors.create('MR-KAFKA-TRANSACTION-FENCED', { transactionalId, reason });
  }

  #unavailable(queue: PartitionQueue): Error {
    return kafkaErrors.create('MR-KAFKA-UNAVAILABLE', {
      operation: 'write to',
      resource: `topic ${queue.topic}, partition ${queue.partition}`,
      seconds: Math.round(this.#config.deliveryTimeoutMs / 1000),
      reason: queue.lastReason === '' ? 'it has no leader' : queue.lastReason,
    });
  }

  /** Looks for leaders; one at a time. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#refreshNow().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #refreshNow(): Promise<void> {
    try {
      const { topics } = await this.#client.metadata([...this.#topics.keys()]);
      for (const info of topics.values()) this.#adopt(info);
      this.#refreshedMs = this.#clock.monotonicMs();
    } catch (error) {
      if (isMillraceError(error) && error.retry === 'never') this.fail(error);
    }
    this.#expire();
    if (this.#needsAttention()) this.#wakeAt(this.#clock.monotonicMs() + FIRST_RETRY_MS * 4);
  }

  /** New partitions, and who leads. */
  #adopt(info: TopicInfo): void {
    const topic = this.#topics.get(info.name);
    if (topic === undefined) return;
    for (const { partition, leader } of info.partitions) {
      const queue = topic.queues[partition];
      if (queue !== undefined) queue.leader = leader;
      else topic.queues[partition] = this.#newQueue(info.name, partition, leader);
    }
  }

  #newQueue(topic: string, partition: number, leader: number): PartitionQueue {
    return new PartitionQueue(topic, partition, leader, this.#identity, this.#isTransactional);
  }

  #needsAttention(): boolean {
    return [...this.#topics.values()].some(({ queues }) =>
      queues.some((queue) => queue.waiting.length > 0 || (queue.open !== null && queue.isDue)),
    );
  }

  /** Batches for which no leader was found in time. */
  #expire(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const { queues } of this.#topics.values()) {
      for (const queue of queues) {
        const oldest = queue.inFlight.length > 0 ? undefined : queue.waiting[0];
        if (oldest === undefined || nowMs - oldest.createdMs <= this.#config.deliveryTimeoutMs) continue;
        this.fail(this.#unavailable(queue));
        return;
      }
    }
  }

  #wakeAt(atMs: number): void {
    if (atMs >= this.#timerAtMs || this.#isClosed) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#clock.schedule(Math.max(0, atMs - this.#clock.monotonicMs()), () => {
      this.#timerAtMs = Infinity;
      this.#timer = null;
      this.#dispatch();
    });
  }

  /** Nothing can be written any more, for a reason that lies outside. */
  fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#wake();
    this.onFailure();
  }

  async #until(condition: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      if (condition()) return;
      if (!this.hasRoom) this.poke();
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
