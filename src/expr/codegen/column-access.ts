/**
 * How generated expressions reach the fields of the current row. Whoever generates the surrounding loop supplies one
 * ColumnAccess per field: locals of a decoder, or elements of a column's arrays (arrayAccess).
 *
 * Two versions of all code exist. In `narrow` code, longs and decimals (unscaled) are numbers that are safe integers,
 * never -0. In `wide` code they are bigints. Everything else is the same in both.
 */
import { code, columnKind } from '../../core/index.ts';
import type { Code, DataType } from '../../core/index.ts';

export type Mode = 'narrow' | 'wide';

/**
 * One field of the current row. Every part is an expression without side effects, cheap, and evaluated at most a few
 * times per row, only where `isNull` is false.
 *
 * | type | `value` |
 * |---|---|
 * | boolean | 0 or 1, or a JavaScript boolean |
 * | int, date, time, float, double, timestamp | number |
 * | long, decimal | narrow: number, wide: bigint |
 * | array, map, row | as in core/value.ts |
 * | string, json, bytes | none; `slice` instead |
 */
export interface ColumnAccess {
  /** True (or 1) where the field is NULL; null promises that it never is, and then no check is generated. */
  readonly isNull: Code | null;
  readonly value?: Code;
  /** UTF-8 (or raw) bytes `data[start .. end)`; `data` is a Uint8Array. */
  readonly slice?: { readonly data: Code; readonly start: Code; readonly end: Code };
}

/** The names of a column's arrays in generated code; only those that its kind has. */
export interface ColumnArrays {
  readonly values?: Code;
  /** Needed in wide mode for long and decimal: the column's `wide`, null while it is narrow. */
  readonly wide?: Code;
  /** Null where the column has no NULL in this batch (`hasNulls` false). */
  readonly nulls: Code | null;
  readonly data?: Code;
  readonly starts?: Code;
  readonly ends?: Code;
  /** Only for wide decimals: a name bound to core's loadWideDecimal. */
  readonly loadWideDecimal?: Code;
}

/** Access to row `row` of a column of the given type. */
export function arrayAccess(type: DataType, arrays: ColumnArrays, row: Code, mode: Mode): ColumnAccess {
  const isNull = arrays.nulls === null ? null : code`${arrays.nulls}[${row}] !== 0`;
  const kind = columnKind(type);
  if (kind === 'bytes') {
    const { data, starts, ends } = arrays;
    if (data === undefined || starts === undefined || ends === undefined) throw missing('data, starts and ends');
    return { isNull, slice: { data, start: code`${starts}[${row}]`, end: code`${ends}[${row}]` } };
  }
  const { values, wide } = arrays;
  if (values === undefined) throw missing('values');
  const narrow = code`${values}[${row}]`;
  if (mode === 'narrow' || (kind !== 'long' && kind !== 'decimal')) return { isNull, value: narrow };
  if (wide === undefined) throw missing('wide');
  if (kind === 'long') {
    return { isNull, value: code`(${wide} === null ? BigInt(${narrow}) : ${wide}[${row}])` };
  }
  const load = arrays.loadWideDecimal;
  if (load === undefined) throw missing('loadWideDecimal');
  return { isNull, value: code`(${wide} === null ? BigInt(${narrow}) : ${load}(${wide}, ${row}))` };
}

function missing(what: string): TypeError {
  return new TypeError(`access to this column needs ${what}`);
}
