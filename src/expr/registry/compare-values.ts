/**
 * The order of values of one type, as SQL compares them: strings by code point (which is the byte order of their
 * UTF-8), bytes by unsigned byte, FALSE before TRUE. Doubles: IEEE 754 comparison, so NaN is unequal to all; sorting
 * and MIN/MAX take NaN as the greatest.
 */
import { asDecimal } from '../types/decimal-types.ts';
import { compareDecimals } from '../types/decimal-value.ts';
import type { DataType, Value } from '../../core/index.ts';

/** -1, 0, 1, or NaN where one is a NaN (all comparisons but <> are then false). */
export type Comparator = (a: Value, b: Value) => number;

function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : NaN;
}

/** By code point. UTF-16 order differs where a surrogate meets a character from U+E000 on. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return fixup(x) < fixup(y) ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

/** Puts surrogates behind the rest of the basic plane, where their code points are. */
function fixup(unit: number): number {
  return unit < 0xd800 ? unit : unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}

function compareBigints(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether < and > are defined; arrays, maps, rows only have equality, JSON has none. */
export function isOrdered(type: DataType): boolean {
  return type.kind !== 'array' && type.kind !== 'map' && type.kind !== 'row' && type.kind !== 'json';
}

export function comparator(a: DataType, b: DataType): Comparator {
  switch (a.kind) {
    case 'decimal': {
      const scaleA = a.scale;
      const scaleB = asDecimal(b).scale;
      return ((x: bigint, y: bigint) => compareDecimals(x, scaleA, y, scaleB)) as Comparator;
    }
    case 'long':
      return compareBigints as Comparator;
    case 'string':
    case 'json':
      return compareStrings as Comparator;
    case 'bytes':
      return compareBytes as Comparator;
    case 'boolean':
      return (x, y) => Number(x) - Number(y);
    case 'array':
    case 'map':
    case 'row':
      return (x, y) => (sameValue(x, y, a) ? 0 : 1);
    default:
      return compareNumbers as Comparator;
  }
}

/**
 * Equality as IS NOT DISTINCT FROM and collections need it: NULL is the same as NULL. NaN is not equal to NaN, as
 * with `=`.
 */
export function sameValue(a: Value, b: Value, type: DataType): boolean {
  if (a === null || b === null) return a === b;
  switch (type.kind) {
    case 'array':
      return sameList(a as readonly Value[], b as readonly Value[], () => type.element);
    case 'row':
      return sameList(a as readonly Value[], b as readonly Value[], (i) => type.fields[i]?.type ?? type);
    case 'map':
      return sameMap(a as ReadonlyMap<Value, Value>, b as ReadonlyMap<Value, Value>, type);
    default:
      return comparator(type, type)(a, b) === 0;
  }
}

function sameList(a: readonly Value[], b: readonly Value[], typeAt: (index: number) => DataType): boolean {
  return a.length === b.length && a.every((value, index) => sameValue(value, b[index] ?? null, typeAt(index)));
}

function sameMap(
  a: ReadonlyMap<Value, Value>,
  b: ReadonlyMap<Value, Value>,
  type: Extract<DataType, { kind: 'map' }>,
): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    if (!b.has(key) || !sameValue(value, b.get(key) ?? null, type.value)) return false;
  }
  return true;
}
