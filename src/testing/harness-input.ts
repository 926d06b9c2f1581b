import { ColumnBatch, setNull, writeValue } from '../core/index.ts';
import type { RowSchema, Value } from '../core/index.ts';

export interface InputRow {
  readonly values: readonly Value[];
  readonly timestamp?: number;
  readonly rowKind?: number;
  /** The position in the step's `from` list; 0 where left out. */
  readonly input?: number;
}

/** Input batches, filled anew from the same arrays each time, and overwritten when they are done. */
export class HarnessInput {
  readonly #batch: ColumnBatch;
  readonly #timestamps: Float64Array;
  readonly #rowKinds: Uint8Array;

  constructor(schema: RowSchema, batchSize: number) {
    this.#batch = new ColumnBatch(schema, batchSize);
    this.#timestamps = new Float64Array(batchSize);
    this.#rowKinds = new Uint8Array(batchSize);
  }

  fill(rows: readonly InputRow[], firstNumber: number): ColumnBatch {
    const batch = this.#batch;
    batch.reset();
    rows.forEach((row, index) => {
      batch.columns.forEach((column, field) => {
        writeValue(column, index, row.values[field] ?? null);
      });
      this.#timestamps[index] = row.timestamp ?? NaN;
      this.#rowKinds[index] = row.rowKind ?? 0;
    });
    batch.rowCount = rows.length;
    if (rows.some((row) => row.timestamp !== undefined)) batch.timestamps = this.#timestamps;
    if (rows.some((row) => row.rowKind !== undefined)) batch.rowKinds = this.#rowKinds;
    batch.origin = { describe: (row) => `row ${firstNumber + row}` };
    return batch;
  }

  /** Whoever still reads the batch reads rubbish from now on. */
  spoil(): void {
    for (const column of this.#batch.ownColumns) {
      if (column.kind === 'bytes') {
        column.arena.fill(0x2a);
        column.starts.fill(0);
        column.ends.fill(0);
      } else if (column.kind === 'object') column.values.fill('spoilt');
      else column.values.fill(-77);
      setNull(column, 0);
    }
    this.#timestamps.fill(-77);
    this.#rowKinds.fill(3);
  }
}
