import { castCanFail, overloadById } from '../../expr/index.ts';
import type { Expression } from '../../core/index.ts';

/** Whether evaluating may end in a record error (overflow, division by zero, a bad cast, …). */
export function canFail(expression: Expression): boolean {
  switch (expression.kind) {
    case 'column':
    case 'literal':
      return false;
    case 'call':
      return overloadById(expression.overload).canFail || expression.args.some(canFail);
    case 'cast': {
      const { arg, safe, type } = expression;
      return (!safe && castCanFail(arg.type, type)) || canFail(arg);
    }
    case 'logic':
    case 'coalesce':
      return expression.args.some(canFail);
    case 'is-null':
      return canFail(expression.arg);
    case 'case':
      return (
        expression.branches.some(({ when, then }) => canFail(when) || canFail(then)) || canFail(expression.otherwise)
      );
  }
}
