import { createColumn, hashRows, resetColumn, types } from '../../core/index.ts';
import type { BooleanColumn, Column, DataType, IntColumn } from '../../core/index.ts';
import type { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { grown, sized } from '../state/grown.ts';
import { KeyTable } from '../state/key-table.ts';
import type { Accumulator, CallInput } from './accumulator.ts';
import { isTrue } from './first-last-accumulator.ts';

const NONE = -1;

/**
 * Takes every value once per slot. NULLs reach the inner call, which ignores them or not. What is encoded is the set of
 * values, in the order of arrival: the inner call's state follows from it.
 */
export class DistinctAccumulator implements Accumulator {
  readonly layout: string;
  readonly #inner: Accumulator;
  /** The values that were taken; their space is the slot. */
  readonly #taken: KeyTable;
  /** Per slot, the first and the last of its values in the table; per value, the next one. */
  #heads = new Int32Array(0);
  #tails = new Int32Array(0);
  #next = new Int32Array(0);
  #hashes = new Int32Array(0);
  #condition: BooleanColumn | null = null;
  /** One value as a batch. */
  readonly #single: Column;
  readonly #singleInput: CallInput;

  readonly check?: (slot: number, row: number) => void;

  constructor(inner: Accumulator, argument: DataType) {
    this.#inner = inner;
    this.layout = `distinct ${inner.layout}`;
    this.#taken = new KeyTable([argument]);
    this.#single = createColumn(argument, 1);
    const slots = createColumn(types.int, 1) as IntColumn;
    this.#singleInput = { argument: this.#single, condition: null, rowCount: 1, slots };
    if (inner.check !== undefined) {
      this.check = (slot, row) => {
        if (this.#isNew(slot, row)) inner.check?.(slot, row);
      };
    }
  }

  get sizeBytes(): number {
    return this.#inner.sizeBytes + this.#taken.sizeBytes + this.#heads.byteLength * 2 + this.#next.byteLength;
  }

  reserve(slotCount: number): void {
    this.#inner.reserve(slotCount);
    const before = this.#heads.length;
    this.#heads = sized(this.#heads, slotCount).fill(NONE, before);
    this.#tails = sized(this.#tails, slotCount);
  }

  bindInput(input: CallInput): void {
    const { argument, condition, rowCount } = input;
    if (argument === null) throw new TypeError('DISTINCT without an argument');
    this.#inner.bindInput({ ...input, condition: null });
    this.#condition = condition;
    this.#hashes = grown(this.#hashes, rowCount);
    hashRows([argument], rowCount, this.#hashes);
    this.#taken.bind([argument]);
  }

  bindOutput(output: Column): void {
    this.#inner.bindOutput(output);
  }

  add(slot: number, row: number): void {
    if (!this.#isNew(slot, row)) return;
    this.#append(slot, this.#taken.insert(this.#hashes[row] as number, row, slot));
    this.#inner.add(slot, row);
  }

  write(slot: number, outRow: number): void {
    this.#inner.write(slot, outRow);
  }

  merge(slot: number, from: number): void {
    for (let value = this.#heads[from] as number; value !== NONE; value = this.#next[value] as number) {
      if (this.#taken.findLike(value, slot) >= 0) continue;
      resetColumn(this.#single);
      this.#taken.write(value, 0, this.#single, 0);
      this.bindInput(this.#singleInput);
      this.add(slot, 0);
    }
  }

  clear(slot: number): void {
    for (let value = this.#heads[slot] as number; value !== NONE;) {
      const next = this.#next[value] as number;
      this.#taken.remove(value);
      value = next;
    }
    this.#heads[slot] = NONE;
    this.#inner.clear(slot);
  }

  encode(slot: number, to: ByteWriter): void {
    let count = 0;
    for (let value = this.#heads[slot] as number; value !== NONE; value = this.#next[value] as number) count++;
    to.varint(count);
    for (let value = this.#heads[slot] as number; value !== NONE; value = this.#next[value] as number) {
      this.#taken.encode(value, to);
    }
  }

  decode(slot: number, from: ByteReader): void {
    for (let left = from.count(); left > 0; left--) {
      resetColumn(this.#single);
      this.#taken.decode(from, [this.#single]);
      this.bindInput(this.#singleInput);
      this.add(slot, 0);
    }
  }

  #isNew(slot: number, row: number): boolean {
    if (this.#condition !== null && !isTrue(this.#condition, row)) return false;
    return this.#taken.find(this.#hashes[row] as number, row, slot) < 0;
  }

  /** The value becomes the last of its slot. */
  #append(slot: number, value: number): void {
    this.#next = grown(this.#next, value + 1);
    this.#next[value] = NONE;
    if (this.#heads[slot] === NONE) this.#heads[slot] = value;
    else this.#next[this.#tails[slot] as number] = value;
    this.#tails[slot] = value;
  }
}
