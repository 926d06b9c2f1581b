/** Memory for batches, in powers of two, used again: a producer in full flow allocates nothing. */
const SMALLEST_BYTES = 16 * 1024;

export class BufferPool {
  readonly #free = new Map<number, Buffer[]>();
  readonly #limitBytes: number;
  #freeBytes = 0;

  /** Keeps at most `limitBytes` of unused memory. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** A buffer of at least so many bytes. */
  take(leastBytes: number): Buffer {
    const size = Math.max(SMALLEST_BYTES, 2 ** Math.ceil(Math.log2(leastBytes)));
    const buffer = this.#free.get(size)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size);
    this.#freeBytes -= size;
    return buffer;
  }

  give(buffer: Buffer): void {
    const size = buffer.length;
    if (this.#freeBytes + size > this.#limitBytes) return;
    this.#freeBytes += size;
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [buffer]);
    else list.push(buffer);
  }
}
