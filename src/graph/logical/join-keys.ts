/** Finds, in the condition of a join, what makes two rows of the same key: the part that rows can be spread by. */
import { sameType } from '../../core/index.ts';
import type { DataType, Expression } from '../../core/index.ts';
import { columnsOf, mapColumns, overloadById, unionType } from '../../expr/index.ts';
import { moveColumns } from './expression-columns.ts';
import { isKeyType } from './key-type.ts';

export interface JoinKeys {
  /** Pairs of equal types: the left over the fields of the left side, the right over those of the right. */
  readonly pairs: readonly { readonly left: Expression; readonly right: Expression }[];
  /** What else must be TRUE, over the fields of both. */
  readonly rest: Expression | null;
}

/** `leftFields` is how many of the condition's fields are those of the left side. */
export function findJoinKeys(condition: Expression, leftFields: number): JoinKeys {
  const pairs: { left: Expression; right: Expression }[] = [];
  const rest: Expression[] = [];
  for (const part of partsOf(condition)) {
    const pair = equality(part, leftFields);
    if (pair === null) rest.push(part);
    else pairs.push(pair);
  }
  return { pairs, rest: conjunction(rest) };
}

/** The operands of AND, however nested. */
function partsOf(expression: Expression): readonly Expression[] {
  if (expression.kind !== 'logic' || expression.operator !== 'and') return [expression];
  return expression.args.flatMap(partsOf);
}

function conjunction(args: readonly Expression[]): Expression | null {
  const first = args[0];
  if (first === undefined || args.length === 1) return first ?? null;
  return { kind: 'logic', operator: 'and', args, type: { kind: 'boolean' } };
}

/** `a.x = b.y`, in either order; each side may compute, from its own fields only. */
function equality(part: Expression, leftFields: number): JoinKeys['pairs'][number] | null {
  if (part.kind !== 'call' || overloadById(part.overload).functionName !== 'eq') return null;
  const [a, b] = part.args;
  if (a === undefined || b === undefined) return null;
  const isLeft = (index: number) => index < leftFields;
  const sideOf = (expression: Expression): 'left' | 'right' | null => {
    const columns = columnsOf(expression);
    if (columns.length === 0) return null;
    if (columns.every(isLeft)) return 'left';
    return columns.some(isLeft) ? null : 'right';
  };
  const sides = [sideOf(a), sideOf(b)];
  if (!sides.includes('left') || !sides.includes('right')) return null;
  const [left, right] = sides[0] === 'left' ? [a, b] : [b, a];
  const type = keyType(left.type, right.type);
  if (type === null) return null;
  const moved = mapColumns(right, moveColumns((index) => index - leftFields));
  return { left: castTo(left, type), right: castTo(moved, type) };
}

/** Equal values must hash alike, so both sides get one type. Decimals that are compared have one scale already. */
function keyType(left: DataType, right: DataType): DataType | null {
  if (!isKeyType(left) || !isKeyType(right)) return null;
  if (sameType(left, right)) return left;
  if (left.kind !== 'decimal' || right.kind !== 'decimal' || left.scale !== right.scale) return null;
  return unionType(left, right);
}

function castTo(arg: Expression, type: DataType): Expression {
  return sameType(arg.type, type) ? arg : { kind: 'cast', arg, safe: false, type };
}
