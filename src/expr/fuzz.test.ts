import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isMillraceError } from '../core/index.ts';
import {
  foldConstants,
  formatExpression,
  functionRows,
  interpret,
  loadParser,
  parseAggregate,
  parseExpression,
  parseType,
} from './index.ts';
import { testRow, testSchema } from './test-schema.ts';
import type { Expression } from '../core/index.ts';
import type { Problem } from './index.ts';

beforeAll(loadParser);

const VALID = [
  ...functionRows.flatMap((row) => row.examples.map((example) => example.sql)),
  'amount > 100 AND region IS NOT NULL AND place."inner".deep = \'x\'',
  'CASE WHEN ok THEN i ELSE CAST(l AS int) END BETWEEN 1 AND 10',
  "SUM(amount) FILTER (WHERE region LIKE 'E%' ESCAPE '!')",
  "ts + INTERVAL '1 02:03:04' DAY TO SECOND > TIMESTAMP '2024-02-29 12:00:00'",
  "CAST(doc AS row<a row<b array<json>>>).a.b[1] ->> 'x' || 'é😀'",
];
const PIECES = [
  "'",
  '"',
  '`',
  '(',
  ')',
  '[',
  ']',
  ',',
  '.',
  ';',
  '$',
  '\\',
  '\0',
  '--',
  '/*',
  '*/',
  '::',
  '->',
  ' ',
  '\n',
  '😀',
  '\ud800',
  'é',
  'NULL',
  'CASE',
  'END',
  'CAST(',
  'AS',
  'ARRAY[',
  'INTERVAL',
  'DATE',
  'FROM',
  'IN',
  'NOT',
  'AND',
  'ROW(',
  'MAP[',
  "E'",
  "X'",
  'i',
  'region',
  'decimal(',
  'array<',
  '1e999',
  '99999999999999999999999999999999999999999',
  'TRY_CAST(',
  'FILTER (WHERE',
  '||',
  '{',
  '=',
];

const mutated = fc
  .tuple(
    fc.constantFrom(...VALID),
    fc.array(fc.tuple(fc.nat(), fc.nat(8), fc.constantFrom('', ...PIECES)), { maxLength: 4 }),
  )
  .map(([text, edits]) =>
    edits.reduce((edited, [at, removed, inserted]) => {
      const start = at % (edited.length + 1);
      return edited.slice(0, start) + inserted + edited.slice(start + removed);
    }, text),
  );

/** Problems lie inside of the text and say something; an expression can be evaluated. */
function judge(text: string, problems: readonly Problem[] | null, expression: Expression | null): void {
  if (problems !== null) {
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) {
      expect(problem.message).not.toBe('');
      expect(problem.message).not.toMatch(/undefined|\[object|"?[is]\d+"? at or near/);
      expect(problem.offset).toBeGreaterThanOrEqual(0);
      expect(problem.offset + problem.length).toBeLessThanOrEqual(text.length);
    }
  }
  if (expression === null) return;
  try {
    interpret(expression, testRow);
  } catch (error) {
    expect(isMillraceError(error) && error.scope).toBe('record');
  }
  formatExpression(foldConstants(expression));
  expect(JSON.parse(JSON.stringify(expression))).toEqual(expression);
}

describe('whatever the text', () => {
  it('an expression or problems come of it', () => {
    let expressions = 0;
    fc.assert(
      fc.property(mutated, (text) => {
        const parsed = parseExpression(text, testSchema);
        if ('expression' in parsed) expressions++;
        judge(text, 'problems' in parsed ? parsed.problems : null, 'expression' in parsed ? parsed.expression : null);
      }),
      { numRuns: 2500 },
    );
    // Mutations that keep the text valid show that this test reaches evaluation, too.
    expect(expressions).toBeGreaterThan(100);
  });

  it('an aggregate or problems come of it', () => {
    fc.assert(
      fc.property(mutated, (text) => {
        const parsed = parseAggregate('out', text, testSchema);
        judge(text, 'problems' in parsed ? parsed.problems : null, null);
      }),
      { numRuns: 1000 },
    );
  });

  it('a type or problems come of it', () => {
    fc.assert(
      fc.property(mutated, (text) => {
        const parsed = parseType(text);
        judge(text, 'problems' in parsed ? parsed.problems : null, null);
      }),
      { numRuns: 1000 },
    );
  });

  it('noise is no exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const parsed = parseExpression(text, testSchema);
        judge(text, 'problems' in parsed ? parsed.problems : null, 'expression' in parsed ? parsed.expression : null);
      }),
      { numRuns: 1000 },
    );
  });
});
