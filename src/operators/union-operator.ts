import type { ColumnBatch, Operator, OperatorContext } from '../core/index.ts';

/** Passes the rows of all its inputs on. */
export class UnionOperator implements Operator {
  #context: OperatorContext | null = null;

  open(context: OperatorContext): void {
    this.#context = context;
  }

  process(batch: ColumnBatch, fromRow: number): number {
    // Batches are handed on whole: the only row to begin with is the first.
    if (fromRow < batch.rowCount) this.#context?.output.emit(batch);
    return batch.rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#context = null;
  }
}
