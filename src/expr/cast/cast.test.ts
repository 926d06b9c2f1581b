import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeValue, isMillraceError, types } from '../../core/index.ts';
import { parseType } from '../types/type-grammar.ts';
import { bindCast, canCast, castCanFail, castValue } from './cast.ts';
import type { DataType, Value } from '../../core/index.ts';

function type(text: string): DataType {
  const parsed = parseType(text);
  if ('type' in parsed) return parsed.type;
  throw new Error(text);
}

/** The cast value as a message shows it, or the code of the error. */
function cast(value: Value, from: string, to: string): string {
  try {
    return describeValue(castValue(value, type(from), type(to)), type(to));
  } catch (error) {
    if (isMillraceError(error)) return error.code;
    throw error;
  }
}

const ALL: readonly DataType[] = [
  types.boolean,
  types.int,
  types.long,
  types.float,
  types.double,
  types.decimal(10, 2),
  types.string,
  types.bytes,
  types.date,
  types.time,
  types.timestamp,
  types.json,
  types.array(types.int),
  types.map(types.string, types.int),
  types.row([{ name: 'a', type: types.int }]),
];

/** Values of every type, limits included. */
const SAMPLES: Readonly<Record<string, readonly Value[]>> = {
  boolean: [true, false],
  int: [0, -1, 2147483647, -2147483648],
  long: [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)],
  float: [0, -0, 1.5, NaN, Infinity, Math.fround(3.4e38)],
  double: [0, -0, 1.5, NaN, -Infinity, 1e308, 5e-324],
  decimal: [0n, 150n, -9999999999n],
  string: [
    '',
    'x',
    ' 12 ',
    '1.5',
    'true',
    '2024-02-29',
    '12:34:56',
    '2024-02-29 12:34:56',
    '{"a":1}',
    '[1,null]',
    'null',
  ],
  bytes: [new Uint8Array(), new Uint8Array([0xff, 0x41])],
  date: [0, -1, 19782, 2147483647, -2147483648],
  time: [0, 86_399_999],
  timestamp: [0, -1, 1709210096789, 8.64e15, -8.64e15],
  json: ['null', '1', '"x"', '[1,2]', '{"a":1}', 'true', '1e2', '{"a":"x"}'],
  array: [[], [1, null]],
  map: [new Map(), new Map([['a', null]])],
  row: [[null], [5]],
};

describe('CAST', () => {
  it.each<[Value, string, string, string]>([
    [2147483648n, 'long', 'int', 'MR-EXPR-CAST'],
    [2147483647n, 'long', 'int', '2147483647'],
    [1.9, 'double', 'int', '1'],
    [-1.9, 'double', 'long', '-1'],
    [NaN, 'double', 'int', 'MR-EXPR-CAST'],
    [Infinity, 'double', 'long', 'MR-EXPR-CAST'],
    [9223372036854775808, 'double', 'long', 'MR-EXPR-CAST'],
    [-0.5, 'double', 'int', '0'],
    [199n, 'decimal(5,2)', 'int', '1'],
    [-199n, 'decimal(5,2)', 'int', '-1'],
    [12345n, 'decimal(5,3)', 'decimal(4,2)', '12.35'],
    [-12345n, 'decimal(5,3)', 'decimal(4,2)', '-12.35'],
    [999n, 'decimal(3,2)', 'decimal(2,1)', 'MR-EXPR-CAST'],
    [0.1, 'double', 'decimal(3,2)', '0.10'],
    [Math.fround(0.1), 'float', 'decimal(3,2)', '0.10'],
    [2.675, 'double', 'decimal(5,2)', '2.68'],
    [NaN, 'double', 'decimal(3,2)', 'MR-EXPR-CAST'],
    [Math.fround(0.1), 'float', 'string', '"0.1"'],
    [Math.fround(16777216), 'float', 'string', '"16777216"'],
    [1e21, 'double', 'string', '"1e+21"'],
    [-0, 'double', 'string', '"-0"'],
    ['+5', 'string', 'int', '5'],
    ['5.', 'string', 'int', '5'],
    ['.5', 'string', 'int', 'MR-EXPR-CAST'],
    ['0x1F', 'string', 'int', 'MR-EXPR-CAST'],
    ['1_000', 'string', 'int', 'MR-EXPR-CAST'],
    ['-9223372036854775808', 'string', 'long', '-9223372036854775808'],
    ['9223372036854775808', 'string', 'long', 'MR-EXPR-CAST'],
    ['1e5', 'string', 'double', '100000'],
    ['-inf', 'string', 'double', '-Infinity'],
    ['1d', 'string', 'double', 'MR-EXPR-CAST'],
    ['1.005', 'string', 'decimal(5,2)', '1.01'],
    ['1e99999', 'string', 'decimal(38,0)', 'MR-EXPR-CAST'],
    ['1e-99999', 'string', 'decimal(38,0)', '0'],
    ['-0.4', 'string', 'decimal(3,0)', '0'],
    ['.', 'string', 'decimal(3,0)', 'MR-EXPR-CAST'],
    [' YES ', 'string', 'boolean', 'true'],
    ['2', 'string', 'boolean', 'MR-EXPR-CAST'],
    [0n, 'decimal(3,2)', 'boolean', 'false'],
    ['2024-02-30', 'string', 'date', 'MR-EXPR-CAST'],
    ['2024-02-29T23:30:00-01:00', 'string', 'date', '2024-03-01'],
    ['2024-02-29T12:00:00+02:00', 'string', 'timestamp', '2024-02-29T10:00:00.000Z'],
    ['+012024-01-01', 'string', 'timestamp', '+012024-01-01T00:00:00.000Z'],
    ['-0001-01-01 00:00:00', 'string', 'timestamp', '-000001-01-01T00:00:00.000Z'],
    ['2024-02-29 24:00:00', 'string', 'timestamp', 'MR-EXPR-CAST'],
    ['+275760-09-13 00:00:00.001', 'string', 'timestamp', 'MR-EXPR-CAST'],
    [-1, 'timestamp', 'date', '1969-12-31'],
    [-1, 'timestamp', 'time', '23:59:59.999'],
    [-1, 'timestamp', 'string', '"1969-12-31 23:59:59.999"'],
    [100_000_001, 'date', 'timestamp', 'MR-EXPR-CAST'],
    ['{"a": 1}', 'string', 'json', '"{\\"a\\": 1}"'],
    ['{a}', 'string', 'json', 'MR-EXPR-CAST'],
    ['null', 'json', 'int', 'NULL'],
    ['1.0', 'json', 'int', '1'],
    ['1.5', 'json', 'int', 'MR-EXPR-CAST'],
    ['"1"', 'json', 'int', 'MR-EXPR-CAST'],
    ['9007199254740993', 'json', 'long', '9007199254740993'],
    ['0.1', 'json', 'decimal(3,2)', '0.10'],
    ['"x"', 'json', 'string', '"\\"x\\""'],
    [
      '{"b":"2024-02-29","a":[1,null],"c":3}',
      'json',
      'row<a array<long>, b date, missing int>',
      '[[1, NULL], 2024-02-29, NULL]',
    ],
    ['{"1":"x"}', 'json', 'map<int, string>', '{1: "x"}'],
    [[1, 'x', null], 'row<a int, "b" string, c int>', 'json', '"{\\"a\\":1,\\"b\\":\\"x\\",\\"c\\":null}"'],
    [new Map([[1n, 150n]]), 'map<long, decimal(5,2)>', 'json', '"{\\"1\\":1.50}"'],
    [[NaN], 'array<double>', 'json', '"[null]"'],
    [[1, null], 'array<int>', 'array<string>', '["1", NULL]'],
    [[1.5, 'x'], 'row<a double, b string>', 'row<x int, y bytes>', '[1, 0x78]'],
    [[true, null], 'array<boolean>', 'string', '"[TRUE, NULL]"'],
    [new Uint8Array([0xff]), 'bytes', 'string', '"\uFFFD"'],
    [null, 'int', 'string', 'NULL'],
  ])('%p from %s to %s is %s', (value, from, to, expected) => {
    expect(cast(value, from, to)).toBe(expected);
  });

  it('gives the wanted form for every pair of types, or fails with its own error, or NULL where it is safe', () => {
    for (const from of ALL) {
      for (const to of ALL.filter((one) => canCast(from, one))) {
        for (const value of SAMPLES[from.kind] ?? []) {
          const safe = bindCast(from, to, true)(value);
          expectForm(safe, to);
          try {
            expect(bindCast(from, to, false)(value)).toEqual(safe);
          } catch (error) {
            expect(safe).toBeNull();
            expect(castCanFail(from, to)).toBe(true);
            expect(isMillraceError(error) && error.code).toBe('MR-EXPR-CAST');
          }
        }
      }
    }
  });

  it('does not exist where a value of one type is never one of the other', () => {
    const refused = ALL.flatMap((from) =>
      ALL.filter((to) => !canCast(from, to)).map((to) => `${from.kind}→${to.kind}`),
    );
    expect(refused).toContain('timestamp→long');
    expect(refused).toContain('boolean→date');
    expect(refused).toContain('bytes→int');
    expect(refused).not.toContain('int→string');
    expect(refused).not.toContain('json→row');
  });

  it('brings back what it made text of', () => {
    fc.assert(fc.property(fc.double({ noNaN: true }), (value) => Object.is(round(value, 'double'), value)));
    fc.assert(fc.property(fc.float({ noNaN: true }), (value) => Object.is(round(value, 'float'), value)));
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
        (value) => round(value, 'decimal(38,20)') === value,
      ),
    );
    fc.assert(fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), (value) => round(value, 'timestamp') === value));
    fc.assert(
      fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (value) => round(value, 'date') === value),
    );
    fc.assert(fc.property(fc.integer({ min: 0, max: 86_399_999 }), (value) => round(value, 'time') === value));
  });
});

function round(value: Value, of: string): Value {
  return castValue(castValue(value, type(of), types.string), types.string, type(of));
}

function expectForm(value: Value, to: DataType): void {
  if (value === null) return;
  switch (to.kind) {
    case 'boolean':
      return expect(typeof value).toBe('boolean');
    case 'long':
    case 'decimal':
      return expect(typeof value).toBe('bigint');
    case 'int':
    case 'date':
    case 'time':
      return expect(value).toBe(Number(value) | 0);
    case 'string':
    case 'json':
      return expect(typeof value).toBe('string');
    case 'float':
      return expect(value).toBe(Math.fround(value as number));
    case 'timestamp':
      return expect(Number.isSafeInteger(value) || Math.abs(value as number) === 8.64e15).toBe(true);
    case 'double':
      return expect(typeof value).toBe('number');
    case 'bytes':
      return expect(value).toBeInstanceOf(Uint8Array);
    case 'map':
      return expect(value).toBeInstanceOf(Map);
    default:
      return expect(Array.isArray(value)).toBe(true);
  }
}
