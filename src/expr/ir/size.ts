/** The number of nodes of an expression, shared parts counted each time; remembered per node. */
import { childrenOf } from './children.ts';
import type { Expression } from '../../core/index.ts';

const sizes = new WeakMap<Expression, number>();

export function expressionSize(expression: Expression): number {
  const known = sizes.get(expression);
  if (known !== undefined) return known;
  const size = childrenOf(expression).reduce((sum, child) => sum + expressionSize(child), 1);
  sizes.set(expression, size);
  return size;
}
