import { beforeAll, describe, expect, it } from '@jest/globals';
import { describeValue, formatType } from '../../core/index.ts';
import { formatExpression, interpret, loadParser, parseExpression } from '../index.ts';
import { testRow, testSchema } from '../test-schema.ts';

beforeAll(loadParser);

/** The value, or the problems as `offset+length message`. */
function run(text: string): string {
  const parsed = parseExpression(text, testSchema);
  if ('problems' in parsed) return parsed.problems.map((p) => `${p.offset}+${p.length} ${p.message}`).join(' | ');
  return describeValue(interpret(parsed.expression, testRow), parsed.expression.type);
}

describe("the SQL parser's traps", () => {
  it.each([
    ['names keep their case', 'dateTime', '1970-01-01T00:00:00.000Z'],
    ['another case is another name', 'datetime', '0+8 there is no field `datetime`; did you mean `dateTime`?'],
    ['fields of rows keep their case', 'place.dateTime', '1970-01-01T00:00:00.000Z'],
    ['and behind parentheses', '(place)."inner".deep', '"down"'],
    ['names in other scripts', 'größe + 1', '4'],
    [
      'positions are UTF-16 units behind characters of 2, 3 and 4 bytes',
      "'é€😀' = grösse",
      '9+6 there is no field `grösse`; did you mean `größe`?',
    ],
    ['positions of syntax errors, too', "'é€😀' = = 1", '9+1 expected a value, found `=`'],
    ['a pattern may not end early', 'region LIKE', '7+4 the expression ends too early: expected a value behind it'],
    ['one expression only', '1, 2', '0+4 a list in parentheses is only written behind IN; write ROW(a, b) for a row'],
    ['no clauses', '1) FROM t WHERE (1', '1+1 the `)` has no opening one before it | 16+1 the `(` is never closed'],
    ['no clauses in parentheses', '(1 FROM t)', '3+4 expected an operator or the end, found `FROM`'],
    ['no statements', '1; DROP TABLE t', '1+1 an expression holds no `;`'],
    ['no NUL', 'i + 1\0 garbage', '5+1 the character U+0000 does not stand in expressions'],
    ['NUL in a text is a character', "CHAR_LENGTH('a\0b')", '3'],
    ['reserved words are names where a name can stand', 'order + 1', '43'],
    [
      'user is no function',
      'user',
      '0+4 there is no field `user`; known are i, l, f, d, amount, region, ok, ts, dt, tm, doc, bin, tags, counts, ' +
        'place, dateTime, order, größe, nothing',
    ],
    ['no parameters', '$1', '0+1 `$` does not stand in expressions; variables of the job file are `${NAME}`'],
    ['TRY_CAST', "TRY_CAST('x' AS int)", 'NULL'],
    ['array types', "CAST('[1,2]'::json AS array<long>)[2]", '2'],
    ['array types the other way', "CAST('[1,2]'::json AS bigint[])[2]", '2'],
    ['MAP with brackets', "MAP['a', 1, 'b', 2]['b']", '2'],
    ['backticks', '`order` + 1', '43'],
    ['FLOOR(x TO unit)', 'FLOOR(ts TO HOUR)', '2024-02-29T12:00:00.000Z'],
    ['elements of calls', "SPLIT('a,b', ',')[2]", '"b"'],
    ['signs without blanks', 'i%-2', '1'],
    [
      'names longer than 63 bytes',
      `${'a'.repeat(100)}`,
      `0+100 there is no field \`${'a'.repeat(100)}\`; known are i, l, f, d, amount, region, ok, ts, dt, tm, doc, ` +
        'bin, tags, counts, place, dateTime, order, größe, nothing',
    ],
    ['comments', 'i /* seven */ + 1 -- eight', '8'],
    ['quotes in texts', "'it''s'", '"it\'s"'],
    ['texts that look like placeholders', "'s0' || 'i0'", '"s0i0"'],
    ['fields that look like placeholders', 'i0', '0+2 there is no field `i0`; did you mean `i`?'],
    ['keywords in another case', 'i Between 1 aNd 10', 'true'],
    ['an open text', "region = 'EU", '9+1 the text in quotes that begins here has no end'],
    ['an open comment', 'i /* x', '2+2 the comment that begins here has no end'],
  ])('%s: %s', (_, text, expected) => {
    expect(run(text)).toBe(expected);
  });

  it.each([
    ['a == 1', '='],
    ['i != 7 && ok', 'AND'],
    ['!ok', 'NOT'],
  ])("%s: suggests SQL's sign", (text, suggestion) => {
    const parsed = parseExpression(text, testSchema);
    expect('problems' in parsed && parsed.problems.map((problem) => problem.suggestion)).toContain(suggestion);
  });

  it.each([
    ['SUM(i) OVER ()', 'windows belong to the `window` of an aggregate step'],
    ["region RLIKE 'x'", 'for RLIKE write REGEXP_LIKE(text, pattern)'],
    ['(SELECT 1)', 'subqueries are not a part of expressions'],
    ['region COLLATE "C"', 'there are no collations'],
    ['CASE WHEN ok THEN 1', 'the CASE has no END'],
    ["ts AT TIME ZONE 'UTC'", 'timestamps are instants in UTC'],
    ["region 'EU'", 'expected an operator between `region` and the text'],
    ['SUM(i ORDER BY l)', 'expected an operator or the end, found `ORDER`'],
    ['(i, l) = (1, 2)', 'write ROW(a, b) for a row'],
    ['i = ANY(tags)', 'use ARRAY_CONTAINS(array, x)'],
    ['*', 'expected a value'],
    ['$$text$$', '`$` does not stand in expressions'],
    ['tags[1:2]', 'slices of arrays are not supported'],
  ])('%s: says what to do', (text, message) => {
    expect(run(text)).toContain(message);
  });

  it.each([
    ['parentheses', `${'('.repeat(20_000)}1${')'.repeat(20_000)}`],
    ['operators', Array.from({ length: 20_000 }, () => '1').join('+')],
    ['NOT', `${'NOT '.repeat(20_000)}ok`],
    ['CASE', `${'CASE WHEN ok THEN '.repeat(3000)}1${' END'.repeat(3000)}`],
    ['calls', `${'UPPER('.repeat(1000)}region${')'.repeat(1000)}`],
  ])('%s nested deeply are refused, and the next expression is read', (_, text) => {
    expect(run(text)).toContain('the expression is nested too deeply; the most is 250 levels');
    expect(run('1 + 1')).toBe('2');
  });

  it('takes long lists', () => {
    const list = Array.from({ length: 5000 }, (_, index) => index).join(', ');
    expect(run(`i IN (${list})`)).toBe('true');
    expect(run(Array.from({ length: 5000 }, () => 'ok').join(' AND '))).toBe('true');
  });

  it('bounds what nested BETWEENs grow to', () => {
    let text = 'ok';
    for (let level = 0; level < 40; level++) text = `(${text}) BETWEEN FALSE AND TRUE`;
    expect(run(text)).toContain('the expression is too large');
  });

  it('shows what was understood', () => {
    const parsed = parseExpression("amount * 2 > 5 AND region LIKE 'E%' OR place.x IS NULL", testSchema);
    expect('expression' in parsed && formatExpression(parsed.expression)).toBe(
      "(((amount * 2) > 5.00) AND (region LIKE 'E%')) OR ((place.x) IS NULL)",
    );
    expect('expression' in parsed && formatType(parsed.expression.type)).toBe('boolean');
  });
});
