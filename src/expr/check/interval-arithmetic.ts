/** time + INTERVAL, time - INTERVAL, INTERVAL + time. */
import { types } from '../../core/index.ts';
import { MS_PER_DAY } from '../cast/date-time-text.ts';
import { call, cast, literal } from '../ir/build.ts';
import { parseInterval } from './interval.ts';
import { describeTyped } from './typed.ts';
import type { AstCall } from '../parse/ast.ts';
import type { Checker } from './checker.ts';
import type { Typed } from './typed.ts';
import type { Expression } from '../../core/index.ts';

/** Undefined where no interval takes part: then it is a sum of numbers. */
export function checkIntervalArithmetic(checker: Checker, ast: AstCall): Typed | null | undefined {
  const [left, right] = ast.args;
  if (left === undefined || right === undefined) return undefined;
  const interval = right.kind === 'interval' ? right : left.kind === 'interval' && ast.name === '+' ? left : null;
  if (interval === null) return undefined;
  const other = checker.check(interval === right ? left : right);
  const value = parseInterval(interval.text, interval.from, interval.to);
  if (typeof value === 'string') checker.problem(interval.span, value);
  if (other === null || typeof value === 'string') return null;
  const sign = ast.name === '-' ? -1 : 1;
  const expression = shifted(other, sign * value.months + 0, sign * value.ms + 0);
  if (expression === null) {
    const message = `an interval is added to a date, a time or a timestamp, not to ${describeTyped(other)}`;
    return checker.problem(other.span, message);
  }
  return { expression, literal: null, span: ast.span };
}

function shifted(time: Typed, months: number, ms: number): Expression | null {
  const { expression } = time;
  const { type } = expression;
  if (time.literal !== null) return null;
  if (type.kind === 'time') {
    if (months !== 0) return null;
    return call('time_add(time,long)', [expression, literal(BigInt(ms), types.long)], types.time);
  }
  if (type.kind === 'date' && ms % MS_PER_DAY === 0) {
    const inMonths =
      months === 0
        ? expression
        : call('date_add_months(date,int)', [expression, literal(months, types.int)], types.date);
    if (ms === 0 && months !== 0) return inMonths;
    return call('date_add(date,int)', [inMonths, literal(ms / MS_PER_DAY, types.int)], types.date);
  }
  if (type.kind !== 'date' && type.kind !== 'timestamp') return null;
  const timestamp = cast(expression, types.timestamp);
  const inMonths =
    months === 0
      ? timestamp
      : call('timestamp_add_months(timestamp,int)', [timestamp, literal(months, types.int)], types.timestamp);
  if (ms === 0 && months !== 0) return inMonths;
  return call('timestamp_add(timestamp,long)', [inMonths, literal(BigInt(ms), types.long)], types.timestamp);
}
