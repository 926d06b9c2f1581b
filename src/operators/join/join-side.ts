import type { DataType } from '../../core/index.ts';
import { grown } from '../state/grown.ts';
import type { KeyTable } from '../state/key-table.ts';
import { RowSlots } from '../state/row-slots.ts';
import { SlotSnapshots } from '../state/slot-snapshots.ts';
import { TimeHeap } from '../state/time-heap.ts';
import type { Side } from './join-spec.ts';

const NONE = -1;
/** In the first byte of an entry, beside the side. */
export const MARKED = 2;

/**
 * The rows of one side that are kept: in slots, and those of a key in a chain. Who changes the order of chains or the
 * mark of a row has only to call the methods here; snapshots are told.
 */
export class JoinSide {
  readonly rows: RowSlots;
  /** When rows go, or have something to do; a row that has gone before may still be in it. */
  readonly due = new TimeHeap();
  readonly snapshots: SlotSnapshots;
  readonly #side: Side;
  readonly #table: KeyTable;
  /** Per slot of a key: the first row of the chain, + 1. */
  #heads = new Int32Array(0);
  #times = new Float64Array(0);
  /** The key's slot; -1 for a row that is in no chain. */
  #keys = new Int32Array(0);
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #marks = new Uint8Array(0);

  constructor(side: Side, types: readonly DataType[], table: KeyTable) {
    this.#side = side;
    this.#table = table;
    this.rows = new RowSlots(types);
    this.snapshots = this.#createSnapshots();
  }

  get sizeBytes(): number {
    const perSlot = this.#times.byteLength + this.#keys.byteLength + this.#next.byteLength + this.#previous.byteLength;
    const chains = this.#heads.byteLength + this.#marks.byteLength + perSlot;
    return this.rows.sizeBytes + this.due.sizeBytes + this.snapshots.sizeBytes + chains;
  }

  timeOf(slot: number): number {
    return this.#times[slot] as number;
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

  isMarked(slot: number): boolean {
    return this.#marks[slot] === 1;
  }

  mark(slot: number): void {
    if (this.#marks[slot] === 1) return;
    if (this.snapshots.isTaking) this.snapshots.beforeChange(slot);
    this.#marks[slot] = 1;
  }

  /** Keeps a row of the columns that `rows` is bound to, in no chain yet. */
  add(row: number, timeMs: number): number {
    const slot = this.rows.add(row);
    if (slot >= this.#times.length) this.#reserve(slot + 1);
    if (this.snapshots.isTaking) this.snapshots.added(slot);
    this.#times[slot] = timeMs;
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

  /** Forgets a row. Whether its key is still needed is the caller's to know. */
  remove(slot: number): void {
    if (this.snapshots.isTaking) this.snapshots.beforeChange(slot);
    const key = this.#keys[slot] as number;
    if (key !== NONE) {
      const next = this.#next[slot] as number;
      const previous = this.#previous[slot] as number;
      if (next !== NONE) this.#previous[next] = previous;
      if (previous === NONE) this.#heads[key] = next + 1;
      else this.#next[previous] = next;
    }
    this.rows.remove(slot);
  }

  #reserve(slotCount: number): void {
    this.#times = grown(this.#times, slotCount);
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
        to.byte(this.#side | (this.#marks[slot] === 1 ? MARKED : 0));
        to.integer(this.#times[slot] as number, null);
        rows.encode(slot, to);
      },
    });
  }
}
