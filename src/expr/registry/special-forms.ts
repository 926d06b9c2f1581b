/** What is built into the grammar or the checker, described for docs: rows without overloads. */
import { functionRow } from './overload.ts';
import type { FunctionCategory, FunctionRow } from './overload.ts';

function form(
  name: string,
  category: FunctionCategory,
  syntax: string,
  doc: string,
  examples: Readonly<Record<string, string>>,
): FunctionRow {
  return functionRow(name, { category, syntax, doc, examples }, []);
}

export const specialForms: readonly FunctionRow[] = [
  form('AND', 'logic', 'a AND b', 'Both, in three-valued logic: FALSE if one is FALSE, else NULL if one is NULL.', {
    'TRUE AND NULL': 'NULL',
    'FALSE AND NULL': 'false',
  }),
  form('OR', 'logic', 'a OR b', 'One of both, in three-valued logic: TRUE if one is TRUE, else NULL if one is NULL.', {
    'TRUE OR NULL': 'true',
  }),
  form('NOT', 'logic', 'NOT a', 'The opposite; NULL stays NULL.', { 'NOT FALSE': 'true' }),
  form('IS NULL', 'comparison', 'a IS [NOT] NULL', 'Whether a is NULL; never NULL itself. Also IS UNKNOWN.', {
    '1 IS NULL': 'false',
    '1 IS NOT NULL': 'true',
  }),
  form(
    'BETWEEN',
    'comparison',
    'a [NOT] BETWEEN [SYMMETRIC] low AND high',
    'low <= a AND a <= high; SYMMETRIC takes the limits in either order.',
    { '2 BETWEEN 1 AND 3': 'true', '2 BETWEEN SYMMETRIC 3 AND 1': 'true' },
  ),
  form(
    'CASE',
    'conditional',
    'CASE WHEN condition THEN a … [ELSE b] END, CASE x WHEN value THEN a … [ELSE b] END',
    'The result of the first branch whose condition is TRUE, or whose value equals x; else that of ELSE, or NULL.',
    { "CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END": '"b"', "CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END": '"b"' },
  ),
  form('IF', 'conditional', 'IF(condition, a, b)', 'a where the condition is TRUE, else b.', {
    'IF(1 < 2, 3, 4)': '3',
  }),
  form('COALESCE', 'conditional', 'COALESCE(a, b, …), IFNULL(a, b)', 'The first argument that is not NULL.', {
    'COALESCE(NULL, 2, 3)': '2',
    'IFNULL(CAST(NULL AS int), 2)': '2',
  }),
  form('NULLIF', 'conditional', 'NULLIF(a, b)', 'NULL where a equals b, else a.', { 'NULLIF(1, 1)': 'NULL' }),
  form(
    'CAST',
    'cast',
    'CAST(a AS type), a::type',
    'The value as another type. What has no counterpart there is a record error. Fractions are cut off on the way to ' +
      'integers and rounded half up on the way to decimals; varchar(n) cuts text to n characters.',
    { "CAST('12' AS int)": '12', 'CAST(1.7 AS int)': '1', "'1.255'::decimal(3,2)": '1.26' },
  ),
  form('TRY_CAST', 'cast', 'TRY_CAST(a AS type)', 'As CAST, but NULL where the value has no counterpart.', {
    "TRY_CAST('x' AS int)": 'NULL',
  }),
  form(
    'literals',
    'cast',
    "'text', 12, 1.5, 1e3, TRUE, NULL, X'CAFE', DATE '…', TIME '…', TIMESTAMP '…', E'\\n'",
    'Whole numbers are int, or long where they need it; with a point decimal; with an exponent double. ' +
      'A quote inside of text is doubled.',
    {
      "'it''s'": '"it\'s"',
      '12345678901': '12345678901',
      "TIMESTAMP '2024-02-29 12:00:00'": '2024-02-29T12:00:00.000Z',
    },
  ),
];

/** Aggregates stand alone in the `aggregate` of a step; their examples are no scalar expressions. */
export const aggregateForms: readonly FunctionRow[] = [
  form(
    'COUNT',
    'aggregate',
    'COUNT(*), COUNT(x), COUNT(DISTINCT x) [FILTER (WHERE condition)]',
    'The number of rows, or of those where x is not NULL, or of different values of x: a long.',
    {},
  ),
  form(
    'SUM',
    'aggregate',
    'SUM([DISTINCT] x) [FILTER (WHERE condition)]',
    'The sum of what is not NULL: a long of integers, a double of floats, a decimal(38,s) of decimals; NULL of ' +
      'nothing.',
    {},
  ),
  form(
    'AVG',
    'aggregate',
    'AVG([DISTINCT] x) [FILTER (WHERE condition)]',
    'The mean of what is not NULL, as in Flink: truncated to the type of x for integers, a decimal(38,max(6,s)) of ' +
      'decimals; CAST(x AS double) first for fractions.',
    {},
  ),
  form('MIN', 'aggregate', 'MIN(x) [FILTER (WHERE condition)]', 'The least value that is not NULL.', {}),
  form('MAX', 'aggregate', 'MAX(x) [FILTER (WHERE condition)]', 'The greatest value that is not NULL.', {}),
  form(
    'FIRST',
    'aggregate',
    'FIRST(x), FIRST_VALUE(x) [FILTER (WHERE condition)]',
    'The value of the row that came first; NULL is a value.',
    {},
  ),
  form(
    'LAST',
    'aggregate',
    'LAST(x), LAST_VALUE(x) [FILTER (WHERE condition)]',
    'The value of the row that came last; NULL is a value.',
    {},
  ),
  form(
    'ARRAY_AGG',
    'aggregate',
    'ARRAY_AGG([DISTINCT] x) [FILTER (WHERE condition)]',
    'All values in the order in which they came, NULLs included, as an array; NULL of nothing.',
    {},
  ),
  form(
    'APPROX_COUNT_DISTINCT',
    'aggregate',
    'APPROX_COUNT_DISTINCT(x) [FILTER (WHERE condition)]',
    'About how many different values x has: a long. HyperLogLog with 16,384 registers: the standard error is 0.81 %, ' +
      'and a key takes 16 KiB at most, however many values there are.',
    {},
  ),
  form(
    'APPROX_QUANTILE',
    'aggregate',
    'APPROX_QUANTILE(x, p), APPROX_PERCENTILE(x, p) [FILTER (WHERE condition)]',
    'About the value below which the share p (a number from 0 to 1) of the values of x lies: a double, at most 1 % ' +
      'away from the exact one (DDSketch); NULL of nothing. Where values span more than 17 orders of magnitude, ' +
      'those next to zero are less exact. A key takes 32 KiB at most.',
    {},
  ),
  form('WINDOW_START', 'aggregate', 'WINDOW_START', 'The first instant of the window, beside `window`.', {}),
  form('WINDOW_END', 'aggregate', 'WINDOW_END', 'The first instant behind the window, beside `window`.', {}),
];
