/** Memory for fetch answers, used again: fresh memory of megabytes costs as much as receiving into it. */
const SMALL_BYTES = 64 * 1024;

export class ResponsePool {
  readonly #free: Uint8Array[] = [];
  readonly #limitBytes: number;
  #freeBytes = 0;

  /** Keeps at most `limitBytes` of unused memory. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  take(leastBytes: number): Uint8Array {
    if (leastBytes < SMALL_BYTES) return Buffer.allocUnsafeSlow(leastBytes);
    const index = this.#free.findIndex((buffer) => buffer.length >= leastBytes);
    if (index >= 0) {
      const [buffer] = this.#free.splice(index, 1) as [Uint8Array];
      this.#freeBytes -= buffer.length;
      return buffer;
    }
    // Pages that are never written take no memory, so rounding up is free.
    return Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(leastBytes)));
  }

  give(buffer: Uint8Array): void {
    if (buffer.length < SMALL_BYTES || this.#freeBytes + buffer.length > this.#limitBytes) return;
    this.#freeBytes += buffer.length;
    this.#free.push(buffer);
  }
}
