/** MIN and MAX. NULL until the first value; NaN is the greatest number. */
import { columnKind, loadWideDecimal } from '../../core/index.ts';
import type { Column, DataType, DecimalColumn, LongColumn } from '../../core/index.ts';
import type { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { isSafe, writeInteger, writeNull } from '../state/column-writes.ts';
import { sized } from '../state/grown.ts';
import { ScratchColumn } from '../state/row-codec.ts';
import { BytesSlots } from '../state/slot-column.ts';
import type { Accumulator, CallInput } from './accumulator.ts';
import { numberLayout } from './sum-accumulator.ts';

/** 1 for MAX, -1 for MIN: the sign that a new value's order to the kept one must have to replace it. */
export type Direction = 1 | -1;

export function createExtremeAccumulator(type: DataType, direction: Direction): Accumulator {
  switch (columnKind(type)) {
    case 'boolean':
    case 'int':
    case 'double':
      return new NumberExtremeAccumulator(type, direction);
    case 'long':
    case 'decimal':
      return new IntegerExtremeAccumulator(type, direction);
    case 'bytes':
      return new BytesExtremeAccumulator(type, direction);
    case 'object':
      throw new TypeError(`a ${type.kind} has no least and no greatest value`);
  }
}

export function layoutOf(type: DataType, direction: Direction): string {
  return `${direction === 1 ? 'max' : 'min'}(${numberLayout(type)})`;
}

interface NumberColumn {
  readonly values: Float64Array | Int32Array | Uint8Array;
  readonly hasNulls: boolean;
  readonly nulls: Uint8Array;
}

class NumberExtremeAccumulator implements Accumulator {
  readonly layout: string;
  readonly #isMax: boolean;
  readonly #isInt: boolean;
  #kept = new Float64Array(0);
  #seen = new Uint8Array(0);
  #argument: NumberColumn | null = null;
  #output: (NumberColumn & Column) | null = null;

  constructor(type: DataType, direction: Direction) {
    this.layout = layoutOf(type, direction);
    this.#isMax = direction === 1;
    this.#isInt = columnKind(type) !== 'double';
  }

  get sizeBytes(): number {
    return this.#kept.byteLength + this.#seen.length;
  }

  reserve(slotCount: number): void {
    this.#kept = sized(this.#kept, slotCount);
    this.#seen = sized(this.#seen, slotCount);
  }

  bindInput({ argument }: CallInput): void {
    this.#argument = argument as NumberColumn | null;
  }

  bindOutput(output: Column): void {
    this.#output = output as NumberColumn & Column;
  }

  add(slot: number, row: number): void {
    const argument = this.#argument as NumberColumn;
    if (argument.hasNulls && argument.nulls[row] === 1) return;
    this.#take(slot, argument.values[row] as number);
  }

  write(slot: number, outRow: number): void {
    const output = this.#output as NumberColumn & Column;
    writeNull(output, outRow, this.#seen[slot] === 0);
    output.values[outRow] = this.#kept[slot] as number;
  }

  merge(slot: number, from: number): void {
    if (this.#seen[from] === 1) this.#take(slot, this.#kept[from] as number);
  }

  clear(slot: number): void {
    this.#seen[slot] = 0;
  }

  encode(slot: number, to: ByteWriter): void {
    to.byte(this.#seen[slot] as number);
    if (this.#seen[slot] === 0) return;
    if (this.#isInt) to.integer(this.#kept[slot] as number, null);
    else to.double(this.#kept[slot] as number);
  }

  decode(slot: number, from: ByteReader): void {
    if (from.byte() === 0) return;
    this.#take(slot, this.#isInt ? Number(from.integer()) : from.double());
  }

  #take(slot: number, value: number): void {
    if (this.#seen[slot] === 1 && !this.#replaces(value, this.#kept[slot] as number)) return;
    this.#kept[slot] = value;
    this.#seen[slot] = 1;
  }

  #replaces(value: number, kept: number): boolean {
    if (this.#isMax) return value > kept || (value !== value && kept === kept);
    return value < kept || (kept !== kept && value === value);
  }
}

/** Longs and decimals: a number while the kept value is a safe integer, else NaN and a bigint. */
class IntegerExtremeAccumulator implements Accumulator {
  readonly layout: string;
  readonly #direction: Direction;
  #narrow = new Float64Array(0);
  readonly #wide = new Map<number, bigint>();
  #seen = new Uint8Array(0);
  #argument: LongColumn | DecimalColumn | null = null;
  #output: LongColumn | DecimalColumn | null = null;

  constructor(type: DataType, direction: Direction) {
    this.layout = layoutOf(type, direction);
    this.#direction = direction;
  }

  get sizeBytes(): number {
    return this.#narrow.byteLength + this.#seen.length + this.#wide.size * 64;
  }

  reserve(slotCount: number): void {
    this.#narrow = sized(this.#narrow, slotCount);
    this.#seen = sized(this.#seen, slotCount);
  }

  bindInput({ argument }: CallInput): void {
    this.#argument = argument as LongColumn | DecimalColumn;
  }

  bindOutput(output: Column): void {
    this.#output = output as LongColumn | DecimalColumn;
  }

  add(slot: number, row: number): void {
    const argument = this.#argument as LongColumn | DecimalColumn;
    if (argument.hasNulls && argument.nulls[row] === 1) return;
    if (argument.wide === null) this.#takeNarrow(slot, argument.values[row] as number);
    else this.#takeWide(slot, wideValue(argument, row));
  }

  write(slot: number, outRow: number): void {
    const output = this.#output as LongColumn | DecimalColumn;
    const isNull = this.#seen[slot] === 0;
    writeNull(output, outRow, isNull);
    if (!isNull) writeInteger(output, outRow, this.#narrow[slot] as number, this.#wideOf(slot));
  }

  merge(slot: number, from: number): void {
    if (this.#seen[from] === 0) return;
    const wide = this.#wideOf(from);
    if (wide === null) this.#takeNarrow(slot, this.#narrow[from] as number);
    else this.#takeWide(slot, wide);
  }

  clear(slot: number): void {
    this.#seen[slot] = 0;
    this.#wide.delete(slot);
    this.#narrow[slot] = 0;
  }

  encode(slot: number, to: ByteWriter): void {
    to.byte(this.#seen[slot] as number);
    if (this.#seen[slot] === 1) to.integer(this.#narrow[slot] as number, this.#wideOf(slot));
  }

  decode(slot: number, from: ByteReader): void {
    if (from.byte() === 1) this.#takeWide(slot, from.integer());
  }

  #takeNarrow(slot: number, value: number): void {
    const kept = this.#narrow[slot] as number;
    if (kept !== kept) this.#takeWide(slot, BigInt(value));
    else if (this.#seen[slot] === 0 || (value - kept) * this.#direction > 0) this.#narrow[slot] = value;
    this.#seen[slot] = 1;
  }

  #takeWide(slot: number, value: bigint): void {
    if (this.#seen[slot] === 1) {
      const kept = this.#wideOf(slot) ?? BigInt(this.#narrow[slot] as number);
      if (!(this.#direction === 1 ? value > kept : value < kept)) return;
    }
    this.#seen[slot] = 1;
    if (isSafe(value)) {
      this.#narrow[slot] = Number(value);
      this.#wide.delete(slot);
      return;
    }
    this.#narrow[slot] = NaN;
    this.#wide.set(slot, value);
  }

  #wideOf(slot: number): bigint | null {
    const narrow = this.#narrow[slot] as number;
    return narrow === narrow ? null : (this.#wide.get(slot) as bigint);
  }
}

function wideValue(column: LongColumn | DecimalColumn, row: number): bigint {
  if (column.wide === null) return BigInt(column.values[row] as number);
  return column.kind === 'long' ? (column.wide[row] as bigint) : loadWideDecimal(column.wide, row);
}

/** Strings and bytes, by unsigned byte. */
class BytesExtremeAccumulator implements Accumulator {
  readonly layout: string;
  readonly #direction: Direction;
  readonly #kept = new BytesSlots();
  readonly #scratch: ScratchColumn;
  #seen = new Uint8Array(0);
  #argument: Column | null = null;
  #output: Column | null = null;

  constructor(type: DataType, direction: Direction) {
    this.layout = layoutOf(type, direction);
    this.#direction = direction;
    this.#scratch = new ScratchColumn(type);
  }

  get sizeBytes(): number {
    return this.#kept.sizeBytes + this.#seen.length;
  }

  reserve(slotCount: number): void {
    this.#seen = sized(this.#seen, slotCount);
    this.#kept.reserve(slotCount);
  }

  bindInput({ argument }: CallInput): void {
    this.#argument = argument;
    this.#kept.bind(argument as Column);
  }

  bindOutput(output: Column): void {
    this.#output = output;
  }

  add(slot: number, row: number): void {
    const argument = this.#argument as Column;
    if (argument.hasNulls && argument.nulls[row] === 1) return;
    if (this.#seen[slot] === 1) {
      if (Math.sign(this.#kept.compareRow(slot, row)) !== this.#direction) return;
      this.#kept.clear(slot);
    }
    this.#kept.set(slot, row);
    this.#seen[slot] = 1;
  }

  write(slot: number, outRow: number): void {
    const output = this.#output as Column;
    if (this.#seen[slot] === 1) this.#kept.write(slot, output, outRow);
    else writeNull(output, outRow, true);
  }

  merge(slot: number, from: number): void {
    if (this.#seen[from] === 0) return;
    if (this.#seen[slot] === 1) {
      if (Math.sign(this.#kept.compareSlot(slot, from)) !== this.#direction) return;
      this.#kept.clear(slot);
    }
    this.#kept.copy(slot, from);
    this.#seen[slot] = 1;
  }

  clear(slot: number): void {
    if (this.#seen[slot] === 1) this.#kept.clear(slot);
    this.#seen[slot] = 0;
  }

  encode(slot: number, to: ByteWriter): void {
    to.byte(this.#seen[slot] as number);
    if (this.#seen[slot] === 1) this.#kept.encode(slot, to);
  }

  decode(slot: number, from: ByteReader): void {
    if (from.byte() === 0) return;
    this.#scratch.read(from);
    this.#kept.bind(this.#scratch.column);
    this.#kept.set(slot, 0);
    this.#seen[slot] = 1;
  }
}
