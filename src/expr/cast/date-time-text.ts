/**
 * Text of dates, times and timestamps: ISO 8601 and its SQL spelling (a space for the T), proleptic Gregorian calendar,
 * UTC. Shared by CAST, the date functions and the formats.
 *
 * Parsers return null for text that is not one; they never guess. Fractions of a second finer than milliseconds are
 * cut off. A timestamp without an offset is UTC.
 */
import { MAX_TIMESTAMP_MS } from '../../core/index.ts';

export const MS_PER_DAY = 86_400_000;

const DATE = /^([+-]?\d{4,6})-(\d{1,2})-(\d{1,2})$/;
const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?$/;
const TIMESTAMP = /^([+-]?\d{4,6}-\d{1,2}-\d{1,2})(?:[T ]\s*([\d:.,]+)\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/** Days since 1970-01-01 of a civil date (Hinnant, "chrono-compatible low-level date algorithms", days_from_civil). */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

/** The inverse (civil_from_days). */
export function civilFromDays(days: number): CivilDate {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days since 1970-01-01 of `2024-02-29`, or null. */
export function parseDate(text: string): number | null {
  const match = DATE.exec(text.trim());
  if (match === null) return null;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  return daysFromCivil(year, month, day);
}

/** Milliseconds of the day of `12:34`, `12:34:56`, `12:34:56.789`, or null. */
export function parseTime(text: string): number | null {
  const match = TIME.exec(text.trim());
  if (match === null) return null;
  const hour = Number(match[1]);
  const minute = Number(match[2]);
  const second = Number(match[3] ?? '0');
  if (hour > 23 || minute > 59 || second > 59) return null;
  const milliseconds = Number((match[4] ?? '').slice(0, 3).padEnd(3, '0'));
  return ((hour * 60 + minute) * 60 + second) * 1000 + milliseconds;
}

/**
 * Milliseconds since the epoch of `2024-02-29T12:34:56.789Z`, with a space for the T, without fraction, seconds,
 * offset or the whole time; or null.
 */
export function parseTimestamp(text: string): number | null {
  const match = TIMESTAMP.exec(text.trim());
  if (match === null) return null;
  const days = parseDate(match[1] ?? '');
  const time = match[2] === undefined ? 0 : parseTime(match[2]);
  const offset = parseOffset(match[3]);
  if (days === null || time === null || offset === null) return null;
  const ms = days * MS_PER_DAY + time - offset;
  return Math.abs(ms) <= MAX_TIMESTAMP_MS ? ms : null;
}

function parseOffset(text: string | undefined): number | null {
  if (text === undefined || text === 'Z' || text === 'z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(':', '') || '0');
  if (hours > 18 || minutes > 59) return null;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

/** `2024-02-29`; years outside 0 to 9999 have a sign and six digits, as in ISO 8601. */
export function formatDate(days: number): string {
  const { year, month, day } = civilFromDays(days);
  return `${formatYear(year)}-${pad(month, 2)}-${pad(day, 2)}`;
}

function formatYear(year: number): string {
  if (year >= 0 && year <= 9999) return pad(year, 4);
  return `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`;
}

/** `12:34:56`, with `.789` where there are milliseconds. */
export function formatTime(msOfDay: number): string {
  const ms = msOfDay % 1000;
  return formatSeconds(msOfDay) + (ms === 0 ? '' : `.${pad(ms, 3)}`);
}

function formatSeconds(msOfDay: number): string {
  const seconds = Math.floor(msOfDay / 1000);
  return `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
}

/** SQL's spelling, always with milliseconds: `2024-02-29 12:34:56.789`. */
export function formatTimestampSql(ms: number): string {
  const days = Math.floor(ms / MS_PER_DAY);
  const msOfDay = ms - days * MS_PER_DAY;
  return `${formatDate(days)} ${formatSeconds(msOfDay)}.${pad(msOfDay % 1000, 3)}`;
}

/** ISO 8601 in UTC: `2024-02-29T12:34:56.789Z`. */
export function formatTimestamp(ms: number): string {
  return `${formatTimestampSql(ms).replace(' ', 'T')}Z`;
}
