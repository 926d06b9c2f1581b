/** What the planner does with typed expressions: which columns they read, on which columns they stand, constants. */
import { isMillraceError } from '../../core/index.ts';
import { interpret } from '../interpret.ts';
import { childrenOf, mapChildren } from './children.ts';
import { literalOf } from './literal.ts';
import type { ColumnExpression, Expression } from '../../core/index.ts';

/** The indexes of the columns that an expression reads, ascending. */
export function columnsOf(expression: Expression): readonly number[] {
  const found = new Set<number>();
  const visit = (node: Expression): void => {
    if (node.kind === 'column') found.add(node.index);
    else childrenOf(node).forEach(visit);
  };
  visit(expression);
  return [...found].sort((a, b) => a - b);
}

/** The expression with every column replaced: by another column, or by the expression that computes it. */
export function mapColumns(expression: Expression, change: (column: ColumnExpression) => Expression): Expression {
  if (expression.kind === 'column') return change(expression);
  return mapChildren(expression, (child) => mapColumns(child, change));
}

/**
 * The expression with its constant parts computed and its decided branches taken. What fails stays as it is and fails
 * for the record that reaches it; nothing is removed whose evaluation could have failed.
 */
export function foldConstants(expression: Expression): Expression {
  const folded = mapChildren(expression, foldConstants);
  if (folded.kind === 'case') return foldCase(folded);
  if (folded.kind === 'logic' && folded.operator !== 'not') return foldLogic(folded);
  if (folded.kind === 'column' || folded.kind === 'literal') return folded;
  return childrenOf(folded).every((child) => child.kind === 'literal') ? computed(folded) : folded;
}

function computed(expression: Expression): Expression {
  try {
    return literalOf(interpret(expression, []), expression.type) ?? expression;
  } catch (error) {
    if (isMillraceError(error)) return expression;
    throw error;
  }
}

/** Branches that are never taken go; one that always is ends the CASE. */
function foldCase(expression: Extract<Expression, { kind: 'case' }>): Expression {
  const branches: { when: Expression; then: Expression }[] = [];
  for (const branch of expression.branches) {
    if (branch.when.kind !== 'literal') branches.push(branch);
    else if (branch.when.value === true) return withBranches(expression, branches, branch.then);
  }
  return withBranches(expression, branches, expression.otherwise);
}

function withBranches(
  expression: Extract<Expression, { kind: 'case' }>,
  branches: readonly { readonly when: Expression; readonly then: Expression }[],
  otherwise: Expression,
): Expression {
  return branches.length === 0 ? otherwise : { ...expression, branches, otherwise };
}

/** TRUE drops out of AND, FALSE out of OR; a deciding operand ends the list, and alone is the result. */
function foldLogic(expression: Extract<Expression, { kind: 'logic' }>): Expression {
  const deciding = expression.operator === 'or';
  const args: Expression[] = [];
  for (const arg of expression.args) {
    if (arg.kind !== 'literal' || arg.value === null) {
      args.push(arg);
      continue;
    }
    if (arg.value !== deciding) continue;
    args.push(arg);
    break;
  }
  const [first] = args;
  if (first === undefined) return { kind: 'literal', type: expression.type, value: !deciding };
  if (args.length === 1) return first;
  const combined: Expression = { ...expression, args };
  return args.every((arg) => arg.kind === 'literal') ? computed(combined) : combined;
}
