import type { BatchOrigin, ColumnBatch, OriginParts } from '../../core/index.ts';

/**
 * The positions of rows that were gathered from several batches: one offset a row, and a prefix for each run of rows
 * that share it. Row numbers are those of the batch that it belongs to.
 */
export class CarriedOrigin implements BatchOrigin {
  /** The first row of each run, and what its rows are called. Rows before the first run have no position. */
  readonly runStarts: number[] = [];
  readonly prefixes: string[] = [];
  offsets: Float64Array;
  readonly parts: OriginParts;

  constructor(offsets: Float64Array) {
    this.offsets = offsets;
    const prefixAt = (row: number): string => this.#prefix(row);
    const currentOffsets = (): Float64Array => this.offsets;
    this.parts = {
      prefix: prefixAt,
      get offsets() {
        return currentOffsets();
      },
    };
  }

  clear(): void {
    this.runStarts.length = 0;
    this.prefixes.length = 0;
  }

  /** Rows from `row` on are called `prefix`, until the next run. */
  startRun(row: number, prefix: string): void {
    if (this.prefixes.at(-1) === prefix) return;
    this.runStarts.push(row);
    this.prefixes.push(prefix);
  }

  describe(row: number): string {
    const prefix = this.#prefix(row);
    return prefix === '' ? 'an unknown position' : `${prefix}${this.offsets[row] as number}`;
  }

  #prefix(row: number): string {
    let low = 0;
    let high = this.runStarts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.runStarts[middle] as number) <= row) low = middle + 1;
      else high = middle;
    }
    return this.prefixes[low - 1] ?? '';
  }
}

/**
 * Appends the positions of rows of `source` (`rows[from .. to)`, or the rows from … to themselves where `rows` is
 * null) to `target`, for its rows from `at` on.
 */
export function appendOrigins(
  source: ColumnBatch,
  rows: Int32Array | null,
  from: number,
  to: number,
  target: CarriedOrigin,
  at: number,
): void {
  const parts = source.origin?.parts;
  if (parts === undefined) {
    target.startRun(at, '');
    return;
  }
  const { prefix, offsets } = parts;
  if (typeof prefix === 'string') target.startRun(at, prefix);
  const { originRows } = source;
  const out = target.offsets;
  for (let index = from, row = at; index < to; index++, row++) {
    const batchRow = rows === null ? index : (rows[index] as number);
    const originRow = originRows === null ? batchRow : (originRows[batchRow] as number);
    out[row] = offsets[originRow] as number;
    if (typeof prefix !== 'string') target.startRun(row, prefix(originRow));
  }
}
