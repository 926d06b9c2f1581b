/** Times in milliseconds and days: months added, units cut off, differences counted. Proleptic Gregorian, UTC. */
import { MAX_INT, MAX_TIMESTAMP_MS, MIN_INT } from '../../core/index.ts';
import { MS_PER_DAY, civilFromDays, daysFromCivil, daysInMonth } from '../cast/date-time-text.ts';
import { exprErrors } from '../errors.ts';

export const UNIT_MS: Readonly<Record<string, number>> = {
  MILLISECOND: 1,
  SECOND: 1000,
  MINUTE: 60_000,
  HOUR: 3_600_000,
  DAY: MS_PER_DAY,
  WEEK: 7 * MS_PER_DAY,
};
export const UNIT_MONTHS: Readonly<Record<string, number>> = { MONTH: 1, QUARTER: 3, YEAR: 12 };

export function checkTimestamp(ms: number, operation: string): number {
  if (Math.abs(ms) <= MAX_TIMESTAMP_MS) return ms + 0;
  throw exprErrors.create('MR-EXPR-TIMESTAMP-RANGE', { operation, type: 'timestamp' });
}

export function checkDate(days: number, operation: string): number {
  if (days >= MIN_INT && days <= MAX_INT) return days + 0;
  throw exprErrors.create('MR-EXPR-TIMESTAMP-RANGE', { operation, type: 'date' });
}

export function dayOf(ms: number): number {
  return Math.floor(ms / MS_PER_DAY);
}

export function msOfDay(ms: number): number {
  return ms - dayOf(ms) * MS_PER_DAY;
}

/** The same day of another month, or its last day where it is shorter. */
export function addMonthsToDays(days: number, months: number): number {
  const { year, month, day } = civilFromDays(days);
  const total = year * 12 + (month - 1) + months;
  const newYear = Math.floor(total / 12);
  const newMonth = total - newYear * 12 + 1;
  return daysFromCivil(newYear, newMonth, Math.min(day, daysInMonth(newYear, newMonth)));
}

export function addMonths(ms: number, months: number): number {
  return addMonthsToDays(dayOf(ms), months) * MS_PER_DAY + msOfDay(ms);
}

/** The most months that can be added to the earlier time without passing the later one; negative where b is earlier. */
export function monthsBetween(a: number, b: number): number {
  if (b < a) return 0 - monthsBetween(b, a);
  const from = civilFromDays(dayOf(a));
  const to = civilFromDays(dayOf(b));
  const months = (to.year - from.year) * 12 + (to.month - from.month);
  return addMonths(a, months) > b ? months - 1 : months;
}

/** Monday is 1, Sunday 7 (ISO 8601). 1970-01-01 was a Thursday. */
export function isoDayOfWeek(days: number): number {
  return ((((days + 3) % 7) + 7) % 7) + 1;
}

export interface IsoWeek {
  readonly year: number;
  readonly week: number;
}

/** The ISO 8601 week: the one that holds the year's first Thursday is the first. */
export function isoWeek(days: number): IsoWeek {
  const thursday = days - isoDayOfWeek(days) + 4;
  const { year } = civilFromDays(thursday);
  return { year, week: Math.floor((thursday - daysFromCivil(year, 1, 1)) / 7) + 1 };
}

/** The beginning of the unit that holds a day. Weeks begin on Monday. */
export function floorDays(days: number, unit: string): number {
  const { year, month } = civilFromDays(days);
  switch (unit) {
    case 'MILLENNIUM':
      return daysFromCivil(Math.floor((year - 1) / 1000) * 1000 + 1, 1, 1);
    case 'CENTURY':
      return daysFromCivil(Math.floor((year - 1) / 100) * 100 + 1, 1, 1);
    case 'DECADE':
      return daysFromCivil(Math.floor(year / 10) * 10, 1, 1);
    case 'YEAR':
      return daysFromCivil(year, 1, 1);
    case 'QUARTER':
      return daysFromCivil(year, Math.floor((month - 1) / 3) * 3 + 1, 1);
    case 'MONTH':
      return daysFromCivil(year, month, 1);
    case 'WEEK':
      return days - isoDayOfWeek(days) + 1;
    default:
      return days;
  }
}

export function floorTimestamp(ms: number, unit: string): number {
  const size = UNIT_MS[unit];
  if (size !== undefined && size < MS_PER_DAY) return Math.floor(ms / size) * size;
  return floorDays(dayOf(ms), unit) * MS_PER_DAY;
}

/** The beginning of the next unit, or the value itself where it is one. */
export function ceilTimestamp(ms: number, unit: string): number {
  const floor = floorTimestamp(ms, unit);
  if (floor === ms) return ms;
  const size = UNIT_MS[unit];
  return size === undefined ? addMonths(floor, unitMonths(unit)) : floor + size;
}

function unitMonths(unit: string): number {
  return UNIT_MONTHS[unit] ?? { DECADE: 120, CENTURY: 1200, MILLENNIUM: 12_000 }[unit] ?? 0;
}
