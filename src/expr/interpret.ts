/**
 * The interpreter: the plain meaning of a typed expression, and the oracle that generated code is tested against. It
 * evaluates a tree of closures made once per expression.
 */
import { bindCast } from './cast/cast.ts';
import { exprErrors } from './errors.ts';
import { literalValue } from './ir/literal.ts';
import { overloadById } from './registry/registry.ts';
import type { CallExpression, CaseExpression, Expression, LogicExpression, Value } from '../core/index.ts';

/** Evaluates one row, whose values stand in the order of the schema. Throws record-scope errors of exprErrors. */
export type RowEvaluator = (row: readonly Value[]) => Value;

/** The value of `expression` for one row; where many rows are evaluated, compileInterpreter once. */
export function interpret(expression: Expression, row: readonly Value[]): Value {
  return compileInterpreter(expression)(row);
}

export function compileInterpreter(expression: Expression): RowEvaluator {
  switch (expression.kind) {
    case 'column': {
      const { index } = expression;
      return (row) => row[index] ?? null;
    }
    case 'literal': {
      const value = literalValue(expression);
      return () => value;
    }
    case 'call':
      return compileCall(expression);
    case 'case':
      return compileCase(expression);
    case 'cast': {
      const arg = compileInterpreter(expression.arg);
      const cast = bindCast(expression.arg.type, expression.type, expression.safe);
      return (row) => {
        const value = arg(row);
        return value === null ? null : cast(value);
      };
    }
    case 'logic':
      return compileLogic(expression);
    case 'is-null': {
      const arg = compileInterpreter(expression.arg);
      const { negated } = expression;
      return (row) => (arg(row) === null) !== negated;
    }
    case 'coalesce': {
      const args = expression.args.map(compileInterpreter);
      return (row) => {
        for (const arg of args) {
          const value = arg(row);
          if (value !== null) return value;
        }
        return null;
      };
    }
  }
}

function compileCall(expression: CallExpression): RowEvaluator {
  const overload = overloadById(expression.overload);
  const evaluate = overload.bind({ args: expression.args.map((arg) => arg.type), result: expression.type });
  const args = expression.args.map(compileInterpreter);
  const { strict } = overload;
  return (row) => {
    const values: Value[] = [];
    for (const arg of args) {
      const value = arg(row);
      // All arguments are evaluated even when one is NULL, so that errors do not depend on the order.
      values.push(value);
    }
    return strict && values.includes(null) ? null : evaluate(...values);
  };
}

function compileCase(expression: CaseExpression): RowEvaluator {
  const branches = expression.branches.map(({ when, then }) => ({
    when: compileInterpreter(when),
    then: compileInterpreter(then),
  }));
  const otherwise = compileInterpreter(expression.otherwise);
  return (row) => {
    for (const { when, then } of branches) if (when(row) === true) return then(row);
    return otherwise(row);
  };
}

/** Kleene's logic, left to right: what decides ends the evaluation. */
function compileLogic(expression: LogicExpression): RowEvaluator {
  const args = expression.args.map(compileInterpreter);
  if (expression.operator === 'not') {
    const [arg] = args;
    if (arg === undefined) throw exprErrors.create('MR-EXPR-MALFORMED', { problem: 'NOT without an operand' });
    return (row) => {
      const value = arg(row);
      return value === null ? null : value !== true;
    };
  }
  const deciding = expression.operator === 'or';
  return (row) => {
    let sawNull = false;
    for (const arg of args) {
      const value = arg(row);
      if (value === deciding) return deciding;
      if (value === null) sawNull = true;
    }
    return sawNull ? null : !deciding;
  };
}
