/** CRC-32C (Castagnoli), computed natively: of Kafka's record batches, of files of checkpoints and of the job store. */
export { crc32c } from '@node-rs/crc32';
