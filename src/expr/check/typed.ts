/**
 * An expression under checking. Literals are special: NULL has any type, a text literal can stand for a date or a time,
 * an integer literal for any number, so what they become is decided by what they meet.
 */
import { formatType, sameType } from '../../core/index.ts';
import { parseDate, parseTime, parseTimestamp } from '../cast/date-time-text.ts';
import { bindCast } from '../cast/cast.ts';
import { cast, literal, nullLiteral } from '../ir/build.ts';
import { literalValue } from '../ir/literal.ts';
import { commonType, implicitCost } from '../types/common-type.ts';
import { adjustedDecimal } from '../types/decimal-types.ts';
import type { Span } from './problem.ts';
import type { DataType, Expression, Value } from '../../core/index.ts';

export interface Typed {
  readonly expression: Expression;
  /** What it was written as, if it is a literal that may still become something else. */
  readonly literal: 'null' | 'string' | 'number' | null;
  readonly span: Span;
}

/** An expression that is what it is. */
export function typed(expression: Expression, span: Span): Typed {
  return { expression, literal: null, span };
}

/** Cost of reading a text literal as a time: more than any conversion, so that text parameters win. */
const TEXT_LITERAL_COST = 10;

export function describeTyped(typed: Typed): string {
  return typed.literal === 'null' ? 'NULL' : formatType(typed.expression.type);
}

/** How far an argument is from a type, or null where it does not become it by itself. */
export function conversionCost(typed: Typed, to: DataType): number | null {
  if (typed.literal === 'null') return 0;
  const from = typed.expression.type;
  if (typed.literal === 'string' && (to.kind === 'date' || to.kind === 'time' || to.kind === 'timestamp')) {
    return TEXT_LITERAL_COST;
  }
  return implicitCost(from, to);
}

/** The argument as a type that conversionCost allows, or null where a text literal is no such time. */
export function convert(typed: Typed, to: DataType): Expression | null {
  const { expression } = typed;
  if (typed.literal === 'null') return nullLiteral(to);
  if (sameType(expression.type, to)) return expression;
  if (typed.literal === 'string' && expression.kind === 'literal') {
    const value = timeOf(String(expression.value), to);
    return value === null ? null : literal(value, to);
  }
  if (typed.literal === 'number' && expression.kind === 'literal') {
    const value = bindCast(expression.type, to, true)(literalValue(expression));
    return value === null ? null : literal(value, to);
  }
  return cast(expression, to);
}

function timeOf(text: string, to: DataType): Value {
  if (to.kind === 'date') return parseDate(text);
  return to.kind === 'time' ? parseTime(text) : parseTimestamp(text);
}

/**
 * The type that all convert to, or null where there is none. NULLs have no say; text literals give way to times; an
 * integer literal beside decimals counts with the digits it has.
 */
export function commonTypeOf(all: readonly Typed[]): DataType | null {
  let common: DataType | null = null;
  const withSay = all.filter((typed) => typed.literal !== 'null');
  const times = withSay.filter((typed) => isTime(typed.expression.type));
  const voters = times.length > 0 ? withSay.filter((typed) => typed.literal !== 'string') : withSay;
  const hasDecimal = voters.some((typed) => typed.expression.type.kind === 'decimal');
  for (const typed of voters) {
    const type = hasDecimal ? literalDecimal(typed) : typed.expression.type;
    common = common === null ? type : commonType(common, type);
    if (common === null) return null;
  }
  return common;
}

function isTime(type: DataType): boolean {
  return type.kind === 'date' || type.kind === 'time' || type.kind === 'timestamp';
}

function literalDecimal({ expression, literal: written }: Typed): DataType {
  const isInteger = expression.type.kind === 'int' || expression.type.kind === 'long';
  if (written !== 'number' || !isInteger || expression.kind !== 'literal') return expression.type;
  return adjustedDecimal(String(expression.value).replace('-', '').length, 0);
}
