/**
 * Writes records straight into a record batch: the hot loop of producing. See bench/micro/kafka-sink.ts.
 *
 * The bytes are final once close() and stamp() were called; a retry sends the very same ones.
 */
import { crc32c } from '../../../core/index.ts';
import type { ProducerIdentity } from '../client/index.ts';
import type { Codec } from './codecs/index.ts';
import { Attribute, Batch, LENGTH_OVERHEAD, MAGIC } from './layout.ts';

/** Below this a loop copies faster than a native call. */
const SMALL_COPY_BYTES = 28;
/** The most that the fields of a record take beside its key, value and headers. */
export const MAX_RECORD_OVERHEAD = 36;
const NO_LEADER_EPOCH = -1;

export class BatchBuilder {
  data: Buffer;
  used: number = Batch.records;
  count = 0;
  #baseTimestamp = 0;
  #maxTimestamp = 0;

  /** `data` must hold more than the header. */
  constructor(data: Buffer) {
    this.data = data;
  }

  /**
   * Appends a record; the caller has made sure of room for key, value, headers and MAX_RECORD_OVERHEAD bytes. A null
   * key or value is a start of -1. `headers` is the encoding with its count, or null for none.
   */
  append(
    timestamp: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    headers: Uint8Array | null,
  ): void {
    const { data } = this;
    if (this.count === 0) {
      this.#baseTimestamp = timestamp;
      this.#maxTimestamp = timestamp;
    } else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    const delta = timestamp - this.#baseTimestamp;
    const keyLength = keyStart < 0 ? -1 : keyEnd - keyStart;
    const valueLength = valueStart < 0 ? -1 : valueEnd - valueStart;
    const isSmallDelta = delta >= 0 && delta < 0x40000000;
    const size =
      1 +
      (isSmallDelta ? varintSize(delta << 1) : varlongSize(delta)) +
      varintSize(this.count << 1) +
      (keyLength < 0 ? 1 : varintSize(keyLength << 1) + keyLength) +
      (valueLength < 0 ? 1 : varintSize(valueLength << 1) + valueLength) +
      (headers === null ? 1 : headers.length);
    let at = writeUnsigned(data, this.used, size << 1);
    data[at++] = 0;
    at = isSmallDelta ? writeUnsigned(data, at, delta << 1) : writeVarlong(data, at, delta);
    at = writeUnsigned(data, at, this.count << 1);
    if (keyLength < 0) data[at++] = 1;
    else {
      at = writeUnsigned(data, at, keyLength << 1);
      at = copyBytes(key, keyStart, keyEnd, data, at);
    }
    if (valueLength < 0) data[at++] = 1;
    else {
      at = writeUnsigned(data, at, valueLength << 1);
      at = copyBytes(value, valueStart, valueEnd, data, at);
    }
    if (headers === null) data[at++] = 0;
    else {
      data.set(headers, at);
      at += headers.length;
    }
    this.used = at;
    this.count++;
  }

  /**
   * The bytes that append() would put before a value of this size, without key and headers; behind the value stands
   * one more. For runs that are encoded where they will be sent.
   */
  headerSize(timestamp: number, valueLength: number): number {
    const delta = this.count === 0 ? 0 : timestamp - this.#baseTimestamp;
    const size = recordSize(delta, this.count, valueLength);
    return varintSize(size << 1) + size - valueLength - 1;
  }

  /** How many more records have headers of the size that headerSize() says. */
  get recordsOfThisHeader(): number {
    const { count } = this;
    return (count < 0x40 ? 0x40 : count < 0x2000 ? 0x2000 : count < 0x100000 ? 0x100000 : 0x8000000) - count;
  }

  /**
   * Takes over records that were encoded into `data` itself, from `used - 1` on with `headerSize() + 1` bytes of
   * headroom each, by writing what belongs into the gaps: no byte of a value moves. Stops before the first record whose
   * header has another size. Returns how many were taken.
   */
  adopt(timestamp: number, headerSize: number, starts: Int32Array, ends: Int32Array, count: number): number {
    const { data } = this;
    if (this.count === 0) {
      this.#baseTimestamp = timestamp;
      this.#maxTimestamp = timestamp;
    } else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    const delta = timestamp - this.#baseTimestamp;
    if (delta < 0 || delta >= 0x40000000) return 0;
    let taken = 0;
    for (; taken < count; taken++) {
      const start = starts[taken] as number;
      const end = ends[taken] as number;
      const size = recordSize(delta, this.count, end - start);
      if (varintSize(size << 1) + size - (end - start) - 1 !== headerSize || end >= data.length) break;
      let at = writeUnsigned(data, start - headerSize, size << 1);
      data[at++] = 0;
      at = writeUnsigned(data, at, delta << 1);
      at = writeUnsigned(data, at, this.count << 1);
      data[at++] = 1;
      writeUnsigned(data, at, (end - start) << 1);
      data[end] = 0;
      this.used = end + 1;
      this.count++;
    }
    return taken;
  }

  /** The batch's bytes, compressed, all but producer, sequence and checksum, which stamp() sets. */
  close(codec: Codec): Buffer {
    const out = codec.id === 0 ? this.data.subarray(0, this.used) : this.#compressed(codec);
    out.writeBigInt64BE(0n, 0);
    out.writeInt32BE(out.length - LENGTH_OVERHEAD, Batch.length);
    out.writeInt32BE(NO_LEADER_EPOCH, Batch.leaderEpoch);
    out.writeInt8(MAGIC, Batch.magic);
    out.writeInt16BE(codec.id, Batch.attributes);
    out.writeInt32BE(this.count - 1, Batch.lastOffsetDelta);
    out.writeBigInt64BE(BigInt(this.#baseTimestamp), Batch.baseTimestamp);
    out.writeBigInt64BE(BigInt(this.#maxTimestamp), Batch.maxTimestamp);
    out.writeInt32BE(this.count, Batch.recordCount);
    return out;
  }

  #compressed(codec: Codec): Buffer {
    const records = codec.compress(this.data.subarray(Batch.records, this.used));
    const out = Buffer.allocUnsafeSlow(Batch.records + records.length);
    out.set(records, Batch.records);
    return out;
  }
}

/** Sets who wrote the batch and where it stands among that producer's records, and the checksum. */
export function stampBatch(
  batch: Buffer,
  identity: ProducerIdentity,
  baseSequence: number,
  isTransactional = false,
): void {
  if (isTransactional) {
    batch.writeInt16BE(batch.readInt16BE(Batch.attributes) | Attribute.transactional, Batch.attributes);
  }
  batch.writeBigInt64BE(identity.producerId, Batch.producerId);
  batch.writeInt16BE(identity.epoch, Batch.producerEpoch);
  batch.writeInt32BE(baseSequence, Batch.baseSequence);
  batch.writeUInt32BE(crc32c(batch.subarray(Batch.attributes)), Batch.crc);
}

function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  const length = end - start;
  if (length > SMALL_COPY_BYTES) {
    target.set(source.subarray(start, end), at);
    return at + length;
  }
  for (let i = start; i < end; i++) target[at++] = source[i] as number;
  return at;
}

/** Of a record without key and headers, behind its length; `delta` is small. */
function recordSize(delta: number, index: number, valueLength: number): number {
  return 3 + varintSize(delta << 1) + varintSize(index << 1) + varintSize(valueLength << 1) + valueLength;
}

function varintSize(zigzag: number): number {
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x200000 ? 3 : zigzag < 0x10000000 ? 4 : 5;
}

/** A zigzag value that is not negative and below 2^31. */
function writeUnsigned(data: Uint8Array, start: number, zigzag: number): number {
  let at = start;
  let rest = zigzag;
  while (rest > 127) {
    data[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  data[at++] = rest;
  return at;
}

function zigzagLong(value: number): bigint {
  return BigInt.asUintN(64, value < 0 ? (BigInt(-value) << 1n) - 1n : BigInt(value) << 1n);
}

function varlongSize(value: number): number {
  let size = 1;
  for (let rest = zigzagLong(value) >> 7n; rest > 0n; rest >>= 7n) size++;
  return size;
}

function writeVarlong(data: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = zigzagLong(value);
  for (; rest > 127n; rest >>= 7n) data[at++] = Number(rest & 127n) | 128;
  data[at++] = Number(rest);
  return at;
}
