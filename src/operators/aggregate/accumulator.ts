/**
 * The state of one aggregate call over all groups, in typed arrays. A row is taken in two steps, so that a row that
 * fails in one call leaves no trace in the others: stage() in all calls that can fail, then commit() in all.
 */
import type { Column, IntColumn } from '../../core/index.ts';

export interface BatchRows {
  readonly rowCount: number;
  /** The group of each row. */
  readonly groups: IntColumn;
}

export interface Accumulator {
  /**
   * Called before the rows of a batch: the column of the argument's values (null where the call has none), the output's
   * column, and how many groups there are.
   */
  bind(argument: Column | null, output: Column, groupCount: number, rows: BatchRows): void;
  /**
   * Where the call can fail: works out the new value, without keeping it. Throws a record-scope error where it does not
   * fit.
   */
  stage?(group: number, row: number): void;
  /** Takes the row (the one staged last, where there is stage()), and writes the group's value to the output. */
  commit(group: number, row: number, outRow: number): void;
  /** As commit, for a row that does not count (a repeated value of DISTINCT): only writes. */
  repeat(group: number, outRow: number): void;
}

const FIRST_CAPACITY = 256;

/** At least `size` long, keeping what is in it. */
export function grown<T extends Float64Array | Uint8Array | Int32Array>(array: T, size: number): T {
  if (array.length >= size) return array;
  const larger = new (array.constructor as new (length: number) => T)(Math.max(size, array.length * 2, FIRST_CAPACITY));
  larger.set(array);
  return larger;
}
