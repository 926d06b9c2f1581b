/**
 * Implicit conversions: only those that cannot fail and keep the value (integers into wider numbers, decimals into
 * doubles, dates into timestamps). Everything else needs a CAST.
 */
import { sameType } from '../../core/index.ts';
import { integerDecimal, unionType } from './decimal-types.ts';
import type { DataType, TypeKind } from '../../core/index.ts';

/**
 * How far a type is from another that it converts to by itself, 0 for the same; null where it does not. The order makes
 * float with an integer a float and float with a decimal a double, as in Flink.
 */
export function implicitCost(from: DataType, to: DataType): number | null {
  if (sameType(from, to)) return 0;
  if (from.kind === 'array' && to.kind === 'array') return implicitCost(from.element, to.element);
  if (from.kind === 'map' && to.kind === 'map') {
    return sameType(from.key, to.key) ? implicitCost(from.value, to.value) : null;
  }
  if (from.kind === 'decimal' && to.kind === 'decimal') {
    return from.scale <= to.scale && from.precision - from.scale <= to.precision - to.scale ? 0 : null;
  }
  return COSTS[from.kind]?.[to.kind] ?? null;
}

const COSTS: Readonly<Partial<Record<TypeKind, Readonly<Partial<Record<TypeKind, number>>>>>> = {
  int: { long: 1, decimal: 2, float: 3, double: 4 },
  long: { decimal: 1, float: 4, double: 3 },
  decimal: { double: 2, float: 5 },
  float: { double: 1 },
  date: { timestamp: 1 },
};

export function isNumeric(type: DataType): boolean {
  return ['int', 'long', 'float', 'double', 'decimal'].includes(type.kind);
}

/** The type that values of both convert to, or null where there is none. */
export function commonType(a: DataType, b: DataType): DataType | null {
  if (sameType(a, b)) return a;
  if (isNumeric(a) && isNumeric(b)) return commonNumber(a, b);
  if (a.kind === 'array' && b.kind === 'array') {
    const element = commonType(a.element, b.element);
    return element === null ? null : { kind: 'array', element };
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const value = sameType(a.key, b.key) ? commonType(a.value, b.value) : null;
    return value === null ? null : { kind: 'map', key: a.key, value };
  }
  if (a.kind === 'date' && b.kind === 'timestamp') return b;
  if (a.kind === 'timestamp' && b.kind === 'date') return a;
  return null;
}

function commonNumber(a: DataType, b: DataType): DataType {
  const kinds = [a.kind, b.kind];
  if (kinds.includes('double')) return { kind: 'double' };
  if (kinds.includes('float')) return { kind: kinds.includes('decimal') ? 'double' : 'float' };
  if (kinds.includes('decimal')) return unionType(decimalOf(a), decimalOf(b));
  return { kind: 'long' };
}

/** The decimal that holds every value of a decimal, int or long. */
export function decimalOf(type: DataType): ReturnType<typeof integerDecimal> {
  if (type.kind === 'decimal') return type;
  return integerDecimal(type.kind === 'int' ? 'int' : 'long');
}
