/**
 * Slots by key: an open-addressing hash table over typed arrays (linear probing, at most half full), with the keys in
 * arrays of their own. No object per row or per slot. One key may have a slot in each of many spaces (a window, say);
 * a space is a 32-bit integer that the caller chooses.
 */
import type { Column, DataType } from '../../core/index.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { grown } from './grown.ts';
import { decodeRow } from './row-codec.ts';
import { SlotAllocator } from './slot-allocator.ts';
import { createSlotColumn } from './slot-column.ts';
import type { SlotColumn } from './slot-column.ts';

const FIRST_BITS = 9;
const MAX_BITS = 29;

/**
 * Fibonacci hashing. The hash's low bits name the key group, so in one subtask they are much alike; the high bits of
 * the product depend on all of them.
 */
const GOLDEN = 0x9e3779b1;
/** Spreads spaces, which are small integers in a row. */
const SPACE_FACTOR = 0x85ebca6b;

export class KeyTable {
  readonly #types: readonly DataType[];
  readonly #columns: readonly SlotColumn[];
  readonly #slots = new SlotAllocator();
  /** Pairs: hash of key and space, slot + 1; 0 where the place is free. */
  #places = new Int32Array(2 << FIRST_BITS);
  #mask = (1 << FIRST_BITS) - 1;
  #shift = 32 - FIRST_BITS;
  /** Per slot: the key's hash, for its key group, and the space. */
  #hashes = new Int32Array(0);
  #spaces = new Int32Array(0);

  constructor(keyTypes: readonly DataType[]) {
    this.#types = keyTypes;
    this.#columns = keyTypes.map(createSlotColumn);
  }

  /** Slots in use. */
  get size(): number {
    return this.#slots.size;
  }

  /** All slots are below. */
  get slotLimit(): number {
    return this.#slots.limit;
  }

  get sizeBytes(): number {
    const fixed = this.#places.byteLength + this.#hashes.byteLength * 2 + this.#slots.sizeBytes;
    return this.#columns.reduce((sum, column) => sum + column.sizeBytes, fixed);
  }

  isUsed(slot: number): boolean {
    return this.#slots.isUsed(slot);
  }

  hashOf(slot: number): number {
    return this.#hashes[slot] as number;
  }

  spaceOf(slot: number): number {
    return this.#spaces[slot] as number;
  }

  /** The columns that hold the keys of the rows asked for next. */
  bind(columns: readonly Column[]): void {
    for (let i = 0; i < this.#columns.length; i++) (this.#columns[i] as SlotColumn).bind(columns[i] as Column);
  }

  /** The slot of the row's key in a space, or -1. `hash` is that of core's hashRows. */
  find(hash: number, row: number, space: number): number {
    const places = this.#places;
    const mask = this.#mask;
    const mixed = hash ^ Math.imul(space, SPACE_FACTOR);
    for (let place = Math.imul(mixed, GOLDEN) >>> this.#shift; ; place = (place + 1) & mask) {
      const slot = (places[place * 2 + 1] as number) - 1;
      if (slot < 0) return -1;
      if (places[place * 2] === mixed && this.#spaces[slot] === space && this.#equals(slot, row)) return slot;
    }
  }

  /** The slot of the key of `slot` in another space, or -1. */
  findLike(slot: number, space: number): number {
    const places = this.#places;
    const mask = this.#mask;
    const mixed = (this.#hashes[slot] as number) ^ Math.imul(space, SPACE_FACTOR);
    for (let place = Math.imul(mixed, GOLDEN) >>> this.#shift; ; place = (place + 1) & mask) {
      const other = (places[place * 2 + 1] as number) - 1;
      if (other < 0) return -1;
      if (places[place * 2] === mixed && this.#spaces[other] === space && this.#same(slot, other)) return other;
    }
  }

  /** A new slot for a key that find() did not find in that space. */
  insert(hash: number, row: number, space: number): number {
    const slot = this.#slots.allocate();
    if (slot >= this.#hashes.length) this.#reserve(slot + 1);
    if (this.#slots.size * 2 > this.#mask) this.#grow();
    this.#hashes[slot] = hash;
    this.#spaces[slot] = space;
    for (let i = 0; i < this.#columns.length; i++) (this.#columns[i] as SlotColumn).set(slot, row);
    this.#occupy(hash ^ Math.imul(space, SPACE_FACTOR), slot);
    return slot;
  }

  /** A slot that belongs to no key, and that nobody finds; release() gives it back. */
  reserveSlot(): number {
    const slot = this.#slots.allocate();
    if (slot >= this.#hashes.length) this.#reserve(slot + 1);
    return slot;
  }

  /** Puts a slot into another space, where its key has none. */
  moveTo(slot: number, space: number): void {
    this.#vacate(slot);
    this.#spaces[slot] = space;
    this.#occupy((this.#hashes[slot] as number) ^ Math.imul(space, SPACE_FACTOR), slot);
  }

  /** Frees a slot; it may be handed out again. */
  remove(slot: number): void {
    this.#vacate(slot);
    for (let i = 0; i < this.#columns.length; i++) (this.#columns[i] as SlotColumn).clear(slot);
    this.#slots.release(slot);
  }

  /** Writes field `index` of the slot's key to an output. */
  write(slot: number, index: number, output: Column, row: number): void {
    (this.#columns[index] as SlotColumn).write(slot, output, row);
  }

  /** The slot's key, as encodeRow() of row-codec.ts makes it. */
  encode(slot: number, to: ByteWriter): void {
    const columns = this.#columns;
    for (let first = 0; first < columns.length; first += 8) {
      let nulls = 0;
      for (let bit = 0; bit < 8 && first + bit < columns.length; bit++) {
        if ((columns[first + bit] as SlotColumn).isNull(slot)) nulls |= 1 << bit;
      }
      to.byte(nulls);
    }
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] as SlotColumn;
      if (!column.isNull(slot)) column.encode(slot, to);
    }
  }

  /** Reads a key into row 0 of columns of the keys' types. */
  decode(from: ByteReader, columns: readonly Column[]): void {
    decodeRow(from, this.#types, columns, 0);
  }

  #equals(slot: number, row: number): boolean {
    const columns = this.#columns;
    for (let i = 0; i < columns.length; i++) if (!(columns[i] as SlotColumn).equals(slot, row)) return false;
    return true;
  }

  #same(slot: number, other: number): boolean {
    const columns = this.#columns;
    for (let i = 0; i < columns.length; i++) if (!(columns[i] as SlotColumn).same(slot, other)) return false;
    return true;
  }

  #occupy(mixed: number, slot: number): void {
    const places = this.#places;
    let place = Math.imul(mixed, GOLDEN) >>> this.#shift;
    while (places[place * 2 + 1] !== 0) place = (place + 1) & this.#mask;
    places[place * 2] = mixed;
    places[place * 2 + 1] = slot + 1;
  }

  /** Knuth's deletion for linear probing: what could stand in the hole moves there, until nothing can. */
  #vacate(slot: number): void {
    const places = this.#places;
    const mask = this.#mask;
    const mixed = (this.#hashes[slot] as number) ^ Math.imul(this.#spaces[slot] as number, SPACE_FACTOR);
    let hole = Math.imul(mixed, GOLDEN) >>> this.#shift;
    while (places[hole * 2 + 1] !== slot + 1) hole = (hole + 1) & mask;
    for (let place = (hole + 1) & mask; places[place * 2 + 1] !== 0; place = (place + 1) & mask) {
      const home = Math.imul(places[place * 2] as number, GOLDEN) >>> this.#shift;
      if (((place - home) & mask) < ((place - hole) & mask)) continue;
      places[hole * 2] = places[place * 2] as number;
      places[hole * 2 + 1] = places[place * 2 + 1] as number;
      hole = place;
    }
    places[hole * 2 + 1] = 0;
  }

  #reserve(slotCount: number): void {
    this.#hashes = grown(this.#hashes, slotCount);
    this.#spaces = grown(this.#spaces, slotCount);
    for (const column of this.#columns) column.reserve(this.#hashes.length);
  }

  #grow(): void {
    const bits = 33 - this.#shift;
    if (bits > MAX_BITS) throw new RangeError('more keys than one subtask can hold');
    const old = this.#places;
    this.#places = new Int32Array(2 << bits);
    this.#mask = (1 << bits) - 1;
    this.#shift = 32 - bits;
    for (let at = 0; at < old.length; at += 2) {
      const slot = (old[at + 1] as number) - 1;
      if (slot >= 0) this.#occupy(old[at] as number, slot);
    }
  }
}
