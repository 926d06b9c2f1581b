import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { childrenOf, functionRows, loadParser, parseExpression } from '../index.ts';
import { cases } from './cases.ts';
import { judge, schema } from './compare.ts';
import { differences } from './differences.ts';
import { expressionOf, flinkQuestions } from './flink-sql.ts';
import type { StoredAnswers } from './compare.ts';
import type { Expression } from '../../core/index.ts';

beforeAll(loadParser);

const file = join(import.meta.dirname, 'answers.json');
const stored = JSON.parse(readFileSync(file, 'utf8')) as StoredAnswers;
const listed = new Set(differences.flatMap((difference) => difference.expressions));

describe(`the answers of Flink ${stored.flinkVersion}`, () => {
  it('are those to the cases as they stand (else: node scripts/flink-answers.ts)', () => {
    const { view, queries } = flinkQuestions();
    const asked = queries.map(({ id, sql }) => `${id}: ${sql}`);
    expect(stored.view).toBe(view);
    expect(stored.answers.map((answer) => `${answer.expression}: ${answer.sql}`)).toEqual(asked);
    expect(asked.length).toBeGreaterThan(300);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it.each(stored.answers.map((answer) => [answer.expression, answer] as const))('%s', (expression, answer) => {
    const { ours, flink } = judge(answer);
    if (listed.has(expression)) expect(ours).not.toBe(flink);
    else expect(ours).toBe(flink);
  });

  it('differ only where the list says so, and the list says why', () => {
    const answered = new Set(stored.answers.map((answer) => answer.expression));
    expect([...listed].filter((expression) => !answered.has(expression))).toEqual([]);
    for (const { why } of differences) expect(why).toMatch(/\w.*\./);
  });

  it('reach every function and operator that Flink has', () => {
    const called = new Set<string>();
    const visit = (node: Expression): void => {
      if (node.kind === 'call') called.add(node.overload);
      childrenOf(node).forEach(visit);
    };
    for (const one of cases) {
      const parsed = parseExpression(expressionOf(one), schema);
      if ('expression' in parsed) visit(parsed.expression);
    }
    const missing = functionRows.filter(
      ({ overloads }) => overloads.length > 0 && !overloads.some(({ id }) => called.has(id)),
    );
    expect(missing.map((row) => row.name)).toEqual([]);
  });

  it('are understood by our parser, but for what both refuse', () => {
    const refused = stored.answers.filter((answer) => judge(answer).expression === null && !('error' in answer));
    expect(refused.map((answer) => answer.expression).filter((expression) => !listed.has(expression))).toEqual([]);
  });
});
