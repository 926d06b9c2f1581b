/**
 * Generated code against the interpreter, on random expressions. MILLRACE_TEST_SEED=n replays a run by its seed (which
 * a failure names); MILLRACE_EXPR_COUNT=n makes it longer.
 */
import { describe, expect, it } from '@jest/globals';
import { ColumnBatch, describeValue, formatType, readValue, writeValue } from '../../core/index.ts';
import type { Expression, Field, TransformStep, Value } from '../../core/index.ts';
import { compileInterpreter } from '../interpret.ts';
import { overloads } from '../registry/registry.ts';
import { compileTransform } from './compile-transform.ts';
import { sameExactly, throughColumn } from './compared-values.ts';
import { ExpressionGenerator, TEST_SCHEMA } from './random-expressions.ts';
import { Random, maybeNull, randomValue } from './random-values.ts';

const SEED = Number(process.env['MILLRACE_TEST_SEED']);
const COUNT = Number(process.env['MILLRACE_EXPR_COUNT'] ?? 10_000);
const ROWS = 100;
const GROUP = 10;

type Outcome = { readonly values: readonly Value[] } | { readonly error: string };

function errorCode(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code);
  throw error;
}

function interpretRows(expressions: readonly Expression[], rows: readonly (readonly Value[])[]): Outcome[] {
  const evaluators = expressions.map(compileInterpreter);
  return rows.map((row) => {
    try {
      return {
        values: evaluators.map((evaluate, index) =>
          throughColumn((expressions[index] as Expression).type, evaluate(row)),
        ),
      };
    } catch (error) {
      return { error: errorCode(error) };
    }
  });
}

/** One batch of the rows, through a compiled select, an output too small for it every other time. */
function compileRows(expressions: readonly Expression[], batch: ColumnBatch, capacity: number): Outcome[] {
  const steps: TransformStep[] = [
    {
      kind: 'select',
      stepId: 'select',
      fields: expressions.map((expression, index) => ({ name: `out${index}`, expression })),
    },
  ];
  const transform = compileTransform(steps, TEST_SCHEMA);
  const out = new ColumnBatch(transform.output, capacity);
  const outcomes: Outcome[] = [];
  const drain = () => {
    for (let row = 0; row < out.rowCount; row++) {
      outcomes.push({
        values: out.columns.map((column, index) => readValue(column, (out.schema.fields[index] as Field).type, row)),
      });
    }
    out.reset();
  };
  for (let row = 0; row < batch.rowCount;) {
    const next = transform.run(batch, row, out);
    if (transform.failure !== undefined) {
      drain();
      if (transform.failedStepId !== 'select') throw new Error(`a row failed in step ${transform.failedStepId}`);
      outcomes.push({ error: errorCode(transform.failure) });
    } else if (next < batch.rowCount) drain();
    row = next;
  }
  drain();
  return outcomes;
}

interface Sample {
  readonly name: string;
  readonly rows: Value[][];
  readonly batch: ColumnBatch;
}

/** `wideFrom`: the row from which longs and decimals may be wide. */
function sample(random: Random, name: string, nulls: boolean, wide: boolean): Sample {
  const rows = Array.from({ length: ROWS }, () =>
    TEST_SCHEMA.fields.map(({ type }) => (nulls ? maybeNull(random, type, wide) : randomValue(random, type, wide))),
  );
  const batch = new ColumnBatch(TEST_SCHEMA, ROWS);
  rows.forEach((row, index) => {
    batch.columns.forEach((column, field) => {
      writeValue(column, index, row[field] ?? null);
    });
  });
  batch.rowCount = ROWS;
  return { name, rows, batch };
}

function sameOutcome(a: Outcome, b: Outcome): boolean {
  if ('error' in a || 'error' in b) return 'error' in a && 'error' in b && a.error === b.error;
  return (
    a.values.length === b.values.length &&
    a.values.every((value, index) => sameExactly(value, b.values[index] as Value))
  );
}

function shown(outcome: Outcome, expressions: readonly Expression[]): string {
  if ('error' in outcome) return outcome.error;
  return outcome.values
    .map((value, index) => describeValue(value, (expressions[index] as Expression).type))
    .join(' | ');
}

function sql(expression: Expression): string {
  switch (expression.kind) {
    case 'column':
      return `#${expression.index}:${formatType(expression.type)}`;
    case 'literal':
      return `${JSON.stringify(expression.value)}:${formatType(expression.type)}`;
    case 'call':
      return `${expression.overload}:${formatType(expression.type)}[${expression.args.map(sql).join(', ')}]`;
    case 'cast':
      return `${expression.safe ? 'TRY_' : ''}CAST(${sql(expression.arg)} AS ${formatType(expression.type)})`;
    case 'case': {
      const branches = expression.branches.map(({ when, then }) => `WHEN ${sql(when)} THEN ${sql(then)}`);
      return `CASE ${branches.join(' ')} ELSE ${sql(expression.otherwise)} END`;
    }
    case 'logic':
      return `${expression.operator}(${expression.args.map(sql).join(', ')})`;
    case 'is-null':
      return `(${sql(expression.arg)} IS ${expression.negated ? 'NOT ' : ''}NULL)`;
    case 'coalesce':
      return `COALESCE(${expression.args.map(sql).join(', ')})`;
  }
}

function compare(expressions: readonly Expression[], { name, rows, batch }: Sample, capacity: number): void {
  const expected = interpretRows(expressions, rows);
  let actual: Outcome[];
  try {
    actual = compileRows(expressions, batch, capacity);
  } catch (error) {
    throw new Error(`seed ${SEED}, ${name}: ${expressions.map(sql).join('\n')}`, { cause: error });
  }
  for (let row = 0; row < rows.length; row++) {
    const want = expected[row] as Outcome;
    const got = actual[row];
    if (got !== undefined && sameOutcome(want, got)) continue;
    const values = TEST_SCHEMA.fields.map(
      ({ type }, index) => `#${index}=${describeValue((rows[row] as Value[])[index] ?? null, type)}`,
    );
    throw new Error(
      `seed ${SEED}, ${name}, row ${row}:\n${expressions.map(sql).join('\n')}\n` +
        `interpreter: ${shown(want, expressions)}\n` +
        `generated:   ${got === undefined ? 'nothing' : shown(got, expressions)}\n${values.join(' ')}`,
    );
  }
  if (actual.length !== rows.length) throw new Error(`seed ${SEED}, ${name}: ${actual.length} rows of ${rows.length}`);
}

describe('generated code', () => {
  it(`computes what the interpreter computes (seed ${SEED})`, () => {
    // Many rows fail on purpose; their stacks would take a tenth of the time.
    Error.stackTraceLimit = 0;
    const random = new Random(SEED);
    const samples = [
      sample(random, 'narrow without nulls', false, false),
      sample(random, 'narrow with nulls', true, false),
      sample(random, 'wide with nulls', true, true),
      sample(random, 'wide without nulls', false, true),
    ];
    const generator = new ExpressionGenerator(random);
    let made = 0;
    let turn = 0;
    while (made < COUNT) {
      const size = turn % (GROUP + 1) === GROUP ? GROUP : 1;
      const depth = random.integer(1, 4);
      const expressions = Array.from({ length: size }, (_, index) => generator.root(made + index, depth));
      const capacity = turn % 2 === 0 ? ROWS : 7;
      compare(expressions, samples[(turn + Math.floor(turn / 4)) % samples.length] as Sample, capacity);
      made += size;
      turn++;
    }
    const { coverage } = generator;
    expect([...overloads.keys()].filter((id) => !coverage.overloads.has(id))).toEqual([]);
    const kinds: Expression['kind'][] = ['column', 'literal', 'call', 'case', 'cast', 'logic', 'is-null', 'coalesce'];
    expect(kinds.filter((kind) => !coverage.kinds.has(kind))).toEqual([]);
    const pairs = generator.castPairs().map(([from, to]) => `${from.kind} ${to.kind}`);
    expect(pairs.filter((pair) => !coverage.casts.has(pair))).toEqual([]);
  }, 120_000);
});
