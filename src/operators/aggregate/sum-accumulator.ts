import { formatType, setNull, storeWideDecimal, widenDecimal, widenLong } from '../../core/index.ts';
import type { Column, DataType, DecimalColumn, DoubleColumn, LongColumn } from '../../core/index.ts';
import { exprErrors, fitsPrecision } from '../../expr/index.ts';
import type { Accumulator } from './accumulator.ts';
import { grown } from './accumulator.ts';
import { ExactSums } from './exact-sums.ts';

/** Writes an exact integer (unscaled for decimals) given as a number, or as a bigint where it is not safe. */
export function writeInteger(
  column: LongColumn | DecimalColumn,
  row: number,
  narrow: number,
  wide: bigint | null,
): void {
  if (column.wide === null && wide === null) {
    column.values[row] = narrow;
    return;
  }
  const value = wide ?? BigInt(narrow);
  if (column.kind === 'long') widenLong(column, row)[row] = value;
  else storeWideDecimal(widenDecimal(column, row), row, value);
}

/** Writes NULL flags of an output whose groups start as NULL. */
export function writeNull(column: Column, row: number, isNull: boolean): void {
  if (isNull) setNull(column, row);
  else if (column.hasNulls) column.nulls[row] = 0;
}

/** SUM of int, long or decimal: exact. NULL until the first value. */
export class IntegerSumAccumulator implements Accumulator {
  readonly #type: DataType;
  readonly #sums = new ExactSums();
  /** 1 for groups that have seen a value. */
  #seen = new Uint8Array(0);
  #output: LongColumn | DecimalColumn | null = null;

  constructor(type: DataType) {
    this.#type = type;
  }

  bind(argument: Column | null, output: Column, groupCount: number): void {
    if (argument === null) throw new TypeError('SUM without an argument');
    this.#sums.bind(argument, groupCount);
    this.#seen = grown(this.#seen, groupCount);
    this.#output = output as LongColumn | DecimalColumn;
  }

  stage(group: number, row: number): void {
    const sums = this.#sums;
    if (sums.isNull(row)) {
      sums.stageNothing(group);
      return;
    }
    sums.stage(group, row);
    if (sums.stagedWide !== null && !fits(sums.stagedWide, this.#type)) {
      throw exprErrors.create('MR-EXPR-OVERFLOW', { operation: 'SUM', type: formatType(this.#type) });
    }
  }

  commit(group: number, row: number, outRow: number): void {
    if (!this.#sums.isNull(row)) {
      this.#sums.commit(group);
      this.#seen[group] = 1;
    }
    this.#write(group, outRow);
  }

  repeat(group: number, outRow: number): void {
    this.#sums.stageNothing(group);
    this.#write(group, outRow);
  }

  #write(group: number, outRow: number): void {
    const output = this.#output as LongColumn | DecimalColumn;
    const isNull = this.#seen[group] === 0;
    writeNull(output, outRow, isNull);
    if (!isNull) writeInteger(output, outRow, this.#sums.staged, this.#sums.stagedWide);
  }
}

/** Sums that are safe integers fit into a long and into a decimal of 38 digits. */
function fits(sum: bigint, type: DataType): boolean {
  return type.kind === 'decimal' ? fitsPrecision(sum, type.precision) : BigInt.asIntN(64, sum) === sum;
}

/** SUM of float or double, in the order of arrival. */
export class DoubleSumAccumulator implements Accumulator {
  #sums = new Float64Array(0);
  #seen = new Uint8Array(0);
  #argument: DoubleColumn | null = null;
  #output: DoubleColumn | null = null;

  bind(argument: Column | null, output: Column, groupCount: number): void {
    this.#argument = argument as DoubleColumn;
    this.#output = output as DoubleColumn;
    this.#sums = grown(this.#sums, groupCount);
    this.#seen = grown(this.#seen, groupCount);
  }

  commit(group: number, row: number, outRow: number): void {
    const argument = this.#argument as DoubleColumn;
    if (!argument.hasNulls || argument.nulls[row] === 0) {
      const value = argument.values[row] as number;
      // The first value is taken as it is: 0 + -0 would be 0.
      this.#sums[group] = this.#seen[group] === 1 ? (this.#sums[group] as number) + value : value;
      this.#seen[group] = 1;
    }
    this.repeat(group, outRow);
  }

  repeat(group: number, outRow: number): void {
    const output = this.#output as DoubleColumn;
    writeNull(output, outRow, this.#seen[group] === 0);
    output.values[outRow] = this.#sums[group] as number;
  }
}
