/** The parts of an expression, in the order of evaluation, and the same expression with other parts. */
import type { Expression } from '../../core/index.ts';

export function childrenOf(expression: Expression): readonly Expression[] {
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

/** The expression with each part replaced by `change` of it; the same object where none changed. */
export function mapChildren(expression: Expression, change: (child: Expression) => Expression): Expression {
  const children = childrenOf(expression);
  const changed = children.map(change);
  if (changed.every((child, index) => child === children[index])) return expression;
  switch (expression.kind) {
    case 'column':
    case 'literal':
      return expression;
    case 'call':
    case 'logic':
    case 'coalesce':
      return { ...expression, args: changed };
    case 'case':
      return {
        ...expression,
        branches: expression.branches.map((_, index) => ({
          when: changed[index * 2] as Expression,
          then: changed[index * 2 + 1] as Expression,
        })),
        otherwise: changed.at(-1) as Expression,
      };
    case 'cast':
    case 'is-null':
      return { ...expression, arg: changed[0] as Expression };
  }
}
