/** Unscaled decimal values: rescaling, rounding half up (away from zero on ties), and the check of the precision. */
import { formatType } from '../../core/index.ts';
import { exprErrors } from '../errors.ts';
import type { DecimalType } from './decimal-types.ts';

const POWERS: bigint[] = Array.from({ length: 80 }, (_, exponent) => 10n ** BigInt(exponent));

export function powerOfTen(exponent: number): bigint {
  return POWERS[exponent] ?? 10n ** BigInt(exponent);
}

/** numerator / denominator, rounded half away from zero. */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const remainder = numerator % denominator;
  const twice = (remainder < 0n ? -remainder : remainder) * 2n;
  const size = denominator < 0n ? -denominator : denominator;
  if (twice < size) return quotient;
  return numerator < 0n === denominator < 0n ? quotient + 1n : quotient - 1n;
}

/** The value in another scale; digits that go away are rounded half up. */
export function rescale(unscaled: bigint, from: number, to: number): bigint {
  if (from === to) return unscaled;
  if (from < to) return unscaled * powerOfTen(to - from);
  return divideRounded(unscaled, powerOfTen(from - to));
}

export function fitsPrecision(unscaled: bigint, precision: number): boolean {
  const limit = powerOfTen(precision);
  return unscaled < limit && unscaled > -limit;
}

/** The value itself, or a record error where it has more digits than the type. */
export function checkPrecision(unscaled: bigint, type: DecimalType, operation: string): bigint {
  if (fitsPrecision(unscaled, type.precision)) return unscaled;
  throw exprErrors.create('MR-EXPR-OVERFLOW', { operation, type: formatType(type) });
}

/** -1, 0 or 1 for values of any two scales. */
export function compareDecimals(a: bigint, scaleA: number, b: bigint, scaleB: number): number {
  const left = scaleA < scaleB ? a * powerOfTen(scaleB - scaleA) : a;
  const right = scaleB < scaleA ? b * powerOfTen(scaleA - scaleB) : b;
  return left < right ? -1 : left > right ? 1 : 0;
}
