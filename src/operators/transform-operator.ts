/** Runs of stateless steps: filter, select, flatMap, as one compiled transform. */
import { ColumnBatch, RowKind } from '../core/index.ts';
import type { Operator, OperatorContext, RowSchema, TransformStep } from '../core/index.ts';
import { compileTransform } from '../expr/index.ts';
import type { CompiledTransform } from '../expr/index.ts';

/** Rows of an output where a row may become several. */
const EXPANDED_ROWS = 4096;

/**
 * What it emits borrows columns and bytes of its input, so the input has to stay untouched until that has left the
 * chain. The chain's driver sees to it: it goes back to an operator's input only when the operators behind are done.
 */
export class TransformOperator implements Operator {
  readonly #transform: CompiledTransform;
  readonly #splitsUpdates: boolean;
  #rowKinds = new Uint8Array(0);
  #context: OperatorContext | null = null;
  #out: ColumnBatch | null = null;

  constructor(node: { readonly steps: readonly TransformStep[]; readonly input: RowSchema }) {
    this.#transform = compileTransform(node.steps, node.input);
    this.#splitsUpdates = node.steps.some((step) => step.kind === 'filter' && step.splitsUpdates === true);
  }

  open(context: OperatorContext): void {
    this.#context = context;
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const { output, errors } = this.#context as OperatorContext;
    const transform = this.#transform;
    const out = this.#output(batch);
    out.reset();
    let row = transform.run(batch, fromRow, out);
    while (transform.failure !== undefined) {
      errors.handle(batch, transform.failedRow, transform.failedStepId, transform.failure);
      // What is in the output stays there: it is of the same batch.
      row = transform.run(batch, row, out);
    }
    if (this.#splitsUpdates && out.rowKinds !== null) out.rowKinds = this.#split(out.rowKinds, out.rowCount);
    output.emit(out);
    return row;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#out = null;
  }

  /** The old row of an update as a delete, the new one as an insert. */
  #split(rowKinds: Uint8Array, rowCount: number): Uint8Array {
    if (this.#rowKinds.length < rowCount) this.#rowKinds = new Uint8Array(rowKinds.length);
    for (let row = 0; row < rowCount; row++) {
      const kind = rowKinds[row] as number;
      const isAdded = kind === RowKind.insert || kind === RowKind.updateAfter;
      this.#rowKinds[row] = isAdded ? RowKind.insert : RowKind.delete;
    }
    return this.#rowKinds;
  }

  /** Room for all that one input batch makes, unless rows become several. */
  #output(batch: ColumnBatch): ColumnBatch {
    const capacity = this.#transform.expands ? EXPANDED_ROWS : batch.capacity;
    if (this.#out === null || this.#out.capacity < capacity)
      this.#out = new ColumnBatch(this.#transform.output, capacity);
    return this.#out;
  }
}
