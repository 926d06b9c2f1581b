import type { ColumnBatch, RowSchema } from '../../core/index.ts';
import { BatchBuilder } from './batch-builder.ts';
import { BatchEncoder } from './batch-codec.ts';

/** Makes frames of chosen rows of a batch, for what has to be kept longer than the batch. */
export class BatchCopier {
  readonly #builder: BatchBuilder;
  readonly #encoder: BatchEncoder;

  constructor(schema: RowSchema, frameBytes: number) {
    this.#builder = new BatchBuilder(schema, frameBytes);
    this.#encoder = new BatchEncoder(schema);
  }

  /** Of rows `rows[from .. to)`, or from … to themselves where `rows` is null. */
  copy(batch: ColumnBatch, rows: Int32Array | null, from: number, to: number): readonly ArrayBuffer[] {
    const frames: ArrayBuffer[] = [];
    for (let next = from; next < to; ) {
      next = this.#builder.append(batch, rows, next, to);
      const size = this.#encoder.measure(this.#builder.batch);
      const frame = new ArrayBuffer(size);
      this.#encoder.encode(this.#builder.batch, frame, size);
      this.#builder.reset();
      frames.push(frame);
    }
    return frames;
  }
}
