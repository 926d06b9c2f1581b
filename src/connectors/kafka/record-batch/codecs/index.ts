import { gzip } from './gzip.ts';
import { lz4 } from './lz4.ts';
import { snappy } from './snappy.ts';
import { zstd } from './zstd.ts';
import type { Codec, CodecName } from './codec.ts';

const none: Codec = { name: 'none', id: 0, compress: (bytes) => bytes, decompress: (bytes) => bytes };

/** By the low bits of a batch's attributes. */
const byId: readonly Codec[] = [none, gzip, snappy, lz4, zstd];

export function codecById(id: number): Codec | null {
  return byId[id] ?? null;
}

export function codecByName(name: CodecName): Codec {
  return byId.find((codec) => codec.name === name) ?? none;
}

export { DecompressionLimitError, type Codec, type CodecName } from './codec.ts';
