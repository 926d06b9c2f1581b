/**
 * Text of numbers. Parsers return null for what is not a number of the kind; blanks around it are ignored. Shared by
 * CAST, literals and the formats.
 */
import { MAX_INT, MAX_LONG, MIN_INT, MIN_LONG } from '../../core/index.ts';
import { divideRounded, fitsPrecision, powerOfTen } from '../types/decimal-value.ts';
import type { DecimalType } from '../types/decimal-types.ts';

/** Whole digits, and a fraction that is cut off, as Flink reads integers. */
const INTEGER = /^([+-]?)(\d+)(?:\.\d*)?$/;
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/;
const DOUBLE = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const SPECIAL = /^([+-]?)(?:(nan)|(inf(?:inity)?))$/i;

function parseInteger(text: string): bigint | null {
  const match = INTEGER.exec(text.trim());
  if (match === null) return null;
  const digits = BigInt(match[2] ?? '0');
  return match[1] === '-' ? -digits : digits;
}

export function parseInt32(text: string): number | null {
  const value = parseInteger(text);
  return value === null || value < BigInt(MIN_INT) || value > BigInt(MAX_INT) ? null : Number(value);
}

export function parseLong(text: string): bigint | null {
  const value = parseInteger(text);
  return value === null || value < MIN_LONG || value > MAX_LONG ? null : value;
}

/** Any finite decimal or exponent spelling, NaN, Infinity (also inf), with a sign. */
export function parseDouble(text: string): number | null {
  const trimmed = text.trim();
  if (DOUBLE.test(trimmed)) return Number(trimmed);
  const special = SPECIAL.exec(trimmed);
  if (special === null) return null;
  return special[2] !== undefined ? NaN : special[1] === '-' ? -Infinity : Infinity;
}

/** The unscaled value in `scale` digits, rounded half up; null if the text is no number or has an absurd exponent. */
function parseUnscaled(text: string, scale: number): bigint | null {
  const match = DECIMAL.exec(text.trim());
  if (match === null) return null;
  const whole = match[2] ?? '';
  const fraction = match[3] ?? '';
  if (whole === '' && fraction === '') return null;
  const exponent = Number(match[4] ?? '0') - fraction.length + scale;
  const digits = BigInt(whole + fraction);
  // Beyond this, the value is zero or does not fit into any decimal; computing the power would only take time.
  if (digits !== 0n && exponent > 100) return null;
  const size = exponent >= 0 ? digits * powerOfTen(Math.min(exponent, 100)) : shiftDown(digits, -exponent);
  return match[1] === '-' ? -size : size;
}

function shiftDown(digits: bigint, count: number): bigint {
  return count > digits.toString().length + 1 ? 0n : divideRounded(digits, powerOfTen(count));
}

/** The unscaled value, or null where the text is no number or does not fit. */
export function parseDecimal(text: string, type: DecimalType): bigint | null {
  const unscaled = parseUnscaled(text, type.scale);
  return unscaled === null || !fitsPrecision(unscaled, type.precision) ? null : unscaled;
}

/** The shortest digits that read back as the same double, as ECMAScript spells them. */
export function formatDouble(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The shortest digits that read back as the same 32-bit float. */
export function formatFloat(value: number): string {
  if (!Number.isFinite(value) || value === 0) return formatDouble(value);
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return String(rounded);
  }
  return String(Number(value.toPrecision(9)));
}
