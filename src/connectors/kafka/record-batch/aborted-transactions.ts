/**
 * Which batches belong to aborted transactions: the algorithm of Kafka's own consumer (CompletedFetch.java).
 *
 * The broker tells, with each answer, the aborted transactions that overlap it, by producer and first offset. A
 * producer becomes aborted when the walk reaches a batch that ends at or behind that offset, and stops being so at its
 * next abort marker, which is a control batch: a record that a user wrote cannot end an abort.
 */
import type { AbortedTransaction } from '../client/index.ts';

export class AbortedTransactions {
  readonly #byFirstOffset: readonly AbortedTransaction[];
  readonly #active = new Set<bigint>();
  #next = 0;

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#byFirstOffset = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Whether a batch of this producer is part of an aborted transaction. Batches must come in order. */
  isAborted(producerId: bigint, lastOffset: number): boolean {
    this.#reach(lastOffset);
    return this.#active.has(producerId);
  }

  /** An abort marker of this producer was passed. */
  endAbort(producerId: bigint, lastOffset: number): void {
    this.#reach(lastOffset);
    this.#active.delete(producerId);
  }

  #reach(lastOffset: number): void {
    for (; this.#next < this.#byFirstOffset.length; this.#next++) {
      const transaction = this.#byFirstOffset[this.#next] as AbortedTransaction;
      if (transaction.firstOffset > lastOffset) return;
      this.#active.add(transaction.producerId);
    }
  }
}
