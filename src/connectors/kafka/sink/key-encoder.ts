/** Makes the keys of records: the bytes of one field as they are, or an object of several in a format. */
import {
  EncodedBlock,
  type BytesColumn,
  type ColumnBatch,
  type FormatDefinition,
  type RecordEncoder,
  type SinkSpec,
} from '../../../core/index.ts';

/** The keys of a run of rows; row r's key is data[start(r) .. end(r)), or null where start(r) is -1. */
export interface KeyEncoder {
  readonly data: Uint8Array;
  /**
   * Encodes the keys of rows from `fromRow` on, `toRow` at most; returns the row behind the last, which is the one that
   * failed where `failure` is not null.
   */
  encode(batch: ColumnBatch, fromRow: number, toRow: number): number;
  readonly failure: unknown;
  start(row: number): number;
  end(row: number): number;
}

const NO_BYTES = new Uint8Array(0);

/** Records without keys. */
export const noKeys: KeyEncoder = {
  data: NO_BYTES,
  failure: null,
  encode: (_batch, _fromRow, toRow) => toRow,
  start: () => -1,
  end: () => -1,
};

/** One string or bytes field: nothing is copied. */
export class RawKeyEncoder implements KeyEncoder {
  data: Uint8Array = NO_BYTES;
  readonly failure = null;
  readonly #field: number;
  #column: BytesColumn | null = null;

  constructor(field: number) {
    this.#field = field;
  }

  encode(batch: ColumnBatch, _fromRow: number, toRow: number): number {
    const column = batch.columns[this.#field];
    if (column?.kind !== 'bytes') throw new TypeError('a raw key of a field that has no bytes');
    this.#column = column;
    this.data = column.data;
    return toRow;
  }

  start(row: number): number {
    const column = this.#column as BytesColumn;
    return column.hasNulls && column.nulls[row] === 1 ? -1 : (column.starts[row] as number);
  }

  end(row: number): number {
    return (this.#column as BytesColumn).ends[row] as number;
  }
}

/** An object of the key fields, in a format. */
export class FormatKeyEncoder implements KeyEncoder {
  data: Uint8Array = NO_BYTES;
  failure: unknown = null;
  readonly #block: EncodedBlock;
  readonly #encoder: RecordEncoder;
  #fromRow = 0;

  constructor(format: FormatDefinition, spec: SinkSpec, fields: readonly number[], capacity: number) {
    this.#encoder = format.createEncoder(spec, fields);
    this.#block = new EncodedBlock(capacity, 64 * capacity);
  }

  encode(batch: ColumnBatch, fromRow: number, toRow: number): number {
    this.#block.reset();
    this.#fromRow = fromRow;
    this.failure = null;
    let next: number;
    try {
      next = this.#encoder.encode(batch, fromRow, this.#block, Infinity);
    } catch (error) {
      next = this.#encoder.failedRow;
      if (next < toRow) this.failure = error;
    }
    this.data = this.#block.data;
    return Math.min(next, toRow);
  }

  start(row: number): number {
    return this.#block.starts[row - this.#fromRow] as number;
  }

  end(row: number): number {
    return this.#block.ends[row - this.#fromRow] as number;
  }
}
