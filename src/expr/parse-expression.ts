/**
 * The door of parsing: text and schema → typed expression, or all problems. Synchronous; loadParser() must have been
 * awaited once in this thread.
 */
import { types } from '../core/index.ts';
import { Checker } from './check/checker.ts';
import { checkAggregate } from './check/aggregate.ts';
import { problemAt } from './check/problem.ts';
import { parse } from './parse/parse.ts';
import type { Side } from './check/sides.ts';
import type { Problem } from './check/problem.ts';
import type { AggregateCall, DataType, Expression, RowSchema } from '../core/index.ts';

export interface ParseOptions {
  /** The type that the expression must have; what converts by itself is converted. A `boolean` for conditions. */
  readonly expected?: DataType;
  /** Where the fields of the schema come from several steps: how those are called. */
  readonly sides?: readonly Side[];
}

export type ParsedExpression = { readonly expression: Expression } | { readonly problems: readonly Problem[] };
export type ParsedAggregate = { readonly aggregate: AggregateCall } | { readonly problems: readonly Problem[] };

/** Reads a scalar expression over the fields of `schema`. */
export function parseExpression(text: string, schema: RowSchema, options: ParseOptions = {}): ParsedExpression {
  const { ast, problems } = parse(text, namesOf(schema));
  if (ast === null) return { problems: inOrder(problems) };
  const checker = new Checker(schema, options.sides);
  const typed = checker.check(ast);
  let expression = typed?.expression ?? null;
  if (typed !== null && options.expected !== undefined) {
    const what = options.expected.kind === 'boolean' ? 'a condition' : 'the expression';
    expression = checker.converted(typed, options.expected, what);
  } else if (typed?.literal === 'null') {
    checker.problem(typed.span, 'the type of NULL is not known here; write CAST(NULL AS type)');
    expression = null;
  }
  const all = inOrder([...problems, ...checker.problems]);
  if (all.length === 0 && expression !== null) return { expression };
  const fallback = problemAt({ start: 0, end: text.length }, 'the expression cannot be understood');
  return { problems: all.length === 0 ? [fallback] : all };
}

/** Reads one aggregate, such as `SUM(amount) FILTER (WHERE amount > 0)`; `name` is that of its output field. */
export function parseAggregate(name: string, text: string, schema: RowSchema): ParsedAggregate {
  const { ast, problems } = parse(text, namesOf(schema));
  if (ast === null) return { problems: inOrder(problems) };
  const checker = new Checker(schema);
  const aggregate = checkAggregate(checker, name, ast);
  const all = inOrder([...problems, ...checker.problems]);
  if (all.length === 0 && aggregate !== null) return { aggregate };
  const fallback = problemAt({ start: 0, end: text.length }, 'the aggregate cannot be understood');
  return { problems: all.length === 0 ? [fallback] : all };
}

/** As parseExpression, for a condition. */
export function parseCondition(text: string, schema: RowSchema, sides: readonly Side[] = []): ParsedExpression {
  return parseExpression(text, schema, { expected: types.boolean, sides });
}

function namesOf(schema: RowSchema): ReadonlySet<string> {
  return new Set(schema.fields.map((field) => field.name));
}

function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((a, b) => a.offset - b.offset);
}

