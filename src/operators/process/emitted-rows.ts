import { ColumnBatch } from '../../core/index.ts';
import type { BatchOrigin, Output, RowSchema } from '../../core/index.ts';
import { compileRowWriter } from './row-writer.ts';
import type { RowWriter, WrittenRows } from './row-writer.ts';

const ROWS = 1024;
/** Batches that are kept for later; a call that emits a million rows must not hold their memory for ever. */
const MAX_SPARE = 4;

class Filling {
  readonly batch: ColumnBatch;
  readonly timestamps = new Float64Array(ROWS);
  readonly originRows = new Int32Array(ROWS);

  constructor(schema: RowSchema) {
    this.batch = new ColumnBatch(schema, ROWS);
  }
}

/**
 * The rows that user code emits to one output. It emits as many as it likes in one call, whether the output is ready or
 * not: full batches wait, and the operator makes no further call before they have gone.
 */
export class EmittedRows {
  readonly #output: Output;
  readonly #schema: RowSchema;
  readonly #rows: WrittenRows;
  readonly #hasEventTime: boolean;
  #write: RowWriter | null = null;
  #filling: Filling;
  readonly #full: Filling[] = [];
  readonly #spare: Filling[] = [];
  /** Emitted last; it is borrowed until the output is ready again. */
  #lent: Filling | null = null;
  /** How much there was when the present call began. */
  #markedRows = 0;
  #markedBatches = 0;

  constructor(output: Output, schema: RowSchema, hasEventTime: boolean, rows: WrittenRows) {
    this.#output = output;
    this.#schema = schema;
    this.#rows = rows;
    this.#hasEventTime = hasEventTime;
    this.#filling = new Filling(schema);
  }

  get hasFull(): boolean {
    return this.#full.length > 0;
  }

  get hasRows(): boolean {
    return this.#full.length > 0 || this.#filling.batch.rowCount > 0;
  }

  /** Takes a row of the present call; throws MR-CODE-ROW where it is none of the schema. */
  add(row: object, timestampMs: number, originRow: number): void {
    let filling = this.#filling;
    if (filling.batch.rowCount === ROWS) filling = this.#next();
    const { batch } = filling;
    const at = batch.rowCount;
    this.#write ??= compileRowWriter(this.#schema, this.#rows);
    this.#write(row, batch.columns, at);
    filling.timestamps[at] = timestampMs;
    filling.originRows[at] = originRow;
    batch.rowCount = at + 1;
  }

  /** A call begins. */
  mark(): void {
    this.#markedRows = this.#filling.batch.rowCount;
    this.#markedBatches = this.#full.length;
  }

  /** What the call has emitted is taken back. */
  takeBack(): void {
    while (this.#full.length > this.#markedBatches) {
      this.#keep(this.#filling);
      this.#filling = this.#full.pop() as Filling;
    }
    this.#filling.batch.rowCount = this.#markedRows;
  }

  /** Emits the next batch; only while the output is ready and there are rows. `origin`: where all rows come from. */
  emit(origin: BatchOrigin | null): void {
    if (this.#lent !== null) this.#keep(this.#lent);
    let next = this.#full.shift();
    if (next === undefined) {
      next = this.#filling;
      this.#filling = this.#spare.pop() ?? new Filling(this.#schema);
    }
    this.#lent = next;
    const { batch } = next;
    if (this.#hasEventTime) batch.timestamps = next.timestamps;
    batch.origin = origin;
    if (origin !== null) batch.originRows = next.originRows;
    this.#output.emit(batch);
  }

  #next(): Filling {
    this.#full.push(this.#filling);
    this.#filling = this.#spare.pop() ?? new Filling(this.#schema);
    return this.#filling;
  }

  #keep(filling: Filling): void {
    if (this.#spare.length >= MAX_SPARE) return;
    filling.batch.reset();
    this.#spare.push(filling);
  }
}
