import { EncodedBlock } from '../../core/index.ts';
import type { ColumnBatch, Counter, RecordEncoder, RecordErrorHandler } from '../../core/index.ts';
import type { ChunkedOutput } from './chunked-output.ts';

const BLOCK_RECORDS = 1024;
const BLOCK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/** What stands around the record of a row on its line. Returns how many bytes it wrote; at most `maxBytes`. */
export interface LineDecoration {
  readonly maxBytes: number;
  /** Writes the record data[start .. end) of `row` with its decoration to `target` at `at`, without a line feed. */
  write(batch: ColumnBatch, row: number, block: EncodedBlock, index: number, target: Uint8Array, at: number): number;
}

/** Encodes rows and puts each on a line of its own. */
export class LineEncoder {
  readonly #encoder: RecordEncoder;
  readonly #output: ChunkedOutput;
  readonly #decoration: LineDecoration | null;
  readonly #block = new EncodedBlock(BLOCK_RECORDS, BLOCK_BYTES);

  constructor(encoder: RecordEncoder, output: ChunkedOutput, decoration: LineDecoration | null = null) {
    this.#encoder = encoder;
    this.#output = output;
    this.#decoration = decoration;
  }

  /** As SinkWriter.write: takes rows while the output has room. Rows that fail go to the handler. */
  write(batch: ColumnBatch, fromRow: number, stepId: string, errors: RecordErrorHandler, written: Counter): number {
    let row = fromRow;
    while (row < batch.rowCount && this.#output.hasRoom) {
      this.#block.reset();
      const first = row;
      let failure: { readonly error: unknown } | null = null;
      try {
        row = this.#encoder.encode(batch, row, this.#block, BLOCK_BYTES);
      } catch (error) {
        failure = { error };
        row = this.#encoder.failedRow;
      }
      this.#appendLines(batch, first);
      written.value += this.#block.count;
      if (failure !== null) errors.handle(batch, row++, stepId, failure.error);
    }
    return row;
  }

  #appendLines(batch: ColumnBatch, firstRow: number): void {
    const block = this.#block;
    const extra = 1 + (this.#decoration?.maxBytes ?? 0);
    let at = this.#output.reserve(block.used + block.count * extra);
    const start = at;
    const { bytes } = this.#output;
    for (let index = 0; index < block.count; index++) {
      if (this.#decoration === null) {
        const from = block.starts[index] as number;
        const to = block.ends[index] as number;
        for (let p = from; p < to; p++) bytes[at++] = block.data[p] as number;
      } else {
        at += this.#decoration.write(batch, firstRow + index, block, index, bytes, at);
      }
      bytes[at++] = LINE_FEED;
    }
    this.#output.advance(at - start);
  }
}
