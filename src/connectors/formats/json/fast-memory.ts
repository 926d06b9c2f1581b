/**
 * Where things lie in the memory of a FastDecoder:
 *
 *       0  16 bytes of the minute seen last, and its milliseconds as a double
 *      32  powers of ten as doubles, 10^0 to 10^15
 *     160  a word per target: whether a row of the chunk is NULL
 *     512  starts and ends of the chunk's records, int32 each; then the columns of each target; then the records' bytes
 */
import type { Field } from '../../../core/index.ts';
import { MemoryPlan, type ColumnPlace } from './memory-plan.ts';

/** Records per chunk: with their bytes they stay in a core's own cache. */
export const CHUNK_RECORDS = 256;
export const CHUNK_BYTES = 96 * 1024;
export const MAX_FAST_SLOTS = 64;
/** Zeros behind the records: they end every loop over bytes. */
export const PADDING_BYTES = 64;

export const Place = Object.freeze({ minute: 0, minuteMs: 16, powers: 32, anyNull: 160, starts: 512 });
export const POWER_COUNT = 16;

export interface TargetPlace extends ColumnPlace {
  readonly anyNull: number;
}

export interface FastMemory {
  readonly starts: number;
  readonly ends: number;
  readonly targets: readonly TargetPlace[];
  readonly data: number;
  readonly sizeBytes: number;
}

export function planMemory(targets: readonly Field[]): FastMemory {
  const plan = new MemoryPlan(Place.starts);
  const [starts, ends] = [plan.take(4 * CHUNK_RECORDS), plan.take(4 * CHUNK_RECORDS)];
  const places = targets.map(({ type }, index) => {
    return { ...plan.takeColumn(type, CHUNK_RECORDS), anyNull: Place.anyNull + 4 * index };
  });
  const data = plan.usedBytes;
  return { starts, ends, targets: places, data, sizeBytes: data + CHUNK_BYTES + PADDING_BYTES };
}
