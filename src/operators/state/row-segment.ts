import { appendFloat64, appendRows, createColumn, resetColumn } from '../../core/index.ts';
import type { Column, DataType } from '../../core/index.ts';

/** What has become of a row. */
export const RowState = Object.freeze({ waiting: 0, marked: 1, gone: 2 });

/** Rows of a log that came one after the other: up to `capacity` of them, in columns that belong to it. */
export class RowSegment {
  readonly capacity: number;
  readonly columns: readonly Column[];
  readonly times: Float64Array;
  readonly hashes: Int32Array;
  /** RowState of each row. */
  readonly states: Uint8Array;
  /** The row before it in the chain of its hash; of rows that are linked. */
  readonly next: Int32Array;
  count = 0;
  /** Rows that are not gone. */
  live = 0;
  /** When the last of its rows is due. */
  lastDueMs = -Infinity;
  /** When rows of it have to be looked at. */
  examineAtMs = Infinity;
  /** What it takes, from when nothing is added on; 0 before. */
  #fullBytes = 0;

  constructor(types: readonly DataType[], capacity: number) {
    this.capacity = capacity;
    this.columns = types.map((type) => createColumn(type, capacity));
    this.times = new Float64Array(capacity);
    this.hashes = new Int32Array(capacity);
    this.states = new Uint8Array(capacity);
    this.next = new Int32Array(capacity);
  }

  get isFull(): boolean {
    return this.count === this.capacity;
  }

  get sizeBytes(): number {
    if (this.#fullBytes > 0) return this.#fullBytes;
    let sum = this.capacity * (8 + 4 + 1 + 4);
    for (const column of this.columns) sum += columnBytes(column);
    if (this.isFull) this.#fullBytes = sum;
    return sum;
  }

  reset(): void {
    for (const column of this.columns) resetColumn(column);
    this.count = 0;
    this.live = 0;
    this.lastDueMs = -Infinity;
    this.examineAtMs = Infinity;
    this.#fullBytes = 0;
  }

  /** Copies rows [from, from + count) of a list, or of the columns themselves where it is null; there is room. */
  append(
    columns: readonly Column[],
    times: Float64Array,
    hashes: Int32Array,
    rows: Int32Array | null,
    from: number,
    count: number,
  ): void {
    const at = this.count;
    for (let i = 0; i < columns.length; i++) {
      appendRows(columns[i] as Column, rows, from, count, this.columns[i] as Column, at);
    }
    appendFloat64(times, rows, from, count, this.times, at);
    for (let i = 0; i < count; i++) {
      this.hashes[at + i] = hashes[rows === null ? from + i : (rows[from + i] as number)] as number;
    }
    this.states.fill(RowState.waiting, at, at + count);
    this.count += count;
    this.live += count;
  }
}

function columnBytes(column: Column): number {
  const { nulls } = column;
  switch (column.kind) {
    case 'boolean':
      return nulls.length + column.values.length;
    case 'int':
    case 'double':
      return nulls.length + column.values.byteLength;
    case 'long':
    case 'decimal':
      return nulls.length + column.values.byteLength + (column.wide?.byteLength ?? 0);
    case 'bytes':
      return nulls.length + column.starts.byteLength * 2 + column.arena.length;
    case 'object':
      return nulls.length + column.values.length * 64;
  }
}
