import type { ColumnBatch, Operator, OperatorContext, OperatorState } from '../../core/index.ts';
import { BoundedJoinOperator } from './bounded-join-operator.ts';
import type { BoundedJoinSpec } from './bounded-join-operator.ts';
import { PairJoinOperator } from './pair-join-operator.ts';

/** A join within bounds of time: of rows in memory, or of rows by key where keys may leave memory. open() decides. */
export class BoundedJoin implements Operator {
  readonly #spec: BoundedJoinSpec;
  #chosen: Operator & { readonly state: OperatorState };

  constructor(spec: BoundedJoinSpec) {
    this.#spec = spec;
    this.#chosen = new BoundedJoinOperator(spec);
  }

  get state(): OperatorState {
    return this.#chosen.state;
  }

  open(context: OperatorContext): void | Promise<void> {
    if (context.spill !== undefined) this.#chosen = new PairJoinOperator(this.#spec);
    return this.#chosen.open(context);
  }

  prepare(batch: ColumnBatch, input: number): Promise<void> | undefined {
    return this.#chosen.prepare?.(batch, input);
  }

  process(batch: ColumnBatch, fromRow: number, input: number): number {
    return this.#chosen.process(batch, fromRow, input);
  }

  onWatermark(timestampMs: number): boolean {
    return this.#chosen.onWatermark?.(timestampMs) ?? true;
  }

  finish(): boolean {
    return this.#chosen.finish();
  }

  close(): void | Promise<void> {
    return this.#chosen.close();
  }
}
