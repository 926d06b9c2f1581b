/**
 * Hashes of keys, and what follows from them. The same key has the same hash in every representation (narrow or wide
 * columns), on every machine, for ever: savepoints and exchanges depend on it. Mixing is MurmurHash3's (Appleby).
 *
 * Maximal parallelism is the number of key groups; the group of a key and the subtask of a group are Flink's formulas.
 */
import type { Column } from './column.ts';

export const DEFAULT_KEY_GROUP_COUNT = 128;

/** Hashes rows [0, rowCount) over the given columns into `out`. NULL hashes as a value of its own. */
export function hashRows(columns: readonly Column[], rowCount: number, out: Int32Array): void {
  out.fill(0, 0, rowCount);
  for (const column of columns) hashColumn(column, rowCount, out);
  for (let row = 0; row < rowCount; row++) out[row] = finish(out[row] as number);
}

export function keyGroupOf(hash: number, keyGroupCount: number): number {
  return (hash >>> 0) % keyGroupCount;
}

/** Flink's KeyGroupRangeAssignment.computeOperatorIndexForKeyGroup. */
export function subtaskOfKeyGroup(keyGroup: number, keyGroupCount: number, parallelism: number): number {
  return Math.floor((keyGroup * parallelism) / keyGroupCount);
}

/** The key groups of a subtask, in order. */
export function keyGroupsOf(subtaskIndex: number, keyGroupCount: number, parallelism: number): readonly number[] {
  const all = Array.from({ length: keyGroupCount }, (_, group) => group);
  return all.filter((group) => subtaskOfKeyGroup(group, keyGroupCount, parallelism) === subtaskIndex);
}

const NULL_WORD = 0x5bd1e995;
const words = new DataView(new ArrayBuffer(16));

function hashColumn(column: Column, rowCount: number, out: Int32Array): void {
  const { nulls, hasNulls } = column;
  // The commonest kinds of keys have loops of their own: without a choice per row they take a third of the time.
  if (!hasNulls && column.kind === 'long' && column.wide === null) {
    const { values } = column;
    for (let row = 0; row < rowCount; row++) out[row] = mixInteger(out[row] as number, values[row] as number);
    return;
  }
  if (!hasNulls && column.kind === 'int') {
    const { values } = column;
    for (let row = 0; row < rowCount; row++) out[row] = mix(out[row] as number, values[row] as number);
    return;
  }
  if (!hasNulls && column.kind === 'bytes') {
    const { data, starts, ends } = column;
    for (let row = 0; row < rowCount; row++) {
      out[row] = mixBytes(out[row] as number, data, starts[row] as number, ends[row] as number);
    }
    return;
  }
  for (let row = 0; row < rowCount; row++) {
    const hash = out[row] as number;
    out[row] = hasNulls && nulls[row] === 1 ? mix(hash, NULL_WORD) : hashValue(column, row, hash);
  }
}

function hashValue(column: Column, row: number, hash: number): number {
  switch (column.kind) {
    case 'boolean':
    case 'int':
      return mix(hash, column.values[row] as number);
    case 'double': {
      // Adding zero turns -0 into 0; all NaNs are one key.
      const value = (column.values[row] as number) + 0;
      words.setFloat64(0, value === value ? value : NaN);
      return mix(mix(hash, words.getInt32(4)), words.getInt32(0));
    }
    case 'long':
      if (column.wide === null) return mixInteger(hash, column.values[row] as number);
      words.setBigInt64(0, column.wide[row] as bigint);
      return mix(mix(hash, words.getInt32(4)), words.getInt32(0));
    case 'decimal':
      if (column.wide === null) {
        const value = column.values[row] as number;
        return mixSign(mixInteger(hash, value), value);
      }
      words.setBigInt64(8, column.wide[row * 2] as bigint);
      words.setBigInt64(0, column.wide[row * 2 + 1] as bigint);
      return mix(mix(mix(mix(hash, words.getInt32(12)), words.getInt32(8)), words.getInt32(4)), words.getInt32(0));
    case 'bytes':
      return mixBytes(hash, column.data, column.starts[row] as number, column.ends[row] as number);
    case 'object':
      throw new TypeError('arrays, maps and rows cannot be keys');
  }
}

/** A safe integer as the two words of its 64-bit two's complement, low word first. */
function mixInteger(hash: number, value: number): number {
  return mix(mix(hash, value | 0), Math.floor(value / 4294967296) | 0);
}

/** The upper 64 bits of a narrow decimal's 128-bit two's complement. */
function mixSign(hash: number, value: number): number {
  const sign = value < 0 ? -1 : 0;
  return mix(mix(hash, sign), sign);
}

function mixBytes(hash: number, data: Uint8Array, start: number, end: number): number {
  let h = hash;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    h = mix(
      h,
      (data[i] as number) |
        ((data[i + 1] as number) << 8) |
        ((data[i + 2] as number) << 16) |
        ((data[i + 3] as number) << 24),
    );
  }
  let tail = 0;
  for (let shift = 0; i < end; i++, shift += 8) tail |= (data[i] as number) << shift;
  return mix(mix(h, tail), end - start);
}

function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
