import { formatType } from '../../core/index.ts';
import type { Column, DataType, DecimalColumn, IntColumn, LongColumn } from '../../core/index.ts';
import { divideRounded, exprErrors, fitsPrecision, powerOfTen } from '../../expr/index.ts';
import type { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { isSafe, writeInteger, writeNull } from '../state/column-writes.ts';
import { sized } from '../state/grown.ts';
import type { Accumulator, CallInput, UpdatingAccumulator } from './accumulator.ts';
import { ExactSums } from './exact-sums.ts';
import { numberLayout } from './sum-accumulator.ts';

/**
 * AVG of int, long or decimal: the exact sum over the count, truncated for integers, rounded half up for decimals. The
 * sum itself has no limit.
 */
export class IntegerAverageAccumulator implements Accumulator, UpdatingAccumulator {
  readonly layout: string;
  readonly #type: DataType;
  /** 10^(scale of the result − scale of the argument) for decimals. */
  readonly #unit: bigint;
  /** Whether an average of safe integers can be too large for the type. */
  readonly #narrowFits: boolean;
  readonly #sums = new ExactSums();
  #counts = new Float64Array(0);
  #output: IntColumn | LongColumn | DecimalColumn | null = null;

  constructor(argument: DataType, result: DataType) {
    this.#type = result;
    this.layout = `avg(${numberLayout(argument)})`;
    const shift = argument.kind === 'decimal' && result.kind === 'decimal' ? result.scale - argument.scale : 0;
    if (shift < 0) throw new TypeError('an average has at least the fractional digits of its argument');
    this.#unit = powerOfTen(shift);
    const largest = BigInt(Number.MAX_SAFE_INTEGER) * this.#unit;
    this.#narrowFits = result.kind !== 'decimal' || fitsPrecision(largest, result.precision);
  }

  get sizeBytes(): number {
    return this.#sums.sizeBytes + this.#counts.byteLength;
  }

  reserve(slotCount: number): void {
    this.#sums.reserve(slotCount);
    this.#counts = sized(this.#counts, slotCount);
  }

  bindInput({ argument }: CallInput): void {
    if (argument === null) throw new TypeError('AVG without an argument');
    this.#sums.bind(argument);
  }

  bindOutput(output: Column): void {
    this.#output = output as IntColumn | LongColumn | DecimalColumn;
  }

  check(slot: number, row: number): void {
    const sums = this.#sums;
    if (this.#type.kind !== 'decimal' || sums.isNull(row)) return;
    const narrow = sums.narrowWith(slot, row);
    if (narrow === narrow && this.#narrowFits) return;
    this.#average(sums.sumWith(slot, row), (this.#counts[slot] as number) + 1);
  }

  add(slot: number, row: number): void {
    if (this.#sums.isNull(row)) return;
    this.#sums.add(slot, row);
    this.#counts[slot] = (this.#counts[slot] as number) + 1;
  }

  retract(slot: number, row: number): void {
    if (this.#sums.isNull(row)) return;
    this.#sums.subtract(slot, row);
    this.#counts[slot] = (this.#counts[slot] as number) - 1;
  }

  write(slot: number, outRow: number): void {
    const output = this.#output as IntColumn | LongColumn | DecimalColumn;
    const count = this.#counts[slot] as number;
    writeNull(output, outRow, count === 0);
    if (count === 0) return;
    const narrow = this.#sums.narrow(slot);
    if (narrow === narrow && output.kind !== 'decimal') {
      // Adding zero turns -0 into 0.
      const average = Math.trunc(narrow / count) + 0;
      if (output.kind === 'int') output.values[outRow] = average;
      else writeInteger(output, outRow, average, null);
      return;
    }
    const average = this.#average(this.#sums.sum(slot), count);
    if (output.kind === 'int') output.values[outRow] = Number(average);
    else if (isSafe(average)) writeInteger(output, outRow, Number(average), null);
    else writeInteger(output, outRow, 0, average);
  }

  merge(slot: number, from: number): void {
    this.#sums.merge(slot, from);
    this.#counts[slot] = (this.#counts[slot] as number) + (this.#counts[from] as number);
  }

  clear(slot: number): void {
    this.#sums.clear(slot);
    this.#counts[slot] = 0;
  }

  encode(slot: number, to: ByteWriter): void {
    to.varint(this.#counts[slot] as number);
    if (this.#counts[slot] !== 0) this.#sums.encode(slot, to);
  }

  decode(slot: number, from: ByteReader): void {
    const count = from.varint();
    this.#counts[slot] = count;
    if (count > 0) this.#sums.decode(slot, from);
  }

  #average(sum: bigint, count: number): bigint {
    const type = this.#type;
    if (type.kind !== 'decimal') return sum / BigInt(count);
    const average = divideRounded(sum * this.#unit, BigInt(count));
    if (!fitsPrecision(average, type.precision)) {
      throw exprErrors.create('MR-EXPR-OVERFLOW', { operation: 'AVG', type: formatType(type) });
    }
    return average;
  }
}
