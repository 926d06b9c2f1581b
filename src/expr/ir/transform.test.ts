import { beforeAll, describe, expect, it } from '@jest/globals';
import { columnsOf, foldConstants, formatExpression, loadParser, mapColumns, parseExpression } from '../index.ts';
import { testSchema } from '../test-schema.ts';
import type { Expression } from '../../core/index.ts';

beforeAll(loadParser);

function parsed(text: string): Expression {
  const result = parseExpression(text, testSchema);
  if ('expression' in result) return result.expression;
  throw new Error(result.problems.map((problem) => problem.message).join('; '));
}

describe('foldConstants', () => {
  it.each([
    ['1 + 2 * 3', '7'],
    ['i + 1 + 2', '(i + 1) + 2'],
    ['i + (1 + 2)', 'i + 3'],
    ["UPPER('a') || region", "CONCAT_OP('A', region)"],
    ['1 / 0', '1 / 0'],
    ['ok AND 1 = 1', 'ok'],
    ['ok AND 1 = 2', 'ok AND FALSE'],
    ['1 = 2 AND ok', 'FALSE'],
    ['1 = 1 OR i / 0 = 1', 'TRUE'],
    ['i / 0 = 1 OR 1 = 1', '((i / 0) = 1) OR TRUE'],
    ['ok OR FALSE OR i > 1', 'ok OR (i > 1)'],
    ['NULL AND FALSE', 'FALSE'],
    ['NULL AND TRUE', 'NULL'],
    ['CASE WHEN 1 = 2 THEN i WHEN ok THEN 1 ELSE 2 END', 'CASE WHEN ok THEN 1 ELSE 2 END'],
    ['CASE WHEN 1 = 1 THEN i ELSE 2 END', 'i'],
    ['CASE WHEN NULL THEN i ELSE 2 END', '2'],
    ['CASE WHEN ok THEN 1 WHEN TRUE THEN 2 ELSE i / 0 END', 'CASE WHEN ok THEN 1 ELSE 2 END'],
    ['COALESCE(NULL, 5)', '5'],
    ['ARRAY[1, 2][2]', '2'],
    ["MAP('a', 1)", "MAP('a', 1)"],
    ["MAP('a', 1)['a']", "MAP('a', 1)['a']"],
    ["DATE '2024-02-29' + INTERVAL '1' DAY", "DATE '2024-03-01'"],
    ['NULL IS NULL', 'TRUE'],
    ['-(0e0)', '(-0)'],
  ])('%s becomes %s', (text, expected) => {
    const folded = formatExpression(foldConstants(parsed(text)));
    expect([folded, `(${folded})`]).toContain(expected);
  });
});

describe('columns', () => {
  it('are found wherever they stand', () => {
    const text =
      'CASE WHEN ok THEN COALESCE(i, l) ELSE CAST(amount AS long) END > 5 AND region IS NULL OR place.x IN (1, f)';
    const names = columnsOf(parsed(text)).map((index) => testSchema.fields[index]?.name);
    expect(names).toEqual(['i', 'l', 'f', 'amount', 'region', 'ok', 'place']);
  });

  it('are replaced by others and by what computes them', () => {
    const moved = mapColumns(parsed('i + 1 > 2'), (column) => ({ ...column, index: column.index + 10 }));
    expect(columnsOf(moved)).toEqual([10]);
    const inlined = mapColumns(parsed('i * 2 > i'), () => parsed('i + 1'));
    expect(formatExpression(inlined)).toBe('((i + 1) * 2) > (i + 1)');
  });
});

describe('formatExpression', () => {
  it.each([
    'i + 1',
    "(region LIKE 'a!%' ESCAPE '!') OR (region ILIKE 'x')",
    'NOT (i IN (1, 2, NULL))',
    'CASE WHEN ok THEN 1 ELSE NULL END',
    'TRY_CAST(region AS decimal(5,2))',
    '(ok IS NOT TRUE) AND (i IS NOT NULL)',
    "counts['k']",
    'größe',
    '(place.x) + "order"',
    "X'CAFE' = bin",
    "ts > TIMESTAMP '2024-02-29 12:34:56.789'",
    "(doc -> 'a') ->> 'b'",
    'i IS DISTINCT FROM 1',
  ])('%s reads back as itself', (text) => {
    const once = formatExpression(parsed(text));
    expect(formatExpression(parsed(once))).toBe(once);
    expect(parsed(once)).toEqual(parsed(text));
  });
});
