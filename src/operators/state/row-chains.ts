import type { DataType } from '../../core/index.ts';
import { grown } from './grown.ts';
import type { KeyTable } from './key-table.ts';
import { RowSlots } from './row-slots.ts';
import { SlotSnapshots } from './slot-snapshots.ts';
import { TimeHeap } from './time-heap.ts';

const NONE = -1;
/** In the first byte of an entry, beside the sort. */
export const MARKED = 2;

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
    const perSlot = this.#stamps.byteLength + this.#keys.byteLength + this.#next.byteLength + this.#previous.byteLength;
    const chains = this.#heads.byteLength + this.#marks.byteLength + perSlot;
    return this.rows.sizeBytes + this.due.sizeBytes + this.snapshots.sizeBytes + chains;
  }

  stampOf(slot: number): number {
    return this.#stamps[slot] as number;
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
        to.byte(this.#sort | (this.#marks[slot] === 1 ? MARKED : 0));
        to.integer(this.#stamps[slot] as number, null);
        rows.encode(slot, to);
      },
    });
  }
}
