import { formatType, readValue } from '../../core/index.ts';
import type { BooleanColumn, Column, DataType, Value } from '../../core/index.ts';
import type { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { writeNull } from '../state/column-writes.ts';
import { conforms, decodeValue, encodeValue } from '../state/value-codec.ts';
import type { Accumulator, ArrivalClock, CallInput } from './accumulator.ts';
import { isTrue } from './first-last-accumulator.ts';

/** What one slot has seen: values, and the numbers of their rows, which only rise. */
interface Collected {
  values: Value[];
  arrivals: number[];
}

/** About what an element of an array takes. */
const ELEMENT_BYTES = 40;

/**
 * ARRAY_AGG, in the order of arrival, NULLs included. NULL until the first row. The output shares no array with the
 * state: what is emitted is a copy.
 */
export class ArrayAccumulator implements Accumulator {
  readonly layout: string;
  readonly #type: DataType;
  readonly #clock: ArrivalClock;
  readonly #slots: (Collected | null)[] = [];
  #elementCount = 0;
  #argument: Column | null = null;
  #condition: BooleanColumn | null = null;
  #output: Extract<Column, { kind: 'object' }> | null = null;

  constructor(element: DataType, clock: ArrivalClock) {
    this.layout = `array-agg(${formatType(element)})`;
    this.#type = element;
    this.#clock = clock;
  }

  get sizeBytes(): number {
    return this.#slots.length * 8 + this.#elementCount * ELEMENT_BYTES;
  }

  reserve(slotCount: number): void {
    while (this.#slots.length < slotCount) this.#slots.push(null);
  }

  bindInput({ argument, condition }: CallInput): void {
    this.#argument = argument;
    this.#condition = condition;
  }

  bindOutput(output: Column): void {
    this.#output = output as Extract<Column, { kind: 'object' }>;
  }

  add(slot: number, row: number): void {
    if (this.#condition !== null && !isTrue(this.#condition, row)) return;
    const collected = this.#collected(slot);
    collected.values.push(readValue(this.#argument as Column, this.#type, row));
    collected.arrivals.push(this.#clock.next + row);
    this.#elementCount++;
  }

  write(slot: number, outRow: number): void {
    const output = this.#output as Extract<Column, { kind: 'object' }>;
    const collected = this.#slots[slot] ?? null;
    writeNull(output, outRow, collected === null);
    output.values[outRow] = collected === null ? null : collected.values.slice();
  }

  merge(slot: number, from: number): void {
    const other = this.#slots[from] ?? null;
    if (other === null) return;
    const merged = mergeByArrival(this.#collected(slot), other);
    this.#slots[slot] = merged;
    this.#elementCount += other.values.length;
  }

  clear(slot: number): void {
    this.#elementCount -= this.#slots[slot]?.values.length ?? 0;
    this.#slots[slot] = null;
  }

  encode(slot: number, to: ByteWriter): void {
    const { values, arrivals } = this.#slots[slot] ?? { values: [], arrivals: [] };
    to.varint(values.length);
    let before = 0;
    values.forEach((value, index) => {
      const arrival = arrivals[index] as number;
      to.varint(arrival - before);
      before = arrival;
      encodeValue(value, to);
    });
  }

  decode(slot: number, from: ByteReader): void {
    const count = from.count();
    let arrival = 0;
    for (let index = 0; index < count; index++) {
      arrival += from.varint();
      const value = decodeValue(from);
      if (!conforms(value, this.#type)) from.fail(`an element is not a ${formatType(this.#type)}`);
      const collected = this.#collected(slot);
      collected.values.push(value);
      collected.arrivals.push(arrival);
    }
    this.#elementCount += count;
    this.#clock.next = Math.max(this.#clock.next, arrival + 1);
  }

  #collected(slot: number): Collected {
    const known = this.#slots[slot] ?? null;
    if (known !== null) return known;
    const collected = { values: [], arrivals: [] };
    this.#slots[slot] = collected;
    return collected;
  }
}

function mergeByArrival(a: Collected, b: Collected): Collected {
  const merged: Collected = { values: [], arrivals: [] };
  for (let i = 0, j = 0; i < a.values.length || j < b.values.length;) {
    const takesA = (a.arrivals[i] ?? Infinity) <= (b.arrivals[j] ?? Infinity);
    const [from, index] = takesA ? [a, i++] : [b, j++];
    merged.values.push(from.values[index] as Value);
    merged.arrivals.push(from.arrivals[index] as number);
  }
  return merged;
}
