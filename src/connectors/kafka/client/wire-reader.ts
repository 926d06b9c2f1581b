/** Reads Kafka's fixed-width types from an answer; throws RangeError where it is cut short. */
export class WireReader {
  readonly data: Uint8Array;
  readonly end: number;
  position: number;
  readonly #view: DataView;

  constructor(data: Uint8Array, start: number, end: number) {
    this.data = data;
    this.position = start;
    this.end = end;
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  bigInt64(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  /** As a double: exact up to 2^53. */
  int64(): number {
    const at = this.#take(8);
    return this.#view.getInt32(at) * 4294967296 + this.#view.getUint32(at + 4);
  }

  string(): string {
    const length = this.int16();
    if (length < 0) return '';
    return Buffer.from(this.data.buffer, this.data.byteOffset + this.#take(length), length).toString();
  }

  /** A count of elements that take at least `leastBytes` each; -1 for a null array. */
  arrayLength(leastBytes: number): number {
    const length = this.int32();
    if (length > (this.end - this.position) / leastBytes) throw new RangeError(`an array of ${length} elements`);
    return length;
  }

  skip(count: number): void {
    this.#take(count);
  }

  #take(count: number): number {
    const at = this.position;
    if (count < 0 || at + count > this.end) throw new RangeError('the answer is cut short');
    this.position = at + count;
    return at;
  }
}
