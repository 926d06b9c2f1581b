/** + - * / % and unary minus. Integers are exact or fail, decimals follow types/decimal-types.ts, doubles IEEE 754. */
import { exprErrors } from '../errors.ts';
import { additionType, asDecimal, divisionType, moduloType, multiplicationType } from '../types/decimal-types.ts';
import { checkPrecision, divideRounded, powerOfTen, rescale } from '../types/decimal-value.ts';
import { checkInt, checkLong } from '../types/integer-value.ts';
import { boundOverload, functionRow, overload } from './overload.ts';
import type { CallTypes, FunctionRow, Overload } from './overload.ts';
import type { DecimalType } from '../types/decimal-types.ts';

interface NumberOperations {
  readonly int: (a: number, b: number) => number;
  readonly long: (a: bigint, b: bigint) => bigint;
  readonly double: (a: number, b: number) => number;
  readonly decimalType: (a: DecimalType, b: DecimalType) => DecimalType;
  /** Unscaled operands and their scales to an unscaled result of the scale of `result`, unchecked. */
  readonly decimal: (a: bigint, scaleA: number, b: bigint, scaleB: number, result: DecimalType) => bigint;
}

/** The five overloads of a binary operator; `operation` names it in errors. */
function numberOverloads(name: string, operation: string, operations: NumberOperations): Overload[] {
  const { int, long, double } = operations;
  return [
    overload(name, 'int, int', { returns: 'int', canFail: true }, (a: number, b: number) =>
      checkInt(int(a, b), operation),
    ),
    overload(name, 'long, long', { returns: 'long', canFail: true }, (a: bigint, b: bigint) =>
      checkLong(long(a, b), operation),
    ),
    boundOverload(
      name,
      'decimal, decimal',
      { returns: (args) => operations.decimalType(asDecimal(args[0]), asDecimal(args[1])), canFail: true },
      (call) => decimalOperation(call, operation, operations),
    ),
    overload(name, 'float, float', { returns: 'float' }, (a: number, b: number) => Math.fround(double(a, b))),
    overload(name, 'double, double', { returns: 'double' }, double),
  ];
}

function decimalOperation(call: CallTypes, operation: string, operations: NumberOperations) {
  const scaleA = asDecimal(call.args[0]).scale;
  const scaleB = asDecimal(call.args[1]).scale;
  const result = asDecimal(call.result);
  return (a: bigint, b: bigint) => checkPrecision(operations.decimal(a, scaleA, b, scaleB, result), result, operation);
}

function nonZero<T extends number | bigint>(divisor: T, operation: string, type: string): T {
  // eslint-disable-next-line eqeqeq -- 0 and 0n alike
  if (divisor == 0) throw exprErrors.create('MR-EXPR-DIVISION-BY-ZERO', { operation, type });
  return divisor;
}

/** The sum in the larger scale of the two, then rounded to the scale of the result (which may have lost digits). */
function addDecimals(a: bigint, scaleA: number, b: bigint, scaleB: number, result: DecimalType): bigint {
  const scale = Math.max(scaleA, scaleB);
  return rescale(rescale(a, scaleA, scale) + rescale(b, scaleB, scale), scale, result.scale);
}

function divideDecimals(a: bigint, scaleA: number, b: bigint, scaleB: number, result: DecimalType): bigint {
  nonZero(b, 'division', 'decimal');
  // a/10^sA ÷ b/10^sB = (a × 10^(s + sB − sA)) / b, in scale s.
  const shift = result.scale + scaleB - scaleA;
  return shift >= 0 ? divideRounded(a * powerOfTen(shift), b) : divideRounded(a, b * powerOfTen(-shift));
}

function moduloDecimals(a: bigint, scaleA: number, b: bigint, scaleB: number, result: DecimalType): bigint {
  nonZero(b, 'remainder', 'decimal');
  const scale = Math.max(scaleA, scaleB);
  return rescale(rescale(a, scaleA, scale) % rescale(b, scaleB, scale), scale, result.scale);
}

const add = functionRow(
  '+',
  {
    category: 'arithmetic',
    syntax: 'a + b',
    doc: 'The sum. An int or long that does not fit is a record error. Also timestamp, date or time + INTERVAL.',
    examples: { '1 + 2': '3', '0.1 + 0.25': '0.35' },
  },
  numberOverloads('add', 'addition', {
    int: (a, b) => a + b,
    long: (a, b) => a + b,
    double: (a, b) => a + b,
    decimalType: additionType,
    decimal: addDecimals,
  }),
);

const subtract = functionRow(
  '-',
  {
    category: 'arithmetic',
    syntax: 'a - b',
    doc: 'The difference. Also timestamp, date or time - INTERVAL; for two timestamps see TIMESTAMPDIFF.',
    examples: { '1 - 2': '-1' },
  },
  numberOverloads('subtract', 'subtraction', {
    int: (a, b) => a - b,
    long: (a, b) => a - b,
    double: (a, b) => a - b,
    decimalType: additionType,
    decimal: (a, scaleA, b, scaleB, result) => addDecimals(a, scaleA, -b, scaleB, result),
  }),
);

const multiply = functionRow(
  '*',
  {
    category: 'arithmetic',
    syntax: 'a * b',
    doc: 'The product. decimal(p1,s1) * decimal(p2,s2) is a decimal(p1+p2+1, s1+s2), within 38 digits.',
    examples: { '6 * 7': '42', '1.5 * 1.5': '2.25' },
  },
  numberOverloads('multiply', 'multiplication', {
    // The exact product of two ints is below 2^62: rounding to a double cannot move it into the range of int.
    int: (a, b) => a * b + 0,
    long: (a, b) => a * b,
    double: (a, b) => a * b,
    decimalType: multiplicationType,
    decimal: (a, scaleA, b, scaleB, result) => rescale(a * b, scaleA + scaleB, result.scale),
  }),
);

const divide = functionRow(
  '/',
  {
    category: 'arithmetic',
    syntax: 'a / b',
    doc:
      'The quotient. Of integers it is truncated towards zero, and division by zero is a record error; doubles ' +
      'follow IEEE 754. decimal(p1,s1) / decimal(p2,s2) has max(6, s1+p2+1) fractional digits, within 38 digits.',
    examples: { '7 / 2': '3', '-7 / 2': '-3', '7 / 2.0': '3.500000', '1e0 / 0': 'Infinity' },
  },
  numberOverloads('divide', 'division', {
    // Adding zero turns -0 into 0.
    int: (a, b) => Math.trunc(a / nonZero(b, 'division', 'int')) + 0,
    long: (a, b) => a / nonZero(b, 'division', 'long'),
    double: (a, b) => a / b,
    decimalType: divisionType,
    decimal: divideDecimals,
  }),
);

const modulo = functionRow(
  '%',
  {
    category: 'arithmetic',
    syntax: 'a % b, MOD(a, b)',
    doc: 'The remainder; it has the sign of a. Division by zero as for /.',
    aliases: ['MOD'],
    examples: { '7 % 3': '1', '-7 % 3': '-1' },
  },
  numberOverloads('modulo', 'remainder', {
    int: (a, b) => (a % nonZero(b, 'remainder', 'int')) + 0,
    long: (a, b) => a % nonZero(b, 'remainder', 'long'),
    double: (a, b) => a % b,
    decimalType: moduloType,
    decimal: moduloDecimals,
  }),
);

const negate = functionRow(
  'unary -',
  {
    category: 'arithmetic',
    syntax: '-a',
    doc: 'The number with the other sign.',
    examples: { '-(1 + 2)': '-3' },
  },
  [
    overload('negate', 'int', { returns: 'int', canFail: true }, (a: number) => checkInt(0 - a, 'negation')),
    overload('negate', 'long', { returns: 'long', canFail: true }, (a: bigint) => checkLong(-a, 'negation')),
    overload('negate', 'decimal', { returns: (args) => asDecimal(args[0]) }, (a: bigint) => -a),
    overload('negate', 'float', { returns: 'float' }, (a: number) => -a),
    overload('negate', 'double', { returns: 'double' }, (a: number) => -a),
  ],
);

export const arithmeticFunctions: readonly FunctionRow[] = [add, subtract, multiply, divide, modulo, negate];
