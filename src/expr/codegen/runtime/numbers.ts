/**
 * Arithmetic of safe integers in doubles. Quotients of safe integers are exact after truncation: a true quotient that
 * is no integer is at least 1/b away from one, and rounding moves it by less than that.
 */

/** a / b truncated towards zero; b is not 0. Never -0. */
export function divideSafe(a: number, b: number): number {
  return Math.trunc(a / b) + 0;
}

/** The remainder of a / b, with the sign of a; b is not 0. Never -0. */
export function moduloSafe(a: number, b: number): number {
  // Most keys and ids are 32-bit: an integer division takes a fraction of a floating-point one.
  const i = a | 0;
  const j = b | 0;
  if (i === a && j === b && i >= 0 && j > 0) return i % j;
  return a - Math.trunc(a / b) * b;
}

/** a / b rounded half away from zero; b is not 0. Never -0. */
export function divideRoundedSafe(a: number, b: number): number {
  const quotient = Math.trunc(a / b);
  const twice = Math.abs(a - quotient * b) * 2;
  if (twice < Math.abs(b)) return quotient + 0;
  return a < 0 === b < 0 ? quotient + 1 : quotient - 1;
}

const CHUNK_DIGITS = 5;
const CHUNK = 1e5;

/**
 * a × 10^shift / b rounded half away from zero, digits by long division where the numerator would not be safe; NaN
 * where it cannot be done in safe integers. b is not 0.
 */
export function divideShifted(a: number, shift: number, b: number): number {
  const negative = a < 0 !== b < 0;
  const divisor = Math.abs(b);
  let quotient = Math.trunc(Math.abs(a) / divisor);
  let remainder = Math.abs(a) - quotient * divisor;
  for (let left = shift; left > 0; left -= CHUNK_DIGITS) {
    const unit = left >= CHUNK_DIGITS ? CHUNK : 10 ** left;
    const numerator = remainder * unit;
    if (numerator > Number.MAX_SAFE_INTEGER) return NaN;
    const digits = Math.trunc(numerator / divisor);
    remainder = numerator - digits * divisor;
    quotient = quotient * unit + digits;
    if (quotient > Number.MAX_SAFE_INTEGER) return NaN;
  }
  if (remainder * 2 >= divisor) quotient++;
  return negative ? 0 - quotient : quotient;
}
