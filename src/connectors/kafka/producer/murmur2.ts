/** MurmurHash2 as in Kafka's org.apache.kafka.common.utils.Utils.murmur2, over data[start .. end). */
export function murmur2(data: Uint8Array, start: number, end: number): number {
  const multiplier = 0x5bd1e995;
  const length = end - start;
  let hash = 0x9747b28c ^ length;
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    let k =
      (data[at] as number) |
      ((data[at + 1] as number) << 8) |
      ((data[at + 2] as number) << 16) |
      ((data[at + 3] as number) << 24);
    k = Math.imul(k, multiplier);
    k ^= k >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(k, multiplier);
  }
  const tail = end - at;
  if (tail >= 3) hash ^= (data[at + 2] as number) << 16;
  if (tail >= 2) hash ^= (data[at + 1] as number) << 8;
  if (tail >= 1) hash = Math.imul(hash ^ (data[at] as number), multiplier);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return (hash ^ (hash >>> 15)) | 0;
}

/** The partition that Kafka's default partitioner gives a key. */
export function partitionOfKey(data: Uint8Array, start: number, end: number, partitionCount: number): number {
  return (murmur2(data, start, end) & 0x7fffffff) % partitionCount;
}
