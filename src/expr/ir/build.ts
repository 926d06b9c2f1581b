/** Constructors of typed expressions. Casts of literals are carried out at once. */
import { sameType, types } from '../../core/index.ts';
import { bindCast, castCanFail } from '../cast/cast.ts';
import { literalOf, literalValue } from './literal.ts';
import type { DataType, Expression, LiteralExpression, Value } from '../../core/index.ts';

export function literal(value: Value, type: DataType): LiteralExpression {
  const made = literalOf(value, type);
  if (made === null) throw new TypeError(`there are no literals of type ${type.kind}`);
  return made;
}

export function nullLiteral(type: DataType): LiteralExpression {
  return { kind: 'literal', type, value: null };
}



/** `arg` as `type`: itself where it is of that type already. */
export function cast(arg: Expression, type: DataType, safe = false): Expression {
  if (sameType(arg.type, type)) return arg;
  if (arg.kind === 'literal' && (safe || !castCanFail(arg.type, type) || arg.value === null)) {
    const value = literalValue(arg);
    const folded = literalOf(value === null ? null : bindCast(arg.type, type, safe)(value), type);
    if (folded !== null) return folded;
  }
  return { kind: 'cast', arg, safe, type };
}

export function call(overload: string, args: readonly Expression[], type: DataType): Expression {
  return { kind: 'call', overload, args, type };
}

export function not(arg: Expression): Expression {
  return { kind: 'logic', operator: 'not', args: [arg], type: types.boolean };
}

export function and(args: readonly Expression[]): Expression {
  const [only] = args;
  if (args.length === 1 && only !== undefined) return only;
  return { kind: 'logic', operator: 'and', args, type: types.boolean };
}

export function or(args: readonly Expression[]): Expression {
  return { kind: 'logic', operator: 'or', args, type: types.boolean };
}
