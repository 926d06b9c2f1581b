import { beforeAll, describe, expect, it } from '@jest/globals';
import { describeValue, isMillraceError } from '../core/index.ts';
import { exprErrors, interpret, literalOf, literalValue, loadParser, parseExpression } from './index.ts';
import { testRow, testSchema } from './test-schema.ts';

beforeAll(loadParser);

/** The value, or the error's code and message. */
function run(text: string): string {
  const parsed = parseExpression(text, testSchema);
  if ('problems' in parsed) throw new Error(parsed.problems.map((problem) => problem.message).join('; '));
  try {
    return describeValue(interpret(parsed.expression, testRow), parsed.expression.type);
  } catch (error) {
    if (isMillraceError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe('the interpreter', () => {
  it.each([
    ['2147483647 + 1', 'MR-EXPR-OVERFLOW: the result of addition does not fit into int'],
    ['-2147483648 - 1', 'MR-EXPR-OVERFLOW: the result of subtraction does not fit into int'],
    ['65536 * 65536', 'MR-EXPR-OVERFLOW: the result of multiplication does not fit into int'],
    ['-(-2147483648)', '2147483648'],
    ['(i - 7 - 2147483647 - 1) / -1', 'MR-EXPR-OVERFLOW: the result of division does not fit into int'],
    ['(i - 7 - 2147483647 - 1) % -1', '0'],
    ['0 * -1', '0'],
    ['9223372036854775807 + l', 'MR-EXPR-OVERFLOW: the result of addition does not fit into long'],
    ['ABS(i - 7 - 2147483647 - 1)', 'MR-EXPR-OVERFLOW: the result of ABS does not fit into int'],
    ['WIDTH_BUCKET(2, 0, 1, 2147483647)', 'MR-EXPR-OVERFLOW: the result of WIDTH_BUCKET does not fit into int'],
    ['WIDTH_BUCKET(0.5, 0, 1, 2147483647)', '1073741824'],
    ['i / 0', 'MR-EXPR-DIVISION-BY-ZERO: division of a int by zero'],
    ['l % 0', 'MR-EXPR-DIVISION-BY-ZERO: remainder of a long by zero'],
    ['amount / 0', 'MR-EXPR-DIVISION-BY-ZERO: division of a decimal by zero'],
    ['d / 0', 'Infinity'],
    ['d % 0', 'NaN'],
    [
      '99999999999999999999999999999999999999 + 1',
      'MR-EXPR-OVERFLOW: the result of addition does not fit into decimal(38,0)',
    ],
    ['12345678901234567890.1234567890 * 1.0000000000000000001', '12345678901234567891.3580246791234568'],
    ['nothing + 1', 'NULL'],
    ['nothing + i / 0', 'MR-EXPR-DIVISION-BY-ZERO: division of a int by zero'],
    ['nothing IS NULL OR i / 0 = 1', 'true'],
    ['nothing = 1 OR i / 0 = 1', 'MR-EXPR-DIVISION-BY-ZERO: division of a int by zero'],
    ['nothing = 1 AND NOT ok', 'false'],
    ['NOT ok AND i / 0 = 1', 'false'],
    ['COALESCE(i, i / 0)', '7'],
    ['CASE WHEN ok THEN 1 ELSE i / 0 END', '1'],
    ['CASE WHEN nothing = 1 THEN 1 WHEN ok THEN 2 END', '2'],
    ['CAST(region AS int)', 'MR-EXPR-CAST: cannot cast "EU" from string to int'],
    ['TRY_CAST(region AS int) IS NULL', 'true'],
    [
      'TIMESTAMPADD(YEAR, 300000, ts)',
      'MR-EXPR-TIMESTAMP-RANGE: the result of an addition to a timestamp is outside the range of timestamp',
    ],
    [
      'REPEAT(region, 2147483647)',
      'MR-EXPR-TOO-LARGE: the result of REPEAT would have 4294967294 characters; the most is 16777216',
    ],
    [
      "LPAD(region, 2147483647, 'x')",
      'MR-EXPR-TOO-LARGE: the result of LPAD would have 2147483647 characters; the most is 16777216',
    ],
    [
      "REGEXP_LIKE(region, region || '[')",
      'MR-EXPR-REGEX: REGEXP_LIKE: `EU[` is not a regular expression: Unterminated character class',
    ],
    ["region LIKE 'x' ESCAPE region", "MR-EXPR-ARGUMENT: LIKE: the escape must be one character, not 'EU'"],
    ['CHR(i - 8)', 'MR-EXPR-ARGUMENT: CHR: -1 is no code point'],
    ["'\u{10000}' > '\uFFFD'", 'true'],
    ["CAST('NaN' AS double) = CAST('NaN' AS double)", 'false'],
    ["CAST('NaN' AS double) IS DISTINCT FROM CAST('NaN' AS double)", 'true'],
    ['-0e0 = 0e0', 'true'],
    ['place."inner".deep || tags[1]', '"downp"'],
    ["counts['none']", 'NULL'],
    ["doc -> 'a' -> 'b' ->> 1", '"x"'],
  ])('%s', (text, expected) => {
    expect(run(text)).toBe(expected);
  });

  it('refuses expressions of other versions', () => {
    const unknown = { kind: 'call', overload: 'gone(int)', args: [], type: { kind: 'int' } } as const;
    expect(() => interpret(unknown, [])).toThrow('a typed expression is malformed: there is no function gone(int)');
    const literal = { kind: 'literal', type: { kind: 'long' }, value: 5 } as const;
    expect(() => interpret(literal, [])).toThrow(
      exprErrors.create('MR-EXPR-MALFORMED', { problem: 'a literal of type long has the wrong form' }).message,
    );
  });

  it('writes literals of every type as JSON and reads them back', () => {
    testSchema.fields.forEach(({ type }, index) => {
      const value = testRow[index] ?? null;
      const literal = literalOf(value, type);
      if (type.kind === 'map') return expect(literal).toBeNull();
      if (literal === null) throw new Error(`no literal of ${type.kind}`);
      return expect(literalValue(JSON.parse(JSON.stringify(literal)) as typeof literal)).toEqual(value);
    });
    for (const value of [NaN, Infinity, -Infinity, -0, 1.5]) {
      const literal = literalOf(value, { kind: 'double' });
      if (literal === null) throw new Error('no literal');
      expect(literalValue(JSON.parse(JSON.stringify(literal)) as typeof literal)).toBe(value);
    }
  });
});
