/** Sums of longs or unscaled decimals per group, exact: a number while it is a safe integer, else a bigint. */
import { loadWideDecimal } from '../../core/index.ts';
import type { Column, DecimalColumn, IntColumn, LongColumn } from '../../core/index.ts';
import { grown } from './accumulator.ts';

const MAX_SAFE = Number.MAX_SAFE_INTEGER;

export class ExactSums {
  /** NaN where the sum is in `#wide`. */
  #narrow = new Float64Array(0);
  readonly #wide = new Map<number, bigint>();
  #values: Float64Array | Int32Array = new Float64Array(0);
  #wideValues: BigInt64Array | null = null;
  #isDecimal = false;
  #nulls: Uint8Array | null = null;
  /** The staged sum: `stagedWide` where that is not null. */
  staged = 0;
  stagedWide: bigint | null = null;

  bind(argument: Column, groupCount: number): void {
    this.#narrow = grown(this.#narrow, groupCount);
    const column = argument as IntColumn | LongColumn | DecimalColumn;
    this.#values = column.values;
    this.#wideValues = column.kind === 'int' ? null : column.wide;
    this.#isDecimal = column.kind === 'decimal';
    this.#nulls = column.hasNulls ? column.nulls : null;
  }

  isNull(row: number): boolean {
    return this.#nulls !== null && this.#nulls[row] === 1;
  }

  /** The group's sum with the row's value, which is not NULL, to `staged` or `stagedWide`. */
  stage(group: number, row: number): void {
    if (this.#wideValues === null) {
      const sum = (this.#narrow[group] as number) + (this.#values[row] as number);
      if (sum <= MAX_SAFE && sum >= -MAX_SAFE) {
        this.staged = sum;
        this.stagedWide = null;
        return;
      }
    }
    this.#stageWide(this.sum(group) + this.#wideValue(row));
  }

  /** As stage(), for a row that adds nothing. */
  stageNothing(group: number): void {
    const sum = this.#narrow[group] as number;
    this.staged = sum;
    this.stagedWide = sum === sum ? null : this.sum(group);
  }

  commit(group: number): void {
    if (this.stagedWide === null) {
      this.#narrow[group] = this.staged;
      return;
    }
    this.#narrow[group] = NaN;
    this.#wide.set(group, this.stagedWide);
  }

  sum(group: number): bigint {
    const narrow = this.#narrow[group] as number;
    return narrow === narrow ? BigInt(narrow) : (this.#wide.get(group) ?? 0n);
  }

  #stageWide(sum: bigint): void {
    const narrow = Number(sum);
    this.stagedWide = narrow <= MAX_SAFE && narrow >= -MAX_SAFE ? null : sum;
    this.staged = narrow;
  }

  #wideValue(row: number): bigint {
    if (this.#wideValues === null) return BigInt(this.#values[row] as number);
    return this.#isDecimal ? loadWideDecimal(this.#wideValues, row) : (this.#wideValues[row] as bigint);
  }
}
