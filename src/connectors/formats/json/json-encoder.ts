import type { Column, ColumnBatch, EncodedBlock, Field, RecordEncoder, SinkSpec } from '../../../core/index.ts';
import { EncodeState } from './encode-state.ts';
import { generateEncoder, type GeneratedEncoder } from './encoder-source.ts';
import type { JsonTextOptions } from './json-text.ts';

/** Encodes rows as JSON objects with generated code; see encoder-source.ts. */
export class JsonEncoder implements RecordEncoder {
  readonly framesInPlace = true;
  readonly #indexes: readonly number[];
  readonly #state: EncodeState;
  readonly #run: GeneratedEncoder;

  constructor(spec: SinkSpec, indexes: readonly number[], options: JsonTextOptions) {
    const fields = indexes.map((index) => spec.input.fields[index] as Field);
    this.#indexes = indexes;
    this.#state = new EncodeState(fields, options);
    this.#run = generateEncoder(fields, options);
  }

  get failedRow(): number {
    return this.#state.failedRow;
  }

  encode(batch: ColumnBatch, fromRow: number, block: EncodedBlock, maxBytes: number): number {
    this.#state.setBlock(block);
    const columns = this.#indexes.map((index) => batch.columns[index] as Column);
    return this.#run(this.#state, batch, columns, fromRow, block, maxBytes);
  }
}
