/** One compression codec of record batches. */
export interface Codec {
  readonly name: CodecName;
  /** The low bits of a batch's attributes. */
  readonly id: number;
  compress(bytes: Uint8Array): Uint8Array;
  /** Throws DecompressionLimitError where the result would be larger than `limitBytes`, anything else where corrupt. */
  decompress(bytes: Uint8Array, limitBytes: number): Uint8Array;
}

export type CodecName = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export class DecompressionLimitError extends Error {
  constructor(limitBytes: number) {
    super(`more than ${limitBytes} bytes when decompressed`);
    this.name = 'DecompressionLimitError';
  }
}

/** What zlib throws when `maxOutputLength` is reached. */
export function isOutputLimit(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
