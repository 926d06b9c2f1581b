/** Which columns an expression reads, and whether it can end in a record error. */
import type { Expression } from '../../core/index.ts';
import { castCanFail } from '../cast/cast.ts';
import { childrenOf } from '../ir/children.ts';
import { overloadById } from '../registry/registry.ts';

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
