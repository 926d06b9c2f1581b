import type { ColumnBatch, InFlightRoute } from '../../core/index.ts';
import { BatchDecoder } from '../exchange/batch-codec.ts';
import { BatchCopier } from '../exchange/batch-copier.ts';

/** Rows that a sink had no room for when a checkpoint had to go on: part of the state until the sink takes them. */
export class RowsAside {
  readonly #route: InFlightRoute;
  readonly #maxBytes: number;
  readonly #copier: BatchCopier;
  readonly #decoder: BatchDecoder;
  readonly #frames: ArrayBuffer[] = [];
  #sizeBytes = 0;
  /** The first of the frames, and its next row. */
  #current: { readonly batch: ColumnBatch; row: number } | null = null;

  /** Has room for one more batch until it holds `maxBytes`. */
  constructor(route: InFlightRoute, frameBytes: number, maxBytes: number) {
    this.#route = route;
    this.#maxBytes = maxBytes;
    this.#copier = new BatchCopier(route.schema, frameBytes);
    this.#decoder = new BatchDecoder(route.schema);
  }

  get hasRoom(): boolean {
    return this.#sizeBytes < this.#maxBytes;
  }

  /** What comes next; null where there is nothing. */
  get current(): { readonly batch: ColumnBatch; readonly row: number } | null {
    const [frame] = this.#frames;
    if (this.#current === null && frame !== undefined) {
      this.#current = { batch: this.#decoder.decode(frame), row: 0 };
    }
    return this.#current;
  }

  /** Copies the rows of a batch from `row` on. */
  add(batch: ColumnBatch, row: number): void {
    for (const frame of this.#copier.copy(batch, null, row, batch.rowCount)) {
      this.#frames.push(frame);
      this.#sizeBytes += frame.byteLength;
    }
  }

  /** The rows of `current` in front of this one are written. */
  written(row: number): void {
    const current = this.#current;
    const [frame] = this.#frames;
    if (current === null || frame === undefined) return;
    current.row = row;
    if (row < current.batch.rowCount) return;
    this.#current = null;
    this.#frames.shift();
    this.#sizeBytes -= frame.byteLength;
  }

  /** Copies of all that is left, in order. */
  record(take: (route: InFlightRoute, frame: ArrayBuffer) => void): void {
    const current = this.#current;
    const whole = current === null || current.row === 0 ? this.#frames : this.#frames.slice(1);
    if (current !== null && current.row > 0) {
      const { batch, row } = current;
      for (const frame of this.#copier.copy(batch, null, row, batch.rowCount)) take(this.#route, frame);
    }
    for (const frame of whole) take(this.#route, frame);
  }
}
