/** Which columns an expression reads, and whether it can end in a record error. */
import type { Expression } from '../../core/index.ts';
import { castCanFail } from '../cast/cast.ts';
import { overloadById } from '../registry/registry.ts';

function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'column':
    case 'literal':
      return [];
    case 'call':
    case 'logic':
    case 'coalesce':
      return expression.args;
    case 'case':
      return [...expression.branches.flatMap(({ when, then }) => [when, then]), expression.otherwise];
    case 'cast':
    case 'is-null':
      return [expression.arg];
  }
}

/** Adds the indexes of the columns that the expression reads. */
export function collectColumns(expression: Expression, into: Set<number>): void {
  if (expression.kind === 'column') into.add(expression.index);
  for (const child of childrenOf(expression)) collectColumns(child, into);
}

export function canFail(expression: Expression): boolean {
  const own =
    (expression.kind === 'call' && overloadById(expression.overload).canFail) ||
    (expression.kind === 'cast' && !expression.safe && castCanFail(expression.arg.type, expression.type));
  return own || childrenOf(expression).some(canFail);
}
