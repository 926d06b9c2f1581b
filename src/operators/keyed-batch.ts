import { hashRows } from '../core/index.ts';
import type { Column, ColumnBatch } from '../core/index.ts';

/** The keys of a batch's rows: their columns, hashes, and which of them have a NULL. */
export class KeyedBatch {
  readonly #keys: readonly number[];
  columns: readonly Column[] = [];
  hashes = new Int32Array(0);
  /** Those of the columns that have a NULL anywhere. */
  #nullable: readonly Column[] = [];

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  read(batch: ColumnBatch): void {
    this.columns = this.#keys.map((index) => batch.columns[index] as Column);
    this.#nullable = this.columns.filter(({ hasNulls }) => hasNulls);
    if (this.hashes.length < batch.rowCount) this.hashes = new Int32Array(batch.capacity);
    hashRows(this.columns, batch.rowCount, this.hashes);
  }

  hasNull(row: number): boolean {
    for (const { nulls } of this.#nullable) if (nulls[row] === 1) return true;
    return false;
  }
}
