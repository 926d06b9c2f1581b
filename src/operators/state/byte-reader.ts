/**
 * Reads what ByteWriter wrote. The bytes may be of anyone: whatever they are, the answer is a value or
 * MR-STATE-INCOMPATIBLE, and nothing larger than the bytes themselves is allocated.
 */
import { coreErrors } from '../../core/index.ts';

/** 8 bytes of 7 bits each are enough for a safe integer. */
const MAX_VARINT_BYTES = 8;
/** 128 bits and the sign are 19 bytes; sums have a few more. Longer ones are not ours. */
const MAX_INTEGER_BYTES = 64;

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #stepId: string;
  #at: number;
  #end: number;

  constructor(bytes: Uint8Array, stepId: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#stepId = stepId;
    this.#at = 0;
    this.#end = bytes.length;
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++] as number;
  }

  varint(): number {
    let value = 0;
    let unit = 1;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.byte();
      value += (byte & 127) * unit;
      if (byte < 128) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      unit *= 128;
    }
    return this.fail('a number is too large');
  }

  /** A number of parts that follow, of at least one byte each. */
  count(): number {
    const count = this.varint();
    if (count > this.remaining) this.fail('more is announced than there is');
    return count;
  }

  /** As ByteWriter.integer wrote it. */
  integer(): bigint {
    let value = 0n;
    let shift = 0n;
    for (let count = 0; count < MAX_INTEGER_BYTES; count++, shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return (value & 1n) === 0n ? value >> 1n : -((value + 1n) >> 1n);
    }
    return this.fail('an integer is too long');
  }

  double(): number {
    this.#need(8);
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** The next `length` bytes, borrowed. */
  raw(length: number): Uint8Array {
    this.#need(length);
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  /**
   * Calls `read`, which sees only the next `length` bytes and has to use them all; null skips them.
   */
  within(length: number, read: (() => void) | null): void {
    this.#need(length);
    const end = this.#end;
    const partEnd = this.#at + length;
    if (read === null) {
      this.#at = partEnd;
      return;
    }
    this.#end = partEnd;
    read();
    if (this.#at !== partEnd) this.fail('a part is longer than what is in it');
    this.#end = end;
  }

  fail(reason: string): never {
    throw coreErrors.create('MR-STATE-INCOMPATIBLE', {
      step: this.#stepId,
      reason: `its entries cannot be read, at byte ${this.#at} of ${this.#bytes.length}: ${reason}`,
    });
  }

  #need(count: number): void {
    if (count > this.#end - this.#at) this.fail('the bytes end too early');
  }
}
