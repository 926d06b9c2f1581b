/**
 * Precision and scale of decimal results: the rules of SQL Server that Apache Flink and Hive follow (Flink's
 * LogicalTypeMerging). Where the exact result needs more than 38 digits, fractional digits are given up first, down to
 * six; the value is then rounded half up, and a value that still does not fit is a record error.
 */
import { MAX_DECIMAL_PRECISION } from '../../core/index.ts';
import type { DataType } from '../../core/index.ts';

export type DecimalType = Extract<DataType, { kind: 'decimal' }>;

const MINIMUM_ADJUSTED_SCALE = 6;

export function decimalType(precision: number, scale: number): DecimalType {
  return { kind: 'decimal', precision, scale };
}

export function adjustedDecimal(precision: number, scale: number): DecimalType {
  if (precision <= MAX_DECIMAL_PRECISION) return decimalType(precision, scale);
  const integerDigits = precision - scale;
  const kept = Math.max(MAX_DECIMAL_PRECISION - integerDigits, Math.min(scale, MINIMUM_ADJUSTED_SCALE));
  return decimalType(MAX_DECIMAL_PRECISION, kept);
}

export function additionType(a: DecimalType, b: DecimalType): DecimalType {
  const scale = Math.max(a.scale, b.scale);
  return adjustedDecimal(Math.max(a.precision - a.scale, b.precision - b.scale) + scale + 1, scale);
}

export function multiplicationType(a: DecimalType, b: DecimalType): DecimalType {
  return adjustedDecimal(a.precision + b.precision + 1, a.scale + b.scale);
}

export function divisionType(a: DecimalType, b: DecimalType): DecimalType {
  const scale = Math.max(MINIMUM_ADJUSTED_SCALE, a.scale + b.precision + 1);
  return adjustedDecimal(a.precision - a.scale + b.scale + scale, scale);
}

export function moduloType(a: DecimalType, b: DecimalType): DecimalType {
  const scale = Math.max(a.scale, b.scale);
  return adjustedDecimal(Math.min(a.precision - a.scale, b.precision - b.scale) + scale, scale);
}

/** The type that holds every value of both, as far as 38 digits go. */
export function unionType(a: DecimalType, b: DecimalType): DecimalType {
  const scale = Math.max(a.scale, b.scale);
  return adjustedDecimal(Math.max(a.precision - a.scale, b.precision - b.scale) + scale, scale);
}

/** The decimal that holds every value of an integer type, as in Flink. */
export function integerDecimal(kind: 'int' | 'long'): DecimalType {
  return decimalType(kind === 'int' ? 10 : 19, 0);
}

/** Argument types of a decimal overload; the checker guarantees them. */
export function asDecimal(type: DataType | undefined): DecimalType {
  if (type === undefined || type.kind !== 'decimal') throw new TypeError('a decimal type was expected');
  return type;
}
