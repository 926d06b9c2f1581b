/**
 * Aggregates: one call alone. Result types as Flink's, but that integers are summed as long and floats as double.
 *
 * | | COUNT | SUM | AVG | MIN, MAX |
 * |---|---|---|---|---|
 * | int, long | long | long | the same (truncated) | the same |
 * | float, double | long | double | double | the same |
 * | decimal(p,s) | long | decimal(38,s) | decimal(38,max(6,s)) | the same |
 * | others with an order | long | – | – | the same |
 */
import { formatType, nearestName, types } from '../../core/index.ts';
import { isOrdered } from '../registry/compare-values.ts';
import { decimalType, divisionType } from '../types/decimal-types.ts';
import { AGGREGATES } from './aggregate-names.ts';
import type { Ast, AstCall } from '../parse/ast.ts';
import type { Checker } from './checker.ts';
import type { AggregateCall, DataType, Expression } from '../../core/index.ts';

export function checkAggregate(checker: Checker, name: string, ast: Ast): AggregateCall | null {
  if (ast.kind !== 'call' || !AGGREGATES.has(ast.name)) return notAnAggregate(checker, ast);
  const kind = ast.name.toLowerCase() as AggregateCall['function'];
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
  const type = resultType(checker, ast, argument.expression);
  if (type === null || !checkDistinct(checker, ast, argument.expression)) return null;
  // The least and the greatest are the same with and without repetitions.
  const distinct = ast.distinct && kind === 'count';
  return { name, function: kind, argument: argument.expression, distinct, filter, type };
}

function checkDistinct(checker: Checker, ast: AstCall, argument: Expression): boolean {
  if (!ast.distinct) return true;
  if (ast.name === 'SUM' || ast.name === 'AVG') {
    checker.problem(ast.nameSpan, `${ast.name}(DISTINCT …) is not supported; DISTINCT stands in COUNT`);
    return false;
  }
  if (!isOrdered(argument.type)) {
    checker.problem(ast.nameSpan, `COUNT(DISTINCT …) does not take ${formatType(argument.type)}`);
    return false;
  }
  return true;
}

function resultType(checker: Checker, ast: AstCall, { type }: Expression): DataType | null {
  switch (ast.name) {
    case 'COUNT':
      return types.long;
    case 'MIN':
    case 'MAX':
      return isOrdered(type)
        ? type
        : checker.problem(ast.span, `${ast.name} does not take ${formatType(type)}: it has no order`);
    default: {
      const result = ast.name === 'SUM' ? sumType(type) : averageType(type);
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
  'STDDEV', 'STDDEV_POP', 'STDDEV_SAMP', 'VARIANCE', 'VAR_POP', 'VAR_SAMP', 'LISTAGG', 'STRING_AGG', 'ARRAY_AGG',
  'COLLECT', 'FIRST_VALUE', 'LAST_VALUE', 'RANK', 'DENSE_RANK', 'ROW_NUMBER', 'MEDIAN', 'PERCENTILE',
  'APPROX_COUNT_DISTINCT', 'JSON_OBJECTAGG', 'JSON_ARRAYAGG', 'WINDOW_START', 'WINDOW_END',
];

function notAnAggregate(checker: Checker, ast: Ast): null {
  const known = 'COUNT(*), COUNT(x), COUNT(DISTINCT x), SUM(x), MIN(x), MAX(x), AVG(x)';
  if (ast.kind === 'call' && holdsAggregate(ast)) {
    const message = 'an aggregate stands alone here; compute with its result in a `select` step behind this one';
    return checker.problem(ast.span, message);
  }
  const written = ast.kind === 'call' ? ast.name : ast.kind === 'name' ? (ast.parts[0]?.text.toUpperCase() ?? '') : '';
  if (UNSUPPORTED.includes(written)) {
    return checker.problem(ast.span, `${written} is not supported; aggregates are ${known}`);
  }
  const nearest = nearestName(written, [...AGGREGATES]);
  const hint = written !== '' && nearest !== null ? `; did you mean ${nearest}?` : '';
  return checker.problem(ast.span, `an aggregate was expected: ${known}${hint}`, hint === '' ? null : nearest);
}

function holdsAggregate(ast: Ast): boolean {
  if (ast.kind === 'call') return AGGREGATES.has(ast.name) || ast.args.some(holdsAggregate);
  if (ast.kind === 'cast' || ast.kind === 'is-null' || ast.kind === 'field') return holdsAggregate(ast.arg);
  if (ast.kind === 'logic') return ast.args.some(holdsAggregate);
  return false;
}
