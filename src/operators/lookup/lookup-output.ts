import { ColumnBatch, setNull, writeValue } from '../../core/index.ts';
import type { Column, LookupRow, Output, Value } from '../../core/index.ts';
import { gatherColumn, gatherFloat64 } from '../../expr/index.ts';
import type { LookupStep } from './lookup-spec.ts';

const ROWS = 1024;

/**
 * Rows of one batch, each with what was found for it. hasRoom() before each add(); emit() at the end of each call. What
 * it emits borrows from the batch.
 */
export class LookupOutput {
  readonly #output: Output;
  readonly #kept: readonly number[];
  readonly #found: readonly number[];
  readonly #batch: ColumnBatch;
  readonly #rows = new Int32Array(ROWS);
  readonly #originRows = new Int32Array(ROWS);
  readonly #timestamps = new Float64Array(ROWS);
  #isBorrowed = true;

  constructor(output: Output, { kept, found, output: schema }: LookupStep) {
    this.#output = output;
    this.#kept = kept;
    this.#found = found;
    this.#batch = new ColumnBatch(schema, ROWS);
  }

  hasRoom(from: ColumnBatch): boolean {
    if (!this.#isBorrowed && this.#batch.rowCount === ROWS) this.emit(from);
    if (!this.#isBorrowed) return true;
    if (!this.#output.ready) return false;
    this.#isBorrowed = false;
    this.#batch.reset();
    return true;
  }

  /** Row `row` of the batch, with the fields of `found`; with NULLs for them where that is null. */
  add(row: number, found: LookupRow | null): void {
    const at = this.#batch.rowCount++;
    this.#rows[at] = row;
    const first = this.#kept.length;
    for (let index = 0; index < this.#found.length; index++) {
      const column = this.#batch.columns[first + index] as Column;
      if (found === null) setNull(column, at);
      else writeValue(column, at, found[this.#found[index] as number] as Value);
    }
  }

  emit(from: ColumnBatch): void {
    const [batch, rows] = [this.#batch, this.#rows];
    const { rowCount } = batch;
    if (this.#isBorrowed || rowCount === 0) return;
    this.#isBorrowed = true;
    for (let index = 0; index < this.#kept.length; index++) {
      const column = from.columns[this.#kept[index] as number] as Column;
      gatherColumn(column, batch.columns[index] as Column, rows, 0, rowCount);
    }
    if (from.timestamps !== null) {
      gatherFloat64(from.timestamps, this.#timestamps, rows, 0, rowCount);
      batch.timestamps = this.#timestamps;
    }
    if (from.origin !== null) {
      for (let at = 0; at < rowCount; at++) {
        const row = rows[at] as number;
        this.#originRows[at] = from.originRows === null ? row : (from.originRows[row] as number);
      }
      batch.origin = from.origin;
      batch.originRows = this.#originRows;
    }
    this.#output.emit(batch);
  }
}
