/**
 * What a producer has for one partition, and the order in which it may be sent.
 *
 *   open batch ──close──▶ waiting ──send──▶ in flight ──acknowledged──▶ gone
 *                            ▲                  │
 *                            └──── failed ──────┘  once all in flight have settled, in their order, bytes unchanged
 *
 * The rules are those of Kafka's idempotent producer (KIP-98, TransactionManager.java): each batch carries producer,
 * epoch and the sequence number of its first record; the broker takes only the next sequence, and knows the last five
 * batches again, so at most five are in flight. After a failure only the first unacknowledged batch is sent, until it
 * is acknowledged: what was written although its answer got lost is recognised, and nothing overtakes it. Where the
 * broker no longer knows the sequence (or never will), the partition begins anew at zero under a higher epoch; that is
 * the one case in which a batch may be written twice (a broker that was killed and has no replicas knows only the last
 * of the batches that it had not acknowledged). Within a transaction it does not begin anew: the producer fails.
 */
import type { ProducerIdentity } from '../client/index.ts';
import { stampBatch, type BatchBuilder } from '../record-batch/index.ts';

export const MAX_IN_FLIGHT = 5;
const MAX_EPOCH = 32767;

/** A closed batch. */
export interface PendingBatch {
  readonly bytes: Buffer;
  /** The memory to give back once it is acknowledged; null where it is not pooled. */
  readonly memory: Buffer | null;
  readonly count: number;
  readonly createdMs: number;
  /** -1 until it is first sent. */
  baseSequence: number;
  outcome: 'none' | 'failed';
}

export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  leader: number;
  open: BatchBuilder | null = null;
  openedMs = 0;
  /** The open batch is to be sent without waiting for more. */
  isDue = false;
  /** The size at which the last batch was closed: the next will be about as large. */
  expectedBytes = 0;
  readonly waiting: PendingBatch[] = [];
  readonly inFlight: PendingBatch[] = [];
  /** After a failure: one batch at a time, and not before retryAtMs. */
  state: 'flowing' | 'recovering' = 'flowing';
  retryAtMs = 0;
  attempts = 0;
  lastReason = '';
  /** Whether the broker knows that the present transaction writes here; nothing is sent before. */
  isInTransaction = false;
  /** Told of each batch that is acknowledged: the offset of its first record, or -1 where the broker did not say. */
  onAcknowledged: ((baseOffset: number) => void) | null = null;
  readonly #isTransactional: boolean;
  #identity: ProducerIdentity;
  #nextSequence = 0;
  #needsNewEpoch = false;

  constructor(topic: string, partition: number, leader: number, identity: ProducerIdentity, isTransactional = false) {
    this.topic = topic;
    this.partition = partition;
    this.leader = leader;
    this.#identity = identity;
    this.#isTransactional = isTransactional;
  }

  get isEmpty(): boolean {
    return this.open === null && this.waiting.length === 0 && this.inFlight.length === 0;
  }

  /** Whether the rules allow another batch on its way now. */
  maySend(nowMs: number): boolean {
    if (this.leader < 0) return false;
    if (this.state === 'recovering') return this.inFlight.length === 0 && nowMs >= this.retryAtMs;
    return this.inFlight.length < MAX_IN_FLIGHT;
  }

  /** Takes the first waiting batch for sending. */
  takeForSending(): PendingBatch {
    const batch = this.waiting.shift() as PendingBatch;
    if (batch.baseSequence < 0) {
      batch.baseSequence = this.#nextSequence;
      this.#nextSequence = sequenceAfter(this.#nextSequence, batch.count);
      stampBatch(batch.bytes, this.#identity, batch.baseSequence, this.#isTransactional);
    }
    batch.outcome = 'none';
    this.inFlight.push(batch);
    return batch;
  }

  acknowledge(batch: PendingBatch): void {
    this.inFlight.splice(this.inFlight.indexOf(batch), 1);
    this.attempts = 0;
    if (this.state === 'recovering' && this.inFlight.length === 0) this.state = 'flowing';
  }

  /**
   * The batch was not written, or nobody knows. `isSequenceUnknown`: the broker did not expect this sequence number.
   * Returns true once all in flight have settled and the failed ones wait again.
   */
  fail(batch: PendingBatch, reason: string, isSequenceUnknown: boolean): boolean {
    batch.outcome = 'failed';
    this.lastReason = reason;
    // Behind a batch that failed an unexpected sequence is only a consequence.
    if (isSequenceUnknown && this.inFlight[0] === batch) this.#needsNewEpoch = true;
    this.state = 'recovering';
    return this.settle();
  }

  /** To be called after each acknowledgement as well: the last of those in flight may have been one. */
  settle(): boolean {
    if (this.inFlight.length === 0 || this.inFlight.some((batch) => batch.outcome === 'none')) return false;
    this.state = 'recovering';
    this.waiting.unshift(...this.inFlight.splice(0));
    this.attempts++;
    return true;
  }

  /** Whether the batches that wait must be numbered anew before they are sent. */
  get needsNewEpoch(): boolean {
    return this.#needsNewEpoch;
  }

  get isEpochExhausted(): boolean {
    return this.#identity.epoch >= MAX_EPOCH;
  }

  /** Begins anew at sequence 0, under the next epoch or another identity. Nothing may be in flight. */
  beginAnew(identity: ProducerIdentity | null): void {
    this.#needsNewEpoch = false;
    this.#identity = identity ?? { producerId: this.#identity.producerId, epoch: this.#identity.epoch + 1 };
    this.#nextSequence = 0;
    for (const batch of this.waiting) batch.baseSequence = -1;
  }
}

/** Sequence numbers are int32 and wrap to 0. */
function sequenceAfter(sequence: number, count: number): number {
  const next = sequence + count;
  return next > 0x7fffffff ? next - 0x80000000 : next;
}
