/**
 * Aggregates: one call alone. Result types as Flink's, but that integers are summed as long and floats as double.
 *
 * | | COUNT | SUM | AVG | MIN, MAX | FIRST, LAST | ARRAY_AGG |
 * |---|---|---|---|---|---|---|
 * | int, long | long | long | the same (truncated) | the same | the same | array |
 * | float, double | long | double | double | the same | the same | array |
 * | decimal(p,s) | long | decimal(38,s) | decimal(38,max(6,s)) | the same | the same | array |
 * | others with an order | long | – | – | the same | the same | array |
 * | all others | long | – | – | – | the same | array |
 *
 * FIRST, LAST and ARRAY_AGG go by arrival, and NULL is a value to them.
 */
import { formatType, nearestName, types } from '../../core/index.ts';
import { isOrdered } from '../registry/compare-values.ts';
import { decimalType, divisionType } from '../types/decimal-types.ts';
import { AGGREGATES } from './aggregate-names.ts';
import type { Ast, AstCall } from '../parse/ast.ts';
import type { Checker } from './checker.ts';
import type { AggregateCall, AggregateFunction, DataType, Expression } from '../../core/index.ts';

export function checkAggregate(checker: Checker, name: string, ast: Ast): AggregateCall | null {
  const kind = ast.kind === 'call' ? AGGREGATES.get(ast.name) : undefined;
  if (ast.kind !== 'call' || kind === undefined) return notAnAggregate(checker, ast);
  const filter = ast.filter === null ? null : checker.condition(ast.filter, 'the condition of FILTER');
  if (ast.filter !== null && filter === null) return null;
  if (ast.star) {
    if (kind !== 'count') return checker.problem(ast.nameSpan, `\`*\` stands only in COUNT(*), not in ${ast.name}`);
    return { name, function: kind, argument: null, distinct: false, filter, type: types.long };
  }
  const [only] = ast.args;
  if (only === undefined || ast.args.length !== 1) {
    return checker.problem(ast.nameSpan, `${ast.name} takes one argument, not ${ast.args.length}`);
  }
  const argument = checker.check(only);
  if (argument === null) return null;
  if (argument.literal === 'null') return checker.problem(argument.span, 'the type of NULL is not known here');
  const type = resultType(checker, kind, ast, argument.expression);
  if (type === null || !checkDistinct(checker, kind, ast, argument.expression)) return null;
  // The least and the greatest are the same with and without repetitions.
  const distinct = ast.distinct && kind !== 'min' && kind !== 'max';
  return { name, function: kind, argument: argument.expression, distinct, filter, type };
}

function checkDistinct(checker: Checker, kind: AggregateFunction, ast: AstCall, argument: Expression): boolean {
  if (!ast.distinct || kind === 'min' || kind === 'max') return true;
  if (kind === 'first' || kind === 'last') {
    checker.problem(ast.nameSpan, `${ast.name} takes one row of a group: DISTINCT makes no sense in it`);
    return false;
  }
  if (!isOrdered(argument.type)) {
    checker.problem(ast.nameSpan, `${ast.name}(DISTINCT …) does not take ${formatType(argument.type)}`);
    return false;
  }
  return true;
}

function resultType(
  checker: Checker,
  kind: AggregateFunction,
  ast: AstCall,
  { type }: Expression,
): DataType | null {
  switch (kind) {
    case 'count':
      return types.long;
    case 'first':
    case 'last':
      return type;
    case 'array-agg':
      return types.array(type);
    case 'min':
    case 'max':
      return isOrdered(type)
        ? type
        : checker.problem(ast.span, `${ast.name} does not take ${formatType(type)}: it has no order`);
    case 'sum':
    case 'avg': {
      const result = kind === 'sum' ? sumType(type) : averageType(type);
      return result ?? checker.problem(ast.span, `${ast.name} takes numbers, found ${formatType(type)}`);
    }
  }
}

function sumType(type: DataType): DataType | null {
  if (type.kind === 'int' || type.kind === 'long') return types.long;
  if (type.kind === 'float' || type.kind === 'double') return types.double;
  return type.kind === 'decimal' ? types.decimal(38, type.scale) : null;
}

/** Flink divides the sum, a decimal(38,s), by the count as a decimal(20,0). */
function averageType(type: DataType): DataType | null {
  if (type.kind === 'int' || type.kind === 'long') return type;
  if (type.kind === 'float' || type.kind === 'double') return types.double;
  return type.kind === 'decimal' ? divisionType(decimalType(38, type.scale), decimalType(20, 0)) : null;
}

const UNSUPPORTED = [
  'STDDEV', 'STDDEV_POP', 'STDDEV_SAMP', 'VARIANCE', 'VAR_POP', 'VAR_SAMP', 'LISTAGG', 'STRING_AGG',
  'COLLECT', 'ANY_VALUE', 'NTH_VALUE', 'RANK', 'DENSE_RANK', 'ROW_NUMBER', 'MEDIAN', 'PERCENTILE',
  'APPROX_COUNT_DISTINCT', 'JSON_OBJECTAGG', 'JSON_ARRAYAGG',
];

function notAnAggregate(checker: Checker, ast: Ast): null {
  const known =
    'COUNT(*), COUNT(x), COUNT(DISTINCT x), SUM(x), MIN(x), MAX(x), AVG(x), FIRST(x), LAST(x), ARRAY_AGG(x)';
  if (ast.kind === 'call' && holdsAggregate(ast)) {
    const message = 'an aggregate stands alone here; compute with its result in a `select` step behind this one';
    return checker.problem(ast.span, message);
  }
  const written = ast.kind === 'call' ? ast.name : ast.kind === 'name' ? (ast.parts[0]?.text.toUpperCase() ?? '') : '';
  if (UNSUPPORTED.includes(written)) {
    return checker.problem(ast.span, `${written} is not supported; aggregates are ${known}`);
  }
  const nearest = nearestName(written, [...AGGREGATES.keys()]);
  const hint = written !== '' && nearest !== null ? `; did you mean ${nearest}?` : '';
  return checker.problem(ast.span, `an aggregate was expected: ${known}${hint}`, hint === '' ? null : nearest);
}

function holdsAggregate(ast: Ast): boolean {
  if (ast.kind === 'call') return AGGREGATES.has(ast.name) || ast.args.some(holdsAggregate);
  if (ast.kind === 'cast' || ast.kind === 'is-null' || ast.kind === 'field') return holdsAggregate(ast.arg);
  if (ast.kind === 'logic') return ast.args.some(holdsAggregate);
  return false;
}
