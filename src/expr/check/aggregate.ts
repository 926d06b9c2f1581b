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
 * APPROX_COUNT_DISTINCT is a long of anything with an order, APPROX_QUANTILE a double of numbers.
 */
import { formatType, nearestName, types } from '../../core/index.ts';
import { isOrdered } from '../registry/compare-values.ts';
import { literalValue } from '../ir/literal.ts';
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
  if (kind === 'approx-quantile') return checkQuantile(checker, name, ast, filter);
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

/** APPROX_QUANTILE(x, p): p is a number that is written there. What it is computed of are doubles. */
function checkQuantile(
  checker: Checker,
  name: string,
  ast: AstCall,
  filter: Expression | null,
): AggregateCall | null {
  const [of, which] = ast.args;
  if (of === undefined || which === undefined || ast.args.length !== 2) {
    const message = `${ast.name} takes two arguments, (x, p), not ${ast.args.length}`;
    return checker.problem(ast.nameSpan, message);
  }
  if (ast.distinct) return checker.problem(ast.nameSpan, `DISTINCT is not for ${ast.name}`);
  const argument = checker.check(of);
  const share = checker.check(which);
  if (argument === null || share === null) return null;
  const quantile = numberOf(share.expression);
  if (quantile === null || quantile < 0 || quantile > 1) {
    return checker.problem(share.span, 'which quantile it is must be a number from 0 to 1, such as 0.95');
  }
  const { type } = argument.expression;
  if (argument.literal === 'null' || sumType(type) === null) {
    return checker.problem(argument.span, `${ast.name} takes numbers, found ${formatType(type)}`);
  }
  const isDouble = type.kind === 'double';
  const arg = argument.expression;
  const asDouble: Expression = isDouble ? arg : { kind: 'cast', arg, safe: false, type: types.double };
  const call = { name, function: 'approx-quantile', argument: asDouble, distinct: false, filter, quantile } as const;
  return { ...call, type: types.double };
}

function numberOf(expression: Expression): number | null {
  if (expression.kind !== 'literal') return null;
  const value = literalValue(expression);
  if (typeof value === 'number') return value;
  if (typeof value !== 'bigint') return null;
  return expression.type.kind === 'decimal' ? Number(value) / 10 ** expression.type.scale : Number(value);
}

function checkDistinct(checker: Checker, kind: AggregateFunction, ast: AstCall, argument: Expression): boolean {
  if (!ast.distinct || kind === 'min' || kind === 'max') return true;
  if (kind === 'approx-count-distinct') {
    checker.problem(ast.nameSpan, `DISTINCT is not for ${ast.name}: it counts different values by itself`);
    return false;
  }
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
  kind: Exclude<AggregateFunction, 'approx-quantile'>,
  ast: AstCall,
  { type }: Expression,
): DataType | null {
  switch (kind) {
    case 'count':
      return types.long;
    case 'approx-count-distinct':
      if (isOrdered(type)) return types.long;
      return checker.problem(ast.span, `${ast.name} does not take ${formatType(type)}`);
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
  'JSON_OBJECTAGG', 'JSON_ARRAYAGG',
];

function notAnAggregate(checker: Checker, ast: Ast): null {
  const known =
    'COUNT(*), COUNT(x), COUNT(DISTINCT x), SUM(x), MIN(x), MAX(x), AVG(x), FIRST(x), LAST(x), ARRAY_AGG(x), ' +
    'APPROX_COUNT_DISTINCT(x), APPROX_QUANTILE(x, p)';
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
