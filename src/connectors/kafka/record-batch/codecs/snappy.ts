/**
 * Snappy, in the framing of xerial's snappy-java that Java clients write, or raw as some others do.
 *
 * xerial: 82 'SNAPPY' 00, version int32, least compatible version int32, then blocks of length int32 and a raw snappy
 * stream. A raw stream begins with its uncompressed length as a varint.
 */
import { compressSync, uncompressSync } from 'snappy';
import { DecompressionLimitError, type Codec } from './codec.ts';

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const HEADER_BYTES = 16;
/** snappy-java's default. */
const BLOCK_BYTES = 32 * 1024;

export const snappy: Codec = {
  name: 'snappy',
  id: 2,
  compress(bytes) {
    const header = Buffer.alloc(HEADER_BYTES);
    MAGIC.copy(header);
    header.writeInt32BE(1, 8);
    header.writeInt32BE(1, 12);
    const parts: Uint8Array[] = [header];
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const block = compressSync(bytes.subarray(at, at + BLOCK_BYTES));
      const length = Buffer.alloc(4);
      length.writeInt32BE(block.length);
      parts.push(length, block);
    }
    return Buffer.concat(parts);
  },
  decompress(bytes, limitBytes) {
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const isFramed = source.length >= HEADER_BYTES && source.subarray(0, MAGIC.length).equals(MAGIC);
    if (!isFramed) return uncompressBlock(source, limitBytes);
    const blocks: Buffer[] = [];
    let size = 0;
    for (let at = HEADER_BYTES; at < source.length; ) {
      const length = source.readInt32BE(at);
      at += 4;
      if (length < 0 || at + length > source.length) throw new Error('a snappy block is cut short');
      const block = uncompressBlock(source.subarray(at, at + length), limitBytes - size);
      size += block.length;
      blocks.push(block);
      at += length;
    }
    return Buffer.concat(blocks, size);
  },
};

function uncompressBlock(block: Buffer, limitBytes: number): Buffer {
  // The library takes memory for the announced length before it looks at the data.
  if (announcedLength(block) > limitBytes) throw new DecompressionLimitError(limitBytes);
  return uncompressSync(block, { asBuffer: true }) as Buffer;
}

function announcedLength(block: Buffer): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i];
    if (byte === undefined) throw new Error('a snappy block is cut short');
    length += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return length;
  }
  throw new Error('a snappy block has no length');
}
