/** Record batches: bytes to RecordBlocks and back. */
export { BatchBuilder, MAX_RECORD_OVERHEAD, stampBatch } from './batch-builder.ts';
export { Marker, readBatchHeaders, type BatchHeader } from './batch-headers.ts';
export {
  BatchReader,
  DecompressionArena,
  summarizeRange,
  type RangeSummary,
  type RecordRange,
} from './batch-reader.ts';
export { codecById, codecByName, type Codec, type CodecName } from './codecs/index.ts';
export { Batch } from './layout.ts';
export { decodeHeaders, encodeHeaders, type RecordHeader } from './record-headers.ts';
