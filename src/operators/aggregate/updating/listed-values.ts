import { formatType, readValue, writeValue } from '../../../core/index.ts';
import type { BooleanColumn, Column, DataType, Value } from '../../../core/index.ts';
import type { ByteReader } from '../../state/byte-reader.ts';
import type { ByteWriter } from '../../state/byte-writer.ts';
import { conforms, decodeValue, encodeValue } from '../../state/value-codec.ts';
import type { CallInput, UpdatingAccumulator } from '../accumulator.ts';
import { isTrue } from '../first-last-accumulator.ts';

/** About what a value takes. */
const VALUE_BYTES = 32;

/**
 * FIRST, LAST and ARRAY_AGG of rows that may be taken back: all values, in the order of arrival, NULLs included. Taking
 * one back looks for the earliest that is equal.
 */
export class ListedValues implements UpdatingAccumulator {
  readonly layout: string;
  readonly #type: DataType;
  readonly #result: 'first' | 'last' | 'array-agg';
  readonly #slots: Value[][] = [];
  #valueCount = 0;
  #argument: Column | null = null;
  #condition: BooleanColumn | null = null;
  #output: Column | null = null;

  constructor(type: DataType, result: 'first' | 'last' | 'array-agg') {
    this.layout = `listed(${formatType(type)})`;
    this.#type = type;
    this.#result = result;
  }

  get sizeBytes(): number {
    return this.#slots.length * 16 + this.#valueCount * VALUE_BYTES;
  }

  reserve(slotCount: number): void {
    while (this.#slots.length < slotCount) this.#slots.push([]);
  }

  bindInput({ argument, condition }: CallInput): void {
    this.#argument = argument;
    this.#condition = condition;
  }

  bindOutput(output: Column): void {
    this.#output = output;
  }

  add(slot: number, row: number): void {
    if (this.#condition !== null && !isTrue(this.#condition, row)) return;
    (this.#slots[slot] as Value[]).push(this.#read(row));
    this.#valueCount++;
  }

  retract(slot: number, row: number): void {
    if (this.#condition !== null && !isTrue(this.#condition, row)) return;
    const values = this.#slots[slot] as Value[];
    const value = this.#read(row);
    const isPlain = value === null || (typeof value !== 'object' && value === value);
    const index = isPlain ? values.indexOf(value) : values.findIndex((each) => isSame(each, value));
    if (index < 0) return;
    values.splice(index, 1);
    this.#valueCount--;
  }

  write(slot: number, outRow: number): void {
    const values = this.#slots[slot] as Value[];
    const isEmpty = values.length === 0;
    const result = this.#result === 'array-agg' ? values.slice() : values.at(this.#result === 'first' ? 0 : -1);
    writeValue(this.#output as Column, outRow, isEmpty ? null : (result ?? null));
  }

  clear(slot: number): void {
    this.#valueCount -= (this.#slots[slot] as Value[]).length;
    this.#slots[slot] = [];
  }

  encode(slot: number, to: ByteWriter): void {
    const values = this.#slots[slot] as Value[];
    to.varint(values.length);
    for (const value of values) encodeValue(value, to);
  }

  decode(slot: number, from: ByteReader): void {
    const count = from.count();
    const values = this.#slots[slot] as Value[];
    for (let index = 0; index < count; index++) {
      const value = decodeValue(from);
      if (!conforms(value, this.#type)) from.fail(`a value is not a ${formatType(this.#type)}`);
      values.push(value);
    }
    this.#valueCount += count;
  }

  #read(row: number): Value {
    return readValue(this.#argument as Column, this.#type, row);
  }
}

/** As SQL groups: NULL equals NULL, NaN equals NaN, 0 equals -0. */
function isSame(a: Value, b: Value): boolean {
  if (a === b || (a !== a && b !== b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Map || b instanceof Map) {
    return a instanceof Map && b instanceof Map && isSame([...a].flat() as Value[], [...b].flat() as Value[]);
  }
  const [left, right] = [a as ArrayLike<Value>, b as ArrayLike<Value>];
  if (left.length !== right.length || ArrayBuffer.isView(a) !== ArrayBuffer.isView(b)) return false;
  for (let i = 0; i < left.length; i++) if (!isSame(left[i] as Value, right[i] as Value)) return false;
  return true;
}
