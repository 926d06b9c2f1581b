import { keyGroupOf } from '../../core/index.ts';
import type { SpillLog, SpillStore } from '../../core/index.ts';
import { ByteWriter } from './byte-writer.ts';
import { GroupOrder } from './group-order.ts';
import { grown } from './grown.ts';
import { KeptEntries } from './kept-entries.ts';

/** As much of a log is read at a time, where it has so much. */
const READ_AHEAD_BYTES = 256 * 1024;

export interface LoggedChunk {
  readonly keyGroup: number;
  readonly position: number;
  readonly length: number;
}

/**
 * Entries that have left memory between two snapshots, as the next one wants them: chunks of one key group each. An
 * entry that has left twice is there twice, the newer one in the later chunk, or later in it.
 */
export class SpanLog {
  /** The number of the span. */
  readonly span: number;
  readonly #keyGroupCount: number;
  readonly #tailBytes: number;
  readonly #tail = new KeptEntries();
  #file: SpillLog | null = null;
  #filedBytes = 0;
  /** Key group, position, length. */
  #chunks = new Float64Array(0);
  #numberCount = 0;
  /** What was left of the tail when the span ended, in chunks. */
  #sealed: Uint8Array | null = null;
  /** What was read last of the file, and where it stands there: chunks are small, and the way to the disk is long. */
  #ahead: Uint8Array = new Uint8Array(0);
  #aheadAt = 0;

  /** `tailBytes` are gathered before they are written to the disk. */
  constructor(span: number, keyGroupCount: number, tailBytes: number) {
    this.span = span;
    this.#tailBytes = tailBytes;
    this.#keyGroupCount = keyGroupCount;
  }

  get sizeBytes(): number {
    return this.#tail.bytes.capacity + this.#chunks.byteLength + this.#ahead.length;
  }

  /** Adds the entry that stands at [start, end) of `encoded`, whose key has this hash. */
  add(encoded: ByteWriter, start: number, end: number, hash: number): void {
    const { bytes } = this.#tail;
    const at = bytes.length;
    bytes.raw(encoded.written, start, end);
    this.#tail.add(at, keyGroupOf(hash, this.#keyGroupCount));
  }

  /** Moves entries to the disk where there are many. */
  async flush(store: SpillStore): Promise<void> {
    if (this.#tail.bytes.length < this.#tailBytes) return;
    this.#file ??= await store.createLog();
    const bytes = this.#takeTail();
    await this.#file.append(bytes);
    this.#filedBytes += bytes.length;
  }

  /** How many chunks there are. The span has ended: nothing is added any more. */
  get chunkCount(): number {
    this.#sealed ??= this.#takeTail();
    return this.#numberCount / 3;
  }

  chunk(index: number): LoggedChunk {
    const [keyGroup = 0, position = 0, length = 0] = this.#chunks.subarray(index * 3, index * 3 + 3);
    return { keyGroup, position, length };
  }

  /** The bytes of a chunk. */
  async read({ position, length }: LoggedChunk): Promise<Uint8Array> {
    const inTail = position - this.#filedBytes;
    if (inTail >= 0) return (this.#sealed as Uint8Array).subarray(inTail, inTail + length);
    if (position < this.#aheadAt || position + length > this.#aheadAt + this.#ahead.length) {
      const bytes = Math.max(length, Math.min(READ_AHEAD_BYTES, this.#filedBytes - position));
      this.#ahead = await (this.#file as SpillLog).read(position, bytes);
      this.#aheadAt = position;
    }
    const at = position - this.#aheadAt;
    return this.#ahead.subarray(at, at + length);
  }

  /** Frees what read() has kept, once no more is read. */
  forgetRead(): void {
    this.#ahead = new Uint8Array(0);
    this.#aheadAt = 0;
  }

  async remove(): Promise<void> {
    await this.#file?.remove();
  }

  /** The tail in the order of key groups. */
  #takeTail(): Uint8Array {
    const { bytes, starts, groups, count } = this.#tail;
    const order = new GroupOrder();
    const numbers = Int32Array.from({ length: count }, (_, entry) => entry);
    order.sort(numbers, groups, count, this.#keyGroupCount);
    const sorted = new ByteWriter();
    const all = bytes.written;
    for (let at = 0; at < count; ) {
      const group = order.groupAt(at);
      const start = sorted.length;
      for (; at < count && order.groupAt(at) === group; at++) {
        const entry = order.items[at] as number;
        sorted.raw(all, starts[entry] as number, starts[entry + 1] as number);
      }
      this.#addChunk(group, this.#filedBytes + start, sorted.length - start);
    }
    this.#tail.clear();
    return sorted.written;
  }

  #addChunk(keyGroup: number, position: number, length: number): void {
    this.#chunks = grown(this.#chunks, this.#numberCount + 3);
    this.#chunks[this.#numberCount++] = keyGroup;
    this.#chunks[this.#numberCount++] = position;
    this.#chunks[this.#numberCount++] = length;
  }
}
