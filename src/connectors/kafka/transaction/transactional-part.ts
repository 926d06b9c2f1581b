/**
 * The transactions of one subtask: one between any two barriers, begun by the first row, prepared at the barrier,
 * committed when its checkpoint is complete. docs/design/012 has the protocol and the rule for every crash point.
 */
import type { Committable, CommittingPart, Ports } from '../../../core/index.ts';
import type { KafkaClient, TopicPartition, TransactionIdentity } from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import type { Producer } from '../producer/index.ts';
import { settledWithin } from '../settled-within.ts';
import { commitPrepared, type CommittingClient } from './commit-prepared.ts';
import { encodeCommitRecord } from './commits-topic.ts';
import { IdPool } from './id-pool.ts';
import { toCommittable, type TransactionHandle } from './transaction-handle.ts';
import type { TransactionSettings } from './transaction-options.ts';
import { poolSize, transactionalId } from './transactional-ids.ts';

/** What transactions need of a client. */
export type TransactionalClient = CommittingClient & Pick<KafkaClient, 'initTransactionalId' | 'addToTransaction'>;

/** The transaction that rows are being written to. */
interface OpenTransaction {
  readonly k: number;
  readonly id: string;
  /** Resolves once InitProducerId was answered; a failure is the producer's. */
  begun: Promise<void>;
  /** Whether there may be anything that has to be aborted. */
  mayHoldRecords: boolean;
}

interface PreparedTransaction {
  readonly k: number;
  readonly handle: TransactionHandle;
  /** While it is being committed. */
  committing: Promise<void> | null;
}

/** How long close() may take to abort. */
const ABORT_TIMEOUT_MS = 2000;
const NO_KEY = new Uint8Array(0);

export class TransactionalPart implements CommittingPart {
  readonly #client: TransactionalClient;
  readonly #producer: Producer;
  readonly #settings: TransactionSettings;
  readonly #subtaskIndex: number;
  readonly #ports: Ports;
  readonly #pool: IdPool;
  #open: OpenTransaction | null = null;
  /** Not known to be committed, in the order of their checkpoints. */
  #prepared: PreparedTransaction[] = [];
  #isClosed = false;
  #waiters: (() => void)[] = [];

  /** The producer is open, transactional, and has the commits topic among its topics. */
  constructor(
    client: TransactionalClient,
    producer: Producer,
    settings: TransactionSettings,
    subtaskIndex: number,
    ports: Ports,
  ) {
    this.#client = client;
    this.#producer = producer;
    this.#settings = settings;
    this.#subtaskIndex = subtaskIndex;
    this.#ports = ports;
    this.#pool = new IdPool(poolSize(settings.tolerableFailures));
  }

  /** To be called before anything is appended: begins a transaction where there is none. False while no id is free. */
  admit(): boolean {
    if (this.#open !== null) return true;
    const k = this.#pool.take();
    if (k === null) return false;
    const id = transactionalId(this.#settings.owner, this.#subtaskIndex, k);
    const open: OpenTransaction = { k, id, begun: Promise.resolve(), mayHoldRecords: false };
    this.#open = open;
    open.begun = this.#begin(open);
    return true;
  }

  /** Whether admit() would be true. */
  get canAdmit(): boolean {
    return this.#open !== null || this.#pool.hasFree;
  }

  /** Resolves when admit() would be true; rejects when the producer has failed. */
  async admission(): Promise<void> {
    while (!this.canAdmit) {
      if (this.#producer.failure !== null) throw this.#producer.failure;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  async #begin(open: OpenTransaction): Promise<void> {
    const { transactionTimeoutMs, persistMs } = this.#settings;
    try {
      const identity = await this.#client.initTransactionalId(open.id, transactionTimeoutMs, persistMs);
      if (this.#isClosed) return;
      this.#producer.begin({ identity, addPartitions: (partitions) => this.#extend(open, identity, partitions) });
    } catch (error) {
      this.#producer.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #extend(
    open: OpenTransaction,
    identity: TransactionIdentity,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    open.mayHoldRecords = true;
    return this.#client.addToTransaction(identity, partitions, this.#settings.persistMs);
  }

  async prepareCommit(checkpointId: number): Promise<readonly Committable[]> {
    const open = this.#open;
    if (open !== null && this.#producer.hasTransactionData) {
      const handle = await this.#prepare(open, checkpointId);
      // Commits that came meanwhile have made another list: it is looked up only now.
      this.#prepared.push({ k: open.k, handle, committing: null });
      this.#open = null;
    }
    return this.#prepared.map(({ handle }) => toCommittable(handle));
  }

  async #prepare(open: OpenTransaction, checkpointId: number): Promise<TransactionHandle> {
    const producer = this.#producer;
    const { owner, commitsTopic: topic } = this.#settings;
    const commits = producer.queuesOf(topic);
    const partition = commits.sticky;
    const queue = commits.queues[partition];
    if (queue === undefined) throw new TypeError(`a producer without ${topic}`);
    let offset = -1;
    queue.onAcknowledged = (baseOffset) => {
      offset = baseOffset;
    };
    const value = encodeCommitRecord(this.#settings, this.#subtaskIndex, checkpointId, open.id);
    producer.append(commits, this.#ports.clock.nowMs(), NO_KEY, -1, -1, value, 0, value.length, null);
    await open.begun;
    await producer.flush();
    queue.onAcknowledged = null;
    const { identity } = producer;
    // A handle must not name what close() has aborted meanwhile.
    if (this.#isClosed) throw kafkaErrors.create('MR-KAFKA-CLOSED', {});
    if (offset < 0) {
      const reason = 'the broker does not say where the commit record stands';
      throw kafkaErrors.create('MR-KAFKA-TRANSACTION-FENCED', { transactionalId: open.id, reason });
    }
    producer.end();
    this.#ports.crashPoints?.reached('transaction-flushed');
    return {
      stepId: owner.stepId,
      subtaskIndex: this.#subtaskIndex,
      checkpointId,
      identity: { transactionalId: open.id, ...identity },
      topic,
      partition,
      offset,
    };
  }

  async commit(checkpointId: number): Promise<void> {
    for (const prepared of this.#prepared.filter(({ handle }) => handle.checkpointId <= checkpointId)) {
      prepared.committing ??= this.#commit(prepared);
      await prepared.committing;
    }
  }

  async #commit(prepared: PreparedTransaction): Promise<void> {
    try {
      await commitPrepared(this.#client, prepared.handle, this.#settings, this.#ports);
    } catch (error) {
      prepared.committing = null;
      throw error;
    }
    this.#prepared = this.#prepared.filter((each) => each !== prepared);
    this.#pool.give(prepared.k);
    this.#wake();
  }

  /**
   * Called once, last. Aborts the open transaction as far as that is quick, so that readers need not wait for its
   * timeout; leaves prepared ones alone: their checkpoint decides. Never rejects.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#producer.close();
    this.#wake();
    const open = this.#open;
    if (open === null || !open.mayHoldRecords) return;
    const { transactionTimeoutMs } = this.#settings;
    // Not by EndTxn: the raised epoch keeps out what is still on its way.
    const abort = this.#client.initTransactionalId(open.id, transactionTimeoutMs, ABORT_TIMEOUT_MS);
    await settledWithin(abort, ABORT_TIMEOUT_MS, this.#ports.clock);
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
