import { createColumn, hashRows, keyGroupOf, resetColumn } from '../../core/index.ts';
import type { Column, DataType, RowSchema } from '../../core/index.ts';
import type { ByteReader } from './byte-reader.ts';
import { decodeRow } from './row-codec.ts';
import type { RowMigration } from './row-migration.ts';

/** One row at a time, as columns: for reading keys and rows of entries back. */
export class ScratchRow {
  readonly columns: readonly Column[];
  readonly keys: readonly Column[];
  readonly #types: readonly DataType[];
  readonly #migration: RowMigration | null;
  readonly #hash = new Int32Array(1);

  /** `keys`: which fields are its key; all where left out. `migration`: what was written are rows of another schema. */
  constructor({ fields }: RowSchema, keys?: readonly number[], migration: RowMigration | null = null) {
    this.#types = fields.map(({ type }) => type);
    this.columns = this.#types.map((type) => createColumn(type, 1));
    this.#migration = migration;
    this.keys = keys === undefined ? this.columns : keys.map((index) => this.columns[index] as Column);
  }

  /** Reads what encodeRow() wrote into row 0 of the columns. Returns the hash of its key. */
  read(from: ByteReader): number {
    for (const column of this.columns) resetColumn(column);
    if (this.#migration === null) decodeRow(from, this.#types, this.columns, 0);
    else this.#migration.decode(from, this.columns);
    hashRows(this.keys, 1, this.#hash);
    return this.#hash[0] as number;
  }

  /** As read(), where the key has to be of this key group. */
  readKey(from: ByteReader, keyGroup: number, keyGroupCount: number): number {
    const hash = this.read(from);
    if (keyGroupOf(hash, keyGroupCount) !== keyGroup) from.fail(`a key is not of key group ${keyGroup}`);
    return hash;
  }
}
