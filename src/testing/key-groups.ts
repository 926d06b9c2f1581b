import { batchOf, DEFAULT_KEY_GROUP_COUNT, hashRows, keyGroupOf, subtaskOfKeyGroup } from '../core/index.ts';
import type { RowSchema, Value } from '../core/index.ts';

/** The key group of a row by these key columns. */
export function keyGroupOfRow(
  schema: RowSchema,
  keys: readonly number[],
  values: readonly Value[],
  maxParallelism = DEFAULT_KEY_GROUP_COUNT,
): number {
  const { columns } = batchOf(schema, [values]);
  const hash = new Int32Array(1);
  hashRows(
    keys.flatMap((key) => columns[key] ?? []),
    1,
    hash,
  );
  return keyGroupOf(hash[0] as number, maxParallelism);
}

/** The subtask that a hash exchange on these key columns sends a row to. */
export function subtaskOfRow(
  schema: RowSchema,
  keys: readonly number[],
  values: readonly Value[],
  parallelism: number,
  maxParallelism = DEFAULT_KEY_GROUP_COUNT,
): number {
  return subtaskOfKeyGroup(keyGroupOfRow(schema, keys, values, maxParallelism), maxParallelism, parallelism);
}
