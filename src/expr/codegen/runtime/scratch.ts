/**
 * Bytes that live as long as the row: where generated code puts strings that it makes. Each row starts with `used` 0.
 * Growing makes a new array and leaves the old one to the slices in it.
 */
export class Scratch {
  data: Uint8Array = new Uint8Array(1024);
  used = 0;

  /** Room for `size` bytes: the offset of the first; `used` is behind the last. */
  reserve(size: number): number {
    if (this.used + size > this.data.length) {
      this.data = new Uint8Array(Math.max(this.data.length * 2, size));
      this.used = 0;
    }
    const start = this.used;
    this.used = start + size;
    return start;
  }
}
