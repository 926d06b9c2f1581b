import { beforeAll, describe, expect, it } from '@jest/globals';
import { describeValue, rowSchema } from '../../core/index.ts';
import { interpret, loadParser, parseExpression } from '../index.ts';
import { functionRows } from './registry.ts';
import type { FunctionRow } from './overload.ts';

beforeAll(loadParser);

function evaluate(sql: string): string {
  const parsed = parseExpression(sql, rowSchema([]));
  if ('problems' in parsed) return `problem: ${parsed.problems.map((problem) => problem.message).join('; ')}`;
  return describeValue(interpret(parsed.expression, []), parsed.expression.type);
}

describe('the registry', () => {
  const examples = functionRows.flatMap((row) => row.examples.map((example) => ({ row: row.name, ...example })));

  it.each(examples)('$row: $sql is $result', ({ sql, result }) => {
    expect(evaluate(sql)).toBe(result);
  });

  it.each(functionRows.map((row) => [row.name, row] as [string, FunctionRow]))(
    '%s has a doc, an example, an overload',
    (_, row) => {
      expect(row.doc).toMatch(/\.$/);
      if (row.category === 'aggregate') return;
      expect(row.examples.length).toBeGreaterThan(0);
      if (row.overloads.length === 0) expect(row.syntax).not.toBeNull();
    },
  );
});
