import { IntColumn, hashRows } from '../../core/index.ts';
import type { ColumnBatch, RecordErrorHandler } from '../../core/index.ts';
import type { KeyTable } from '../state/key-table.ts';
import type { CallState } from './accumulator.ts';
import type { CallStates } from './aggregate-calls.ts';

/** The rows of the batch at hand: keys and arguments, the hashes of the keys, and the slot of each row. */
export class KeyedRows {
  readonly #calls: CallStates<CallState>;
  readonly #table: KeyTable;
  readonly #keyCount: number;
  #rows: ColumnBatch;
  #slots = new IntColumn(0);
  #hashes = new Int32Array(0);

  constructor(calls: CallStates<CallState>, table: KeyTable) {
    this.#calls = calls;
    this.#table = table;
    this.#keyCount = calls.keyFields.length;
    this.#rows = calls.createRows(0);
  }

  get rows(): ColumnBatch {
    return this.#rows;
  }

  /** Per row, that of the batch which it was made of. */
  get sourceRows(): Int32Array {
    return this.#calls.sourceRows;
  }

  get hashes(): Int32Array {
    return this.#hashes;
  }

  /** To be filled by the owner. */
  get slots(): IntColumn {
    return this.#slots;
  }

  /** Computes the rows of a batch from `fromRow` on, and makes the table ready to be asked for their keys. */
  compute(batch: ColumnBatch, fromRow: number, errors: RecordErrorHandler): void {
    if (this.#rows.capacity < batch.capacity) {
      this.#rows = this.#calls.createRows(batch.capacity);
      this.#slots = new IntColumn(batch.capacity);
      this.#hashes = new Int32Array(batch.capacity);
    }
    this.#calls.compute(batch, fromRow, this.#rows, errors);
    const keys = this.#rows.columns.slice(0, this.#keyCount);
    hashRows(keys, this.#rows.rowCount, this.#hashes);
    this.#table.bind(keys);
  }
}
