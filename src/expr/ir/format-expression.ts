/**
 * A typed expression in SQL's spelling, for EXPLAIN and for messages. Parentheses stand wherever they could matter;
 * casts that the checker inserted are shown, because they are what runs.
 */
import { describeValue, formatType } from '../../core/index.ts';
import { formatDate, formatTime, formatTimestampSql } from '../cast/date-time-text.ts';
import { formatDouble } from '../cast/number-text.ts';
import { overloads } from '../registry/registry.ts';
import { literalValue } from './literal.ts';
import type { CallExpression, DataType, Expression, LiteralExpression, Value } from '../../core/index.ts';

export function formatExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'column':
      return formatName(expression.name);
    case 'literal':
      return formatLiteral(expression);
    case 'call':
      return formatCall(expression);
    case 'case': {
      const branches = expression.branches.map(
        ({ when, then }) => `WHEN ${formatExpression(when)} THEN ${formatExpression(then)}`,
      );
      return `CASE ${branches.join(' ')} ELSE ${formatExpression(expression.otherwise)} END`;
    }
    case 'cast':
      return formatCast(expression.safe ? 'TRY_CAST' : 'CAST', expression.arg, expression.type);
    case 'logic':
      if (expression.operator === 'not') return `NOT ${operand(expression.args[0] as Expression)}`;
      return expression.args.map(operand).join(expression.operator === 'and' ? ' AND ' : ' OR ');
    case 'is-null':
      return `${operand(expression.arg)} IS ${expression.negated ? 'NOT ' : ''}NULL`;
    case 'coalesce':
      return `COALESCE(${expression.args.map(formatExpression).join(', ')})`;
  }
}

function formatCast(keyword: string, arg: Expression, type: DataType): string {
  return `${keyword}(${formatExpression(arg)} AS ${formatType(type)})`;
}

function formatName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

const INFIX: Readonly<Record<string, string>> = {
  add: '+',
  subtract: '-',
  multiply: '*',
  divide: '/',
  modulo: '%',
  eq: '=',
  ne: '<>',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
  is_distinct_from: 'IS DISTINCT FROM',
  is_not_distinct_from: 'IS NOT DISTINCT FROM',
  json_get: '->',
  json_get_text: '->>',
};
const POSTFIX: Readonly<Record<string, string>> = {
  is_true: 'IS TRUE',
  is_false: 'IS FALSE',
  is_not_true: 'IS NOT TRUE',
  is_not_false: 'IS NOT FALSE',
};

function formatCall(expression: CallExpression): string {
  const { overload: id, args } = expression;
  const name = overloads.get(id)?.functionName ?? id.slice(0, Math.max(0, id.indexOf('(')));
  const [first, second] = args;
  const infix = Object.hasOwn(INFIX, name) ? INFIX[name] : undefined;
  if (infix !== undefined && first !== undefined && second !== undefined) {
    return `${operand(first)} ${infix} ${operand(second)}`;
  }
  if (first !== undefined && Object.hasOwn(POSTFIX, name)) return `${operand(first)} ${POSTFIX[name] ?? ''}`;
  if (name === 'negate' && first !== undefined) return `-${operand(first)}`;
  if (name === 'field' && first !== undefined) return `${operand(first)}.${fieldName(expression)}`;
  if (name === 'element_at' && first !== undefined && second !== undefined) {
    return `${operand(first)}[${formatExpression(second)}]`;
  }
  const list = args.map(formatExpression);
  if (name === 'in') return `${first === undefined ? '' : operand(first)} IN (${list.slice(1).join(', ')})`;
  if (name === 'like' || name === 'ilike') {
    const escape = list[2] === undefined ? '' : ` ESCAPE ${list[2]}`;
    return `${first === undefined ? '' : operand(first)} ${name.toUpperCase()} ${list[1] ?? ''}${escape}`;
  }
  return `${name.toUpperCase()}(${list.join(', ')})`;
}

function fieldName({ args }: CallExpression): string {
  const [row, index] = args;
  if (row?.type.kind !== 'row' || index?.kind !== 'literal') return '?';
  return formatName(row.type.fields[Number(index.value)]?.name ?? '?');
}

/** In parentheses unless nothing binds tighter. */
function operand(expression: Expression): string {
  const text = formatExpression(expression);
  switch (expression.kind) {
    case 'column':
    case 'cast':
    case 'coalesce':
      return text;
    case 'literal':
      return text.startsWith('-') ? `(${text})` : text;
    case 'call':
      return /^\w+\(/.test(text) && text.endsWith(')') && !text.includes(' IN (') ? text : `(${text})`;
    default:
      return `(${text})`;
  }
}

function formatLiteral(literal: LiteralExpression): string {
  const value = literalValue(literal);
  return value === null ? 'NULL' : formatLiteralValue(value, literal.type);
}

function formatLiteralValue(value: Value, type: DataType): string {
  switch (type.kind) {
    case 'boolean':
      return value === true ? 'TRUE' : 'FALSE';
    case 'double':
      return formatDouble(value as number);
    case 'string':
      return quoted(value as string);
    case 'json':
      return `CAST(${quoted(value as string)} AS json)`;
    case 'date':
      return `DATE '${formatDate(value as number)}'`;
    case 'time':
      return `TIME '${formatTime(value as number)}'`;
    case 'timestamp':
      return `TIMESTAMP '${formatTimestampSql(value as number)}'`;
    case 'bytes':
      return `X'${Buffer.from(value as Uint8Array)
        .toString('hex')
        .toUpperCase()}'`;
    case 'array':
      return `ARRAY[${(value as readonly Value[]).map((item) => formatItem(item, type.element)).join(', ')}]`;
    default:
      return describeValue(value, type);
  }
}

function formatItem(item: Value, type: DataType): string {
  return item === null ? 'NULL' : formatLiteralValue(item, type);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
