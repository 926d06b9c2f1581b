/**
 * Kafka's transactions, as docs/design/012 needs them: epochs of producers, fencing, timeouts, markers that come later
 * than the answer, one partition of a log, its last stable offset, and a reader of what is committed. All methods are
 * what the broker does when a request arrives; requests of one kind may arrive twice, and late.
 */
import type { World } from './world.ts';

export interface OutputRow {
  readonly text: string;
  readonly key: number;
  readonly count: number;
}

export interface Transaction {
  readonly transactionalId: string;
  readonly epoch: number;
  state: 'open' | 'committing' | 'committed' | 'aborted';
  lastSequence: number;
}

interface Producer {
  epoch: number;
  /** The present one or the last. */
  transaction: Transaction | null;
}

export interface KafkaObserver {
  /** A commit is about to be accepted. */
  committing(transaction: Transaction): void;
  aborted(transaction: Transaction, why: string): void;
  /** In the order of the log, as a read_committed reader gets it. */
  visible(row: OutputRow): void;
}

export type Answer =
  | { readonly kind: 'done'; readonly epoch: number }
  /** Another one has the id, or its time was over. */
  | { readonly kind: 'fenced' }
  | { readonly kind: 'invalid-state' }
  /** Markers are being written. */
  | { readonly kind: 'concurrent' }
  | { readonly kind: 'unavailable' };

const LEAST_MARKER_MS = 1;
const LONGEST_MARKER_MS = 40;

export class SimulatedKafka {
  readonly #world: World;
  readonly #observer: KafkaObserver;
  readonly #timeoutMs: number;
  readonly #producers = new Map<string, Producer>();
  readonly #log: { readonly transaction: Transaction; readonly row: OutputRow }[] = [];
  #stableOffset = 0;
  /** Its coordinator is moving, or away. */
  isAway = false;
  /** Of answers; the request was carried out. */
  lostShare = 0;

  constructor(world: World, observer: KafkaObserver, timeoutMs: number) {
    this.#world = world;
    this.#observer = observer;
    this.#timeoutMs = timeoutMs;
  }

  /** How many rows a reader has not got yet, of transactions that have not ended. */
  get unstableCount(): number {
    return this.#log.length - this.#stableOffset;
  }

  initProducerId(transactionalId: string): Answer {
    if (this.isAway) return { kind: 'unavailable' };
    const producer = this.#producers.get(transactionalId) ?? { epoch: -1, transaction: null };
    this.#producers.set(transactionalId, producer);
    if (producer.transaction?.state === 'committing') return { kind: 'concurrent' };
    producer.epoch++;
    if (producer.transaction?.state === 'open') this.#abort(producer.transaction, 'its id was begun anew');
    return { kind: 'done', epoch: producer.epoch };
  }

  /** `sequence` is that of the last row. */
  produce(transactionalId: string, epoch: number, sequence: number, rows: readonly OutputRow[]): Answer {
    if (this.isAway) return { kind: 'unavailable' };
    const producer = this.#producers.get(transactionalId);
    if (producer?.epoch !== epoch) return { kind: 'fenced' };
    if (producer.transaction?.epoch !== epoch) producer.transaction = this.#begin(transactionalId, epoch);
    const { transaction } = producer;
    if (sequence <= transaction.lastSequence) return { kind: 'done', epoch };
    if (transaction.state !== 'open') return { kind: 'invalid-state' };
    transaction.lastSequence = sequence;
    for (const row of rows) this.#log.push({ transaction, row });
    return { kind: 'done', epoch };
  }

  endTransaction(transactionalId: string, epoch: number): Answer {
    if (this.isAway) return { kind: 'unavailable' };
    const producer = this.#producers.get(transactionalId);
    if (producer?.epoch !== epoch) return { kind: 'fenced' };
    const { transaction } = producer;
    if (transaction?.epoch !== epoch || transaction.state === 'aborted') return { kind: 'invalid-state' };
    if (transaction.state === 'committing') return { kind: 'concurrent' };
    if (transaction.state === 'open') {
      this.#observer.committing(transaction);
      transaction.state = 'committing';
      this.#world.schedule(this.#world.between(LEAST_MARKER_MS, LONGEST_MARKER_MS), () => {
        transaction.state = 'committed';
        this.#world.tell(`kafka has committed ${transactionalId} epoch ${epoch}`);
        this.#read();
      });
    }
    return { kind: 'done', epoch };
  }

  /** What the log itself says, whoever asks (the commits topic). */
  outcomeOf(transactionalId: string, epoch: number): Transaction['state'] | 'unknown' {
    return this.#outcomes.get(`${transactionalId} ${epoch}`)?.state ?? 'unknown';
  }

  readonly #outcomes = new Map<string, Transaction>();

  #begin(transactionalId: string, epoch: number): Transaction {
    const transaction: Transaction = { transactionalId, epoch, state: 'open', lastSequence: -1 };
    this.#outcomes.set(`${transactionalId} ${epoch}`, transaction);
    this.#world.schedule(this.#timeoutMs, () => {
      if (transaction.state !== 'open') return;
      const producer = this.#producers.get(transactionalId);
      if (producer !== undefined) producer.epoch++;
      this.#abort(transaction, 'its time is over');
    });
    return transaction;
  }

  #abort(transaction: Transaction, why: string): void {
    transaction.state = 'aborted';
    this.#world.tell(`kafka has aborted ${transaction.transactionalId} epoch ${transaction.epoch}: ${why}`);
    this.#observer.aborted(transaction, why);
    this.#read();
  }

  /** What is below the last stable offset is read, but for what was aborted. */
  #read(): void {
    for (let next = this.#log[this.#stableOffset]; next !== undefined; next = this.#log[this.#stableOffset]) {
      const { state } = next.transaction;
      if (state === 'open' || state === 'committing') return;
      this.#stableOffset++;
      if (state === 'committed') this.#observer.visible(next.row);
    }
  }
}
