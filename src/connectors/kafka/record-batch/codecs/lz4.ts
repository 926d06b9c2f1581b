/** LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), as Kafka writes them since magic 2. */
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import { DecompressionLimitError, type Codec } from './codec.ts';

const MAGIC = 0x184d2204;
const UNCOMPRESSED_BIT = 0x80000000;
/** LZ4 cannot make more than so many bytes of one. */
const MAX_RATIO = 255;

export const lz4: Codec = {
  name: 'lz4',
  id: 3,
  compress: (bytes) => compressFrameSync(asBuffer(bytes)),
  decompress(bytes, limitBytes) {
    const source = asBuffer(bytes);
    if (leastUpperBound(source) > limitBytes) throw new DecompressionLimitError(limitBytes);
    const plain = decompressFrameSync(source);
    if (plain.length > limitBytes) throw new DecompressionLimitError(limitBytes);
    return plain;
  },
};

/**
 * The most that the frame can hold, from its blocks' sizes: the library has no limit of its own. A frame that is not
 * one is left to the library to refuse.
 */
function leastUpperBound(source: Buffer): number {
  if (source.length < 7 || source.readUInt32LE(0) !== MAGIC) return 0;
  const flags = source.readUInt8(4);
  const blockBytes = [65536, 262144, 1048576, 4194304][((source.readUInt8(5) >> 4) & 7) - 4] ?? 65536;
  const hasContentSize = (flags & 0x08) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  const checksumBytes = (flags & 0x10) === 0 ? 0 : 4;
  let at = 6 + (hasContentSize ? 8 : 0) + (hasDictionary ? 4 : 0) + 1;
  let bound = 0;
  while (at + 4 <= source.length) {
    const word = source.readUInt32LE(at);
    if (word === 0) break;
    const length = word & ~UNCOMPRESSED_BIT;
    const isPlain = (word & UNCOMPRESSED_BIT) !== 0;
    bound += isPlain ? length : Math.min(blockBytes, length * MAX_RATIO);
    at += 4 + length + checksumBytes;
  }
  return bound;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
