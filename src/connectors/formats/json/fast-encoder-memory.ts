/**
 * Where things lie in the memory of a FastEncoder:
 *
 *       0  20 bytes of the second written last, and at 32 when it begins, in milliseconds, as a double
 *      40  how many bytes the last run wrote
 *      64  a word per field: what the addresses of its text differ from its positions
 *     512  starts and ends of the records written, int32 each; then the chunk's columns; their text; the records
 */
import type { Field } from '../../../core/index.ts';
import { MemoryPlan, type ColumnPlace } from './memory-plan.ts';

/** Rows per chunk: with their text they stay in a core's own cache. */
export const CHUNK_ROWS = 256;
export const CHUNK_TEXT_BYTES = 96 * 1024;
export const MAX_FAST_FIELDS = 64;
const OUT_BYTES = 96 * 1024;
/** Loads and stores may run a little past the end. */
const PADDING_BYTES = 64;

export const EncoderPlace = Object.freeze({ second: 0, secondMs: 32, used: 40, deltas: 64, rest: 512 });

export interface FieldPlace extends ColumnPlace {
  readonly delta: number;
}

export interface EncoderMemory {
  readonly starts: number;
  readonly ends: number;
  readonly fields: readonly FieldPlace[];
  readonly text: number;
  readonly out: number;
  readonly outBytes: number;
  readonly sizeBytes: number;
}

export function planEncoderMemory(fields: readonly Field[]): EncoderMemory {
  const plan = new MemoryPlan(EncoderPlace.rest);
  const [starts, ends] = [plan.take(4 * CHUNK_ROWS), plan.take(4 * CHUNK_ROWS)];
  const places = fields.map(({ type }, index) => {
    return { ...plan.takeColumn(type, CHUNK_ROWS), delta: EncoderPlace.deltas + 4 * index };
  });
  const text = plan.take(CHUNK_TEXT_BYTES + PADDING_BYTES);
  const out = plan.take(OUT_BYTES + PADDING_BYTES);
  return { starts, ends, fields: places, text, out, outBytes: OUT_BYTES, sizeBytes: plan.usedBytes };
}
