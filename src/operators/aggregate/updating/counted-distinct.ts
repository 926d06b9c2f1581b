import { createColumn, types } from '../../../core/index.ts';
import type { BooleanColumn, Column, DataType, IntColumn } from '../../../core/index.ts';
import type { ByteReader } from '../../state/byte-reader.ts';
import type { ByteWriter } from '../../state/byte-writer.ts';
import type { CallInput, UpdatingAccumulator } from '../accumulator.ts';
import { isTrue } from '../first-last-accumulator.ts';
import { CountedValues } from './counted-values.ts';

/**
 * Every value once per slot, as long as any row has it. What is encoded is the values and how often each is there, in
 * the order in which they came to be there: the inner call's state follows from it.
 */
export class CountedDistinct implements UpdatingAccumulator {
  readonly layout: string;
  readonly #inner: UpdatingAccumulator;
  readonly #values: CountedValues;
  #condition: BooleanColumn | null = null;
  readonly #singleInput: CallInput;

  constructor(inner: UpdatingAccumulator, argument: DataType) {
    this.#inner = inner;
    this.layout = `counted distinct ${inner.layout}`;
    this.#values = new CountedValues(argument);
    const slots = createColumn(types.int, 1) as IntColumn;
    this.#singleInput = { argument: this.#values.single, condition: null, rowCount: 1, slots };
  }

  get sizeBytes(): number {
    return this.#inner.sizeBytes + this.#values.sizeBytes;
  }

  reserve(slotCount: number): void {
    this.#inner.reserve(slotCount);
    this.#values.reserve(slotCount);
  }

  bindInput(input: CallInput): void {
    this.#inner.bindInput({ ...input, condition: null });
    this.#condition = input.condition;
    this.#values.bind(input.argument as Column, input.rowCount);
  }

  bindOutput(output: Column): void {
    this.#inner.bindOutput(output);
  }

  add(slot: number, row: number): void {
    if (this.#condition !== null && !isTrue(this.#condition, row)) return;
    if (this.#values.countOf(this.#values.add(slot, row)) === 1) this.#inner.add(slot, row);
  }

  retract(slot: number, row: number): void {
    if (this.#condition !== null && !isTrue(this.#condition, row)) return;
    const value = this.#values.remove(slot, row);
    if (value >= 0 && this.#values.countOf(value) === 0) this.#inner.retract(slot, row);
  }

  write(slot: number, outRow: number): void {
    this.#inner.write(slot, outRow);
  }

  clear(slot: number): void {
    this.#values.clear(slot);
    this.#inner.clear(slot);
  }

  encode(slot: number, to: ByteWriter): void {
    this.#values.encode(slot, to);
  }

  decode(slot: number, from: ByteReader): void {
    this.#values.decode(slot, from, () => {
      this.#inner.bindInput(this.#singleInput);
      this.#inner.add(slot, 0);
    });
  }
}
