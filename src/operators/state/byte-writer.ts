/**
 * Appends the parts of an encoded entry to a buffer that grows. Little endian; docs/design/013 has the encoding.
 */
const FIRST_CAPACITY = 256;
/** Doubled, an integer below it is still exact. */
const ZIGZAG_LIMIT = 2 ** 51;

export class ByteWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The room that it holds. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** What was written; valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written from `length` on. */
  truncate(length: number): void {
    this.#length = length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** A safe integer that is not negative: 7 bits a byte, low bits first. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** An integer of any size, given as a safe one, or as a bigint where it is not: zigzag, then as varint(). */
  integer(narrow: number, wide: bigint | null): void {
    if (wide === null && narrow < ZIGZAG_LIMIT && narrow >= -ZIGZAG_LIMIT) {
      this.varint(narrow < 0 ? -2 * narrow - 1 : 2 * narrow);
      return;
    }
    const value = wide ?? BigInt(narrow);
    let rest = value < 0n ? -2n * value - 1n : 2n * value;
    for (; rest >= 128n; rest >>= 7n) this.byte(Number(rest & 127n) | 128);
    this.byte(Number(rest));
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** data[start .. end) as it is. */
  raw(data: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.#reserve(count);
    // A call to set() costs more than a few bytes.
    if (count <= 16) {
      for (let i = 0; i < count; i++) this.#bytes[this.#length + i] = data[start + i] as number;
    } else {
      this.#bytes.set(data.subarray(start, end), this.#length);
    }
    this.#length += count;
  }

  /** Leaves room for the length of a part that begins here; returns what endPart() needs. */
  beginPart(): number {
    this.byte(0);
    return this.#length;
  }

  /** Puts the length of the part, as a varint, in front of it. Nearly all take one byte, for which there is room. */
  endPart(start: number): void {
    const count = this.#length - start;
    if (count < 128) {
      this.#bytes[start - 1] = count;
      return;
    }
    let extra = 0;
    for (let rest = Math.floor(count / 128); rest > 0; rest = Math.floor(rest / 128)) extra++;
    this.#reserve(extra + 8);
    this.#bytes.copyWithin(start + extra, start, this.#length);
    this.#length = start - 1;
    this.varint(count);
    this.#length += count;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
