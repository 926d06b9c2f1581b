/** Sums of integers or unscaled decimals per slot, exact: a number while it is a safe integer, else a bigint. */
import { loadWideDecimal } from '../../core/index.ts';
import type { Column, DecimalColumn, IntColumn, LongColumn } from '../../core/index.ts';
import type { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { isSafe } from '../state/column-writes.ts';
import { sized } from '../state/grown.ts';

const MAX_SAFE = Number.MAX_SAFE_INTEGER;

export class ExactSums {
  /** NaN where the sum is in `#wide`. */
  #narrow = new Float64Array(0);
  readonly #wide = new Map<number, bigint>();
  #values: Float64Array | Int32Array = new Float64Array(0);
  #wideValues: BigInt64Array | null = null;
  #isDecimal = false;
  #nulls: Uint8Array | null = null;

  get sizeBytes(): number {
    return this.#narrow.byteLength + this.#wide.size * 64;
  }

  reserve(slotCount: number): void {
    this.#narrow = sized(this.#narrow, slotCount);
  }

  bind(argument: Column): void {
    const column = argument as IntColumn | LongColumn | DecimalColumn;
    this.#values = column.values;
    this.#wideValues = column.kind === 'int' ? null : column.wide;
    this.#isDecimal = column.kind === 'decimal';
    this.#nulls = column.hasNulls ? column.nulls : null;
  }

  isNull(row: number): boolean {
    return this.#nulls !== null && this.#nulls[row] === 1;
  }

  /** The sum as a number; NaN where it is not a safe integer: see sum(). */
  narrow(slot: number): number {
    return this.#narrow[slot] as number;
  }

  sum(slot: number): bigint {
    const narrow = this.#narrow[slot] as number;
    return narrow === narrow ? BigInt(narrow) : (this.#wide.get(slot) as bigint);
  }

  /** What narrow() would be with the row's value, which is not NULL. */
  narrowWith(slot: number, row: number): number {
    if (this.#wideValues !== null) return NaN;
    const sum = (this.#narrow[slot] as number) + (this.#values[row] as number);
    return sum <= MAX_SAFE && sum >= -MAX_SAFE ? sum : NaN;
  }

  /** What sum() would be with the row's value. */
  sumWith(slot: number, row: number): bigint {
    return this.sum(slot) + this.#wideValue(row);
  }

  /** Adds the row's value, which is not NULL. */
  add(slot: number, row: number): void {
    const sum = this.narrowWith(slot, row);
    if (sum === sum) this.#narrow[slot] = sum;
    else this.#set(slot, this.sumWith(slot, row));
  }

  /** Takes the row's value, which is not NULL, away. */
  subtract(slot: number, row: number): void {
    const sum = this.#wideValues === null ? (this.#narrow[slot] as number) - (this.#values[row] as number) : NaN;
    if (sum <= MAX_SAFE && sum >= -MAX_SAFE) this.#narrow[slot] = sum;
    else this.#set(slot, this.sum(slot) - this.#wideValue(row));
  }

  merge(slot: number, from: number): void {
    const sum = (this.#narrow[slot] as number) + (this.#narrow[from] as number);
    if (sum <= MAX_SAFE && sum >= -MAX_SAFE) this.#narrow[slot] = sum;
    else this.#set(slot, this.sum(slot) + this.sum(from));
  }

  clear(slot: number): void {
    this.#set(slot, 0n);
  }

  encode(slot: number, to: ByteWriter): void {
    const narrow = this.#narrow[slot] as number;
    to.integer(narrow, narrow === narrow ? null : this.sum(slot));
  }

  decode(slot: number, from: ByteReader): void {
    this.#set(slot, from.integer());
  }

  #set(slot: number, sum: bigint): void {
    const before = this.#narrow[slot] as number;
    if (isSafe(sum)) {
      this.#narrow[slot] = Number(sum);
      if (before !== before) this.#wide.delete(slot);
      return;
    }
    this.#narrow[slot] = NaN;
    this.#wide.set(slot, sum);
  }

  #wideValue(row: number): bigint {
    if (this.#wideValues === null) return BigInt(this.#values[row] as number);
    return this.#isDecimal ? loadWideDecimal(this.#wideValues, row) : (this.#wideValues[row] as bigint);
  }
}
