/** Writing single values into the columns of an output whose rows are written in order. */
import { setNull, storeWideDecimal, widenDecimal, widenLong } from '../../core/index.ts';
import type { Column, DecimalColumn, LongColumn } from '../../core/index.ts';

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

export function isSafe(value: bigint): boolean {
  return value <= MAX_SAFE && value >= -MAX_SAFE;
}

/** Writes an exact integer (unscaled for decimals) given as a number, or as a bigint where it is not safe. */
export function writeInteger(
  column: LongColumn | DecimalColumn,
  row: number,
  narrow: number,
  wide: bigint | null,
): void {
  if (column.wide === null && wide === null) {
    column.values[row] = narrow;
    return;
  }
  const value = wide ?? BigInt(narrow);
  if (column.kind === 'long') widenLong(column, row)[row] = value;
  else storeWideDecimal(widenDecimal(column, row), row, value);
}

/** Writes the NULL flag of a row. */
export function writeNull(column: Column, row: number, isNull: boolean): void {
  if (isNull) setNull(column, row);
  else if (column.hasNulls) column.nulls[row] = 0;
}
