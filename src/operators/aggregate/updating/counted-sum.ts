import type { Column } from '../../../core/index.ts';
import type { ByteReader } from '../../state/byte-reader.ts';
import type { ByteWriter } from '../../state/byte-writer.ts';
import { grown } from '../../state/grown.ts';
import type { CallInput, UpdatingAccumulator } from '../accumulator.ts';
import type { IntegerSumAccumulator } from '../sum-accumulator.ts';

/** SUM of int, long or decimal of rows that may be taken back: NULL again once no value is left. */
export class CountedSum implements UpdatingAccumulator {
  readonly layout: string;
  readonly #sum: IntegerSumAccumulator;
  #counts = new Float64Array(0);
  #argument: Column | null = null;

  constructor(sum: IntegerSumAccumulator) {
    this.#sum = sum;
    this.layout = `counted ${sum.layout}`;
  }

  get sizeBytes(): number {
    return this.#sum.sizeBytes + this.#counts.byteLength;
  }

  reserve(slotCount: number): void {
    this.#sum.reserve(slotCount);
    this.#counts = grown(this.#counts, slotCount);
  }

  bindInput(input: CallInput): void {
    this.#argument = input.argument;
    this.#sum.bindInput(input);
  }

  bindOutput(output: Column): void {
    this.#sum.bindOutput(output);
  }

  add(slot: number, row: number): void {
    if (this.#isNull(row)) return;
    this.#sum.add(slot, row);
    this.#counts[slot] = (this.#counts[slot] as number) + 1;
  }

  retract(slot: number, row: number): void {
    if (this.#isNull(row)) return;
    const count = (this.#counts[slot] as number) - 1;
    this.#counts[slot] = count;
    if (count === 0) this.#sum.clear(slot);
    else this.#sum.subtract(slot, row);
  }

  write(slot: number, outRow: number): void {
    this.#sum.write(slot, outRow);
  }

  clear(slot: number): void {
    this.#counts[slot] = 0;
    this.#sum.clear(slot);
  }

  encode(slot: number, to: ByteWriter): void {
    to.varint(this.#counts[slot] as number);
    this.#sum.encode(slot, to);
  }

  decode(slot: number, from: ByteReader): void {
    this.#counts[slot] = from.varint();
    this.#sum.decode(slot, from);
  }

  #isNull(row: number): boolean {
    const argument = this.#argument as Column;
    return argument.hasNulls && argument.nulls[row] === 1;
  }
}
