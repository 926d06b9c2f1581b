/** MIN and MAX. NULL until the first value; NaN is the greatest number. */
import { appendBytes, columnKind, loadWideDecimal, setNull } from '../../core/index.ts';
import type { BytesColumn, Column, DataType, DecimalColumn, LongColumn } from '../../core/index.ts';
import type { Accumulator } from './accumulator.ts';
import { grown } from './accumulator.ts';
import { writeInteger, writeNull } from './sum-accumulator.ts';

/** 1 for MAX, -1 for MIN: the sign that a new value's order to the kept one must have to replace it. */
export type Direction = 1 | -1;

export function createExtremeAccumulator(type: DataType, direction: Direction): Accumulator {
  switch (columnKind(type)) {
    case 'boolean':
    case 'int':
    case 'double':
      return new NumberExtremeAccumulator(direction);
    case 'long':
    case 'decimal':
      return new IntegerExtremeAccumulator(direction);
    case 'bytes':
      return new BytesExtremeAccumulator(direction);
    case 'object':
      throw new TypeError(`a ${type.kind} has no least and no greatest value`);
  }
}

interface NumberColumn {
  readonly values: Float64Array | Int32Array | Uint8Array;
  readonly hasNulls: boolean;
  readonly nulls: Uint8Array;
}

class NumberExtremeAccumulator implements Accumulator {
  readonly #isMax: boolean;
  #kept = new Float64Array(0);
  #seen = new Uint8Array(0);
  #argument: NumberColumn | null = null;
  #output: Column | null = null;

  constructor(direction: Direction) {
    this.#isMax = direction === 1;
  }

  bind(argument: Column | null, output: Column, groupCount: number): void {
    this.#argument = argument as NumberColumn | null;
    this.#output = output;
    this.#kept = grown(this.#kept, groupCount);
    this.#seen = grown(this.#seen, groupCount);
  }

  commit(group: number, row: number, outRow: number): void {
    const argument = this.#argument as NumberColumn;
    if (!argument.hasNulls || argument.nulls[row] === 0) {
      const value = argument.values[row] as number;
      if (this.#seen[group] === 0 || this.#replaces(value, this.#kept[group] as number)) {
        this.#kept[group] = value;
        this.#seen[group] = 1;
      }
    }
    this.repeat(group, outRow);
  }

  #replaces(value: number, kept: number): boolean {
    if (this.#isMax) return value > kept || (value !== value && kept === kept);
    return value < kept || (kept !== kept && value === value);
  }

  repeat(group: number, outRow: number): void {
    const output = this.#output as unknown as NumberColumn & Column;
    writeNull(output, outRow, this.#seen[group] === 0);
    output.values[outRow] = this.#kept[group] as number;
  }
}

/** Longs and decimals: a number while the kept value is a safe integer, else NaN and a bigint. */
class IntegerExtremeAccumulator implements Accumulator {
  readonly #direction: Direction;
  #narrow = new Float64Array(0);
  readonly #wide = new Map<number, bigint>();
  #seen = new Uint8Array(0);
  #argument: LongColumn | DecimalColumn | null = null;
  #output: LongColumn | DecimalColumn | null = null;

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  bind(argument: Column | null, output: Column, groupCount: number): void {
    this.#argument = argument as LongColumn | DecimalColumn;
    this.#output = output as LongColumn | DecimalColumn;
    this.#narrow = grown(this.#narrow, groupCount);
    this.#seen = grown(this.#seen, groupCount);
  }

  commit(group: number, row: number, outRow: number): void {
    const argument = this.#argument as LongColumn | DecimalColumn;
    if (!argument.hasNulls || argument.nulls[row] === 0) {
      if (argument.wide === null && this.#narrow[group] === this.#narrow[group]) {
        const value = argument.values[row] as number;
        if (this.#seen[group] === 0 || (value - (this.#narrow[group] as number)) * this.#direction > 0) {
          this.#narrow[group] = value;
        }
      } else {
        this.#commitWide(group, wideValue(argument, row));
      }
      this.#seen[group] = 1;
    }
    this.repeat(group, outRow);
  }

  #commitWide(group: number, value: bigint): void {
    const narrow = this.#narrow[group] as number;
    const kept = narrow === narrow ? BigInt(narrow) : (this.#wide.get(group) ?? 0n);
    if (this.#seen[group] === 1 && !(this.#direction === 1 ? value > kept : value < kept)) return;
    const number = Number(value);
    if (Number.isSafeInteger(number)) {
      this.#narrow[group] = number;
      return;
    }
    this.#narrow[group] = NaN;
    this.#wide.set(group, value);
  }

  repeat(group: number, outRow: number): void {
    const output = this.#output as LongColumn | DecimalColumn;
    const isNull = this.#seen[group] === 0;
    writeNull(output, outRow, isNull);
    if (isNull) return;
    const narrow = this.#narrow[group] as number;
    writeInteger(output, outRow, narrow, narrow === narrow ? null : (this.#wide.get(group) ?? 0n));
  }
}

function wideValue(column: LongColumn | DecimalColumn, row: number): bigint {
  if (column.wide === null) return BigInt(column.values[row] as number);
  return column.kind === 'long' ? (column.wide[row] as bigint) : loadWideDecimal(column.wide, row);
}

/** Positive where data[start .. end) is greater than `kept`. */
function compareWith(kept: Uint8Array, data: Uint8Array, start: number, end: number): number {
  const length = Math.min(kept.length, end - start);
  for (let i = 0; i < length; i++) {
    const difference = (data[start + i] as number) - (kept[i] as number);
    if (difference !== 0) return difference;
  }
  return end - start - kept.length;
}

/** Strings and bytes, by unsigned byte; a copy of each group's value, made only when it changes. */
class BytesExtremeAccumulator implements Accumulator {
  readonly #direction: Direction;
  readonly #kept: (Uint8Array | null)[] = [];
  #argument: BytesColumn | null = null;
  #output: BytesColumn | null = null;

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  bind(argument: Column | null, output: Column, groupCount: number): void {
    this.#argument = argument as BytesColumn;
    this.#output = output as BytesColumn;
    while (this.#kept.length < groupCount) this.#kept.push(null);
  }

  commit(group: number, row: number, outRow: number): void {
    const { hasNulls, nulls, data, starts, ends } = this.#argument as BytesColumn;
    if (!hasNulls || nulls[row] === 0) {
      const start = starts[row] as number;
      const end = ends[row] as number;
      const kept = this.#kept[group] ?? null;
      if (kept === null || Math.sign(compareWith(kept, data, start, end)) === this.#direction) {
        this.#kept[group] = data.slice(start, end);
      }
    }
    this.repeat(group, outRow);
  }

  repeat(group: number, outRow: number): void {
    const output = this.#output as BytesColumn;
    const kept = this.#kept[group] ?? null;
    if (kept === null) {
      setNull(output, outRow);
      return;
    }
    writeNull(output, outRow, false);
    appendBytes(output, outRow, kept);
  }
}
