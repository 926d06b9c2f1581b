import { IntColumn, columnKind, hashRows, types } from '../../core/index.ts';
import type { Column, ColumnBatch, DataType } from '../../core/index.ts';
import { grown } from '../state/grown.ts';
import { KeyTable } from '../state/key-table.ts';
import type { RowChains } from '../state/row-chains.ts';

const NONE = -1;

/** Finds rows that are kept by what is in them: those of one key and of equal hashes are a list. */
export class RowIndex {
  readonly #chains: RowChains;
  /** The fields that have a hash. */
  readonly #hashed: readonly number[];
  /** By the hash of a whole row; the space is the key. */
  readonly #lists = new KeyTable([types.int]);
  #hashes = new IntColumn(0);
  /** Per list, its first row; per row, the next one, and its list. + 1. */
  #heads = new Int32Array(0);
  #next = new Int32Array(0);
  #listOf = new Int32Array(0);

  constructor(rowTypes: readonly DataType[], chains: RowChains) {
    this.#chains = chains;
    this.#hashed = rowTypes.flatMap((type, index) => (columnKind(type) === 'object' ? [] : [index]));
  }

  get sizeBytes(): number {
    return this.#lists.sizeBytes + this.#heads.byteLength + this.#next.byteLength + this.#listOf.byteLength;
  }

  /** The rows that are asked for next. */
  bind({ columns, rowCount }: Pick<ColumnBatch, 'columns' | 'rowCount'>): void {
    if (this.#hashes.values.length < rowCount) this.#hashes = new IntColumn(rowCount);
    hashRows(this.#hashed.map((index) => columns[index] as Column), rowCount, this.#hashes.values);
    this.#lists.bind([this.#hashes]);
  }

  add(slot: number, row: number, key: number): void {
    let list = this.#find(row, key);
    if (list === NONE) list = this.#lists.insert(this.#hashes.values[row] as number, row, key);
    this.#heads = grown(this.#heads, list + 1);
    this.#next = grown(this.#next, slot + 1);
    this.#listOf = grown(this.#listOf, slot + 1);
    this.#next[slot] = this.#heads[list] as number;
    this.#heads[list] = slot + 1;
    this.#listOf[slot] = list + 1;
  }

  /** Of the kept rows that are as this one, the first to come; -1 without any. */
  earliest(row: number, key: number): number {
    const list = this.#find(row, key);
    let found = NONE;
    for (let slot = list === NONE ? NONE : this.#head(list); slot !== NONE; slot = (this.#next[slot] as number) - 1) {
      if (!this.#chains.rows.equals(slot, row)) continue;
      if (found === NONE || this.#chains.stampOf(slot) < this.#chains.stampOf(found)) found = slot;
    }
    return found;
  }

  remove(slot: number): void {
    const list = (this.#listOf[slot] as number) - 1;
    if (this.#head(list) === slot) this.#heads[list] = this.#next[slot] as number;
    else {
      let before = this.#head(list);
      while (this.#next[before] !== slot + 1) before = (this.#next[before] as number) - 1;
      this.#next[before] = this.#next[slot] as number;
    }
    if (this.#head(list) === NONE) this.#lists.remove(list);
  }

  #find(row: number, key: number): number {
    return this.#lists.find(this.#hashes.values[row] as number, row, key);
  }

  #head(list: number): number {
    return (this.#heads[list] as number) - 1;
  }
}
