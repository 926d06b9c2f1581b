import type { Column, ColumnBatch, EncodedBlock, Field, RecordEncoder, SinkSpec } from '../../../core/index.ts';
import { EncodeState } from './encode-state.ts';
import { generateEncoder, type GeneratedEncoder } from './encoder-source.ts';
import { FastEncoder } from './fast-encoder.ts';
import type { JsonTextOptions } from './json-text.ts';

/** Where more than one row in so many is not of the usual shape, the next calls do without the fast encoder. */
const ROWS_PER_UNUSUAL = 8;
const SLOW_CALLS = 100;

/** Encodes rows as JSON objects with generated code; see encoder-source.ts and fast-encoder-source.ts. */
export class JsonEncoder implements RecordEncoder {
  readonly framesInPlace = true;
  readonly #indexes: readonly number[];
  readonly #state: EncodeState;
  readonly #run: GeneratedEncoder;
  readonly #fast: FastEncoder | null;
  /** So many calls are left to the generated JavaScript. */
  #slowCalls = 0;

  constructor(spec: SinkSpec, indexes: readonly number[], options: JsonTextOptions) {
    const fields = indexes.map((index) => spec.input.fields[index] as Field);
    this.#indexes = indexes;
    this.#state = new EncodeState(fields, options);
    this.#run = generateEncoder(fields, options);
    this.#fast = FastEncoder.create(fields, options, this.#state);
  }

  get failedRow(): number {
    return this.#state.failedRow;
  }

  encode(batch: ColumnBatch, fromRow: number, block: EncodedBlock, maxBytes: number): number {
    const columns = this.#indexes.map((index) => batch.columns[index] as Column);
    if (this.#fast !== null && this.#slowCalls === 0) {
      return this.#encodeFast(this.#fast, columns, fromRow, batch.rowCount, block, maxBytes);
    }
    if (this.#slowCalls > 0) this.#slowCalls--;
    return this.#runFrom(columns, fromRow, batch.rowCount, block, maxBytes);
  }

  /** Leaves rows that are not of the usual shape to the generated JavaScript, one by one. */
  #encodeFast(
    fast: FastEncoder,
    columns: readonly Column[],
    from: number,
    to: number,
    block: EncodedBlock,
    maxBytes: number,
  ): number {
    let row = from;
    let unusual = 0;
    fast.reset();
    while (row < to && block.count < block.capacity && block.used <= maxBytes) {
      const next = fast.encode(columns, row, to, block, maxBytes);
      if (next < 0) return this.#runFrom(columns, row, to, block, maxBytes);
      if (next === row) {
        unusual++;
        row = this.#runFrom(columns, row, row + 1, block, maxBytes);
      } else row = next;
    }
    if (unusual * ROWS_PER_UNUSUAL > row - from) this.#slowCalls = SLOW_CALLS;
    return row;
  }

  #runFrom(columns: readonly Column[], from: number, to: number, block: EncodedBlock, maxBytes: number): number {
    this.#state.setBlock(block);
    return this.#run(this.#state, columns, from, to, block, maxBytes);
  }
}
