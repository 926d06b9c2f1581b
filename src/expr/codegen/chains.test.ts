/**
 * Runs of several steps against the interpreter, row by row: filters, selects, flat-maps in random order, through
 * outputs of any size. MILLRACE_TEST_SEED=n replays a run.
 */
import { describe, expect, it } from '@jest/globals';
import { ColumnBatch, readValue, sameType, types, writeValue } from '../../core/index.ts';
import type { Expression, Field, RowSchema, TransformStep, Value } from '../../core/index.ts';
import { compileInterpreter } from '../interpret.ts';
import type { RowEvaluator } from '../interpret.ts';
import { compileTransform } from './compile-transform.ts';
import { sameExactly, throughColumn } from './compared-values.ts';
import { ExpressionGenerator, TEST_SCHEMA } from './random-expressions.ts';
import { Random, maybeNull, randomValue } from './random-values.ts';
import { neededFields, stepOutput, transformOutput } from './transform-plan.ts';

const SEED = Number(process.env['MILLRACE_TEST_SEED']);
const CHAINS = 250;
const ROWS = 25;

/** A row that was made, or the failure of one, with the number of the row of the batch. */
interface Event {
  readonly row: number;
  readonly values: readonly Value[] | null;
  /** Code and step. */
  readonly failure: string | null;
}

function columnOf(schema: RowSchema, index: number): Expression {
  const { name, type } = schema.fields[index] as Field;
  return { kind: 'column', index, name, type };
}

class ChainGenerator {
  readonly #random: Random;
  readonly #expressions: ExpressionGenerator;

  constructor(random: Random) {
    this.#random = random;
    this.#expressions = new ExpressionGenerator(random);
  }

  /** Filters and selects see TEST_SCHEMA; a flat-map adds fields, and a select behind it takes some of them in. */
  chain(): TransformStep[] {
    const steps: TransformStep[] = [];
    let schema = TEST_SCHEMA;
    const count = this.#random.integer(1, 4);
    for (let index = 0; index < count; index++) {
      const stepId = `step${index}`;
      const kind = this.#random.pick(['filter', 'filter', 'select', 'select', 'flat-map'] as const);
      if (kind === 'filter') steps.push({ kind, stepId, predicate: this.#predicate() });
      else if (kind === 'select') steps.push({ kind, stepId, fields: this.#fields(schema) });
      else steps.push(this.#flatMap(stepId));
      schema = transformOutput(steps, TEST_SCHEMA);
    }
    return steps;
  }

  /** Mostly true, so that rows get through. */
  #predicate(): Expression {
    const predicate = this.#expressions.of(types.boolean, 2);
    const yes: Expression = { kind: 'literal', type: types.boolean, value: true };
    const args = this.#random.chance(0.7) ? [predicate, yes] : [predicate, this.#expressions.of(types.boolean, 1)];
    return { kind: 'logic', operator: this.#random.chance(0.7) ? 'or' : 'and', args, type: types.boolean };
  }

  #fields(schema: RowSchema): { name: string; expression: Expression }[] {
    return TEST_SCHEMA.fields.map(({ name, type }) => {
      const same = schema.fields.flatMap((field, index) => (sameType(field.type, type) ? [index] : []));
      const useColumn = this.#random.chance(0.8);
      return {
        name,
        expression: useColumn ? columnOf(schema, this.#random.pick(same)) : this.#expressions.of(type, 2),
      };
    });
  }

  #flatMap(stepId: string): TransformStep {
    const arrays = [types.array(types.string), types.array(types.int), types.array(types.long)];
    const fields = Array.from({ length: this.#random.integer(1, 2) }, (_, index) => ({
      name: `element${index}`,
      expression: this.#expressions.of(this.#random.pick(arrays), 2),
    }));
    // The kept fields stay in place, so that what follows still sees TEST_SCHEMA in front.
    return { kind: 'flat-map', stepId, fields, kept: TEST_SCHEMA.fields.map((_, index) => index) };
  }
}

const evaluators = new WeakMap<Expression, RowEvaluator>();

function interpret(expression: Expression, row: readonly Value[]): Value {
  const evaluate = evaluators.get(expression) ?? compileInterpreter(expression);
  evaluators.set(expression, evaluate);
  return evaluate(row);
}

/** What the steps mean, one row at a time; a failure ends the row, with what it has made so far. */
class Reference {
  readonly #steps: readonly TransformStep[];
  readonly #needed: readonly ReadonlySet<number>[];
  readonly #output: RowSchema;
  #current = '';

  constructor(steps: readonly TransformStep[]) {
    this.#steps = steps;
    this.#output = transformOutput(steps, TEST_SCHEMA);
    this.#needed = neededFields(steps, this.#output);
  }

  row(values: readonly Value[], number: number, into: Event[]): void {
    try {
      this.#step(0, values, (row) => {
        const seen = row.map((value, index) => throughColumn((this.#output.fields[index] as Field).type, value));
        into.push({ row: number, values: seen, failure: null });
      });
    } catch (error) {
      into.push({ row: number, values: null, failure: `${(error as { code: string }).code} in ${this.#current}` });
    }
  }

  #step(index: number, row: readonly Value[], emit: (row: readonly Value[]) => void): void {
    const step = this.#steps[index];
    if (step === undefined) {
      emit(row);
      return;
    }
    this.#current = step.stepId;
    if (step.kind === 'filter') {
      if (interpret(step.predicate, row) === true) this.#step(index + 1, row, emit);
      return;
    }
    if (step.kind === 'select') {
      const made = step.fields.map(({ expression }, field) =>
        this.#needed[index]?.has(field) === true ? interpret(expression, row) : null,
      );
      this.#step(index + 1, made, emit);
      return;
    }
    const lists = step.fields.map(({ expression }) => (interpret(expression, row) ?? []) as readonly Value[]);
    const kept = step.kept.map((field) => row[field] as Value);
    for (let element = 0; element < Math.max(...lists.map((list) => list.length)); element++) {
      this.#step(index + 1, [...kept, ...lists.map((list) => list[element] ?? null)], emit);
    }
  }
}

function show(event: Event | undefined): string {
  if (event === undefined) return 'nothing';
  const values = event.values?.map(
    (value, index) => `${index}: ${typeof value === 'object' ? JSON.stringify(value, text) : String(value)}`,
  );
  return `row ${event.row}: ${event.failure ?? values?.join(', ')}`;
}

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

function sameEvent(a: Event | undefined, b: Event | undefined): boolean {
  if (a === undefined || b === undefined || a.row !== b.row || a.failure !== b.failure) return false;
  return a.values === null ? b.values === null : b.values !== null && sameExactly(a.values, b.values);
}

function compiled(steps: readonly TransformStep[], batches: readonly ColumnBatch[], capacity: number): Event[] {
  const transform = compileTransform(steps, TEST_SCHEMA);
  const out = new ColumnBatch(transform.output, capacity);
  const events: Event[] = [];
  const drain = () => {
    for (let row = 0; row < out.rowCount; row++) {
      const origin = out.originRows === null ? row : out.originRows[row];
      const stamp = out.timestamps?.[row];
      if (stamp !== (origin as number) * 10) throw new Error(`row ${origin} has time ${stamp}`);
      const values = out.columns.map((column, index) =>
        readValue(column, (out.schema.fields[index] as Field).type, row),
      );
      events.push({ row: origin as number, values, failure: null });
    }
    out.reset();
  };
  for (const batch of batches) {
    for (let row = 0; row < batch.rowCount;) {
      const next = transform.run(batch, row, out);
      if (transform.failure !== undefined) {
        drain();
        const failure = `${(transform.failure as { code: string }).code} in ${transform.failedStepId}`;
        events.push({ row: transform.failedRow, values: null, failure });
      } else if (next < batch.rowCount) drain();
      row = next;
    }
    drain();
  }
  return events;
}

function batchOfRows(rows: readonly (readonly Value[])[]): ColumnBatch {
  const batch = new ColumnBatch(TEST_SCHEMA, ROWS);
  rows.forEach((row, index) => {
    batch.columns.forEach((column, field) => {
      writeValue(column, index, row[field] ?? null);
    });
  });
  batch.rowCount = rows.length;
  batch.timestamps = Float64Array.from(rows, (_, index) => index * 10);
  batch.origin = { describe: (row) => `row ${row}` };
  return batch;
}

describe('runs of steps', () => {
  it(`make what the interpreter makes of every row (seed ${SEED})`, () => {
    Error.stackTraceLimit = 0;
    const random = new Random(SEED);
    const rows = (nulls: boolean, wide: boolean) =>
      Array.from({ length: ROWS }, () =>
        TEST_SCHEMA.fields.map(({ type }) => (nulls ? maybeNull(random, type, wide) : randomValue(random, type, wide))),
      );
    // One transform sees narrow and wide batches, with and without NULLs, in turn.
    const samples = [rows(false, false), rows(true, false), rows(true, true), rows(false, false), rows(false, true)];
    const batches = samples.map(batchOfRows);
    const generator = new ChainGenerator(random);
    for (let chain = 0; chain < CHAINS; chain++) {
      const steps = generator.chain();
      const reference = new Reference(steps);
      const expected: Event[] = [];
      for (const sample of samples) sample.forEach((row, number) => reference.row(row, number, expected));
      const capacity = random.pick([1, 7, ROWS, 1000]);
      const events = compiled(steps, batches, capacity);
      const length = Math.max(events.length, expected.length);
      for (let event = 0; event < length; event++) {
        if (sameEvent(events[event], expected[event])) continue;
        throw new Error(
          `seed ${SEED}, chain ${chain}, capacity ${capacity}, event ${event}: ${JSON.stringify(steps)}\n` +
            `generated:   ${show(events[event])}\ninterpreter: ${show(expected[event])}`,
        );
      }
    }
  }, 60_000);

  it('has the schema that its steps make', () => {
    const steps: TransformStep[] = [
      { kind: 'flat-map', stepId: 'a', fields: [{ name: 'x', expression: columnOf(TEST_SCHEMA, 18) }], kept: [2] },
    ];
    expect(stepOutput(steps[0] as TransformStep, TEST_SCHEMA).fields.map(({ type }) => type)).toEqual([
      types.long,
      types.string,
    ]);
  });
});
