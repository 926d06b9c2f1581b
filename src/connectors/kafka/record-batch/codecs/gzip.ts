import { gunzipSync, gzipSync } from 'node:zlib';
import { DecompressionLimitError, isOutputLimit, type Codec } from './codec.ts';

/** A fast level: batches are compressed on the thread that does the work. */
const LEVEL = 4;

export const gzip: Codec = {
  name: 'gzip',
  id: 1,
  compress: (bytes) => gzipSync(bytes, { level: LEVEL }),
  decompress(bytes, limitBytes) {
    try {
      return gunzipSync(bytes, { maxOutputLength: limitBytes });
    } catch (error) {
      throw isOutputLimit(error) ? new DecompressionLimitError(limitBytes) : error;
    }
  },
};
