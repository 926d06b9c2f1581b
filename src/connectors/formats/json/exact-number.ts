/** Numbers in text, without rounding. */

export interface NumberText {
  readonly isNegative: boolean;
  readonly whole: string;
  readonly fraction: string;
  readonly exponent: number;
}

/** More digits than any long or decimal holds; longer numbers are judged without arithmetic. */
const MAX_EXACT_DIGITS = 60;
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** The parts of a decimal number, or null where the text is none. */
export function matchNumber(text: string): NumberText | null {
  const match = NUMBER.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  return { isNegative: sign === '-', whole, fraction, exponent: Number(exponent) };
}

/** The exact value times 10^scale; null where that is no integer, or larger than any of our types. */
export function unscaledValue({ isNegative, whole, fraction, exponent }: NumberText, scale: number): bigint | null {
  const all = whole + fraction;
  const first = firstDigit(all);
  if (first === all.length) return 0n;
  const end = lastDigit(all) + 1;
  const zeros = exponent - fraction.length + (all.length - end) + scale;
  if (zeros < 0 || end - first + zeros > MAX_EXACT_DIGITS) return null;
  const unscaled = BigInt(all.slice(first, end)) * 10n ** BigInt(zeros);
  return isNegative ? -unscaled : unscaled;
}

const ZERO = 0x30;

/** The index of the first digit that is not zero, or the length. */
function firstDigit(digits: string): number {
  let i = 0;
  while (i < digits.length && digits.charCodeAt(i) === ZERO) i++;
  return i;
}

/**
 * The index of the last digit that is not zero. A loop: a pattern would try every run of zeros from each of its ends.
 */
function lastDigit(digits: string): number {
  let i = digits.length - 1;
  while (digits.charCodeAt(i) === ZERO) i--;
  return i;
}
