import { counterNames } from '../../core/index.ts';
import type { ColumnBatch, Counter, OperatorContext } from '../../core/index.ts';
import { operatorErrors } from '../errors.ts';
import { KeyedBatch } from '../keyed-batch.ts';
import type { SlotRows } from '../state/row-slots.ts';
import { Side } from './join-spec.ts';
import type { JoinSpec } from './join-spec.ts';
import { PairCondition } from './pair-condition.ts';

/** What a join keeps. */
export interface JoinStore {
  /** The batch whose rows come next, and their keys. */
  bind(side: Side, batch: ColumnBatch, keyed: KeyedBatch): void;
  rowsOf(side: Side): SlotRows;
}

/** What all sorts of joins do with the rows at hand: their keys, their times, and the rest of the condition. */
export class JoinRows {
  readonly #spec: JoinSpec;
  readonly #store: JoinStore;
  readonly #context: OperatorContext;
  readonly #late: Counter;
  readonly #condition: PairCondition | null;
  readonly #keys: readonly [KeyedBatch, KeyedBatch];
  #batch: ColumnBatch | null = null;
  #keyed: KeyedBatch;

  constructor(spec: JoinSpec, store: JoinStore, context: OperatorContext) {
    this.#spec = spec;
    this.#store = store;
    this.#context = context;
    this.#late = context.counter(counterNames.lateRecords.name);
    this.#condition = spec.condition === null ? null : new PairCondition(spec.condition, spec);
    this.#keys = [new KeyedBatch(spec.leftKeys), new KeyedBatch(spec.rightKeys)];
    this.#keyed = this.#keys[Side.left];
  }

  get batch(): ColumnBatch {
    return this.#batch as ColumnBatch;
  }

  begin(batch: ColumnBatch, side: Side): void {
    this.#batch = batch;
    this.#keyed = this.#keys[side];
    this.#keyed.read(batch);
    this.#store.bind(side, batch, this.#keyed);
  }

  /** The keys of the batch. */
  get keyed(): KeyedBatch {
    return this.#keyed;
  }

  hasNullKey(row: number): boolean {
    return this.#keyed.hasNull(row);
  }

  /** The row's event time, or NaN where it has none and has been reported. The plan sees to it that streams have it. */
  timeOf(row: number): number {
    const { timestamps } = this.batch;
    const { stepId } = this.#spec;
    if (timestamps === null) throw new TypeError(`step ${stepId} received rows without event time`);
    const time = timestamps[row] as number;
    if (time === time) return time;
    const error = operatorErrors.create('MR-OPERATOR-NO-EVENT-TIME', { step: stepId, what: 'none' });
    this.#context.errors.handle(this.batch, row, stepId, error);
    return NaN;
  }

  isLate(timeMs: number, watermarkMs: number): boolean {
    if (timeMs >= watermarkMs) return false;
    this.#late.value++;
    return true;
  }

  /**
   * Whether the rest of the condition is TRUE for two rows that are kept. One for which it cannot be computed is no
   * pair, and an error of row `row` of `batch`.
   */
  holds(left: number, right: number, batch: ColumnBatch, row: number): boolean {
    if (this.#condition === null) return true;
    try {
      return this.#condition.holds(this.#store.rowsOf(Side.left), left, this.#store.rowsOf(Side.right), right);
    } catch (error) {
      this.#context.errors.handle(batch, row, this.#spec.stepId, error);
      return false;
    }
  }
}
