import { ColumnBatch, appendFloat64, appendRows, appendUint8, columnKind, variableBytes } from '../../core/index.ts';
import type { BytesColumn, Column, ColumnKind, RowSchema } from '../../core/index.ts';
import { appendOrigins, CarriedOrigin } from './carried-origin.ts';

/** The most rows of a batch on its way: enough to make the cost of a message small, few enough to stay in a cache. */
const MAX_FRAME_ROWS = 2048;

const VALUE_BYTES: Readonly<Record<ColumnKind, number>> = {
  boolean: 1,
  int: 4,
  double: 8,
  long: 8,
  decimal: 8,
  bytes: 8,
  object: 32,
};

/**
 * Gathers rows of borrowed batches into a batch of its own: one channel's next frame. It owns every byte of it.
 */
export class BatchBuilder {
  readonly batch: ColumnBatch;
  readonly #maxBytes: number;
  readonly #bytesColumns: readonly number[];
  readonly #origin: CarriedOrigin;
  #timestamps: Float64Array | null = null;
  #rowKinds: Uint8Array | null = null;
  #variableBytes = 0;
  /** Set when the next rows cannot stand beside those that are there. */
  #isSealed = false;

  /** Full at MAX_FRAME_ROWS rows or about `maxBytes` bytes, but one row always fits. */
  constructor(schema: RowSchema, maxBytes: number) {
    const rowBytes = schema.fields.reduce((sum, field) => sum + VALUE_BYTES[columnKind(field.type)], 8);
    const capacity = Math.max(1, Math.min(MAX_FRAME_ROWS, Math.floor(maxBytes / rowBytes)));
    this.batch = new ColumnBatch(schema, capacity);
    this.#maxBytes = maxBytes - Math.min(capacity * rowBytes, maxBytes >> 1);
    this.#bytesColumns = schema.fields.flatMap(({ type }, index) => (columnKind(type) === 'bytes' ? [index] : []));
    this.#origin = new CarriedOrigin(new Float64Array(0));
  }

  get isEmpty(): boolean {
    return this.batch.rowCount === 0;
  }

  get isFull(): boolean {
    return this.#isSealed || this.batch.rowCount === this.batch.capacity || this.#variableBytes >= this.#maxBytes;
  }

  reset(): void {
    for (const index of this.#bytesColumns) {
      // The memory of one enormous row is not kept.
      const column = this.batch.columns[index] as BytesColumn;
      if (column.arena.length > 4 * this.#maxBytes) column.arena = new Uint8Array(0);
    }
    this.batch.reset();
    this.#origin.clear();
    this.#variableBytes = 0;
    this.#isSealed = false;
  }

  /**
   * Appends rows `rows[from .. to)` of a batch (or from … to themselves where `rows` is null) until full; returns
   * where it stopped. Progresses unless full, but for rows that have event times where those there have none (or the
   * reverse): then it becomes full.
   */
  append(source: ColumnBatch, rows: Int32Array | null, from: number, to: number): number {
    const { batch } = this;
    const at = batch.rowCount;
    if (at > 0 && (source.timestamps === null) !== (batch.timestamps === null)) {
      this.#isSealed = true;
      return from;
    }
    const end = this.#fitting(source, rows, from, Math.min(to, from + batch.capacity - at));
    const count = end - from;
    for (let index = 0; index < batch.columns.length; index++) {
      appendRows(source.columns[index] as Column, rows, from, count, batch.columns[index] as Column, at);
    }
    if (source.timestamps !== null) {
      batch.timestamps = this.#timestamps ??= new Float64Array(batch.capacity);
      appendFloat64(source.timestamps, rows, from, count, batch.timestamps, at);
    }
    this.#appendRowKinds(source, rows, from, count, at);
    if (source.origin?.parts !== undefined || batch.origin !== null) {
      if (this.#origin.offsets.length === 0) this.#origin.offsets = new Float64Array(batch.capacity);
      batch.origin = this.#origin;
      appendOrigins(source, rows, from, end, this.#origin, at);
    }
    batch.rowCount = at + count;
    return end;
  }

  #appendRowKinds(source: ColumnBatch, rows: Int32Array | null, from: number, count: number, at: number): void {
    const { batch } = this;
    if (source.rowKinds !== null) {
      if (batch.rowKinds === null) {
        this.#rowKinds ??= new Uint8Array(batch.capacity);
        batch.rowKinds = this.#rowKinds.fill(0, 0, at);
      }
      appendUint8(source.rowKinds, rows, from, count, batch.rowKinds, at);
    } else if (batch.rowKinds !== null) batch.rowKinds.fill(0, at, at + count);
  }

  /** The end of the rows from `from` on whose bytes fit; at least one. */
  #fitting(source: ColumnBatch, rows: Int32Array | null, from: number, to: number): number {
    if (this.#bytesColumns.length === 0) return to;
    let bytes = this.#variableBytes;
    let index = from;
    for (; index < to && (bytes < this.#maxBytes || index === from); index++) {
      const row = rows === null ? index : (rows[index] as number);
      for (const column of this.#bytesColumns) bytes += variableBytes(source.columns[column] as Column, row);
    }
    this.#variableBytes = bytes;
    return index;
  }
}
