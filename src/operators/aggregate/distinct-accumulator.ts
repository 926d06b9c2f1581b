import { hashRows, types } from '../../core/index.ts';
import type { Column, DataType } from '../../core/index.ts';
import type { Accumulator, BatchRows } from './accumulator.ts';
import { KeyTable } from './key-table.ts';

/** Takes every value once per group. NULLs reach the inner call, which ignores them. */
export class DistinctAccumulator implements Accumulator {
  readonly #inner: Accumulator;
  /** The pairs of group and value that were taken. */
  readonly #taken: KeyTable;
  #hashes = new Int32Array(0);
  #isNew = false;

  constructor(inner: Accumulator, argument: DataType) {
    this.#inner = inner;
    this.#taken = new KeyTable([types.int, argument]);
  }

  bind(argument: Column | null, output: Column, groupCount: number, rows: BatchRows): void {
    if (argument === null) throw new TypeError('DISTINCT without an argument');
    this.#inner.bind(argument, output, groupCount, rows);
    if (this.#hashes.length < rows.rowCount) this.#hashes = new Int32Array(rows.rowCount);
    const columns = [rows.groups, argument];
    hashRows(columns, rows.rowCount, this.#hashes);
    this.#taken.bind(columns);
  }

  stage(group: number, row: number): void {
    this.#isNew = this.#taken.find(this.#hashes[row] as number, row) < 0;
    if (this.#isNew) this.#inner.stage?.(group, row);
  }

  commit(group: number, row: number, outRow: number): void {
    if (!this.#isNew) {
      this.#inner.repeat(group, outRow);
      return;
    }
    this.#taken.insert(this.#hashes[row] as number, row);
    this.#inner.commit(group, row, outRow);
  }

  repeat(group: number, outRow: number): void {
    this.#inner.repeat(group, outRow);
  }
}
