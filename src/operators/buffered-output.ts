import { ColumnBatch } from '../core/index.ts';
import type { Column, OperatorContext, RowKind, RowSchema } from '../core/index.ts';

const ROWS = 1024;

/**
 * Rows that an operator makes one at a time. hasRoom() before each row: where it is false the output is not ready, and
 * the operator has to return and go on later. Then the fields are written into row `row` of `columns`, and add() ends
 * the row. emit() at the end of each call.
 */
export class BufferedOutput {
  readonly #context: OperatorContext;
  readonly #batch: ColumnBatch;
  readonly #timestamps = new Float64Array(ROWS);
  readonly #rowKinds = new Uint8Array(ROWS);
  readonly #hasKinds: boolean;
  #isBorrowed = true;

  /** `hasKinds`: whether anything but inserts is made. */
  constructor(context: OperatorContext, schema: RowSchema, hasKinds: boolean) {
    this.#context = context;
    this.#batch = new ColumnBatch(schema, ROWS);
    this.#hasKinds = hasKinds;
  }

  get batch(): ColumnBatch {
    return this.#batch;
  }

  get columns(): readonly Column[] {
    return this.#batch.ownColumns;
  }

  get row(): number {
    return this.#batch.rowCount;
  }

  hasRoom(): boolean {
    if (this.#isBorrowed) return this.#takeBack();
    if (this.#batch.rowCount < ROWS) return true;
    this.emit();
    return this.#takeBack();
  }

  /** The row has the kind and the event time; a stream without event time has NaN in all rows. */
  add(kind: RowKind, timestampMs: number): void {
    const row = this.#batch.rowCount++;
    this.#rowKinds[row] = kind;
    this.#timestamps[row] = timestampMs;
    if (row === 0 && timestampMs === timestampMs) this.#batch.timestamps = this.#timestamps;
  }

  emit(): void {
    if (this.#isBorrowed || this.#batch.rowCount === 0) return;
    this.#isBorrowed = true;
    this.#context.output.emit(this.#batch);
  }

  #takeBack(): boolean {
    if (!this.#context.output.ready) return false;
    this.#isBorrowed = false;
    this.#batch.reset();
    if (this.#hasKinds) this.#batch.rowKinds = this.#rowKinds;
    return true;
  }
}
