import { ColumnBatch, RowKind } from '../core/index.ts';
import type { Column, Output, RowSchema } from '../core/index.ts';
import { gatherColumn, gatherFloat64 } from '../expr/index.ts';

/** Hands on some rows of a batch as they came, with their times and origins. */
export class SelectedRows {
  readonly #output: Output;
  readonly #schema: RowSchema;
  #batch: ColumnBatch;
  #rows = new Int32Array(0);
  #rowKinds = new Uint8Array(0);
  #timestamps = new Float64Array(0);
  #originRows = new Int32Array(0);
  #count = 0;
  #hasUpdates = false;

  constructor(output: Output, schema: RowSchema) {
    this.#output = output;
    this.#schema = schema;
    this.#batch = new ColumnBatch(schema, 0);
  }

  /** Notes a row of `batch`; emit() follows. */
  add(batch: ColumnBatch, row: number, kind: RowKind = RowKind.insert): void {
    if (this.#rows.length < batch.capacity) this.#grow(batch.capacity);
    this.#rowKinds[this.#count] = kind;
    this.#rows[this.#count++] = row;
    if (kind !== RowKind.insert) this.#hasUpdates = true;
  }

  /** Emits what was noted, which borrows from `batch`. Only while the output is ready. */
  emit(batch: ColumnBatch): void {
    const [selected, rows, count] = [this.#batch, this.#rows, this.#count];
    this.#count = 0;
    if (count === 0) return;
    selected.reset();
    selected.columns.forEach((column, index) => {
      gatherColumn(batch.columns[index] as Column, column, rows, 0, count);
    });
    if (batch.timestamps !== null) {
      gatherFloat64(batch.timestamps, this.#timestamps, rows, 0, count);
      selected.timestamps = this.#timestamps;
    }
    if (batch.origin !== null) this.#passOrigin(batch, selected, count);
    if (this.#hasUpdates) selected.rowKinds = this.#rowKinds;
    this.#hasUpdates = false;
    selected.rowCount = count;
    this.#output.emit(selected);
  }

  #grow(capacity: number): void {
    this.#batch = new ColumnBatch(this.#schema, capacity);
    this.#rows = new Int32Array(capacity);
    this.#rowKinds = new Uint8Array(capacity);
    this.#timestamps = new Float64Array(capacity);
    this.#originRows = new Int32Array(capacity);
  }

  #passOrigin(batch: ColumnBatch, selected: ColumnBatch, count: number): void {
    for (let at = 0; at < count; at++) {
      const row = this.#rows[at] as number;
      this.#originRows[at] = batch.originRows === null ? row : (batch.originRows[row] as number);
    }
    selected.origin = batch.origin;
    selected.originRows = this.#originRows;
  }
}
