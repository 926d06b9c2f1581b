/**
 * One broker with a transaction coordinator, for tests: Kafka's rules for transactional ids (its TransactionCoordinator
 * and TransactionMetadata) and for what a partition takes from producers (ProducerAppendInfo). Written from those, not
 * from the code that it tests. Each process that talks to it has a FakeConnection, which can die.
 */
import {
  describeErrorCode,
  ErrorCode,
  type ClusterMetadata,
  type EndAnswer,
  type FetchRequest,
  type FetchResponse,
  type ProducedPartition,
  type ProducePartition,
  type TopicPartition,
  type TransactionIdentity,
} from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import { markerBatch, range, readAll } from '../record-batch/batch-fixtures.ts';
import { Batch, stampBatch } from '../record-batch/index.ts';

type State = 'empty' | 'ongoing' | 'committing' | 'committed' | 'aborting' | 'aborted';

interface Transaction {
  producerId: bigint;
  epoch: number;
  state: State;
  partitions: Set<string>;
}

interface LogEntry {
  readonly bytes: Buffer;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly producerId: bigint;
  readonly epoch: number;
  readonly firstSequence: number;
  readonly values: readonly string[];
  readonly marker: 'commit' | 'abort' | null;
}

interface PartitionLog {
  readonly entries: LogEntry[];
  logStart: number;
  /** What the partition knows of each producer. */
  readonly producers: Map<bigint, { epoch: number; nextSequence: number }>;
}

export interface FakeKafkaOptions {
  /** Topics and their numbers of partitions. */
  readonly topics: Readonly<Record<string, number>>;
  /** Whether a partition asks the coordinator before a transaction begins in it (KIP-890, since Kafka 3.6). */
  readonly verifies: boolean;
  /** The highest epoch of a producer id. Kafka's is 32766. */
  readonly lastEpoch: number;
}

export class FakeKafka {
  readonly #options: FakeKafkaOptions;
  readonly #ids = new Map<string, Transaction>();
  readonly #logs = new Map<string, PartitionLog>();
  #nextProducerId = 4000n;

  constructor(options: FakeKafkaOptions) {
    this.#options = options;
    for (const [topic, count] of Object.entries(options.topics)) {
      for (let partition = 0; partition < count; partition++) {
        this.#logs.set(`${topic}/${partition}`, { entries: [], logStart: 0, producers: new Map() });
      }
    }
  }

  /** The broker's own abort of transactions that are open for too long. Markers come later. */
  expireTransactions(): void {
    for (const transaction of this.#ids.values()) {
      if (transaction.state !== 'ongoing') continue;
      transaction.state = 'aborting';
      this.#raiseEpoch(transaction);
    }
  }

  /** As after transactional.id.expiration.ms. */
  forgetIds(): void {
    this.settle();
    this.#ids.clear();
  }

  /** As retention does. */
  deleteRecords(topic: string): void {
    for (const [name, log] of this.#logs) if (name.startsWith(`${topic}/`)) log.logStart = endOf(log);
  }

  /** Writes all markers that are due. */
  settle(): void {
    for (const transaction of this.#ids.values()) this.#finish(transaction);
  }

  /** Ids and the states of their transactions. */
  get states(): ReadonlyMap<string, State> {
    return new Map(Array.from(this.#ids, ([id, { state }]) => [id, state]));
  }

  /** Values of committed transactions, in the order of the log, whatever is open before them. */
  committed(topic: string): string[] {
    return this.#logsOf(topic).flatMap(({ entries }) => {
      const ends = entries.map((entry, index) =>
        entry.marker === null
          ? entries.slice(index).find((later) => later.marker !== null && later.producerId === entry.producerId)?.marker
          : null,
      );
      return entries.flatMap(({ values }, index) => (ends[index] === 'commit' ? values : []));
    });
  }

  /** Whether a read_committed reader reaches the end: nothing is open. */
  isReadable(topic: string): boolean {
    return this.#logsOf(topic).every(({ entries }) => {
      const open = new Set<bigint>();
      for (const { producerId, marker } of entries) {
        if (marker === null) open.add(producerId);
        else open.delete(producerId);
      }
      return open.size === 0;
    });
  }

  #logsOf(topic: string): PartitionLog[] {
    return [...this.#logs].filter(([name]) => name.startsWith(`${topic}/`)).map(([, log]) => log);
  }

  metadata(topics: readonly string[] | null): ClusterMetadata {
    const names = topics ?? Object.keys(this.#options.topics);
    const partitionsOf = (topic: string) =>
      Array.from({ length: this.#options.topics[topic] ?? 0 }, (_, partition) => {
        return { partition, leader: 1, replicas: [1], inSyncReplicas: [1] };
      });
    return {
      brokers: new Map([[1, { id: 1, host: 'fake', port: 1, rack: null }]]),
      topics: new Map(
        names.map((name) => {
          const partitions = partitionsOf(name);
          const errorCode = partitions.length === 0 ? ErrorCode.unknownTopicOrPartition : ErrorCode.none;
          return [name, { name, errorCode, isInternal: false, partitions }];
        }),
      ),
    };
  }

  initTransactionalId(transactionalId: string): TransactionIdentity {
    let transaction = this.#ids.get(transactionalId);
    if (transaction === undefined) {
      transaction = { producerId: this.#nextProducerId++, epoch: 0, state: 'empty', partitions: new Set() };
      this.#ids.set(transactionalId, transaction);
    } else {
      if (transaction.state === 'ongoing') {
        // The epoch is raised for the abort, and once more for the one who asked.
        this.#raiseEpoch(transaction);
        transaction.state = 'aborting';
      }
      this.#finish(transaction);
      if (transaction.epoch >= this.#options.lastEpoch) {
        transaction.producerId = this.#nextProducerId++;
        transaction.epoch = 0;
      } else transaction.epoch++;
      transaction.state = 'empty';
    }
    return { transactionalId, producerId: transaction.producerId, epoch: transaction.epoch };
  }

  addToTransaction(identity: TransactionIdentity, partitions: readonly TopicPartition[]): number {
    const transaction = this.#ids.get(identity.transactionalId);
    const refusal = refusalOf(transaction, identity);
    if (transaction === undefined || refusal !== ErrorCode.none) return refusal;
    this.#finish(transaction);
    if (transaction.state !== 'ongoing') transaction.partitions = new Set();
    transaction.state = 'ongoing';
    for (const { topic, partition } of partitions) transaction.partitions.add(`${topic}/${partition}`);
    return ErrorCode.none;
  }

  commitTransaction(identity: TransactionIdentity): number {
    const transaction = this.#ids.get(identity.transactionalId);
    const refusal = refusalOf(transaction, identity);
    if (transaction === undefined || refusal !== ErrorCode.none) return refusal;
    switch (transaction.state) {
      case 'ongoing':
        transaction.state = 'committing';
        return ErrorCode.none;
      case 'committing':
      case 'committed':
        return ErrorCode.none;
      case 'empty':
      case 'aborting':
      case 'aborted':
        return ErrorCode.invalidTransactionState;
    }
  }

  produce({ topic, partition, batch }: ProducePartition, transactionalId: string | null): ProducedPartition {
    const name = `${topic}/${partition}`;
    const log = this.#logs.get(name);
    const answer = (errorCode: number, baseOffset = -1): ProducedPartition => {
      return { topic, partition, errorCode, baseOffset, logStartOffset: log?.logStart ?? -1 };
    };
    if (log === undefined) return answer(ErrorCode.unknownTopicOrPartition);
    const bytes = Buffer.from(batch);
    const producerId = bytes.readBigInt64BE(Batch.producerId);
    const epoch = bytes.readInt16BE(Batch.producerEpoch);
    const firstSequence = bytes.readInt32BE(Batch.baseSequence);
    const known = log.producers.get(producerId);
    if (known !== undefined && epoch < known.epoch) return answer(ErrorCode.invalidProducerEpoch);
    const twin = log.entries.find(
      (entry) => entry.producerId === producerId && entry.epoch === epoch && entry.firstSequence === firstSequence,
    );
    if (twin !== undefined && twin.marker === null) return answer(ErrorCode.none, twin.baseOffset);
    const expected = known?.epoch === epoch ? known.nextSequence : 0;
    if (firstSequence !== expected) return answer(ErrorCode.outOfOrderSequence);
    if (this.#options.verifies && !this.#isAdded(transactionalId, producerId, epoch, name)) {
      return answer(ErrorCode.invalidTransactionState);
    }
    const values = readAll(range(bytes)).records.map(({ value }) => String(value));
    log.producers.set(producerId, { epoch, nextSequence: firstSequence + values.length });
    const baseOffset = endOf(log);
    append(log, bytes, { producerId, epoch, firstSequence, values, marker: null });
    return answer(ErrorCode.none, baseOffset);
  }

  fetch(request: FetchRequest): FetchResponse {
    const [asked] = request.partitions;
    if (asked === undefined) throw new Error('nothing is asked for');
    const { topic, partition, offset } = asked;
    const log = this.#logs.get(`${topic}/${partition}`);
    const isInRange = log !== undefined && offset >= log.logStart && offset <= endOf(log);
    const wanted = isInRange ? log.entries.filter(({ lastOffset }) => lastOffset >= offset).slice(0, 2) : [];
    const data = Buffer.concat(wanted.map(({ bytes }) => bytes));
    const found = {
      topic,
      partition,
      errorCode: isInRange ? ErrorCode.none : ErrorCode.offsetOutOfRange,
      highWatermark: log === undefined ? -1 : endOf(log),
      lastStableOffset: -1,
      logStartOffset: log?.logStart ?? -1,
      abortedTransactions: [],
      preferredReplica: -1,
      recordsStart: 0,
      recordsEnd: data.length,
    };
    return { data, sizeBytes: data.length, throttleMs: 0, errorCode: 0, partitions: [found] };
  }

  #isAdded(id: string | null, producerId: bigint, epoch: number, name: string): boolean {
    const transaction = this.#ids.get(id ?? '');
    const isCurrent = transaction?.producerId === producerId && transaction.epoch === epoch;
    return isCurrent && transaction.state === 'ongoing' && transaction.partitions.has(name);
  }

  /** Beyond the last epoch there is one more, for fencing alone. */
  #raiseEpoch(transaction: Transaction): void {
    transaction.epoch = Math.min(transaction.epoch + 1, this.#options.lastEpoch + 1);
  }

  #finish(transaction: Transaction): void {
    const { state, producerId, epoch } = transaction;
    if (state !== 'committing' && state !== 'aborting') return;
    const marker = state === 'committing' ? 'commit' : 'abort';
    for (const name of transaction.partitions) {
      const log = this.#logs.get(name);
      if (log === undefined) continue;
      const bytes = markerBatch(producerId, 0, marker);
      stampBatch(bytes, { producerId, epoch }, -1);
      append(log, bytes, { producerId, epoch, firstSequence: -1, values: [], marker });
      const known = log.producers.get(producerId);
      if (known === undefined || known.epoch < epoch) log.producers.set(producerId, { epoch, nextSequence: 0 });
    }
    transaction.state = state === 'committing' ? 'committed' : 'aborted';
  }
}

function append(
  log: PartitionLog,
  bytes: Buffer,
  entry: Omit<LogEntry, 'bytes' | 'baseOffset' | 'lastOffset'>,
): void {
  const baseOffset = endOf(log);
  bytes.writeBigInt64BE(BigInt(baseOffset), 0);
  const lastOffset = baseOffset + bytes.readInt32BE(Batch.lastOffsetDelta);
  log.entries.push({ ...entry, bytes, baseOffset, lastOffset });
}

function endOf(log: PartitionLog): number {
  return (log.entries.at(-1)?.lastOffset ?? -1) + 1;
}

function refusalOf(transaction: Transaction | undefined, { producerId, epoch }: TransactionIdentity): number {
  if (transaction === undefined || transaction.producerId !== producerId) return ErrorCode.invalidProducerIdMapping;
  return transaction.epoch === epoch ? ErrorCode.none : ErrorCode.invalidProducerEpoch;
}

/** What becomes of a request. */
export type Fault =
  | 'none'
  /** Carried out, but the answer is lost: it is sent again. */
  | 'lost-answer'
  /** Not carried out, and the connection breaks: it is sent again. */
  | 'lost-request';

/** One process's way to the broker. Requests of a dead one may still arrive, late, as those in a switch's buffer do. */
export class FakeConnection {
  readonly #kafka: FakeKafka;
  readonly #nextFault: () => Fault;
  readonly #pause: () => Promise<void>;
  /** Requests that are under way. */
  readonly #underWay = new Set<() => void>();
  #isDead = false;
  #lastArrival: Promise<void> = Promise.resolve();

  constructor(kafka: FakeKafka, nextFault: () => Fault, pause: () => Promise<void>) {
    this.#kafka = kafka;
    this.#nextFault = nextFault;
    this.#pause = pause;
  }

  /** Ends the process: nothing that it awaits is ever answered. Returns what is still under way, to arrive later. */
  die(): readonly (() => void)[] {
    this.#isDead = true;
    return [...this.#underWay];
  }

  connect = (): Promise<void> => Promise.resolve();
  close = (): Promise<void> => Promise.resolve();
  listOffsets = (): never => unused();
  initProducerId = (): never => unused();

  metadata = (topics: readonly string[] | null): Promise<ClusterMetadata> =>
    this.#send(() => this.#kafka.metadata(topics));

  fetch = (_broker: number, request: FetchRequest): Promise<FetchResponse> =>
    this.#send(() => {
      const answer = this.#kafka.fetch(request);
      // What is not there yet comes a little later.
      this.#kafka.settle();
      return answer;
    });

  initTransactionalId = (id: string): Promise<TransactionIdentity> =>
    this.#send(() => this.#kafka.initTransactionalId(id));

  addToTransaction = async (identity: TransactionIdentity, partitions: readonly TopicPartition[]): Promise<void> => {
    const code = await this.#send(() => this.#kafka.addToTransaction(identity, partitions));
    if (code === ErrorCode.none) return;
    const { transactionalId } = identity;
    const reason = describeErrorCode(code).name;
    throw kafkaErrors.create('MR-KAFKA-TRANSACTION-FENCED', { transactionalId, reason });
  };

  commitTransaction = async (identity: TransactionIdentity): Promise<EndAnswer> => {
    const code = await this.#send(() => this.#kafka.commitTransaction(identity));
    return code === ErrorCode.none
      ? { kind: 'committed' }
      : { kind: 'refused', reason: describeErrorCode(code).name };
  };

  produce = async (
    _broker: number,
    partitions: readonly ProducePartition[],
    _timeoutMs: number,
    transactionalId: string | null = null,
  ): Promise<{ readonly throttleMs: number; readonly partitions: readonly ProducedPartition[] }> => {
    const copies = partitions.map((part) => ({ ...part, batch: Buffer.from(part.batch) }));
    const work = () => copies.map((part) => this.#kafka.produce(part, transactionalId));
    return { throttleMs: 0, partitions: await this.#send(work, false) };
  };

  /** A producer sends again by itself; the client does so with all else. */
  async #send<T>(work: () => T, isRepeated = true): Promise<T> {
    const fault = this.#nextFault();
    if (fault !== 'none' && !isRepeated) {
      if (fault === 'lost-answer') await this.#arrive(work);
      throw kafkaErrors.create('MR-KAFKA-UNREACHABLE', { brokers: 'fake:1', reason: fault });
    }
    if (fault === 'lost-answer') await this.#arrive(work);
    return this.#arrive(work);
  }

  async #arrive<T>(work: () => T): Promise<T> {
    await this.#whileAlive();
    const late = (): void => void work();
    this.#underWay.add(late);
    // Requests of one connection arrive in their order.
    const arrival = this.#lastArrival.then(() => this.#pause());
    this.#lastArrival = arrival;
    await arrival;
    await this.#whileAlive();
    this.#underWay.delete(late);
    const answer = work();
    await this.#pause();
    await this.#whileAlive();
    return answer;
  }

  /** A dead process goes no further. */
  #whileAlive(): Promise<void> {
    return this.#isDead ? new Promise(() => undefined) : Promise.resolve();
  }
}

function unused(): never {
  throw new Error('transactions do not ask this');
}
