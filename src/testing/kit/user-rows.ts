/** Rows as users write them, from and to values. */
import type { RowSchema, Value } from '../../core/index.ts';
import { fromUserValue, toUserValue } from '../../operators/index.ts';

/** `where` is for messages. Fields that a row leaves out are NULL. */
export function valuesOf(row: object, { fields }: RowSchema, where: string): readonly Value[] {
  const unknown = Object.keys(row).find((key) => !fields.some(({ name }) => name === key));
  if (unknown !== undefined) {
    throw new Error(`${where} has no field ${unknown}, only ${fields.map(({ name }) => name).join(', ')}`);
  }
  return fields.map(({ name, type }) => {
    try {
      return fromUserValue(Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : null, type);
    } catch (error) {
      throw new Error(`${where}, field ${name}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  });
}

export function userRow(
  values: readonly Value[],
  { fields }: RowSchema,
  longs: 'number' | 'bigint',
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    fields.map(({ name, type }, index) => [name, toUserValue(values[index] ?? null, type, longs)]),
  );
}
