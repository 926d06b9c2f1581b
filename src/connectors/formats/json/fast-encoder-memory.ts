/**
 * Where things lie in the memory of a FastEncoder:
 *
 *       0  20 bytes of the second written last, and at 32 when it begins, in milliseconds, as a double
 *      40  how many bytes the last run wrote
 *      64  a word per field: what the addresses of its text differ from its positions
 *     512  starts and ends of the records written, int32 each; then the chunk's columns; their text; the records
 */
import { columnKind } from '../../../core/index.ts';
import type { Field } from '../../../core/index.ts';

/** Rows per chunk: with their text they stay in a core's own cache. */
export const CHUNK_ROWS = 256;
export const CHUNK_TEXT_BYTES = 96 * 1024;
export const MAX_FAST_FIELDS = 64;
const OUT_BYTES = 96 * 1024;
/** Loads and stores may run a little past the end. */
const PADDING_BYTES = 64;

export const EncoderPlace = Object.freeze({ second: 0, secondMs: 32, used: 40, deltas: 64, rest: 512 });

export interface FieldPlace {
  /** Values, or starts of text. */
  readonly values: number;
  /** Ends of text. */
  readonly ends: number;
  readonly nulls: number;
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
  let used: number = EncoderPlace.rest;
  const take = (sizeBytes: number): number => {
    const at = used;
    used += Math.ceil(sizeBytes / 16) * 16;
    return at;
  };
  const [starts, ends] = [take(4 * CHUNK_ROWS), take(4 * CHUNK_ROWS)];
  const places = fields.map(({ type }, index) => {
    const isText = columnKind(type) === 'bytes';
    const values = take((isText ? 4 : 8) * CHUNK_ROWS);
    const behind = isText ? take(4 * CHUNK_ROWS) : values;
    return { values, ends: behind, nulls: take(CHUNK_ROWS), delta: EncoderPlace.deltas + 4 * index };
  });
  const text = take(CHUNK_TEXT_BYTES + PADDING_BYTES);
  const out = take(OUT_BYTES + PADDING_BYTES);
  return { starts, ends, fields: places, text, out, outBytes: OUT_BYTES, sizeBytes: used };
}
