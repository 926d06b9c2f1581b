import { ColumnBatch } from '../../core/index.ts';
import type { Column, Output, RowSchema } from '../../core/index.ts';
import { gatherColumn, gatherFloat64 } from '../../expr/index.ts';

/** Hands on the rows of a batch that came too late, as they came. */
export class LateRows {
  readonly #output: Output;
  readonly #schema: RowSchema;
  #batch: ColumnBatch;
  #rows = new Int32Array(0);
  #timestamps = new Float64Array(0);
  #originRows = new Int32Array(0);
  #count = 0;

  constructor(output: Output, schema: RowSchema) {
    this.#output = output;
    this.#schema = schema;
    this.#batch = new ColumnBatch(schema, 0);
  }

  /** Notes a row of `batch`; emit() follows. */
  add(batch: ColumnBatch, row: number): void {
    if (this.#rows.length < batch.capacity) {
      this.#batch = new ColumnBatch(this.#schema, batch.capacity);
      this.#rows = new Int32Array(batch.capacity);
      this.#timestamps = new Float64Array(batch.capacity);
      this.#originRows = new Int32Array(batch.capacity);
    }
    this.#rows[this.#count++] = row;
  }

  /** Emits what was noted, which borrows from `batch`. Only while the output is ready. */
  emit(batch: ColumnBatch): void {
    const [late, rows, count] = [this.#batch, this.#rows, this.#count];
    this.#count = 0;
    if (count === 0) return;
    late.reset();
    late.columns.forEach((column, index) => {
      gatherColumn(batch.columns[index] as Column, column, rows, 0, count);
    });
    if (batch.timestamps !== null) {
      gatherFloat64(batch.timestamps, this.#timestamps, rows, 0, count);
      late.timestamps = this.#timestamps;
    }
    if (batch.origin !== null) this.#passOrigin(batch, late, count);
    late.rowCount = count;
    this.#output.emit(late);
  }

  #passOrigin(batch: ColumnBatch, late: ColumnBatch, count: number): void {
    for (let at = 0; at < count; at++) {
      const row = this.#rows[at] as number;
      this.#originRows[at] = batch.originRows === null ? row : (batch.originRows[row] as number);
    }
    late.origin = batch.origin;
    late.originRows = this.#originRows;
  }
}
