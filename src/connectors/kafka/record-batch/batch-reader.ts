/**
 * Reads the record batches of one partition's part of a fetch answer: checks, decompresses and filters batches, and
 * hands their records on in blocks.
 */
import { crc32c, type RecordBlock } from '../../../core/index.ts';
import type { AbortedTransaction } from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import { AbortedTransactions } from './aborted-transactions.ts';
import { controlType, Marker } from './batch-headers.ts';
import { createBatchCursor, type BatchCursor } from './batch-cursor.ts';
import { codecById, DecompressionLimitError } from './codecs/index.ts';
import {
  Attribute,
  Batch,
  LENGTH_OVERHEAD,
  MAGIC,
  MIN_RECORD_BYTES,
  readBigInt64,
  readInt16,
  readInt32,
  readInt64,
} from './layout.ts';
import { walkRecords } from './record-walker.ts';

export interface RecordRange {
  readonly topic: string;
  readonly partition: number;
  readonly data: Uint8Array;
  /** Batches lie at data[start .. end); the last may be cut short. */
  readonly start: number;
  readonly end: number;
  /** Records before this offset are left out. */
  readonly fromOffset: number;
  /** Records from this offset on are left out; Infinity for none. */
  readonly endOffset: number;
  /** Null reads uncommitted. */
  readonly aborted: readonly AbortedTransaction[] | null;
  readonly maxBatchBytes: number;
}

/** Decompressed batches up to this size are put together, so that a block holds more than one of them. */
const SMALL_BATCH_BYTES = 64 * 1024;
const ARENA_BYTES = 512 * 1024;
const NO_PRODUCER = -1n;

/** Memory for decompressed batches; one for all ranges of a reader, because blocks are read one after the other. */
export class DecompressionArena {
  readonly data = new Uint8Array(ARENA_BYTES);
  used = 0;
}

export class BatchReader {
  readonly range: RecordRange;
  readonly #cursor: BatchCursor;
  readonly #aborted: AbortedTransactions | null;
  readonly #arena: DecompressionArena;
  /** Where the next batch begins. */
  #position: number;
  /** The offset behind all that was read. */
  #nextOffset: number;
  /** What #nextOffset becomes at the end of the open batch. */
  #offsetAfterBatch: number;

  /** Without details, blocks have only the values and offsets of their records; the rest is what it was before. */
  constructor(range: RecordRange, arena: DecompressionArena, withDetails = true) {
    this.range = range;
    this.#arena = arena;
    this.#cursor = createBatchCursor(range.fromOffset, range.endOffset, withDetails);
    this.#aborted = range.aborted === null ? null : new AbortedTransactions(range.aborted);
    this.#position = range.start;
    this.#nextOffset = range.fromOffset;
    this.#offsetAfterBatch = range.fromOffset;
  }

  /** The offset to go on from once all records handed out so far are processed. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Whether every record has been handed out. */
  get isDone(): boolean {
    return this.#cursor.recordsLeft === 0 && (this.#cursor.isPastEnd || !this.#hasBatch());
  }

  /**
   * Fills the block with the next records, of one or more batches; leaves it empty where none are left. What the block
   * held before must no longer be in use. Throws MR-KAFKA-CORRUPT and its like.
   */
  fill(block: RecordBlock): void {
    const cursor = this.#cursor;
    block.count = 0;
    if (cursor.recordsLeft === 0 || cursor.data !== this.#arena.data) this.#arena.used = 0;
    while (block.count < block.capacity) {
      if (cursor.recordsLeft === 0) {
        if (cursor.isPastEnd || !this.#openBatch(block)) break;
        continue;
      }
      if (block.count > 0 && block.data !== cursor.data) break;
      block.data = cursor.data;
      if (!walkRecords(cursor, block)) throw this.#corrupt('its records do not have the form of records');
      if (cursor.isPastEnd) this.#nextOffset = this.range.endOffset;
      else if (cursor.recordsLeft === 0) this.#nextOffset = this.#offsetAfterBatch;
      else if (block.count > 0) this.#nextOffset = (block.offsets[block.count - 1] as number) + 1;
    }
  }

  /** Opens the next batch with records; passes over others. False where there is none, or none that fits the block. */
  #openBatch(block: RecordBlock): boolean {
    const { data } = this.range;
    const start = this.#position;
    if (!this.#hasBatch()) return false;
    const end = start + LENGTH_OVERHEAD + readInt32(data, start + Batch.length);
    this.#check(start, end);
    const attributes = readInt16(data, start + Batch.attributes);
    const baseOffset = readInt64(data, start);
    const lastOffset = baseOffset + readInt32(data, start + Batch.lastOffsetDelta);
    const count = readInt32(data, start + Batch.recordCount);
    const isWanted =
      this.#isVisible(start, end, attributes, lastOffset) && lastOffset >= this.range.fromOffset && count > 0;
    if (isWanted && !this.#placeRecords(start, end, attributes, block)) return false;
    this.#position = end;
    this.#offsetAfterBatch = Math.max(this.#nextOffset, lastOffset + 1);
    if (!isWanted) {
      this.#nextOffset = this.#offsetAfterBatch;
      return true;
    }
    const cursor = this.#cursor;
    if (count > (cursor.end - cursor.position) / MIN_RECORD_BYTES) {
      throw this.#corrupt(`it counts ${count} records`, start);
    }
    cursor.recordsLeft = count;
    cursor.baseOffset = baseOffset;
    cursor.baseTimestamp = readInt64(data, start + Batch.baseTimestamp);
    const isStamped = (attributes & Attribute.logAppendTime) !== 0;
    cursor.appendTimestamp = isStamped ? readInt64(data, start + Batch.maxTimestamp) : NaN;
    return true;
  }

  #hasBatch(): boolean {
    const { data, end } = this.range;
    const start = this.#position;
    if (start + LENGTH_OVERHEAD > end) return false;
    const length = readInt32(data, start + Batch.length);
    return length < 0 || start + LENGTH_OVERHEAD + length <= end;
  }

  #check(start: number, end: number): void {
    const { data } = this.range;
    const length = end - start - LENGTH_OVERHEAD;
    if (length < Batch.magic - LENGTH_OVERHEAD + 1) throw this.#corrupt(`it has a length of ${length}`, start);
    const magic = data[start + Batch.magic] as number;
    if (magic < MAGIC) {
      throw kafkaErrors.create('MR-KAFKA-UNSUPPORTED-MAGIC', { position: this.#describe(start), magic });
    }
    if (magic > MAGIC) throw this.#corrupt(`it has format ${magic}`, start);
    if (end - start < Batch.records) throw this.#corrupt(`it has a length of ${length}`, start);
    const expected = readInt32(data, start + Batch.crc);
    const found = crc32c(data.subarray(start + Batch.attributes, end)) | 0;
    if (found !== expected) {
      const hex = (crc: number) => (crc >>> 0).toString(16).padStart(8, '0');
      throw this.#corrupt(`its checksum is ${hex(found)} instead of ${hex(expected)}`, start);
    }
  }

  /** Control batches, and those of aborted transactions, are not for users. */
  #isVisible(start: number, end: number, attributes: number, lastOffset: number): boolean {
    const { data } = this.range;
    const isControl = (attributes & Attribute.control) !== 0;
    if (this.#aborted === null) return !isControl;
    const producerId = readBigInt64(data, start + Batch.producerId);
    if (producerId === NO_PRODUCER) return !isControl;
    if (isControl) {
      const isAbort = controlType(data, start + Batch.records, end) === Marker.abort;
      if (isAbort) this.#aborted.endAbort(producerId, lastOffset);
      return false;
    }
    return !this.#aborted.isAborted(producerId, lastOffset) || (attributes & Attribute.transactional) === 0;
  }

  /** Points the cursor at the plain records. False where they have to wait for the next block. */
  #placeRecords(start: number, end: number, attributes: number, block: RecordBlock): boolean {
    const { data } = this.range;
    const cursor = this.#cursor;
    const id = attributes & Attribute.codecMask;
    if (id === 0) {
      cursor.data = data;
      cursor.position = start + Batch.records;
      cursor.end = end;
      return true;
    }
    const arena = this.#arena;
    // Room is made by the next block; looked for before decompressing, so as not to do that twice.
    const isArenaFull = arena.used + SMALL_BATCH_BYTES > arena.data.length;
    if (block.count > 0 && (block.data !== arena.data || isArenaFull)) return false;
    if (isArenaFull) arena.used = 0;
    const plain = this.#decompress(data.subarray(start + Batch.records, end), id, start);
    if (plain.length > SMALL_BATCH_BYTES) {
      cursor.data = plain;
      cursor.position = 0;
      cursor.end = plain.length;
      return true;
    }
    arena.data.set(plain, arena.used);
    cursor.data = arena.data;
    cursor.position = arena.used;
    arena.used += plain.length;
    cursor.end = arena.used;
    return true;
  }

  #decompress(compressed: Uint8Array, id: number, start: number): Uint8Array {
    const codec = codecById(id);
    if (codec === null) {
      throw kafkaErrors.create('MR-KAFKA-UNKNOWN-CODEC', { position: this.#describe(start), codec: id });
    }
    try {
      return codec.decompress(compressed, this.range.maxBatchBytes);
    } catch (error) {
      if (error instanceof DecompressionLimitError) {
        const fields = { position: this.#describe(start), limit: this.range.maxBatchBytes };
        throw kafkaErrors.create('MR-KAFKA-BATCH-TOO-LARGE', fields, error);
      }
      throw this.#corrupt(`${codec.name}: ${error instanceof Error ? error.message : String(error)}`, start, error);
    }
  }

  #corrupt(reason: string, start = this.#position, cause?: unknown): Error {
    return kafkaErrors.create('MR-KAFKA-CORRUPT', { position: this.#describe(start), reason }, cause);
  }

  #describe(start: number): string {
    const { topic, partition, data, end } = this.range;
    const offset = start + 8 <= end ? readInt64(data, start) : this.#nextOffset;
    return `topic ${topic}, partition ${partition}, offset ${offset}`;
  }
}

export interface RangeSummary {
  /** The offset behind the last whole batch; null where there is none. */
  readonly behind: number | null;
  /** Whether what follows the whole batches is not a batch: reading it will fail. */
  readonly isBroken: boolean;
}

/** What a fetch has to know before records are read: where to go on. Looks at lengths only. */
export function summarizeRange(data: Uint8Array, start: number, end: number): RangeSummary {
  let behind: number | null = null;
  for (let at = start; at + LENGTH_OVERHEAD <= end; ) {
    const length = readInt32(data, at + Batch.length);
    if (length < 0) return { behind, isBroken: true };
    if (at + LENGTH_OVERHEAD + length > end) break;
    if (length < Batch.records - LENGTH_OVERHEAD || data[at + Batch.magic] !== MAGIC) return { behind, isBroken: true };
    behind = readInt64(data, at) + readInt32(data, at + Batch.lastOffsetDelta) + 1;
    at += LENGTH_OVERHEAD + length;
  }
  return { behind, isBroken: false };
}
