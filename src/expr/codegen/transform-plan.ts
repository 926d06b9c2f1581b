/** What a run of steps needs and makes, worked out before any code: schemas, and which fields anybody needs. */
import type { Expression, Field, RowSchema, TransformStep } from '../../core/index.ts';
import { collectColumns } from './column-use.ts';

/** The fields behind a step. */
export function stepOutput(step: TransformStep, input: RowSchema): RowSchema {
  switch (step.kind) {
    case 'filter':
      return input;
    case 'select':
      return { fields: step.fields.map(({ name, expression }) => ({ name, type: expression.type })) };
    case 'flat-map': {
      const kept = step.kept.map((index) => input.fields[index] as Field);
      const elements = step.fields.map(({ name, expression }): Field => {
        if (expression.type.kind !== 'array') throw new TypeError(`flat-map over a ${expression.type.kind}`);
        return { name, type: expression.type.element };
      });
      return { fields: [...kept, ...elements] };
    }
  }
}

export function transformOutput(steps: readonly TransformStep[], input: RowSchema): RowSchema {
  return steps.reduce((schema, step) => stepOutput(step, schema), input);
}

/**
 * Per step, the indexes of its output's fields that the steps behind it or the final output need. A field that nobody
 * needs is not computed, and so cannot fail.
 */
export function neededFields(steps: readonly TransformStep[], output: RowSchema): readonly ReadonlySet<number>[] {
  const perStep: Set<number>[] = [];
  let needed = new Set(output.fields.keys());
  for (let index = steps.length - 1; index >= 0; index--) {
    perStep[index] = needed;
    needed = neededInputs(steps[index] as TransformStep, needed);
  }
  return perStep;
}

function neededInputs(step: TransformStep, needed: ReadonlySet<number>): Set<number> {
  const inputs = new Set<number>();
  switch (step.kind) {
    case 'filter':
      for (const index of needed) inputs.add(index);
      collectColumns(step.predicate, inputs);
      return inputs;
    case 'select':
      step.fields.forEach(({ expression }, index) => {
        if (needed.has(index)) collectColumns(expression, inputs);
      });
      return inputs;
    case 'flat-map':
      step.kept.forEach((input, index) => {
        if (needed.has(index)) inputs.add(input);
      });
      // All arrays count: the longest decides how many rows there are.
      for (const { expression } of step.fields) collectColumns(expression, inputs);
      return inputs;
  }
}

export interface InputUse {
  /** Columns of the input that expressions read. Only their NULLs and wide values matter to the generated code. */
  readonly read: ReadonlySet<number>;
  /** Per output field: the column of the input that it is unchanged, or null for what is computed. */
  readonly passed: readonly (number | null)[];
}

export function inputUse(steps: readonly TransformStep[], input: RowSchema, output: RowSchema): InputUse {
  const needed = neededFields(steps, output);
  const read = new Set<number>();
  let origins: (number | null)[] = input.fields.map((_, index) => index);
  const readBy = (expression: Expression) => {
    const columns = new Set<number>();
    collectColumns(expression, columns);
    for (const column of columns) {
      const origin = origins[column] ?? null;
      if (origin !== null) read.add(origin);
    }
  };
  steps.forEach((step, index) => {
    if (step.kind === 'filter') readBy(step.predicate);
    else if (step.kind === 'select') {
      step.fields.forEach(({ expression }, field) => {
        if (needed[index]?.has(field) === true && expression.kind !== 'column') readBy(expression);
      });
      origins = step.fields.map(({ expression }) =>
        expression.kind === 'column' ? (origins[expression.index] ?? null) : null,
      );
    } else {
      for (const { expression } of step.fields) readBy(expression);
      origins = [...step.kept.map((kept) => origins[kept] ?? null), ...step.fields.map(() => null)];
    }
  });
  return { read, passed: origins };
}
