/**
 * One field of what an operator remembers, in typed arrays; a slot is a place in all of an operator's columns. Equality
 * is exact and independent of how a batch represents a value: a long is kept narrow whenever it is a safe integer.
 */
import { isDeepStrictEqual } from 'node:util';

import { columnKind, loadWideDecimal, reserveBytes } from '../../core/index.ts';
import type {
  BooleanColumn,
  BytesColumn,
  Column,
  DataType,
  DecimalColumn,
  DoubleColumn,
  IntColumn,
  LongColumn,
  Value,
} from '../../core/index.ts';
import type { ByteWriter } from './byte-writer.ts';
import { BytesStore } from './bytes-store.ts';
import { isSafe, writeInteger, writeNull } from './column-writes.ts';
import { sized } from './grown.ts';
import { encodeValue } from './value-codec.ts';

/** `bind` is called before the rows of a batch are asked for. Slots that are empty are not asked for. */
export interface SlotColumn {
  readonly sizeBytes: number;
  /** Makes room for slots [0, slotCount). */
  reserve(slotCount: number): void;
  bind(column: Column): void;
  /** Whether the slot's value is the row's; NULL equals NULL, NaN equals NaN. */
  equals(slot: number, row: number): boolean;
  /** Whether two slots have the same value. */
  same(slot: number, other: number): boolean;
  /** The order of the row's value to the slot's; neither is NULL, or an array, map or row. NaN is the greatest. */
  compareRow(slot: number, row: number): number;
  /** Copies the row's value into the slot, which is empty. */
  set(slot: number, row: number): void;
  /** Copies the value of another slot into the slot, which is empty. */
  copy(slot: number, from: number): void;
  isNull(slot: number): boolean;
  /** Empties the slot. */
  clear(slot: number): void;
  /** Writes the slot's value to row `row` of an output; rows [0, row) are written. */
  write(slot: number, output: Column, row: number): void;
  /** Appends a value that is not NULL, as row-codec.ts does. */
  encode(slot: number, to: ByteWriter): void;
}

export function createSlotColumn(type: DataType): SlotColumn {
  switch (columnKind(type)) {
    case 'boolean':
    case 'int':
      return new IntSlots();
    case 'double':
      return new DoubleSlots();
    case 'long':
      return new LongSlots();
    case 'decimal':
      return new DecimalSlots();
    case 'bytes':
      return new BytesSlots();
    case 'object':
      return new ObjectSlots();
  }
}

/** NULL flags of the slots, and of the batch's column. */
class NullSlots {
  #slots = new Uint8Array(0);
  #rows = new Uint8Array(0);
  #hasNulls = false;

  get sizeBytes(): number {
    return this.#slots.length;
  }

  reserve(slotCount: number): void {
    this.#slots = sized(this.#slots, slotCount);
  }

  bind(column: Column): void {
    this.#rows = column.nulls as Uint8Array<ArrayBuffer>;
    this.#hasNulls = column.hasNulls;
  }

  isRowNull(row: number): boolean {
    return this.#hasNulls && this.#rows[row] === 1;
  }

  isNull(slot: number): boolean {
    return this.#slots[slot] === 1;
  }

  same(slot: number, other: number): boolean {
    return this.#slots[slot] === this.#slots[other];
  }

  set(slot: number, row: number): boolean {
    const isNull = this.isRowNull(row);
    this.#slots[slot] = isNull ? 1 : 0;
    return !isNull;
  }

  copy(slot: number, from: number): void {
    this.#slots[slot] = this.#slots[from] as number;
  }
}

/** Much like DoubleSlots: methods that both share see two sorts of arrays, and take 4 to 30 % longer (measured). */
class IntSlots implements SlotColumn {
  readonly #nulls = new NullSlots();
  #slots = new Int32Array(0);
  #rows: Int32Array | Uint8Array = new Int32Array(0);
  #isBoolean = false;

  get sizeBytes(): number {
    return this.#nulls.sizeBytes + this.#slots.byteLength;
  }

  reserve(slotCount: number): void {
    this.#nulls.reserve(slotCount);
    this.#slots = sized(this.#slots, slotCount);
  }

  bind(column: Column): void {
    this.#nulls.bind(column);
    this.#rows = (column as IntColumn | BooleanColumn).values;
    this.#isBoolean = column.kind === 'boolean';
  }

  equals(slot: number, row: number): boolean {
    if (this.#nulls.isRowNull(row)) return this.#nulls.isNull(slot);
    return this.#slots[slot] === this.#rows[row] && !this.#nulls.isNull(slot);
  }

  same(slot: number, other: number): boolean {
    return this.#nulls.same(slot, other) && (this.#nulls.isNull(slot) || this.#slots[slot] === this.#slots[other]);
  }

  compareRow(slot: number, row: number): number {
    return (this.#rows[row] as number) - (this.#slots[slot] as number);
  }

  set(slot: number, row: number): void {
    this.#slots[slot] = this.#nulls.set(slot, row) ? (this.#rows[row] as number) : 0;
  }

  copy(slot: number, from: number): void {
    this.#nulls.copy(slot, from);
    this.#slots[slot] = this.#slots[from] as number;
  }

  isNull(slot: number): boolean {
    return this.#nulls.isNull(slot);
  }

  clear(): void {
    // What is left behind is overwritten by the next value.
  }

  write(slot: number, output: Column, row: number): void {
    writeNull(output, row, this.#nulls.isNull(slot));
    (output as IntColumn | BooleanColumn).values[row] = this.#slots[slot] as number;
  }

  encode(slot: number, to: ByteWriter): void {
    if (this.#isBoolean) to.byte(this.#slots[slot] as number);
    else to.integer(this.#slots[slot] as number, null);
  }
}

class DoubleSlots implements SlotColumn {
  readonly #nulls = new NullSlots();
  #slots = new Float64Array(0);
  #rows: Float64Array = new Float64Array(0);

  get sizeBytes(): number {
    return this.#nulls.sizeBytes + this.#slots.byteLength;
  }

  reserve(slotCount: number): void {
    this.#nulls.reserve(slotCount);
    this.#slots = sized(this.#slots, slotCount);
  }

  bind(column: Column): void {
    this.#nulls.bind(column);
    this.#rows = (column as DoubleColumn).values;
  }

  equals(slot: number, row: number): boolean {
    if (this.#nulls.isRowNull(row)) return this.#nulls.isNull(slot);
    return sameDouble(this.#slots[slot] as number, this.#rows[row] as number) && !this.#nulls.isNull(slot);
  }

  same(slot: number, other: number): boolean {
    const [a, b] = [this.#slots[slot] as number, this.#slots[other] as number];
    return this.#nulls.same(slot, other) && (this.#nulls.isNull(slot) || sameDouble(a, b));
  }

  compareRow(slot: number, row: number): number {
    return compareDoubles(this.#rows[row] as number, this.#slots[slot] as number);
  }

  set(slot: number, row: number): void {
    this.#slots[slot] = this.#nulls.set(slot, row) ? (this.#rows[row] as number) : 0;
  }

  copy(slot: number, from: number): void {
    this.#nulls.copy(slot, from);
    this.#slots[slot] = this.#slots[from] as number;
  }

  isNull(slot: number): boolean {
    return this.#nulls.isNull(slot);
  }

  clear(): void {
    // As for integers.
  }

  write(slot: number, output: Column, row: number): void {
    writeNull(output, row, this.#nulls.isNull(slot));
    (output as DoubleColumn).values[row] = this.#slots[slot] as number;
  }

  encode(slot: number, to: ByteWriter): void {
    to.double(this.#slots[slot] as number);
  }
}

function compareDoubles(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return a === b ? 0 : Number(a !== a) - Number(b !== b);
}

function sameDouble(a: number, b: number): boolean {
  return a === b || (a !== a && b !== b);
}

/** Safe integers in a typed array; the place of another holds NaN, which equals nothing, and the map has the value. */
abstract class IntegerSlots implements SlotColumn {
  protected readonly nulls = new NullSlots();
  protected rows: Float64Array = new Float64Array(0);
  protected wideRows: BigInt64Array | null = null;
  #narrow = new Float64Array(0);
  readonly #wide = new Map<number, bigint>();

  protected abstract wideRow(row: number): bigint;

  get sizeBytes(): number {
    return this.nulls.sizeBytes + this.#narrow.byteLength + this.#wide.size * 64;
  }

  reserve(slotCount: number): void {
    this.nulls.reserve(slotCount);
    this.#narrow = sized(this.#narrow, slotCount);
  }

  bind(column: Column): void {
    this.nulls.bind(column);
    this.rows = (column as LongColumn | DecimalColumn).values;
    this.wideRows = (column as LongColumn | DecimalColumn).wide;
  }

  equals(slot: number, row: number): boolean {
    if (this.nulls.isRowNull(row)) return this.nulls.isNull(slot);
    const same = this.wideRows === null ? this.#narrow[slot] === this.rows[row] : this.#equalsWide(slot, row);
    return same && !this.nulls.isNull(slot);
  }

  same(slot: number, other: number): boolean {
    if (!this.nulls.same(slot, other)) return false;
    if (this.nulls.isNull(slot)) return true;
    const narrow = this.#narrow[slot] as number;
    return narrow === narrow ? narrow === this.#narrow[other] : this.#wide.get(slot) === this.#wide.get(other);
  }

  compareRow(slot: number, row: number): number {
    const narrow = this.#narrow[slot] as number;
    if (this.wideRows === null && narrow === narrow) return (this.rows[row] as number) - narrow;
    const value = this.wideRows === null ? BigInt(this.rows[row] as number) : this.wideRow(row);
    const kept = this.#wideOf(slot) ?? BigInt(narrow);
    return value < kept ? -1 : value > kept ? 1 : 0;
  }

  set(slot: number, row: number): void {
    if (!this.nulls.set(slot, row)) this.#narrow[slot] = 0;
    else if (this.wideRows === null) this.#narrow[slot] = this.rows[row] as number;
    else {
      const value = this.wideRow(row);
      this.#narrow[slot] = isSafe(value) ? Number(value) : NaN;
      if (!isSafe(value)) this.#wide.set(slot, value);
    }
  }

  copy(slot: number, from: number): void {
    this.nulls.copy(slot, from);
    this.#narrow[slot] = this.#narrow[from] as number;
    const wide = this.#wideOf(from);
    if (wide !== null) this.#wide.set(slot, wide);
  }

  isNull(slot: number): boolean {
    return this.nulls.isNull(slot);
  }

  clear(slot: number): void {
    const narrow = this.#narrow[slot] as number;
    if (narrow !== narrow) this.#wide.delete(slot);
  }

  write(slot: number, output: Column, row: number): void {
    const isNull = this.nulls.isNull(slot);
    writeNull(output, row, isNull);
    if (isNull) return;
    writeInteger(output as LongColumn | DecimalColumn, row, this.#narrow[slot] as number, this.#wideOf(slot));
  }

  encode(slot: number, to: ByteWriter): void {
    to.integer(this.#narrow[slot] as number, this.#wideOf(slot));
  }

  #wideOf(slot: number): bigint | null {
    const narrow = this.#narrow[slot] as number;
    return narrow === narrow ? null : (this.#wide.get(slot) as bigint);
  }

  #equalsWide(slot: number, row: number): boolean {
    const value = this.wideRow(row);
    return isSafe(value) ? this.#narrow[slot] === Number(value) : this.#wide.get(slot) === value;
  }
}

class LongSlots extends IntegerSlots {
  protected wideRow(row: number): bigint {
    return (this.wideRows as BigInt64Array)[row] as bigint;
  }
}

class DecimalSlots extends IntegerSlots {
  protected wideRow(row: number): bigint {
    return loadWideDecimal(this.wideRows as BigInt64Array, row);
  }
}

/** Strings and bytes. */
export class BytesSlots implements SlotColumn {
  readonly #nulls = new NullSlots();
  readonly #store = new BytesStore();
  #addresses = new Uint32Array(0);
  #lengths = new Uint32Array(0);
  #data: Uint8Array = new Uint8Array(0);
  #rowStarts: Int32Array = new Int32Array(0);
  #rowEnds: Int32Array = new Int32Array(0);

  get sizeBytes(): number {
    return this.#nulls.sizeBytes + this.#store.sizeBytes + this.#addresses.byteLength * 2;
  }

  reserve(slotCount: number): void {
    this.#nulls.reserve(slotCount);
    this.#addresses = sized(this.#addresses, slotCount);
    this.#lengths = sized(this.#lengths, slotCount);
  }

  bind(column: Column): void {
    this.#nulls.bind(column);
    const bytes = column as BytesColumn;
    this.#data = bytes.data;
    this.#rowStarts = bytes.starts;
    this.#rowEnds = bytes.ends;
  }

  equals(slot: number, row: number): boolean {
    if (this.#nulls.isRowNull(row)) return this.#nulls.isNull(slot);
    const from = this.#rowStarts[row] as number;
    const length = (this.#rowEnds[row] as number) - from;
    if (this.#lengths[slot] !== length || this.#nulls.isNull(slot)) return false;
    return this.#store.equals(this.#addresses[slot] as number, length, this.#data, from);
  }

  same(slot: number, other: number): boolean {
    const length = this.#lengths[slot] as number;
    if (!this.#nulls.same(slot, other) || length !== this.#lengths[other]) return false;
    const address = this.#addresses[other] as number;
    const store = this.#store;
    return store.equals(this.#addresses[slot] as number, length, store.piece(address), store.place(address));
  }

  set(slot: number, row: number): void {
    this.#lengths[slot] = 0;
    if (!this.#nulls.set(slot, row)) return;
    const from = this.#rowStarts[row] as number;
    const to = this.#rowEnds[row] as number;
    this.#addresses[slot] = this.#store.store(this.#data, from, to);
    this.#lengths[slot] = to - from;
  }

  copy(slot: number, from: number): void {
    const length = this.#lengths[from] as number;
    this.#nulls.copy(slot, from);
    this.#lengths[slot] = length;
    if (length === 0) return;
    const address = this.#addresses[from] as number;
    const at = this.#store.place(address);
    this.#addresses[slot] = this.#store.store(this.#store.piece(address), at, at + length);
  }

  /** By unsigned byte. */
  compareRow(slot: number, row: number): number {
    const start = this.#rowStarts[row] as number;
    return this.#compare(slot, this.#data, start, this.#rowEnds[row] as number);
  }

  /** The order of the value of `from`, which is not NULL, to the slot's. */
  compareSlot(slot: number, from: number): number {
    const address = this.#addresses[from] as number;
    const length = this.#lengths[from] as number;
    if (length === 0) return this.#lengths[slot] === 0 ? 0 : -1;
    const start = this.#store.place(address);
    return this.#compare(slot, this.#store.piece(address), start, start + length);
  }

  isNull(slot: number): boolean {
    return this.#nulls.isNull(slot);
  }

  clear(slot: number): void {
    this.#store.free(this.#addresses[slot] as number, this.#lengths[slot] as number);
    this.#lengths[slot] = 0;
  }

  write(slot: number, output: Column, row: number): void {
    const isNull = this.#nulls.isNull(slot);
    writeNull(output, row, isNull);
    if (isNull) return;
    const column = output as BytesColumn;
    const length = this.#lengths[slot] as number;
    const arena = reserveBytes(column, row, length);
    column.starts[row] = column.used;
    if (length > 0) {
      const address = this.#addresses[slot] as number;
      const piece = this.#store.piece(address);
      const at = this.#store.place(address);
      if (length <= 16) for (let i = 0; i < length; i++) arena[column.used + i] = piece[at + i] as number;
      else arena.set(piece.subarray(at, at + length), column.used);
    }
    column.used += length;
    column.ends[row] = column.used;
  }

  encode(slot: number, to: ByteWriter): void {
    const length = this.#lengths[slot] as number;
    to.varint(length);
    if (length === 0) return;
    const address = this.#addresses[slot] as number;
    const at = this.#store.place(address);
    to.raw(this.#store.piece(address), at, at + length);
  }

  #compare(slot: number, data: Uint8Array, start: number, end: number): number {
    const length = this.#lengths[slot] as number;
    if (length > 0) {
      const address = this.#addresses[slot] as number;
      const piece = this.#store.piece(address);
      const at = this.#store.place(address);
      const shared = Math.min(length, end - start);
      for (let i = 0; i < shared; i++) {
        const difference = (data[start + i] as number) - (piece[at + i] as number);
        if (difference !== 0) return difference;
      }
    }
    return end - start - length;
  }
}

/** Arrays, maps and rows: kept, and no keys. */
class ObjectSlots implements SlotColumn {
  readonly #slots: Value[] = [];
  #rows: readonly unknown[] = [];
  readonly #nulls = new NullSlots();

  get sizeBytes(): number {
    return this.#nulls.sizeBytes + this.#slots.length * 64;
  }

  reserve(slotCount: number): void {
    this.#nulls.reserve(slotCount);
    while (this.#slots.length < slotCount) this.#slots.push(null);
  }

  bind(column: Column): void {
    this.#nulls.bind(column);
    this.#rows = (column as Extract<Column, { kind: 'object' }>).values;
  }

  equals(slot: number, row: number): boolean {
    if (this.#nulls.isRowNull(row)) return this.#nulls.isNull(slot);
    return !this.#nulls.isNull(slot) && isDeepStrictEqual(this.#slots[slot], this.#rows[row]);
  }

  same(): never {
    throw new TypeError('arrays, maps and rows are no keys, and have no order');
  }

  compareRow(): never {
    return this.same();
  }

  set(slot: number, row: number): void {
    this.#slots[slot] = this.#nulls.set(slot, row) ? (this.#rows[row] as Value) : null;
  }

  copy(slot: number, from: number): void {
    this.#nulls.copy(slot, from);
    this.#slots[slot] = this.#slots[from] as Value;
  }

  isNull(slot: number): boolean {
    return this.#nulls.isNull(slot);
  }

  clear(slot: number): void {
    this.#slots[slot] = null;
  }

  write(slot: number, output: Column, row: number): void {
    writeNull(output, row, this.#nulls.isNull(slot));
    (output as Extract<Column, { kind: 'object' }>).values[row] = this.#slots[slot];
  }

  encode(slot: number, to: ByteWriter): void {
    encodeValue(this.#slots[slot] ?? null, to);
  }
}
