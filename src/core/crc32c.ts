/** CRC-32C (Castagnoli), computed natively: of record batches in Kafka, of files of checkpoints and of the job store. */
export { crc32c } from '@node-rs/crc32';
