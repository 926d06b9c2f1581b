/** Dates, times, timestamps (instants; all calendars are in UTC). Names and units as in Flink. */
import { MAX_INT, MAX_TIMESTAMP_MS, MIN_INT, types } from '../../core/index.ts';
import {
  MS_PER_DAY,
  civilFromDays,
  daysFromCivil,
  daysInMonth,
  parseDate,
  parseTimestamp,
} from '../cast/date-time-text.ts';
import { compileDatePattern, formatWithPattern, parseWithPattern } from './date-pattern.ts';
import { boundOverload, functionRow, overload } from './overload.ts';
import { ROUNDING_UNITS, roundedTimes } from './time-rounding.ts';
import {
  UNIT_MONTHS,
  UNIT_MS,
  addMonths,
  addMonthsToDays,
  checkDate,
  checkTimestamp,
  dayOf,
  floorTimestamp,
  isoDayOfWeek,
  isoWeek,
  monthsBetween,
  msOfDay,
} from './time-arithmetic.ts';
import type { ConstantProblem, Constants, FunctionRow, Overload } from './overload.ts';
import type { DatePattern } from './date-pattern.ts';
import type { Value } from '../../core/index.ts';

const ADD_UNITS: readonly string[] = [...Object.keys(UNIT_MONTHS), ...Object.keys(UNIT_MS)];
const EXTRACT_UNITS: readonly string[] = [
  'MILLENNIUM',
  'CENTURY',
  'DECADE',
  'YEAR',
  'ISOYEAR',
  'QUARTER',
  'MONTH',
  'WEEK',
  'DAY',
  'DOY',
  'DOW',
  'ISODOW',
  'HOUR',
  'MINUTE',
  'SECOND',
  'MILLISECOND',
  'EPOCH',
];

/** One field of an instant. DOW is 1 for Sunday, as in Flink; ISODOW is 1 for Monday. */
function extract(unit: string, ms: number): number {
  const days = dayOf(ms);
  const time = msOfDay(ms);
  switch (unit) {
    case 'HOUR':
      return Math.floor(time / 3_600_000);
    case 'MINUTE':
      return Math.floor(time / 60_000) % 60;
    case 'SECOND':
      return Math.floor(time / 1000) % 60;
    case 'MILLISECOND':
      return time % 1000;
    case 'EPOCH':
      return Math.floor(ms / 1000);
    default:
      return extractDate(unit, days);
  }
}

function extractDate(unit: string, days: number): number {
  const { year, month, day } = civilFromDays(days);
  switch (unit) {
    case 'MILLENNIUM':
      return Math.floor((year + 999) / 1000);
    case 'CENTURY':
      return Math.floor((year + 99) / 100);
    case 'DECADE':
      return Math.floor(year / 10);
    case 'YEAR':
      return year;
    case 'ISOYEAR':
      return isoWeek(days).year;
    case 'QUARTER':
      return Math.floor((month + 2) / 3);
    case 'MONTH':
      return month;
    case 'WEEK':
      return isoWeek(days).week;
    case 'DAY':
      return day;
    case 'DOY':
      return days - daysFromCivil(year, 1, 1) + 1;
    case 'DOW':
      return (isoDayOfWeek(days) % 7) + 1;
    default:
      return isoDayOfWeek(days);
  }
}

const LONG = { returns: 'long' } as const;

/** YEAR(x) and the like: EXTRACT with its unit in the name. */
function fieldRow(name: string, unit: string, doc: string, example: string, hasTime: boolean): FunctionRow {
  const moment = hasTime ? "TIMESTAMP '2024-02-29 12:34:56'" : "DATE '2024-02-29'";
  return functionRow(name, { category: 'time', doc, examples: { [`${name}(${moment})`]: example } }, [
    overload(name, 'timestamp', LONG, (ms: number) => BigInt(extract(unit, ms))),
    ...(hasTime ? [overload(name, 'time', LONG, (ms: number) => BigInt(extract(unit, ms)))] : []),
    ...(hasTime ? [] : [overload(name, 'date', LONG, (days: number) => BigInt(extractDate(unit, days)))]),
  ]);
}

const fields: readonly FunctionRow[] = [
  functionRow(
    'EXTRACT',
    {
      category: 'time',
      doc:
        'A field of a date, time or timestamp: YEAR, QUARTER, MONTH, WEEK (ISO 8601), DAY, DOY, DOW (Sunday is ' +
        '1), ISODOW (Monday is 1), HOUR, MINUTE, SECOND, MILLISECOND (of the second), EPOCH (seconds), ISOYEAR, ' +
        'DECADE, CENTURY, MILLENNIUM.',
      examples: { "EXTRACT(DOY FROM DATE '2024-02-29')": '60', "EXTRACT(MINUTE FROM TIME '12:34:56')": '34' },
      syntax: 'EXTRACT(unit FROM time)',
      unitArgument: { index: 0, units: EXTRACT_UNITS },
    },
    [
      overload('EXTRACT', 'string, timestamp', LONG, (unit: string, ms: number) => BigInt(extract(unit, ms))),
      overload('EXTRACT', 'string, date', LONG, (unit: string, days: number) =>
        BigInt(extract(unit, days * MS_PER_DAY)),
      ),
      overload('EXTRACT', 'string, time', LONG, (unit: string, ms: number) => BigInt(extract(unit, ms))),
    ],
  ),
  fieldRow('YEAR', 'YEAR', 'The year.', '2024', false),
  fieldRow('QUARTER', 'QUARTER', 'The quarter, 1 to 4.', '1', false),
  fieldRow('MONTH', 'MONTH', 'The month, 1 to 12.', '2', false),
  fieldRow('WEEK', 'WEEK', 'The week of ISO 8601, 1 to 53.', '9', false),
  fieldRow('DAYOFYEAR', 'DOY', 'The day of the year, 1 to 366.', '60', false),
  fieldRow('DAYOFMONTH', 'DAY', 'The day of the month, 1 to 31.', '29', false),
  fieldRow('DAYOFWEEK', 'DOW', 'The day of the week, 1 for Sunday to 7 for Saturday.', '5', false),
  fieldRow('HOUR', 'HOUR', 'The hour, 0 to 23.', '12', true),
  fieldRow('MINUTE', 'MINUTE', 'The minute, 0 to 59.', '34', true),
  fieldRow('SECOND', 'SECOND', 'The second, 0 to 59.', '56', true),
];

const timestampAdd = (ms: number, amount: bigint): number =>
  checkTimestamp(ms + Number(amount), 'an addition to a timestamp');
const monthsAdd = (ms: number, months: number): number =>
  checkTimestamp(addMonths(ms, months), 'an addition to a timestamp');
const dateAdd = (days: number, amount: number): number => checkDate(days + amount, 'an addition to a date');
const dateMonthsAdd = (days: number, months: number): number =>
  checkDate(addMonthsToDays(days, months), 'an addition to a date');

function timestampAddUnit(unit: string, count: number, ms: number): number {
  const months = UNIT_MONTHS[unit];
  if (months !== undefined) return monthsAdd(ms, count * months);
  return checkTimestamp(ms + count * (UNIT_MS[unit] ?? 0), 'TIMESTAMPADD');
}

const DAY_UNITS: readonly (Value | undefined)[] = [...Object.keys(UNIT_MONTHS), 'DAY', 'WEEK'];

/** A date stays a date unless the unit is shorter than a day. */
const dateAddUnit = boundOverload(
  'TIMESTAMPADD',
  'string, int, date',
  {
    returns: (_, [unit]) => (DAY_UNITS.includes(unit) ? types.date : types.timestamp),
    returnsText: 'date, or timestamp where the unit is shorter than a day',
    canFail: true,
  },
  (call) =>
    call.result.kind === 'date'
      ? (unit: string, count: number, days: number) => {
          const months = UNIT_MONTHS[unit];
          if (months !== undefined) return dateMonthsAdd(days, count * months);
          return dateAdd(days, count * (unit === 'WEEK' ? 7 : 1));
        }
      : (unit: string, count: number, days: number) => timestampAddUnit(unit, count, days * MS_PER_DAY),
);

/** Whole units from a to b, towards zero. */
function difference(unit: string, a: number, b: number): bigint {
  const months = UNIT_MONTHS[unit];
  const count = months === undefined ? (b - a) / (UNIT_MS[unit] ?? 1) : monthsBetween(a, b) / months;
  return BigInt(Math.trunc(count));
}

const CAN_FAIL_TIMESTAMP = { returns: 'timestamp', canFail: true } as const;
const CAN_FAIL_DATE = { returns: 'date', canFail: true } as const;

const arithmetic: readonly FunctionRow[] = [
  functionRow(
    'INTERVAL',
    {
      category: 'time',
      doc:
        'A date, time or timestamp moved by an interval. Months keep the day, or take the last one of a shorter ' +
        'month; a time turns over at midnight; a date with an interval of hours or less becomes a timestamp.',
      examples: {
        "DATE '2024-01-31' + INTERVAL '1' MONTH": '2024-02-29',
        "TIMESTAMP '2024-02-29 12:00:00' - INTERVAL '1 02:03:04.5' DAY TO SECOND": '2024-02-28T09:56:55.500Z',
      },
      syntax: "time + INTERVAL 'n' unit, time - INTERVAL 'n' unit",
    },
    [
      overload('timestamp_add', 'timestamp, long', CAN_FAIL_TIMESTAMP, timestampAdd),
      overload('timestamp_add_months', 'timestamp, int', CAN_FAIL_TIMESTAMP, monthsAdd),
      overload('date_add', 'date, int', CAN_FAIL_DATE, dateAdd),
      overload('date_add_months', 'date, int', CAN_FAIL_DATE, dateMonthsAdd),
      overload('time_add', 'time, long', { returns: 'time' }, (ms: number, amount: bigint) =>
        msOfDay(ms + Number(amount % BigInt(MS_PER_DAY))),
      ),
    ],
  ),
  functionRow(
    'TIMESTAMPADD',
    {
      category: 'time',
      doc: 'A date or timestamp moved by a number of units.',
      examples: { "TIMESTAMPADD(DAY, 1, TIMESTAMP '2024-02-29 12:00:00')": '2024-03-01T12:00:00.000Z' },
      syntax: 'TIMESTAMPADD(unit, n, time)',
      unitArgument: { index: 0, units: ADD_UNITS },
    },
    [overload('TIMESTAMPADD', 'string, int, timestamp', CAN_FAIL_TIMESTAMP, timestampAddUnit), dateAddUnit],
  ),
  functionRow(
    'TIMESTAMPDIFF',
    {
      category: 'time',
      doc: 'The number of whole units from one time to another; negative where the second is earlier.',
      examples: { "TIMESTAMPDIFF(HOUR, TIMESTAMP '2024-02-29 00:00:00', TIMESTAMP '2024-03-01 01:59:00')": '25' },
      syntax: 'TIMESTAMPDIFF(unit, from, to)',
      unitArgument: { index: 0, units: ADD_UNITS },
    },
    [
      overload('TIMESTAMPDIFF', 'string, timestamp, timestamp', LONG, difference),
      overload('TIMESTAMPDIFF', 'string, date, date', LONG, (unit: string, a: number, b: number) =>
        difference(unit, a * MS_PER_DAY, b * MS_PER_DAY),
      ),
    ],
  ),
  functionRow(
    'DATE_TRUNC',
    {
      category: 'time',
      doc: 'The beginning of the year, quarter, month, week (Monday), day, hour, minute or second that holds a time.',
      examples: { "DATE_TRUNC('month', TIMESTAMP '2024-02-29 12:34:56')": '2024-02-01T00:00:00.000Z' },
      syntax: "DATE_TRUNC('unit', time)",
      unitArgument: { index: 0, units: ROUNDING_UNITS },
    },
    roundedTimes('DATE_TRUNC', false).map(unitFirst),
  ),
  functionRow(
    'LAST_DAY',
    {
      category: 'time',
      doc: 'The last day of the month.',
      examples: { "LAST_DAY(DATE '2024-02-10')": '2024-02-29' },
    },
    [
      overload('LAST_DAY', 'date', { returns: 'date' }, lastDay),
      overload('LAST_DAY', 'timestamp', { returns: 'date' }, (ms: number) => lastDay(dayOf(ms))),
    ],
  ),
];

function lastDay(days: number): number {
  const { year, month } = civilFromDays(days);
  return daysFromCivil(year, month, daysInMonth(year, month));
}

/** FLOOR(time, unit) as DATE_TRUNC(unit, time). */
function unitFirst(rounding: Overload): Overload {
  const isDate = rounding.id.includes('date,');
  const result = isDate ? types.date : types.timestamp;
  const round = rounding.bind({ args: [result, types.string], result });
  const params = isDate ? 'string, date' : 'string, timestamp';
  return overload('DATE_TRUNC', params, { returns: result, canFail: true }, (unit: string, time: number) =>
    round(time, unit),
  );
}

/** A call site's memory of the last pattern that it compiled. */
function patternCache(): (pattern: string) => DatePattern {
  let lastText: string | null = null;
  let last: DatePattern = { parts: [] };
  return (text) => {
    if (text !== lastText) {
      last = compileDatePattern(text);
      lastText = text;
    }
    return last;
  };
}

function checkPatternAt(index: number): (constants: Constants) => ConstantProblem | null {
  return (constants) => {
    const pattern = constants[index];
    if (typeof pattern !== 'string') return null;
    try {
      compileDatePattern(pattern);
      return null;
    } catch (error) {
      return { index, message: error instanceof Error ? error.message : String(error) };
    }
  };
}

function inRange(ms: number | null): number | null {
  return ms !== null && Math.abs(ms) <= MAX_TIMESTAMP_MS ? ms + 0 : null;
}

/** Seconds or milliseconds since the epoch as an instant; precision 0 or 3. */
function fromEpoch(value: bigint, precision: number): Value {
  if (precision !== 0 && precision !== 3) return null;
  const ms = precision === 0 ? value * 1000n : value;
  return ms >= -BigInt(MAX_TIMESTAMP_MS) && ms <= BigInt(MAX_TIMESTAMP_MS) ? Number(ms) : null;
}

function checkPrecisionConstant(constants: Constants): ConstantProblem | null {
  const precision = constants[1];
  if (typeof precision !== 'number' || precision === 0 || precision === 3) return null;
  return { index: 1, message: `the precision is 0 for seconds or 3 for milliseconds, not ${precision}` };
}

function dayInRange(ms: number | null): number | null {
  const days = ms === null ? null : dayOf(ms);
  return days !== null && days >= MIN_INT && days <= MAX_INT ? days : null;
}

const SECONDS_FORMAT = compileDatePattern('yyyy-MM-dd HH:mm:ss');
const NULLABLE_TIMESTAMP = { returns: 'timestamp', nullable: true, canFail: true } as const;

const text: readonly FunctionRow[] = [
  functionRow(
    'DATE_FORMAT',
    {
      category: 'time',
      doc:
        "A time as text, in a pattern of Java's DateTimeFormatter: yyyy-MM-dd HH:mm:ss.SSS, hh with a for AM " +
        'and PM, EEE, MMM, D.',
      examples: { "DATE_FORMAT(TIMESTAMP '2024-02-29 12:34:56', 'dd.MM.yyyy HH:mm')": '"29.02.2024 12:34"' },
      checkConstants: checkPatternAt(1),
    },
    [
      boundOverload('DATE_FORMAT', 'timestamp, string', { returns: 'string', canFail: true }, () => {
        const compile = patternCache();
        return (ms: number, pattern: string) => formatWithPattern(ms, compile(pattern));
      }),
      boundOverload('DATE_FORMAT', 'date, string', { returns: 'string', canFail: true }, () => {
        const compile = patternCache();
        return (days: number, pattern: string) => formatWithPattern(days * MS_PER_DAY, compile(pattern));
      }),
    ],
  ),
  functionRow(
    'TO_TIMESTAMP',
    {
      category: 'time',
      doc:
        "The timestamp that a text shows: in ISO 8601 or SQL's spelling, or in a pattern as of DATE_FORMAT. " +
        'NULL where it shows none.',
      examples: {
        "TO_TIMESTAMP('2024-02-29 12:34:56')": '2024-02-29T12:34:56.000Z',
        "TO_TIMESTAMP('29/02/2024', 'dd/MM/yyyy')": '2024-02-29T00:00:00.000Z',
      },
      checkConstants: checkPatternAt(1),
    },
    [
      overload('TO_TIMESTAMP', 'string', { returns: 'timestamp', nullable: true }, parseTimestamp),
      boundOverload('TO_TIMESTAMP', 'string, string', NULLABLE_TIMESTAMP, () => {
        const compile = patternCache();
        return (value: string, pattern: string) => inRange(parseWithPattern(value, compile(pattern)));
      }),
    ],
  ),
  functionRow(
    'TO_DATE',
    {
      category: 'time',
      doc: 'The date that a text shows: yyyy-MM-dd, or in a pattern as of DATE_FORMAT. NULL where it shows none.',
      examples: { "TO_DATE('2024-02-29')": '2024-02-29', "TO_DATE('29.2.2024', 'd.M.yyyy')": '2024-02-29' },
      checkConstants: checkPatternAt(1),
    },
    [
      overload('TO_DATE', 'string', { returns: 'date', nullable: true }, parseDate),
      boundOverload('TO_DATE', 'string, string', { returns: 'date', nullable: true, canFail: true }, () => {
        const compile = patternCache();
        return (value: string, pattern: string) => dayInRange(parseWithPattern(value, compile(pattern)));
      }),
    ],
  ),
];

const epochs: readonly FunctionRow[] = [
  functionRow(
    'TO_TIMESTAMP_LTZ',
    {
      category: 'time',
      doc:
        'The instant of a number of seconds (precision 0) or milliseconds (precision 3) since 1970-01-01 UTC; ' +
        'NULL outside the range of timestamps.',
      examples: { 'TO_TIMESTAMP_LTZ(1709210096789, 3)': '2024-02-29T12:34:56.789Z' },
      checkConstants: checkPrecisionConstant,
    },
    [overload('TO_TIMESTAMP_LTZ', 'long, int', { returns: 'timestamp', nullable: true }, fromEpoch)],
  ),
  functionRow(
    'FROM_EPOCH_MILLIS',
    {
      category: 'time',
      doc: 'The instant of a number of milliseconds since 1970-01-01 UTC.',
      examples: { 'FROM_EPOCH_MILLIS(0)': '1970-01-01T00:00:00.000Z' },
    },
    [
      overload('FROM_EPOCH_MILLIS', 'long', CAN_FAIL_TIMESTAMP, (ms: bigint) =>
        checkTimestamp(Number(ms), 'FROM_EPOCH_MILLIS'),
      ),
    ],
  ),
  functionRow(
    'TO_EPOCH_MILLIS',
    {
      category: 'time',
      doc: 'Milliseconds since 1970-01-01 UTC.',
      examples: { "TO_EPOCH_MILLIS(TIMESTAMP '1970-01-02 00:00:00')": '86400000' },
    },
    [overload('TO_EPOCH_MILLIS', 'timestamp', LONG, (ms: number) => BigInt(ms))],
  ),
  functionRow(
    'FROM_UNIXTIME',
    {
      category: 'time',
      doc:
        'Seconds since 1970-01-01 UTC as text, yyyy-MM-dd HH:mm:ss or in a pattern as of DATE_FORMAT; NULL ' +
        'outside the range of timestamps.',
      examples: { 'FROM_UNIXTIME(44)': '"1970-01-01 00:00:44"' },
      checkConstants: checkPatternAt(1),
    },
    [
      overload('FROM_UNIXTIME', 'long', { returns: 'string', nullable: true }, (seconds: bigint) => {
        const ms = fromEpoch(seconds, 0);
        return ms === null ? null : formatWithPattern(ms as number, SECONDS_FORMAT);
      }),
      boundOverload('FROM_UNIXTIME', 'long, string', { returns: 'string', nullable: true, canFail: true }, () => {
        const compile = patternCache();
        return (seconds: bigint, pattern: string) => {
          const ms = fromEpoch(seconds, 0);
          return ms === null ? null : formatWithPattern(ms as number, compile(pattern));
        };
      }),
    ],
  ),
  functionRow(
    'UNIX_TIMESTAMP',
    {
      category: 'time',
      doc:
        'Seconds since 1970-01-01 UTC of a timestamp, or of text, yyyy-MM-dd HH:mm:ss or in a pattern as of ' +
        'DATE_FORMAT; NULL where the text shows no time.',
      examples: { "UNIX_TIMESTAMP('1970-01-01 00:00:44')": '44' },
      checkConstants: checkPatternAt(1),
    },
    [
      overload('UNIX_TIMESTAMP', 'timestamp', LONG, (ms: number) => BigInt(Math.floor(ms / 1000))),
      overload('UNIX_TIMESTAMP', 'string', { returns: 'long', nullable: true }, (value: string) => {
        const ms = parseTimestamp(value);
        return ms === null ? null : BigInt(floorTimestamp(ms, 'SECOND') / 1000);
      }),
      boundOverload('UNIX_TIMESTAMP', 'string, string', { returns: 'long', nullable: true, canFail: true }, () => {
        const compile = patternCache();
        return (value: string, pattern: string) => {
          const ms = inRange(parseWithPattern(value, compile(pattern)));
          return ms === null ? null : BigInt(Math.floor(ms / 1000));
        };
      }),
    ],
  ),
];

export const timeFunctions: readonly FunctionRow[] = [...fields, ...arithmetic, ...text, ...epochs];
