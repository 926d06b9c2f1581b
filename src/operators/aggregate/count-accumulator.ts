import type { BooleanColumn, Column, LongColumn } from '../../core/index.ts';
import type { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { writeNull } from '../state/column-writes.ts';
import { sized } from '../state/grown.ts';
import type { Accumulator, CallInput, UpdatingAccumulator } from './accumulator.ts';

/** What makes a row count: all do, those whose argument is not NULL, those whose condition is TRUE. */
export type Counted = 'rows' | 'values' | 'true';

/** COUNT. Counts stay far below 2^53, so they are always narrow. */
export class CountAccumulator implements Accumulator, UpdatingAccumulator {
  readonly layout = 'count';
  readonly #counted: Counted;
  #counts = new Float64Array(0);
  #argument: Column | null = null;
  #output: Column | null = null;
  #results: Float64Array = new Float64Array(0);

  constructor(counted: Counted) {
    this.#counted = counted;
  }

  get sizeBytes(): number {
    return this.#counts.byteLength;
  }

  reserve(slotCount: number): void {
    this.#counts = sized(this.#counts, slotCount);
  }

  bindInput({ argument }: CallInput): void {
    this.#argument = argument;
  }

  bindOutput(output: Column): void {
    this.#output = output;
    this.#results = (output as LongColumn).values;
  }

  add(slot: number, row: number): void {
    if (this.#argument === null || this.#isCounted(row)) this.#counts[slot] = (this.#counts[slot] as number) + 1;
  }

  retract(slot: number, row: number): void {
    if (this.#argument === null || this.#isCounted(row)) this.#counts[slot] = (this.#counts[slot] as number) - 1;
  }

  write(slot: number, outRow: number): void {
    writeNull(this.#output as Column, outRow, false);
    this.#results[outRow] = this.#counts[slot] as number;
  }

  merge(slot: number, from: number): void {
    this.#counts[slot] = (this.#counts[slot] as number) + (this.#counts[from] as number);
  }

  clear(slot: number): void {
    this.#counts[slot] = 0;
  }

  encode(slot: number, to: ByteWriter): void {
    to.varint(this.#counts[slot] as number);
  }

  decode(slot: number, from: ByteReader): void {
    this.#counts[slot] = from.varint();
  }

  #isCounted(row: number): boolean {
    const argument = this.#argument as Column;
    if (argument.hasNulls && argument.nulls[row] === 1) return false;
    return this.#counted !== 'true' || (argument as BooleanColumn).values[row] === 1;
  }
}
