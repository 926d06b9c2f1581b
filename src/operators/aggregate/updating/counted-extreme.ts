import type { Column, DataType } from '../../../core/index.ts';
import type { ByteReader } from '../../state/byte-reader.ts';
import type { ByteWriter } from '../../state/byte-writer.ts';
import { writeNull } from '../../state/column-writes.ts';
import { grown } from '../../state/grown.ts';
import type { CallInput, UpdatingAccumulator } from '../accumulator.ts';
import { layoutOf } from '../extreme-accumulator.ts';
import type { Direction } from '../extreme-accumulator.ts';
import { CountedValues } from './counted-values.ts';

const NONE = 0;
/** The extreme value is gone; which is the next one is looked up when it is asked for. */
const UNKNOWN = -1;

/**
 * MIN and MAX of rows that may be taken back: all values are kept. Where the last of the extreme one goes, the values
 * of the slot are walked, once per batch (as Flink does).
 */
export class CountedExtreme implements UpdatingAccumulator {
  readonly layout: string;
  readonly #direction: Direction;
  readonly #values: CountedValues;
  /** Per slot: the extreme value, + 1. */
  #best = new Int32Array(0);
  #argument: Column | null = null;
  #output: Column | null = null;

  constructor(type: DataType, direction: Direction) {
    this.layout = `counted ${layoutOf(type, direction)}`;
    this.#direction = direction;
    this.#values = new CountedValues(type);
  }

  get sizeBytes(): number {
    return this.#values.sizeBytes + this.#best.byteLength;
  }

  reserve(slotCount: number): void {
    this.#values.reserve(slotCount);
    this.#best = grown(this.#best, slotCount);
  }

  bindInput({ argument, rowCount }: CallInput): void {
    this.#argument = argument;
    this.#values.bind(argument as Column, rowCount);
  }

  bindOutput(output: Column): void {
    this.#output = output;
  }

  add(slot: number, row: number): void {
    if (this.#isNull(row)) return;
    const value = this.#values.add(slot, row);
    const best = this.#best[slot] as number;
    if (best === NONE || (best > 0 && this.#replaces(best - 1, row))) this.#best[slot] = value + 1;
  }

  retract(slot: number, row: number): void {
    if (this.#isNull(row)) return;
    const value = this.#values.remove(slot, row);
    if (value < 0 || this.#values.countOf(value) > 0) return;
    if (this.#values.first(slot) < 0) this.#best[slot] = NONE;
    else if (this.#best[slot] === value + 1) this.#best[slot] = UNKNOWN;
  }

  write(slot: number, outRow: number): void {
    const output = this.#output as Column;
    if (this.#best[slot] === UNKNOWN) this.#best[slot] = this.#search(slot) + 1;
    const best = this.#best[slot] as number;
    if (best === NONE) writeNull(output, outRow, true);
    else this.#values.write(best - 1, output, outRow);
  }

  clear(slot: number): void {
    this.#values.clear(slot);
    this.#best[slot] = NONE;
  }

  encode(slot: number, to: ByteWriter): void {
    this.#values.encode(slot, to);
  }

  decode(slot: number, from: ByteReader): void {
    this.#values.decode(slot, from, () => undefined);
    this.#best[slot] = this.#values.first(slot) < 0 ? NONE : UNKNOWN;
  }

  #isNull(row: number): boolean {
    const argument = this.#argument as Column;
    return argument.hasNulls && argument.nulls[row] === 1;
  }

  #replaces(best: number, row: number): boolean {
    return Math.sign(this.#values.compareRow(best, row)) === this.#direction;
  }

  #search(slot: number): number {
    let best = this.#values.first(slot);
    for (let value = this.#values.next(best); value >= 0; value = this.#values.next(value)) {
      this.#values.bindSingle(value);
      if (this.#replaces(best, 0)) best = value;
    }
    return best;
  }
}
