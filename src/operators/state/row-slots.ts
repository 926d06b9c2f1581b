import { resetColumn } from '../../core/index.ts';
import type { Column, DataType } from '../../core/index.ts';
import type { ByteWriter } from './byte-writer.ts';
import { SlotAllocator } from './slot-allocator.ts';
import { createSlotColumn } from './slot-column.ts';
import type { SlotColumn } from './slot-column.ts';

const FIRST_CAPACITY = 256;

/** Rows that are kept, by numbers that whoever keeps them gives. */
export interface SlotRows {
  /** Writes field `index` of a row to row `row` of an output. */
  write(slot: number, index: number, output: Column, row: number): void;
  /** Writes all fields to row `row` of the outputs from `first` on. */
  writeAll(slot: number, outputs: readonly Column[], first: number, row: number): void;
}

/** Whole rows that are kept, a slot each. */
export class RowSlots implements SlotRows {
  readonly #columns: readonly SlotColumn[];
  readonly #slots = new SlotAllocator();
  #capacity = 0;
  #bound: readonly Column[] = [];

  constructor(types: readonly DataType[]) {
    this.#columns = types.map(createSlotColumn);
  }

  /** Rows that are kept. */
  get size(): number {
    return this.#slots.size;
  }

  /** All slots are below. */
  get slotLimit(): number {
    return this.#slots.limit;
  }

  /** As many slots have room in all columns. */
  get capacity(): number {
    return this.#capacity;
  }

  get sizeBytes(): number {
    return this.#columns.reduce((sum, column) => sum + column.sizeBytes, this.#slots.sizeBytes);
  }

  /** Makes room for slots [0, slotCount), one column at a time. */
  *growing(slotCount: number): Generator<void> {
    yield* this.#slots.growing(slotCount);
    for (const column of this.#columns) {
      column.reserve(slotCount);
      yield;
    }
    this.#capacity = Math.max(this.#capacity, slotCount);
  }

  isUsed(slot: number): boolean {
    return this.#slots.isUsed(slot);
  }

  /** The columns of the rows that are added next. */
  bind(columns: readonly Column[]): void {
    this.#bound = columns;
    for (let i = 0; i < this.#columns.length; i++) (this.#columns[i] as SlotColumn).bind(columns[i] as Column);
  }

  /** The order of a row's field to that of a kept row; NULL is the least, NaN the greatest. */
  compareRow(slot: number, index: number, row: number): number {
    const column = this.#columns[index] as SlotColumn;
    const { hasNulls, nulls } = this.#bound[index] as Column;
    const isNull = column.isNull(slot);
    const isRowNull = hasNulls && nulls[row] === 1;
    return isNull || isRowNull ? Number(isNull) - Number(isRowNull) : column.compareRow(slot, row);
  }

  /** Whether a row is as a kept one. */
  equals(slot: number, row: number): boolean {
    for (const column of this.#columns) if (!column.equals(slot, row)) return false;
    return true;
  }

  /** The order of one kept row's field to that of another, by way of `scratch`: rows have to be bound anew then. */
  compareSlots(slot: number, other: number, index: number, scratch: readonly Column[]): number {
    const column = scratch[index] as Column;
    resetColumn(column);
    (this.#columns[index] as SlotColumn).write(other, column, 0);
    (this.#columns[index] as SlotColumn).bind(column);
    this.#bound = scratch;
    return this.compareRow(slot, index, 0);
  }

  /** Copies a row; returns its slot. */
  add(row: number): number {
    const slot = this.#slots.allocate();
    if (slot >= this.#capacity) {
      this.#capacity = Math.max(FIRST_CAPACITY, this.#capacity * 2);
      for (const column of this.#columns) column.reserve(this.#capacity);
    }
    for (let i = 0; i < this.#columns.length; i++) (this.#columns[i] as SlotColumn).set(slot, row);
    return slot;
  }

  /** Puts another row into a slot. */
  replace(slot: number, row: number): void {
    for (let i = 0; i < this.#columns.length; i++) {
      const column = this.#columns[i] as SlotColumn;
      column.clear(slot);
      column.set(slot, row);
    }
  }

  remove(slot: number): void {
    for (let i = 0; i < this.#columns.length; i++) (this.#columns[i] as SlotColumn).clear(slot);
    this.#slots.release(slot);
  }

  write(slot: number, index: number, output: Column, row: number): void {
    (this.#columns[index] as SlotColumn).write(slot, output, row);
  }

  writeAll(slot: number, outputs: readonly Column[], first: number, row: number): void {
    const columns = this.#columns;
    for (let i = 0; i < columns.length; i++) (columns[i] as SlotColumn).write(slot, outputs[first + i] as Column, row);
  }

  /** The row, as encodeRow() of row-codec.ts makes it. */
  encode(slot: number, to: ByteWriter): void {
    const columns = this.#columns;
    let nulls = 0;
    for (let i = 0; i < columns.length; i++) {
      if ((columns[i] as SlotColumn).isNull(slot)) nulls |= 1 << (i & 7);
      if ((i & 7) < 7 && i < columns.length - 1) continue;
      to.byte(nulls);
      nulls = 0;
    }
    for (const column of columns) if (!column.isNull(slot)) column.encode(slot, to);
  }
}
