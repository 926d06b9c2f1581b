import { createColumn, hashRows, keyGroupOf, resetColumn } from '../../core/index.ts';
import type { Column, DataType, RowSchema } from '../../core/index.ts';
import type { ByteReader } from './byte-reader.ts';
import { decodeRow } from './row-codec.ts';

/** One row at a time, as columns: for reading keys and rows of entries back. */
export class ScratchRow {
  readonly columns: readonly Column[];
  readonly #types: readonly DataType[];
  readonly #hash = new Int32Array(1);

  constructor({ fields }: RowSchema) {
    this.#types = fields.map(({ type }) => type);
    this.columns = this.#types.map((type) => createColumn(type, 1));
  }

  /** Reads what encodeRow() wrote into row 0 of the columns. Returns its hash. */
  read(from: ByteReader): number {
    for (const column of this.columns) resetColumn(column);
    decodeRow(from, this.#types, this.columns, 0);
    hashRows(this.columns, 1, this.#hash);
    return this.#hash[0] as number;
  }

  /** As read(), for a key that has to be of this key group. */
  readKey(from: ByteReader, keyGroup: number, keyGroupCount: number): number {
    const hash = this.read(from);
    if (keyGroupOf(hash, keyGroupCount) !== keyGroup) from.fail(`a key is not of key group ${keyGroup}`);
    return hash;
  }
}
