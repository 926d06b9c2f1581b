import { formatType } from '../../core/index.ts';
import type { Column, DataType, DecimalColumn, DoubleColumn, IntColumn, LongColumn } from '../../core/index.ts';
import { divideRounded, exprErrors, fitsPrecision, powerOfTen } from '../../expr/index.ts';
import type { Accumulator } from './accumulator.ts';
import { grown } from './accumulator.ts';
import { ExactSums } from './exact-sums.ts';
import { writeInteger, writeNull } from './sum-accumulator.ts';

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * AVG of int, long or decimal: the exact sum over the count, truncated for integers, rounded half up for decimals. The
 * sum itself has no limit.
 */
export class IntegerAverageAccumulator implements Accumulator {
  readonly #type: DataType;
  /** 10^(scale of the result − scale of the argument) for decimals. */
  readonly #unit: bigint;
  readonly #sums = new ExactSums();
  #counts = new Float64Array(0);
  #output: Column | null = null;
  /** The staged average. */
  #narrow = 0;
  #wide: bigint | null = null;

  constructor(argument: DataType, result: DataType) {
    this.#type = result;
    const shift = argument.kind === 'decimal' && result.kind === 'decimal' ? result.scale - argument.scale : 0;
    if (shift < 0) throw new TypeError('an average has at least the fractional digits of its argument');
    this.#unit = powerOfTen(shift);
  }

  bind(argument: Column | null, output: Column, groupCount: number): void {
    if (argument === null) throw new TypeError('AVG without an argument');
    this.#sums.bind(argument, groupCount);
    this.#counts = grown(this.#counts, groupCount);
    this.#output = output;
  }

  stage(group: number, row: number): void {
    const count = this.#counts[group] as number;
    if (this.#sums.isNull(row)) {
      this.#sums.stageNothing(group);
      this.#average(count);
      return;
    }
    this.#sums.stage(group, row);
    this.#average(count + 1);
  }

  commit(group: number, row: number, outRow: number): void {
    if (!this.#sums.isNull(row)) {
      this.#sums.commit(group);
      this.#counts[group] = (this.#counts[group] as number) + 1;
    }
    this.#write(group, outRow);
  }

  repeat(group: number, outRow: number): void {
    this.#sums.stageNothing(group);
    this.#average(this.#counts[group] as number);
    this.#write(group, outRow);
  }

  #average(count: number): void {
    if (count === 0) return;
    const { staged, stagedWide } = this.#sums;
    if (this.#type.kind !== 'decimal' && stagedWide === null) {
      this.#narrow = Math.trunc(staged / count) + 0;
      this.#wide = null;
      return;
    }
    const sum = stagedWide ?? BigInt(staged);
    const average =
      this.#type.kind === 'decimal' ? divideRounded(sum * this.#unit, BigInt(count)) : sum / BigInt(count);
    if (this.#type.kind === 'decimal' && !fitsPrecision(average, this.#type.precision)) {
      throw exprErrors.create('MR-EXPR-OVERFLOW', { operation: 'AVG', type: formatType(this.#type) });
    }
    this.#narrow = Number(average);
    this.#wide = average <= MAX_SAFE && average >= -MAX_SAFE ? null : average;
  }

  #write(group: number, outRow: number): void {
    const output = this.#output as IntColumn | LongColumn | DecimalColumn;
    const isNull = this.#counts[group] === 0;
    writeNull(output, outRow, isNull);
    if (isNull) return;
    if (output.kind === 'int') output.values[outRow] = this.#narrow;
    else writeInteger(output, outRow, this.#narrow, this.#wide);
  }
}

/** AVG of float or double. */
export class DoubleAverageAccumulator implements Accumulator {
  #sums = new Float64Array(0);
  #counts = new Float64Array(0);
  #argument: DoubleColumn | null = null;
  #output: DoubleColumn | null = null;

  bind(argument: Column | null, output: Column, groupCount: number): void {
    this.#argument = argument as DoubleColumn;
    this.#output = output as DoubleColumn;
    this.#sums = grown(this.#sums, groupCount);
    this.#counts = grown(this.#counts, groupCount);
  }

  commit(group: number, row: number, outRow: number): void {
    const argument = this.#argument as DoubleColumn;
    if (!argument.hasNulls || argument.nulls[row] === 0) {
      this.#sums[group] = (this.#sums[group] as number) + (argument.values[row] as number);
      this.#counts[group] = (this.#counts[group] as number) + 1;
    }
    this.repeat(group, outRow);
  }

  repeat(group: number, outRow: number): void {
    const output = this.#output as DoubleColumn;
    const count = this.#counts[group] as number;
    writeNull(output, outRow, count === 0);
    output.values[outRow] = (this.#sums[group] as number) / count;
  }
}
