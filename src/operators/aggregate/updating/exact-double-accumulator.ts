import type { Column, DoubleColumn } from '../../../core/index.ts';
import type { ByteReader } from '../../state/byte-reader.ts';
import type { ByteWriter } from '../../state/byte-writer.ts';
import { writeNull } from '../../state/column-writes.ts';
import { grown } from '../../state/grown.ts';
import type { CallInput, UpdatingAccumulator } from '../accumulator.ts';
import { ExactDoubleSums } from './exact-double-sums.ts';

/** SUM or AVG of float or double of rows that may be taken back: the exact sum, rounded when it is written. */
export class ExactDoubleAccumulator implements UpdatingAccumulator {
  /** The same for both: an AVG may become a SUM. */
  readonly layout = 'exact sum(double)';
  readonly #isAverage: boolean;
  readonly #sums = new ExactDoubleSums();
  #counts = new Float64Array(0);
  #argument: DoubleColumn | null = null;
  #output: DoubleColumn | null = null;

  constructor(isAverage: boolean) {
    this.#isAverage = isAverage;
  }

  get sizeBytes(): number {
    return this.#sums.sizeBytes + this.#counts.byteLength;
  }

  reserve(slotCount: number): void {
    this.#sums.reserve(slotCount);
    this.#counts = grown(this.#counts, slotCount);
  }

  bindInput({ argument }: CallInput): void {
    this.#argument = argument as DoubleColumn;
  }

  bindOutput(output: Column): void {
    this.#output = output as DoubleColumn;
  }

  add(slot: number, row: number): void {
    this.#change(slot, row, 1);
  }

  retract(slot: number, row: number): void {
    this.#change(slot, row, -1);
  }

  write(slot: number, outRow: number): void {
    const output = this.#output as DoubleColumn;
    const count = this.#counts[slot] as number;
    writeNull(output, outRow, count === 0);
    if (count === 0) return;
    const sum = this.#sums.sum(slot);
    output.values[outRow] = this.#isAverage ? sum / count : sum;
  }

  clear(slot: number): void {
    this.#counts[slot] = 0;
    this.#sums.clear(slot);
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

  #change(slot: number, row: number, times: 1 | -1): void {
    const argument = this.#argument as DoubleColumn;
    if (argument.hasNulls && argument.nulls[row] === 1) return;
    this.#counts[slot] = (this.#counts[slot] as number) + times;
    this.#sums.add(slot, argument.values[row] as number, times);
  }
}
