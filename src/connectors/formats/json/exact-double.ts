/**
 * The double nearest to a decimal number of 16 to 19 digits, as most doubles are written: three times as fast as making
 * a string for Number().
 *
 * The digits are an exact sum of two doubles. They are divided by the power of ten in double-double arithmetic (Dekker
 * 1971), whose relative error is far below 2^-90. Where rounding the quotient a little lower and a little higher gives
 * the same double, that is the nearest one; where it does not, the caller asks Number().
 */

/** 2^27 + 1: splits a double into two of 26 bits. */
const SPLITTER = 134_217_729;
/** More than the relative error of the second part of the quotient. */
const DOUBT = 2 ** -45;
const HIGH_DIGITS = 15;
const MAX_DIGITS = 19;
const MAX_FRACTION = 22;

/** Powers of ten that doubles hold exactly. */
export const POWERS_OF_TEN = Float64Array.from({ length: MAX_FRACTION + 1 }, (_, exponent) => Number(`1e${exponent}`));

const ZERO = 0x30;
const DOT = 0x2e;
const MINUS = 0x2d;

/** The number bytes[start .. end), a number of JSON; NaN where it has an exponent, too many digits, or is in doubt. */
export function nearestDouble(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === MINUS;
  let high = 0;
  let low = 0;
  let digits = 0;
  let point = end;
  for (let p = isNegative ? start + 1 : start; p < end; p++) {
    const c = bytes[p] as number;
    if (c === DOT) {
      point = p;
      continue;
    }
    const digit = c - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    // Leading zeros are none of the significant digits.
    if (digits > 0 || digit > 0) digits++;
    if (digits <= HIGH_DIGITS) high = high * 10 + digit;
    else low = low * 10 + digit;
  }
  const fraction = point === end ? 0 : end - point - 1;
  if (digits > MAX_DIGITS || fraction > MAX_FRACTION) return NaN;
  const scale = POWERS_OF_TEN[Math.max(0, digits - HIGH_DIGITS)] as number;
  const value = divide(high, scale, low, POWERS_OF_TEN[fraction] as number);
  return isNegative ? -value : value;
}

/** (high × scale + low) / divisor. */
function divide(high: number, scale: number, low: number, divisor: number): number {
  const product = high * scale;
  const productRest = productError(high, scale, product);
  const sum = product + low;
  const back = sum - product;
  const rest = product - (sum - back) + (low - back) + productRest;
  const quotient = sum / divisor;
  const multiple = quotient * divisor;
  const remainder = sum - multiple - productError(quotient, divisor, multiple) + rest;
  const correction = remainder / divisor;
  const value = quotient + correction;
  return quotient + correction * (1 - DOUBT) === value && quotient + correction * (1 + DOUBT) === value ? value : NaN;
}

/** a × b − product, exactly. */
function productError(a: number, b: number, product: number): number {
  const aScaled = a * SPLITTER;
  const aHigh = aScaled - (aScaled - a);
  const aLow = a - aHigh;
  const bScaled = b * SPLITTER;
  const bHigh = bScaled - (bScaled - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}
