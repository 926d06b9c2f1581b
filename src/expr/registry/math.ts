/** Numbers. Functions of doubles follow IEEE 754: SQRT(-1) is NaN, LN(0) is -Infinity. */
import { exprErrors } from '../errors.ts';
import { asDecimal, decimalType } from '../types/decimal-types.ts';
import { checkPrecision, powerOfTen, rescale } from '../types/decimal-value.ts';
import { checkInt, checkLong } from '../types/integer-value.ts';
import { ROUNDING_UNITS, roundedTimes } from './time-rounding.ts';
import { boundOverload, functionRow, overload } from './overload.ts';
import type { DataType } from '../../core/index.ts';
import type { DecimalType } from '../types/decimal-types.ts';
import type { CallTypes, Constants, FunctionRow, Overload } from './overload.ts';

const DOUBLE = { returns: 'double' } as const;

function doubleRow(
  name: string,
  doc: string,
  example: [string, string],
  compute: (x: number) => number,
  aliases: readonly string[] = [],
): FunctionRow {
  return functionRow(name, { category: 'math', doc, examples: { [example[0]]: example[1] }, aliases }, [
    overload(name, 'double', DOUBLE, compute),
  ]);
}

function constant(name: string, value: number, doc: string): FunctionRow {
  return functionRow(name, { category: 'math', doc, examples: { [`${name}()`]: String(value) } }, [
    overload(name, '', DOUBLE, () => value),
  ]);
}

/** Overloads for all numbers whose result has the type of the argument. */
function sameTypeRow(
  name: string,
  doc: string,
  examples: Record<string, string>,
  int: (x: number) => number,
  long: (x: bigint) => bigint,
  double: (x: number) => number,
  canFail: boolean,
  decimal: (args: readonly DataType[]) => DecimalType,
): FunctionRow {
  return functionRow(name, { category: 'math', doc, examples }, [
    overload(name, 'int', { returns: 'int', canFail }, (x: number) => checkInt(int(x), name)),
    overload(name, 'long', { returns: 'long', canFail }, (x: bigint) => checkLong(long(x), name)),
    overload(name, 'decimal', { returns: decimal }, long),
    overload(name, 'float', { returns: 'float' }, double),
    overload(name, 'double', DOUBLE, double),
  ]);
}

/** CEIL and FLOOR: of a decimal(p,s) a decimal(p-s+1,0), because 9.5 becomes 10. */
function roundingOverloads(name: string, double: (x: number) => number, direction: 1n | -1n): Overload[] {
  return [
    overload(name, 'int', { returns: 'int' }, (x: number) => x),
    overload(name, 'long', { returns: 'long' }, (x: bigint) => x),
    boundOverload(name, 'decimal', { returns: (args) => wholeType(asDecimal(args[0])) }, (call) => {
      const unit = powerOfTen(asDecimal(call.args[0]).scale);
      return (x: bigint) => {
        const whole = x / unit;
        const isPast = direction === 1n ? x > whole * unit : x < whole * unit;
        return isPast ? whole + direction : whole;
      };
    }),
    overload(name, 'float', { returns: 'float' }, double),
    overload(name, 'double', DOUBLE, double),
    ...roundedTimes(name, direction === 1n),
  ];
}

function wholeType(type: DecimalType): DecimalType {
  return decimalType(Math.min(38, type.precision - type.scale + 1), 0);
}

/** Half away from zero, on the shortest decimal digits of the number: ROUND(2.675, 2) is 2.68, as in Flink. */
function roundDouble(x: number, digits: number): number {
  if (!Number.isFinite(x) || digits > 400) return x;
  const [mantissa = '0', exponent = '0'] = String(Math.abs(x)).split('e');
  const shifted = Math.round(Number(`${mantissa}e${Number(exponent) + digits}`));
  if (!Number.isFinite(shifted)) return x;
  const [m = '0', e = '0'] = String(shifted).split('e');
  return Math.sign(x) * Number(`${m}e${Number(e) - digits}`);
}

function truncateDouble(x: number, digits: number): number {
  if (!Number.isFinite(x) || digits > 400) return x;
  const [mantissa = '0', exponent = '0'] = String(Math.abs(x)).split('e');
  const shifted = Math.floor(Number(`${mantissa}e${Number(exponent) + digits}`));
  if (!Number.isFinite(shifted)) return x;
  const [m = '0', e = '0'] = String(shifted).split('e');
  return Math.sign(x) * Number(`${m}e${Number(e) - digits}`);
}

/** Flink's findRoundDecimalType; where the number of digits is not a literal, the scale stays. */
function roundedType(args: readonly DataType[], constants: Constants): DecimalType {
  const type = asDecimal(args[0]);
  const digits = constants[1];
  const whole = type.precision - type.scale;
  if (typeof digits !== 'number') return decimalType(Math.min(38, type.precision + 1), type.scale);
  if (digits >= type.scale) return type;
  return digits < 0 ? wholeType(type) : decimalType(Math.min(38, whole + digits + 1), digits);
}

function digitsOverloads(name: string, isRound: boolean): Overload[] {
  const double = isRound ? roundDouble : truncateDouble;
  const integer = (x: bigint, digits: number): bigint => {
    if (digits >= 0) return x;
    if (digits < -40) return 0n;
    const unit = powerOfTen(-digits);
    return (isRound ? rescale(x, -digits, 0) : x / unit) * unit;
  };
  const decimal = (call: CallTypes) => {
    const type = asDecimal(call.args[0]);
    const result = asDecimal(call.result);
    return (x: bigint, digits: number) => {
      const value = digits >= type.scale ? x : integer(x, digits - type.scale);
      return checkPrecision(rescale(value, type.scale, result.scale), result, name);
    };
  };
  const intOf = (x: number, digits: number) => checkInt(Number(integer(BigInt(x), digits)), name);
  const longOf = (x: bigint, digits: number) => checkLong(integer(x, digits), name);
  const float = (x: number, digits: number) => Math.fround(double(x, digits));
  return [
    overload(name, 'int', { returns: 'int' }, (x: number) => x),
    overload(name, 'long', { returns: 'long' }, (x: bigint) => x),
    boundOverload(name, 'decimal', { returns: (args) => wholeType(asDecimal(args[0])) }, (call) => {
      const compute = decimal(call);
      return (x: bigint) => compute(x, 0);
    }),
    overload(name, 'float', { returns: 'float' }, (x: number) => float(x, 0)),
    overload(name, 'double', DOUBLE, (x: number) => double(x, 0)),
    overload(name, 'int, int', { returns: 'int', canFail: true }, intOf),
    overload(name, 'long, int', { returns: 'long', canFail: true }, longOf),
    boundOverload(name, 'decimal, int', { returns: roundedType, canFail: true }, decimal),
    overload(name, 'float, int', { returns: 'float' }, float),
    overload(name, 'double, int', DOUBLE, double),
  ];
}

function bucketError(problem: string): Error {
  return exprErrors.create('MR-EXPR-ARGUMENT', { function: 'WIDTH_BUCKET', problem });
}

/** Which of n equal parts of [low, high) a value lies in, from 1; 0 below, n + 1 above (SQL:2003). */
function widthBucket(x: number, low: number, high: number, count: number): number {
  if (count <= 0) throw bucketError(`the number of parts must be positive, not ${count}`);
  if (low === high || !Number.isFinite(high - low) || Number.isNaN(x)) {
    throw bucketError('the limits must be different, finite numbers');
  }
  const share = (x - low) / (high - low);
  return share < 0 ? 0 : checkInt(share >= 1 ? count + 1 : Math.floor(share * count) + 1, 'WIDTH_BUCKET');
}

const rounding: readonly FunctionRow[] = [
  functionRow(
    'CEIL',
    {
      category: 'math',
      doc: 'The least whole number that is not less. Of a date or timestamp, see CEIL(time TO unit).',
      examples: { 'CEIL(1.2)': '2', 'CEIL(-1.2e0)': '-1' },
      aliases: ['CEILING'],
      syntax: 'CEIL(number), CEIL(time TO unit)',
      unitArgument: { index: 1, units: ROUNDING_UNITS },
    },
    roundingOverloads('CEIL', Math.ceil, 1n),
  ),
  functionRow(
    'FLOOR',
    {
      category: 'math',
      doc: 'The greatest whole number that is not greater. Of a date or timestamp, see FLOOR(time TO unit).',
      examples: { 'FLOOR(1.8)': '1', 'FLOOR(-1.2e0)': '-2' },
      syntax: 'FLOOR(number), FLOOR(time TO unit)',
      unitArgument: { index: 1, units: ROUNDING_UNITS },
    },
    roundingOverloads('FLOOR', Math.floor, -1n),
  ),
  functionRow(
    'ROUND',
    {
      category: 'math',
      doc:
        'The number rounded half away from zero, to a number of fractional digits (negative: in front of the ' +
        'point).',
      examples: { 'ROUND(2.5)': '3', 'ROUND(2.675e0, 2)': '2.68', 'ROUND(1234, -2)': '1200' },
    },
    digitsOverloads('ROUND', true),
  ),
  functionRow(
    'TRUNCATE',
    {
      category: 'math',
      doc: 'The number cut off towards zero, at a number of fractional digits (negative: in front of the point).',
      examples: { 'TRUNCATE(42.345, 2)': '42.34', 'TRUNCATE(-1.9e0)': '-1' },
      aliases: ['TRUNC'],
    },
    digitsOverloads('TRUNCATE', false),
  ),
];

const powersAndLogarithms: readonly FunctionRow[] = [
  functionRow(
    'POWER',
    { category: 'math', doc: 'a to the power of b, a double.', examples: { 'POWER(2, 10)': '1024' }, aliases: ['POW'] },
    [overload('POWER', 'double, double', DOUBLE, (a: number, b: number) => a ** b)],
  ),
  doubleRow('SQRT', 'The square root.', ['SQRT(16)', '4'], Math.sqrt),
  doubleRow('CBRT', 'The cube root.', ['CBRT(27)', '3'], Math.cbrt),
  doubleRow('EXP', 'e to the power of x.', ['EXP(0)', '1'], Math.exp),
  doubleRow('LN', 'The natural logarithm.', ['LN(1)', '0'], Math.log),
  doubleRow('LOG10', 'The logarithm to base 10.', ['LOG10(1000)', '3'], Math.log10),
  doubleRow('LOG2', 'The logarithm to base 2.', ['LOG2(8)', '3'], Math.log2),
  functionRow(
    'LOG',
    {
      category: 'math',
      doc: 'The natural logarithm of x, or the logarithm to a base.',
      examples: { 'LOG(2, 8)': '3', 'LOG(1)': '0' },
      syntax: 'LOG(x), LOG(base, x)',
    },
    [
      overload('LOG', 'double', DOUBLE, Math.log),
      overload('LOG', 'double, double', DOUBLE, (base: number, x: number) => Math.log(x) / Math.log(base)),
    ],
  ),
];

const trigonometry: readonly FunctionRow[] = [
  doubleRow('SIN', 'The sine of an angle in radians.', ['SIN(0)', '0'], Math.sin),
  doubleRow('COS', 'The cosine of an angle in radians.', ['COS(0)', '1'], Math.cos),
  doubleRow('TAN', 'The tangent of an angle in radians.', ['TAN(0)', '0'], Math.tan),
  doubleRow('COT', 'The cotangent of an angle in radians.', ['COT(PI() / 4) > 0.99', 'true'], (x) => 1 / Math.tan(x)),
  doubleRow('SINH', 'The hyperbolic sine.', ['SINH(0)', '0'], Math.sinh),
  doubleRow('COSH', 'The hyperbolic cosine.', ['COSH(0)', '1'], Math.cosh),
  doubleRow('TANH', 'The hyperbolic tangent.', ['TANH(0)', '0'], Math.tanh),
  doubleRow('ASIN', 'The arc sine in radians.', ['ASIN(0)', '0'], Math.asin),
  doubleRow('ACOS', 'The arc cosine in radians.', ['ACOS(1)', '0'], Math.acos),
  doubleRow('ATAN', 'The arc tangent in radians.', ['ATAN(0)', '0'], Math.atan),
  functionRow(
    'ATAN2',
    {
      category: 'math',
      doc: 'The angle of the point (x, y) in radians.',
      examples: { 'ATAN2(0, 1)': '0' },
      syntax: 'ATAN2(y, x)',
    },
    [overload('ATAN2', 'double, double', DOUBLE, Math.atan2)],
  ),
  doubleRow('DEGREES', 'Radians as degrees.', ['DEGREES(PI())', '180'], (x) => (x * 180) / Math.PI),
  doubleRow('RADIANS', 'Degrees as radians.', ['RADIANS(180) = PI()', 'true'], (x) => (x * Math.PI) / 180),
  constant('PI', Math.PI, 'The number π.'),
  constant('E', Math.E, 'The number e.'),
];

export const mathFunctions: readonly FunctionRow[] = [
  sameTypeRow(
    'ABS',
    'The number without its sign. The least int or long has no counterpart: a record error.',
    { 'ABS(-3)': '3', 'ABS(-1.5)': '1.5' },
    Math.abs,
    (x) => (x < 0n ? -x : x),
    Math.abs,
    true,
    (args) => asDecimal(args[0]),
  ),
  sameTypeRow(
    'SIGN',
    '-1, 0 or 1.',
    { 'SIGN(-3)': '-1' },
    Math.sign,
    (x) => (x < 0n ? -1n : x > 0n ? 1n : 0n),
    Math.sign,
    false,
    () => decimalType(1, 0),
  ),
  ...rounding,
  ...powersAndLogarithms,
  ...trigonometry,
  functionRow(
    'WIDTH_BUCKET',
    {
      category: 'math',
      doc: 'Which of n equal parts between two limits a number lies in, counted from 1; 0 below them, n + 1 above.',
      examples: { 'WIDTH_BUCKET(5.5, 0, 10, 5)': '3' },
    },
    [overload('WIDTH_BUCKET', 'double, double, double, int', { returns: 'int', canFail: true }, widthBucket)],
  ),
];
