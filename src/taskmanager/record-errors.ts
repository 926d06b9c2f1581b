import { counterNames, describeOrigin, toMillraceError } from '../core/index.ts';
import type { ColumnBatch, ErrorPolicy, RecordErrorHandler } from '../core/index.ts';
import { stepFailure } from '../rpc/index.ts';
import type { TaskCounters } from './task-counters.ts';

/**
 * What becomes of a record that fails, by the policy of its chain's source. Only errors of scope `record` are the
 * record's fault; any other fails the job.
 *
 * A dead letter needs the original record. Where a batch does not have it any more (it crossed an exchange), the record
 * is skipped and counted as skipped.
 */
export class PolicyErrorHandler implements RecordErrorHandler {
  readonly #policy: ErrorPolicy;
  readonly #counters: TaskCounters;

  constructor(policy: ErrorPolicy, counters: TaskCounters) {
    this.#policy = policy;
    this.#counters = counters;
  }

  handle(batch: ColumnBatch, row: number, stepId: string, error: unknown): void {
    const known = toMillraceError(error);
    if (known.scope !== 'record' || this.#policy.kind === 'fail') {
      throw stepFailure(error, stepId, describeOrigin(batch, row));
    }
    if (this.#policy.kind === 'dead-letter' && batch.origin?.deadLetter !== undefined) {
      const originRow = batch.originRows === null ? row : (batch.originRows[row] as number);
      batch.origin.deadLetter(originRow, { code: known.code, message: known.message, stepId });
      this.#counters.counter(stepId, counterNames.deadLetters.name).value++;
      return;
    }
    this.#counters.counter(stepId, counterNames.recordsSkipped.name).value++;
  }
}
