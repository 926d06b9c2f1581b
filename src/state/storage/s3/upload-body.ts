import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';

import { crc32c } from '../../../core/index.ts';

/** Copied, summed and sent at a time: some tenths of a millisecond for the thread. */
const SLICE_BYTES = 256 * 1024;

/** The slices one after another, and their digest, which signatures take. */
export class UploadStream extends Readable {
  /** Hexadecimal. */
  readonly sha256: string;
  readonly #slices: readonly Uint8Array[];
  #next = 0;

  constructor(slices: readonly Uint8Array[], sha256: string) {
    super({ highWaterMark: SLICE_BYTES });
    this.sha256 = sha256;
    this.#slices = slices;
  }

  override _read(): void {
    this.push(this.#slices[this.#next++] ?? null);
  }
}

/** What one request carries, gathered slice by slice and summed on the way, so that sending it sums nothing. */
export class UploadBody {
  readonly capacity: number;
  readonly #slices: Uint8Array[] = [];
  readonly #sha256: Hash = createHash('sha256');
  #filling: Uint8Array = new Uint8Array(0);
  #filled = 0;
  #sizeBytes = 0;
  #crc = 0;
  #digest: string | null = null;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes a copy of as much as there is room for; returns how much that was. */
  take(bytes: Uint8Array): number {
    if (this.#filled === this.#filling.length) {
      this.#cut();
      const room = Math.min(SLICE_BYTES, this.capacity - this.#sizeBytes);
      this.#filling = Buffer.allocUnsafeSlow(room);
    }
    const count = Math.min(bytes.length, this.#filling.length - this.#filled);
    this.#filling.set(bytes.subarray(0, count), this.#filled);
    this.#filled += count;
    this.#sizeBytes += count;
    return count;
  }

  /** Nothing is taken any more. */
  close(): void {
    this.#cut();
    this.#filling = new Uint8Array(0);
    this.#digest ??= this.#sha256.digest('hex');
  }

  /** Everything that was taken, for one attempt to send it. */
  stream(): UploadStream {
    if (this.#digest === null) throw new Error('an upload that is not closed');
    return new UploadStream(this.#slices, this.#digest);
  }

  /** CRC-32C as S3 writes it: base64 of four bytes, the highest first. */
  get crc32cBase64(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#crc >>> 0);
    return bytes.toString('base64');
  }

  #cut(): void {
    if (this.#filled === 0) return;
    const slice = this.#filling.subarray(0, this.#filled);
    this.#slices.push(slice);
    this.#crc = crc32c(slice, this.#crc);
    this.#sha256.update(slice);
    this.#filled = 0;
  }
}
