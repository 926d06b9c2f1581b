/**
 * Groups by key: an open-addressing hash table over typed arrays (linear probing, at most half full), with the keys in
 * arrays of their own. No object per row or per group.
 */
import type { Column, DataType } from '../../core/index.ts';
import { createKeyColumn } from './key-columns.ts';
import type { KeyColumn } from './key-columns.ts';

const FIRST_BITS = 9;
const FIRST_SLOTS = 1 << FIRST_BITS;
const MAX_BITS = 30;

/**
 * Fibonacci hashing. The hash's low bits name the key group, so in one subtask they are much alike; the high bits of
 * the product depend on all of them.
 */
const GOLDEN = 0x9e3779b1;

export class KeyTable {
  readonly #columns: readonly KeyColumn[];
  /** Group + 1 per slot; 0 where it is free. */
  #slots = new Int32Array(FIRST_SLOTS);
  #mask = FIRST_SLOTS - 1;
  #shift = 32 - FIRST_BITS;
  /** Per group; spares most comparisons of keys, and reading the keys when the table grows. */
  #hashes = new Int32Array(FIRST_SLOTS);
  #size = 0;

  constructor(keyTypes: readonly DataType[]) {
    this.#columns = keyTypes.map(createKeyColumn);
  }

  get size(): number {
    return this.#size;
  }

  /** The columns that hold the keys of the rows asked for next. */
  bind(columns: readonly Column[]): void {
    for (let i = 0; i < this.#columns.length; i++) (this.#columns[i] as KeyColumn).bind(columns[i] as Column);
  }

  /** The group of the row's key, or -1. `hash` is that of core's hashRows. */
  find(hash: number, row: number): number {
    const slots = this.#slots;
    const hashes = this.#hashes;
    const mask = this.#mask;
    for (let slot = Math.imul(hash, GOLDEN) >>> this.#shift; ; slot = (slot + 1) & mask) {
      const group = (slots[slot] as number) - 1;
      if (group < 0) return -1;
      if (hashes[group] === hash && this.#equals(group, row)) return group;
    }
  }

  /** A new group for a key that find() did not find. */
  insert(hash: number, row: number): number {
    if ((this.#size + 1) * 2 > this.#slots.length) this.#grow();
    const group = this.#size++;
    this.#hashes[group] = hash;
    for (let i = 0; i < this.#columns.length; i++) (this.#columns[i] as KeyColumn).append(group, row);
    this.#occupy(hash, group);
    return group;
  }

  #equals(group: number, row: number): boolean {
    const columns = this.#columns;
    for (let i = 0; i < columns.length; i++) if (!(columns[i] as KeyColumn).equals(group, row)) return false;
    return true;
  }

  #occupy(hash: number, group: number): void {
    let slot = Math.imul(hash, GOLDEN) >>> this.#shift;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = group + 1;
  }

  #grow(): void {
    const bits = 33 - this.#shift;
    if (bits > MAX_BITS) throw new RangeError('more groups than one subtask can hold');
    const size = 1 << bits;
    this.#slots = new Int32Array(size);
    this.#mask = size - 1;
    this.#shift = 32 - bits;
    const hashes = new Int32Array(size);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    for (let group = 0; group < this.#size; group++) this.#occupy(hashes[group] as number, group);
  }
}
