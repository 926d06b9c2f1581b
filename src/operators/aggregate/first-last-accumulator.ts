import type { BooleanColumn, Column, DataType } from '../../core/index.ts';
import { formatType } from '../../core/index.ts';
import type { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { writeNull } from '../state/column-writes.ts';
import { sized } from '../state/grown.ts';
import { ScratchColumn } from '../state/row-codec.ts';
import { createSlotColumn } from '../state/slot-column.ts';
import type { SlotColumn } from '../state/slot-column.ts';
import type { Accumulator, ArrivalClock, CallInput } from './accumulator.ts';

const UNSEEN = 0;
const SEEN_NULL = 1;
const SEEN_VALUE = 2;

/** FIRST and LAST, by arrival; NULL is a value like others. NULL until the first row. */
export class FirstLastAccumulator implements Accumulator {
  readonly layout: string;
  readonly #isLast: boolean;
  readonly #clock: ArrivalClock;
  readonly #kept: SlotColumn;
  readonly #scratch: ScratchColumn;
  /** The number of the kept row; -1 for slots that have seen nothing. */
  #arrivals = new Float64Array(0);
  #condition: BooleanColumn | null = null;
  #output: Column | null = null;

  constructor(type: DataType, isLast: boolean, clock: ArrivalClock) {
    this.layout = `${isLast ? 'last' : 'first'}(${formatType(type)})`;
    this.#isLast = isLast;
    this.#clock = clock;
    this.#kept = createSlotColumn(type);
    this.#scratch = new ScratchColumn(type);
  }

  get sizeBytes(): number {
    return this.#kept.sizeBytes + this.#arrivals.byteLength;
  }

  reserve(slotCount: number): void {
    this.#kept.reserve(slotCount);
    const before = this.#arrivals.length;
    this.#arrivals = sized(this.#arrivals, slotCount);
    this.#arrivals.fill(-1, before);
  }

  bindInput({ argument, condition }: CallInput): void {
    this.#kept.bind(argument as Column);
    this.#condition = condition;
  }

  bindOutput(output: Column): void {
    this.#output = output;
  }

  add(slot: number, row: number): void {
    if (this.#condition !== null && !isTrue(this.#condition, row)) return;
    if (this.#arrivals[slot] !== -1) {
      if (!this.#isLast) return;
      this.#kept.clear(slot);
    }
    this.#kept.set(slot, row);
    this.#arrivals[slot] = this.#clock.next + row;
  }

  write(slot: number, outRow: number): void {
    const output = this.#output as Column;
    if (this.#arrivals[slot] === -1) writeNull(output, outRow, true);
    else this.#kept.write(slot, output, outRow);
  }

  merge(slot: number, from: number): void {
    const [kept, other] = [this.#arrivals[slot] as number, this.#arrivals[from] as number];
    if (other === -1) return;
    if (kept !== -1) {
      if (other < kept === this.#isLast) return;
      this.#kept.clear(slot);
    }
    this.#kept.copy(slot, from);
    this.#arrivals[slot] = other;
  }

  clear(slot: number): void {
    if (this.#arrivals[slot] !== -1) this.#kept.clear(slot);
    this.#arrivals[slot] = -1;
  }

  encode(slot: number, to: ByteWriter): void {
    const arrival = this.#arrivals[slot] as number;
    if (arrival === -1) {
      to.byte(UNSEEN);
      return;
    }
    const isNull = this.#kept.isNull(slot);
    to.byte(isNull ? SEEN_NULL : SEEN_VALUE);
    to.varint(arrival);
    if (!isNull) this.#kept.encode(slot, to);
  }

  decode(slot: number, from: ByteReader): void {
    const seen = from.byte();
    if (seen === UNSEEN) return;
    const arrival = from.varint();
    this.#scratch.read(seen === SEEN_NULL ? null : from);
    this.#kept.bind(this.#scratch.column);
    this.#kept.set(slot, 0);
    this.#arrivals[slot] = arrival;
    this.#clock.next = Math.max(this.#clock.next, arrival + 1);
  }
}

export function isTrue(condition: BooleanColumn, row: number): boolean {
  return condition.values[row] === 1 && !(condition.hasNulls && condition.nulls[row] === 1);
}
