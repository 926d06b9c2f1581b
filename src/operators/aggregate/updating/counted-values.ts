import { createColumn, hashRows, resetColumn } from '../../../core/index.ts';
import type { Column, DataType } from '../../../core/index.ts';
import type { ByteReader } from '../../state/byte-reader.ts';
import type { ByteWriter } from '../../state/byte-writer.ts';
import { grown } from '../../state/grown.ts';
import { KeyTable } from '../../state/key-table.ts';

const NONE = -1;

/** The values of each slot, with how often each is there, in the order in which they came to be there. */
export class CountedValues {
  /** The values; their space is the slot. */
  readonly #table: KeyTable;
  /** Per slot, the first and the last of its values, + 1. */
  #heads = new Int32Array(0);
  #tails = new Int32Array(0);
  /** Per value, its neighbours, + 1, and its count. */
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #counts = new Float64Array(0);
  #hashes = new Int32Array(0);
  /** One value as a column. */
  readonly single: Column;

  constructor(type: DataType) {
    this.#table = new KeyTable([type]);
    this.single = createColumn(type, 1);
  }

  get sizeBytes(): number {
    const links = this.#next.byteLength * 2 + this.#counts.byteLength;
    return this.#table.sizeBytes + this.#heads.byteLength * 2 + links;
  }

  reserve(slotCount: number): void {
    this.#heads = grown(this.#heads, slotCount);
    this.#tails = grown(this.#tails, slotCount);
  }

  bind(argument: Column, rowCount: number): void {
    this.#hashes = grown(this.#hashes, rowCount);
    hashRows([argument], rowCount, this.#hashes);
    this.#table.bind([argument]);
  }

  /** One more of the row's value; returns it. */
  add(slot: number, row: number, count = 1): number {
    const hash = this.#hashes[row] as number;
    let value = this.#table.find(hash, row, slot);
    if (value < 0) {
      value = this.#table.insert(hash, row, slot);
      this.#append(slot, value);
    }
    this.#counts[value] = (this.#counts[value] as number) + count;
    return value;
  }

  /** One less of the row's value; returns it, or -1 where there is none. It is gone where its count is 0 then. */
  remove(slot: number, row: number): number {
    const value = this.#table.find(this.#hashes[row] as number, row, slot);
    if (value < 0) return NONE;
    const left = (this.#counts[value] as number) - 1;
    this.#counts[value] = left;
    if (left === 0) {
      this.#unlink(slot, value);
      this.#table.remove(value);
    }
    return value;
  }

  countOf(value: number): number {
    return this.#counts[value] as number;
  }

  /** The first value of a slot, or -1. */
  first(slot: number): number {
    return (this.#heads[slot] as number) - 1;
  }

  /** The value behind, or -1. */
  next(value: number): number {
    return (this.#next[value] as number) - 1;
  }

  /** The order of a row's value to one that is here; neither is NULL. */
  compareRow(value: number, row: number): number {
    return this.#table.compareRow(value, 0, row);
  }

  write(value: number, output: Column, outRow: number): void {
    this.#table.write(value, 0, output, outRow);
  }

  /** Makes a value the one row of what is bound: `single`. */
  bindSingle(value: number): void {
    resetColumn(this.single);
    this.#table.write(value, 0, this.single, 0);
    this.#table.bind([this.single]);
  }

  clear(slot: number): void {
    for (let value = this.first(slot); value !== NONE;) {
      const next = this.next(value);
      this.#table.remove(value);
      this.#counts[value] = 0;
      value = next;
    }
    this.#heads[slot] = 0;
    this.#tails[slot] = 0;
  }

  encode(slot: number, to: ByteWriter): void {
    let count = 0;
    for (let value = this.first(slot); value !== NONE; value = this.next(value)) count++;
    to.varint(count);
    for (let value = this.first(slot); value !== NONE; value = this.next(value)) {
      this.#table.encode(value, to);
      to.varint(this.countOf(value));
    }
  }

  /** Into a slot that has none. `onValue` is called for each, which is bound as row 0 of `single`. */
  decode(slot: number, from: ByteReader, onValue: (value: number) => void): void {
    for (let left = from.count(); left > 0; left--) {
      resetColumn(this.single);
      this.#table.decode(from, [this.single]);
      const count = from.varint();
      if (count === 0) from.fail('a value is there 0 times');
      this.bind(this.single, 1);
      if (this.#table.find(this.#hashes[0] as number, 0, slot) >= 0) from.fail('a value comes twice');
      onValue(this.add(slot, 0, count));
    }
  }

  /** The value becomes the last of its slot. */
  #append(slot: number, value: number): void {
    this.#next = grown(this.#next, value + 1);
    this.#previous = grown(this.#previous, value + 1);
    this.#counts = grown(this.#counts, value + 1);
    const tail = this.#tails[slot] as number;
    this.#next[value] = 0;
    this.#previous[value] = tail;
    this.#counts[value] = 0;
    if (tail === 0) this.#heads[slot] = value + 1;
    else this.#next[tail - 1] = value + 1;
    this.#tails[slot] = value + 1;
  }

  #unlink(slot: number, value: number): void {
    const [next, previous] = [this.#next[value] as number, this.#previous[value] as number];
    if (previous === 0) this.#heads[slot] = next;
    else this.#next[previous - 1] = next;
    if (next === 0) this.#tails[slot] = previous;
    else this.#previous[next - 1] = previous;
  }
}
