import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { DecompressionLimitError, isOutputLimit, type Codec } from './codec.ts';

/** Kafka's own default. */
const LEVEL = 3;

export const zstd: Codec = {
  name: 'zstd',
  id: 4,
  compress: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } }),
  decompress(bytes, limitBytes) {
    try {
      return zstdDecompressSync(bytes, { maxOutputLength: limitBytes });
    } catch (error) {
      throw isOutputLimit(error) ? new DecompressionLimitError(limitBytes) : error;
    }
  },
};
