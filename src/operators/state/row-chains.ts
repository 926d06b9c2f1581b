import type { DataType } from '../../core/index.ts';
import type { ByteWriter } from './byte-writer.ts';
import { grown, sized } from './grown.ts';
import type { KeyTable } from './key-table.ts';
import { RowSlots } from './row-slots.ts';
import { SlotSnapshots } from './slot-snapshots.ts';
import { TimeHeap } from './time-heap.ts';

const NONE = -1;
/** In the first byte of an entry, beside the sort. */
export const MARKED = 2;
/** The first byte of an entry that has all rows of a key. */
export const WHOLE_KEY = 4;

/**
 * Rows that are kept, in slots; those of a key in a chain, in whatever order the owner gives them. Each has a stamp, a
 * number that the owner chooses (its time, say), and a mark. Snapshots are told of all that changes; the order of a
 * chain is not part of them.
 */
export class RowChains {
  readonly rows: RowSlots;
  /** When rows go, or have something to do; a row that has gone before may still be in it. */
  readonly due = new TimeHeap();
  readonly snapshots: SlotSnapshots;
  readonly #sort: 0 | 1;
  readonly #table: KeyTable;
  /** Per slot of a key: the first row of the chain, + 1. */
  #heads = new Int32Array(0);
  #stamps = new Float64Array(0);
  /** The key's slot; -1 for a row that is in no chain. */
  #keys = new Int32Array(0);
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #marks = new Uint8Array(0);

  /** `sort` tells the entries of two apart that have one table. */
  constructor(sort: 0 | 1, types: readonly DataType[], table: KeyTable) {
    this.#sort = sort;
    this.#table = table;
    this.rows = new RowSlots(types);
    this.snapshots = this.#createSnapshots();
  }

  get sizeBytes(): number {
    return this.rowBytes + this.keyBytes + this.snapshots.sizeBytes;
  }

  /** Of it, what keys take, and times. */
  get keyBytes(): number {
    return this.#heads.byteLength + this.due.sizeBytes;
  }

  /** Of it, what rows take. */
  get rowBytes(): number {
    const links = this.#keys.byteLength + this.#next.byteLength + this.#previous.byteLength;
    return this.rows.sizeBytes + this.#stamps.byteLength + this.#marks.byteLength + links;
  }

  /** As many rows have room. */
  get capacity(): number {
    return Math.min(this.rows.capacity, this.#stamps.length);
  }

  /** Makes room for so many rows, one array at a time. */
  *growing(rowCount: number): Generator<void> {
    this.#keys = sized(this.#keys, rowCount);
    yield;
    this.#next = sized(this.#next, rowCount);
    yield;
    this.#previous = sized(this.#previous, rowCount);
    yield;
    this.#marks = sized(this.#marks, rowCount);
    yield;
    yield* this.rows.growing(rowCount);
    // The capacity; last, where this is given up half-way.
    this.#stamps = sized(this.#stamps, rowCount);
    yield;
  }

  /** Makes room for so many slots of keys. */
  *growingKeys(keyCount: number): Generator<void> {
    this.#heads = sized(this.#heads, keyCount);
    yield;
  }

  stampOf(slot: number): number {
    return this.#stamps[slot] as number;
  }

  restamp(slot: number, stamp: number): void {
    if (this.#stamps[slot] === stamp) return;
    if (this.snapshots.isTaking) this.snapshots.beforeChange(slot);
    this.#stamps[slot] = stamp;
  }

  keyOf(slot: number): number {
    return this.#keys[slot] as number;
  }

  /** The first row of a key, or -1. */
  head(key: number): number {
    return key < this.#heads.length ? (this.#heads[key] as number) - 1 : NONE;
  }

  /** The row behind, or -1. */
  next(slot: number): number {
    return this.#next[slot] as number;
  }

  /** The row in front, or -1. */
  previous(slot: number): number {
    return this.#previous[slot] as number;
  }

  isMarked(slot: number): boolean {
    return this.#marks[slot] === 1;
  }

  mark(slot: number): void {
    if (this.#marks[slot] === 1) return;
    if (this.snapshots.isTaking) this.snapshots.beforeChange(slot);
    this.#marks[slot] = 1;
  }

  /** Keeps a row of the columns that `rows` is bound to, in no chain yet. */
  add(row: number, stamp: number): number {
    const slot = this.rows.add(row);
    if (slot >= this.#stamps.length) this.#reserve(slot + 1);
    if (this.snapshots.isTaking) this.snapshots.added(slot);
    this.#stamps[slot] = stamp;
    this.#keys[slot] = NONE;
    this.#marks[slot] = 0;
    return slot;
  }

  /** Puts a row into the chain of a key: behind `after`, or first. */
  link(slot: number, key: number, after = NONE): void {
    if (key >= this.#heads.length) this.#heads = grown(this.#heads, key + 1);
    const next = after === NONE ? this.head(key) : (this.#next[after] as number);
    this.#keys[slot] = key;
    this.#next[slot] = next;
    this.#previous[slot] = after;
    if (next !== NONE) this.#previous[next] = slot;
    if (after === NONE) this.#heads[key] = slot + 1;
    else this.#next[after] = slot;
  }

  /** Takes a row out of its chain, for link() or remove(). */
  unlink(slot: number): void {
    if (this.snapshots.isTaking) this.snapshots.beforeChange(slot);
    const key = this.#keys[slot] as number;
    if (key === NONE) return;
    const next = this.#next[slot] as number;
    const previous = this.#previous[slot] as number;
    if (next !== NONE) this.#previous[next] = previous;
    if (previous === NONE) this.#heads[key] = next + 1;
    else this.#next[previous] = next;
    this.#keys[slot] = NONE;
  }

  /** Forgets a row. Whether its key is still needed is the caller's to know. */
  remove(slot: number): void {
    this.unlink(slot);
    this.rows.remove(slot);
  }

  /** How many rows a key has. */
  countOf(key: number): number {
    let count = 0;
    for (let slot = this.head(key); slot !== NONE; slot = this.next(slot)) count++;
    return count;
  }

  /** Writes the rows of a key in their order: of each whether it is marked, its stamp and the row. */
  encodeRows(key: number, to: ByteWriter): void {
    for (let slot = this.head(key); slot !== NONE; slot = this.next(slot)) this.#encode(slot, 0, to);
  }

  /** Forgets the rows of a key. */
  clear(key: number): void {
    for (let slot = this.head(key); slot !== NONE; slot = this.head(key)) this.remove(slot);
  }

  #encode(slot: number, sort: number, to: ByteWriter): void {
    to.byte(sort | (this.#marks[slot] === 1 ? MARKED : 0));
    to.integer(this.#stamps[slot] as number, null);
    this.rows.encode(slot, to);
  }

  #reserve(slotCount: number): void {
    this.#stamps = grown(this.#stamps, slotCount);
    this.#keys = grown(this.#keys, slotCount);
    this.#next = grown(this.#next, slotCount);
    this.#previous = grown(this.#previous, slotCount);
    this.#marks = grown(this.#marks, slotCount);
  }

  #createSnapshots(): SlotSnapshots {
    const { rows } = this;
    return new SlotSnapshots({
      get slotLimit() {
        return rows.slotLimit;
      },
      isUsed: (slot) => rows.isUsed(slot),
      hashOf: (slot) => this.#table.hashOf(this.#keys[slot] as number),
      encode: (slot, to) => {
        this.#encode(slot, this.#sort, to);
      },
    });
  }
}
