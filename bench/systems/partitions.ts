/** Partitions of every topic of a benchmark. */
export const PARTITION_COUNT = 4;
