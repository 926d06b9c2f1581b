/**
 * Slots by key: an open-addressing hash table over typed arrays (linear probing, at most half full), with the keys in
 * arrays of their own. No object per row or per slot. One key may have a slot in each of many spaces (a window, say);
 * a space is a 32-bit integer that the caller chooses.
 *
 * The table grows while it is used: entries move from the old places to the new ones in the order of the places, from
 * behind a free place on, and each time as far as behind another free place. So which of the two has an entry follows
 * from the place where its hash belongs.
 */
import type { Column, DataType } from '../../core/index.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { grown, sized } from './grown.ts';
import { decodeRow } from './row-codec.ts';
import { SlotAllocator } from './slot-allocator.ts';
import { createSlotColumn } from './slot-column.ts';
import type { SlotColumn } from './slot-column.ts';

const FIRST_BITS = 9;
const MAX_BITS = 29;
/** Old places that are moved with each new slot; at 2 the old table would just not overflow. */
const MOVED_PLACES = 16;
/** A table of less is moved at once. */
const MOVED_AT_ONCE = 1 << 14;

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
  /** The table of half the size while it is being moved, where that began, and how many of its places are moved. */
  #old: Int32Array | null = null;
  #oldStart = 0;
  #moved = 0;
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

  /** As many slots have room in all arrays. */
  get capacity(): number {
    return this.#hashes.length;
  }

  /** Memory of the hash table itself, without the keys. */
  get placesBytes(): number {
    return this.#places.byteLength + (this.#old?.byteLength ?? 0);
  }

  /** The most that placesBytes is on the way to so many slots. */
  placesBytesFor(slotCount: number): number {
    let length = this.#places.length;
    while (slotCount * 4 > length) length *= 2;
    return (length === this.#places.length ? length : length + length / 2) * this.#places.BYTES_PER_ELEMENT;
  }

  get sizeBytes(): number {
    const fixed = this.placesBytes + this.#hashes.byteLength * 2 + this.#slots.sizeBytes;
    return this.#columns.reduce((sum, column) => sum + column.sizeBytes, fixed);
  }

  /** Makes room for slots [0, slotCount), one array at a time. The hash table itself grows with its entries. */
  *growing(slotCount: number): Generator<void> {
    yield* this.#slots.growing(slotCount);
    for (const column of this.#columns) {
      column.reserve(slotCount);
      yield;
    }
    this.#spaces = sized(this.#spaces, slotCount);
    yield;
    // The capacity; last, where this is given up half-way.
    this.#hashes = sized(this.#hashes, slotCount);
    yield;
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
    const mixed = hash ^ Math.imul(space, SPACE_FACTOR);
    const places = this.#old === null ? this.#places : this.#tableOf(mixed);
    const mask = (places.length >> 1) - 1;
    for (let place = homeOf(mixed, mask); ; place = (place + 1) & mask) {
      const slot = (places[place * 2 + 1] as number) - 1;
      if (slot < 0) return -1;
      if (places[place * 2] === mixed && this.#spaces[slot] === space && this.#equals(slot, row)) return slot;
    }
  }

  /** The slot of the key of `slot` in another space, or -1. */
  findLike(slot: number, space: number): number {
    const mixed = (this.#hashes[slot] as number) ^ Math.imul(space, SPACE_FACTOR);
    const places = this.#old === null ? this.#places : this.#tableOf(mixed);
    const mask = (places.length >> 1) - 1;
    for (let place = homeOf(mixed, mask); ; place = (place + 1) & mask) {
      const other = (places[place * 2 + 1] as number) - 1;
      if (other < 0) return -1;
      if (places[place * 2] === mixed && this.#spaces[other] === space && this.#same(slot, other)) return other;
    }
  }

  /** A new slot for a key that find() did not find in that space. */
  insert(hash: number, row: number, space: number): number {
    const slot = this.#slots.allocate();
    if (slot >= this.#hashes.length) this.#reserve(slot + 1);
    if (this.#old !== null) this.#moveOn(MOVED_PLACES);
    else if (this.#slots.size * 4 > this.#places.length) this.#grow();
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
    if (!this.#slots.isUsed(slot)) throw new RangeError(`slot ${slot} has no key`);
    this.#vacate(slot);
    for (let i = 0; i < this.#columns.length; i++) (this.#columns[i] as SlotColumn).clear(slot);
    this.#slots.release(slot);
  }

  /** The order of a row's field to that of the slot's key; neither is NULL. */
  compareRow(slot: number, index: number, row: number): number {
    return (this.#columns[index] as SlotColumn).compareRow(slot, row);
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

  /** The table that has, or would have, the entry of a hash. */
  #tableOf(mixed: number): Int32Array {
    const old = this.#old;
    if (old === null) return this.#places;
    const mask = (old.length >> 1) - 1;
    return ((homeOf(mixed, mask) - this.#oldStart) & mask) < this.#moved ? this.#places : old;
  }

  #occupy(mixed: number, slot: number): void {
    put(this.#tableOf(mixed), mixed, slot);
  }

  /** Knuth's deletion for linear probing: what could stand in the hole moves there, until nothing can. */
  #vacate(slot: number): void {
    const mixed = (this.#hashes[slot] as number) ^ Math.imul(this.#spaces[slot] as number, SPACE_FACTOR);
    const places = this.#tableOf(mixed);
    const mask = (places.length >> 1) - 1;
    let hole = homeOf(mixed, mask);
    while (places[hole * 2 + 1] !== slot + 1) hole = (hole + 1) & mask;
    for (let place = (hole + 1) & mask; places[place * 2 + 1] !== 0; place = (place + 1) & mask) {
      const home = homeOf(places[place * 2] as number, mask);
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
    const old = this.#places;
    if (old.length >= 2 << MAX_BITS) throw new RangeError('more keys than one subtask can hold');
    let free = 0;
    while (old[free * 2 + 1] !== 0) free++;
    this.#old = old;
    this.#oldStart = free + 1;
    this.#moved = 0;
    this.#places = new Int32Array(old.length * 2);
    this.#moveOn(old.length <= MOVED_AT_ONCE ? old.length : MOVED_PLACES);
  }

  /** Moves `count` old places, and then what there is up to the next free one. */
  #moveOn(count: number): void {
    const old = this.#old as Int32Array;
    const mask = (old.length >> 1) - 1;
    let moved = this.#moved;
    for (let left = count; ; left--, moved++) {
      const at = ((this.#oldStart + moved) & mask) * 2;
      const slot = (old[at + 1] as number) - 1;
      if (slot >= 0) {
        put(this.#places, old[at] as number, slot);
        old[at + 1] = 0;
      } else if (moved > mask) {
        // All around, and past what stood behind the start because the end was full.
        this.#old = null;
        return;
      } else if (left <= 0) break;
    }
    this.#moved = moved + 1;
  }
}

/** The place where an entry would stand if all were free: the high bits of the product. */
function homeOf(mixed: number, mask: number): number {
  return Math.imul(mixed, GOLDEN) >>> Math.clz32(mask);
}

function put(places: Int32Array, mixed: number, slot: number): void {
  const mask = (places.length >> 1) - 1;
  let place = homeOf(mixed, mask);
  while (places[place * 2 + 1] !== 0) place = (place + 1) & mask;
  places[place * 2] = mixed;
  places[place * 2 + 1] = slot + 1;
}
