import { counterNames, LATE_SIDE } from '../../core/index.ts';
import type { ColumnBatch, Counter, OperatorContext } from '../../core/index.ts';
import type { KeyedRows } from '../aggregate/keyed-rows.ts';
import { operatorErrors } from '../errors.ts';
import { SelectedRows } from '../selected-rows.ts';
import type { WindowSpec } from './window-spec.ts';

/** Why a row is in no window; stands where a slice or a session would. */
export const RowVerdict = Object.freeze({
  /** All its windows are past their lateness. */
  late: -1,
  /** It lies between two windows. */
  between: -2,
  /** It has no event time. */
  noTime: -3,
  /** Its window would begin or end outside the range of timestamps. */
  outOfRange: -4,
});

const NO_TIMES = new Float64Array(0);

/** What becomes of rows that are in no window. */
export class RowVerdicts {
  readonly #context: OperatorContext;
  readonly #stepId: string;
  /** Null where late rows go to a step. */
  readonly #dropped: Counter | null;
  readonly #late: SelectedRows | null;

  constructor(context: OperatorContext, { stepId, input }: Pick<WindowSpec, 'stepId' | 'input'>) {
    const lateOutput = context.sideOutputs?.get(LATE_SIDE);
    this.#context = context;
    this.#stepId = stepId;
    this.#dropped = lateOutput === undefined ? context.counter(counterNames.lateRecords.name) : null;
    this.#late = lateOutput === undefined ? null : new SelectedRows(lateOutput, input);
  }

  /** The event times of a batch, which has to have them: the plan sees to it. */
  timesOf({ timestamps, rowCount }: ColumnBatch): Float64Array {
    // A batch of which no row could be computed has nothing of its rows.
    if (rowCount === 0) return NO_TIMES;
    if (timestamps === null) throw new TypeError(`step ${this.#stepId} received rows without event time`);
    return timestamps;
  }

  /**
   * Hands late rows on or counts them, and hands those without a usable time to the job's error handling. Where late
   * rows are handed on, the outputs are not ready afterwards.
   */
  report(batch: ColumnBatch, { rows, sourceRows }: KeyedRows, verdicts: Int32Array): void {
    for (let row = 0; row < rows.rowCount; row++) {
      const verdict = verdicts[row] as number;
      if (verdict >= 0 || verdict === RowVerdict.between) continue;
      if (verdict === RowVerdict.late) {
        if (this.#dropped !== null) this.#dropped.value++;
        this.#late?.add(batch, sourceRows[row] as number);
        continue;
      }
      const what = verdict === RowVerdict.noTime ? 'none' : 'one that is out of range';
      const error = operatorErrors.create('MR-OPERATOR-NO-EVENT-TIME', { step: this.#stepId, what });
      this.#context.errors.handle(rows, row, this.#stepId, error);
    }
    this.#late?.emit(batch);
  }
}
