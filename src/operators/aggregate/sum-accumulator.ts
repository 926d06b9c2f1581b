import { formatType } from '../../core/index.ts';
import type { Column, DataType, DecimalColumn, DoubleColumn, LongColumn } from '../../core/index.ts';
import { exprErrors, fitsPrecision } from '../../expr/index.ts';
import type { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { writeInteger, writeNull } from '../state/column-writes.ts';
import { sized } from '../state/grown.ts';
import type { Accumulator, CallInput } from './accumulator.ts';
import { ExactSums } from './exact-sums.ts';

/** SUM of int, long or decimal: exact. NULL until the first value. */
export class IntegerSumAccumulator implements Accumulator {
  readonly layout: string;
  readonly #type: DataType;
  readonly #sums = new ExactSums();
  /** 1 for slots that have seen a value. */
  #seen = new Uint8Array(0);
  #output: LongColumn | DecimalColumn | null = null;

  constructor(type: DataType) {
    this.#type = type;
    this.layout = `sum(${numberLayout(type)})`;
  }

  get sizeBytes(): number {
    return this.#sums.sizeBytes + this.#seen.length;
  }

  reserve(slotCount: number): void {
    this.#sums.reserve(slotCount);
    this.#seen = sized(this.#seen, slotCount);
  }

  bindInput({ argument }: CallInput): void {
    if (argument === null) throw new TypeError('SUM without an argument');
    this.#sums.bind(argument);
  }

  bindOutput(output: Column): void {
    this.#output = output as LongColumn | DecimalColumn;
  }

  check(slot: number, row: number): void {
    const sums = this.#sums;
    if (sums.isNull(row)) return;
    const sum = sums.narrowWith(slot, row);
    if (sum !== sum) this.#checkFits(sums.sumWith(slot, row));
  }

  add(slot: number, row: number): void {
    if (this.#sums.isNull(row)) return;
    this.#sums.add(slot, row);
    this.#seen[slot] = 1;
  }

  /** Takes the row's value, which is not NULL and not the only one, away again. */
  subtract(slot: number, row: number): void {
    this.#sums.subtract(slot, row);
  }

  write(slot: number, outRow: number): void {
    const output = this.#output as LongColumn | DecimalColumn;
    const isNull = this.#seen[slot] === 0;
    writeNull(output, outRow, isNull);
    if (isNull) return;
    const narrow = this.#sums.narrow(slot);
    if (narrow === narrow) {
      writeInteger(output, outRow, narrow, null);
      return;
    }
    const sum = this.#sums.sum(slot);
    this.#checkFits(sum);
    writeInteger(output, outRow, 0, sum);
  }

  merge(slot: number, from: number): void {
    this.#sums.merge(slot, from);
    if (this.#seen[from] === 1) this.#seen[slot] = 1;
  }

  clear(slot: number): void {
    this.#sums.clear(slot);
    this.#seen[slot] = 0;
  }

  encode(slot: number, to: ByteWriter): void {
    to.byte(this.#seen[slot] as number);
    if (this.#seen[slot] === 1) this.#sums.encode(slot, to);
  }

  decode(slot: number, from: ByteReader): void {
    if (from.byte() === 0) return;
    this.#seen[slot] = 1;
    this.#sums.decode(slot, from);
  }

  /** Sums that are safe integers fit into a long and into a decimal of 38 digits. */
  #checkFits(sum: bigint): void {
    const type = this.#type;
    const fits = type.kind === 'decimal' ? fitsPrecision(sum, type.precision) : BigInt.asIntN(64, sum) === sum;
    if (!fits) throw exprErrors.create('MR-EXPR-OVERFLOW', { operation: 'SUM', type: formatType(type) });
  }
}

/** What decides how numbers of a type are kept. */
export function numberLayout(type: DataType): string {
  if (type.kind === 'decimal') return `decimal, scale ${type.scale}`;
  return type.kind === 'int' || type.kind === 'long' ? 'integer' : type.kind;
}

/** SUM or AVG of float or double, added in the order of arrival. NULL until the first value. */
export class DoubleSumAccumulator implements Accumulator {
  /** The same for both: an AVG may become a SUM. */
  readonly layout = 'sum(double)';
  readonly #isAverage: boolean;
  #sums = new Float64Array(0);
  #counts = new Float64Array(0);
  #argument: DoubleColumn | null = null;
  #output: DoubleColumn | null = null;

  constructor(isAverage: boolean) {
    this.#isAverage = isAverage;
  }

  get sizeBytes(): number {
    return this.#sums.byteLength * 2;
  }

  reserve(slotCount: number): void {
    this.#sums = sized(this.#sums, slotCount);
    this.#counts = sized(this.#counts, slotCount);
  }

  bindInput({ argument }: CallInput): void {
    this.#argument = argument as DoubleColumn;
  }

  bindOutput(output: Column): void {
    this.#output = output as DoubleColumn;
  }

  add(slot: number, row: number): void {
    const argument = this.#argument as DoubleColumn;
    if (argument.hasNulls && argument.nulls[row] === 1) return;
    this.#addAll(slot, argument.values[row] as number, 1);
  }

  write(slot: number, outRow: number): void {
    const output = this.#output as DoubleColumn;
    const count = this.#counts[slot] as number;
    const sum = this.#sums[slot] as number;
    writeNull(output, outRow, count === 0);
    output.values[outRow] = this.#isAverage ? sum / count : sum;
  }

  merge(slot: number, from: number): void {
    this.#addAll(slot, this.#sums[from] as number, this.#counts[from] as number);
  }

  clear(slot: number): void {
    this.#sums[slot] = 0;
    this.#counts[slot] = 0;
  }

  encode(slot: number, to: ByteWriter): void {
    to.varint(this.#counts[slot] as number);
    if (this.#counts[slot] !== 0) to.double(this.#sums[slot] as number);
  }

  decode(slot: number, from: ByteReader): void {
    const count = from.varint();
    if (count > 0) this.#addAll(slot, from.double(), count);
  }

  #addAll(slot: number, sum: number, count: number): void {
    if (count === 0) return;
    const before = this.#counts[slot] as number;
    // The first value is taken as it is: 0 + -0 would be 0.
    this.#sums[slot] = before === 0 ? sum : (this.#sums[slot] as number) + sum;
    this.#counts[slot] = before + count;
  }
}
