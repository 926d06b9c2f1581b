/** FLOOR and CEIL of times, and DATE_TRUNC. */
import { MS_PER_DAY } from '../cast/date-time-text.ts';
import { overload } from './overload.ts';
import { ceilTimestamp, checkDate, checkTimestamp, dayOf, floorDays, floorTimestamp } from './time-arithmetic.ts';
import type { Overload } from './overload.ts';

export const ROUNDING_UNITS: readonly string[] = [
  'MILLENNIUM',
  'CENTURY',
  'DECADE',
  'YEAR',
  'QUARTER',
  'MONTH',
  'WEEK',
  'DAY',
  'HOUR',
  'MINUTE',
  'SECOND',
  'MILLISECOND',
];

/** Overloads (time, unit) that go down or up to the next beginning of a unit. */
export function roundedTimes(name: string, isUp: boolean): Overload[] {
  const round = isUp ? ceilTimestamp : floorTimestamp;
  return [
    overload(name, 'timestamp, string', { returns: 'timestamp', canFail: true }, (ms: number, unit: string) =>
      checkTimestamp(round(ms, unit), name),
    ),
    overload(name, 'date, string', { returns: 'date', canFail: true }, (days: number, unit: string) =>
      checkDate(isUp ? dayOf(ceilTimestamp(days * MS_PER_DAY, unit)) : floorDays(days, unit), name),
    ),
  ];
}
