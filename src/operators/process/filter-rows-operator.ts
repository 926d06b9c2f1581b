import type { CodeByRole, CodeLoader, ColumnBatch, Operator, OperatorContext, UserRow } from '../../core/index.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { SelectedRows } from '../selected-rows.ts';
import type { ProcessSpec } from './process-spec.ts';
import { compileRowReader } from './row-reader.ts';
import type { RowReader } from './row-reader.ts';
import { thrownBy } from './thrown-by.ts';
import { filterOf } from './user-function.ts';

interface Opened {
  readonly context: OperatorContext;
  readonly keep: CodeByRole['filter'];
  readonly read: RowReader;
  readonly selected: SelectedRows;
}

/** Hands on the rows for which a function of users is true, as they came. */
export class FilterRowsOperator implements Operator {
  readonly #spec: ProcessSpec;
  readonly #loadCode: CodeLoader;
  #opened: Opened | null = null;

  constructor(spec: ProcessSpec, loadCode: CodeLoader) {
    this.#spec = spec;
    this.#loadCode = loadCode;
  }

  async open(context: OperatorContext): Promise<void> {
    const { input, output, longs, stepId, code } = this.#spec;
    this.#opened = {
      context,
      keep: filterOf(await this.#loadCode(code), this.#spec),
      read: compileRowReader(input, longs, stepId),
      selected: new SelectedRows(context.output, output),
    };
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const { context, keep, read, selected } = this.#opened as Opened;
    const { stepId } = this.#spec;
    refuseUpdates(batch, stepId);
    for (let row = fromRow; row < batch.rowCount; row++) {
      try {
        if (keep(read(batch.columns, row) as UserRow)) selected.add(batch, row);
      } catch (error) {
        context.errors.handle(batch, row, stepId, thrownBy(error, 'process()', this.#spec));
      }
    }
    selected.emit(batch);
    return batch.rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#opened = null;
  }
}
