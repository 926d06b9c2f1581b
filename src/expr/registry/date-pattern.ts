/**
 * Patterns of dates as in Java's DateTimeFormatter, which Flink uses: yyyy MM dd HH hh mm ss SSS a EEE EEEE MMM MMMM D,
 * text in quotes, other signs as they are. For writing and for reading. English names.
 */
import { MS_PER_DAY, civilFromDays, daysFromCivil, daysInMonth } from '../cast/date-time-text.ts';
import { exprErrors } from '../errors.ts';
import { dayOf, isoDayOfWeek, msOfDay } from './time-arithmetic.ts';

export interface DatePattern {
  readonly parts: readonly PatternPart[];
}

type PatternPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly letter: string; readonly width: number };

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const LETTERS = 'yuMdHhKkmsSaED';

/** The parts of a pattern; a letter without meaning is an error of the argument. */
export function compileDatePattern(pattern: string): DatePattern {
  const parts: PatternPart[] = [];
  for (const match of pattern.matchAll(/'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/g)) {
    const [piece, quoted, letter] = match;
    if (letter !== undefined) {
      if (!LETTERS.includes(letter))
        throw badPattern(pattern, `the letter ${letter} has no meaning; quote text: '${letter}'`);
      parts.push({ kind: 'field', letter, width: piece.length });
    } else if (piece === "'") {
      throw badPattern(pattern, 'a quote is not closed');
    } else {
      parts.push({ kind: 'text', text: quoted === '' ? "'" : (quoted?.replaceAll("''", "'") ?? piece) });
    }
  }
  return { parts };
}

function badPattern(pattern: string, problem: string): Error {
  return exprErrors.create('MR-EXPR-ARGUMENT', {
    function: 'the date format',
    problem: `'${pattern.slice(0, 100)}': ${problem}`,
  });
}

export function formatWithPattern(ms: number, { parts }: DatePattern): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : formatField(ms, part.letter, part.width))).join('');
}

function formatField(ms: number, letter: string, width: number): string {
  const days = dayOf(ms);
  const time = msOfDay(ms);
  const { year, month, day } = civilFromDays(days);
  const hour = Math.floor(time / 3_600_000);
  const digits = (value: number): string => (value < 0 ? '-' : '') + String(Math.abs(value)).padStart(width, '0');
  switch (letter) {
    case 'y':
    case 'u':
      return width === 2 ? String(Math.abs(year) % 100).padStart(2, '0') : digits(year);
    case 'M':
      return width <= 2 ? digits(month) : nameOf(MONTHS[month - 1] ?? '', width);
    case 'd':
      return digits(day);
    case 'D':
      return digits(days - daysFromCivil(year, 1, 1) + 1);
    case 'E':
      return nameOf(DAYS[isoDayOfWeek(days) - 1] ?? '', width);
    case 'H':
      return digits(hour);
    case 'k':
      return digits(hour === 0 ? 24 : hour);
    case 'h':
      return digits(hour % 12 === 0 ? 12 : hour % 12);
    case 'K':
      return digits(hour % 12);
    case 'm':
      return digits(Math.floor(time / 60_000) % 60);
    case 's':
      return digits(Math.floor(time / 1000) % 60);
    case 'S':
      return String(time % 1000)
        .padStart(3, '0')
        .padEnd(width, '0')
        .slice(0, width);
    default:
      return hour < 12 ? 'AM' : 'PM';
  }
}

function nameOf(name: string, width: number): string {
  return width >= 4 ? name : name.slice(0, 3);
}

interface Fields {
  year: number;
  month: number;
  day: number;
  dayOfYear: number | null;
  hour: number;
  minute: number;
  second: number;
  ms: number;
  isAfternoon: boolean | null;
}

/** The time that a text shows in a pattern, or null where it does not match or is no time. */
export function parseWithPattern(text: string, { parts }: DatePattern): number | null {
  const fields: Fields = {
    year: 1970,
    month: 1,
    day: 1,
    dayOfYear: null,
    hour: 0,
    minute: 0,
    second: 0,
    ms: 0,
    isAfternoon: null,
  };
  let at = 0;
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'text') {
      if (!text.startsWith(part.text, at)) return null;
      at += part.text.length;
      continue;
    }
    const next = parts[index + 1];
    const length = readField(text.slice(at), part.letter, part.width, next?.kind === 'field', fields);
    if (length === null) return null;
    at += length;
  }
  return at === text.length ? timeOf(fields) : null;
}

/** Notes the field at the start of a text; returns its length, or null where there is none. */
function readField(text: string, letter: string, width: number, isAdjacent: boolean, fields: Fields): number | null {
  if ((letter === 'M' && width > 2) || letter === 'E') return readName(text, letter, width, fields);
  if (letter === 'a') {
    const half = /^[ap]m/i.exec(text)?.[0];
    if (half === undefined) return null;
    fields.isAfternoon = half.toLowerCase() === 'pm';
    return 2;
  }
  // One letter, or the last of a run, takes as many digits as there are; adjacent fields exactly their width.
  const most = isAdjacent || (width > 1 && letter !== 'y' && letter !== 'u') || letter === 'S' ? width : 9;
  const pattern =
    letter === 'y' || letter === 'u'
      ? `^[+-]?\\d{${width},${Math.max(width, most)}}`
      : `^\\d{${width},${Math.max(width, most)}}`;
  const digits = new RegExp(pattern).exec(text)?.[0];
  if (digits === undefined) return null;
  setField(letter, width, digits, fields);
  return digits.length;
}

function readName(text: string, letter: string, width: number, fields: Fields): number | null {
  const names = (letter === 'M' ? MONTHS : DAYS).map((name) => nameOf(name, width));
  const index = names.findIndex((name) => text.startsWith(name));
  if (index === -1) return null;
  if (letter === 'M') fields.month = index + 1;
  return names[index]?.length ?? 0;
}

function setField(letter: string, width: number, digits: string, fields: Fields): void {
  const value = Number(digits);
  switch (letter) {
    case 'y':
    case 'u':
      fields.year = width === 2 ? 2000 + value : value;
      return;
    case 'M':
      fields.month = value;
      return;
    case 'd':
      fields.day = value;
      return;
    case 'D':
      fields.dayOfYear = value;
      return;
    case 'H':
    case 'h':
    case 'K':
      fields.hour = value;
      return;
    case 'k':
      fields.hour = value % 24;
      return;
    case 'm':
      fields.minute = value;
      return;
    case 's':
      fields.second = value;
      return;
    default:
      fields.ms = Number(digits.slice(0, 3).padEnd(3, '0'));
  }
}

function timeOf(fields: Fields): number | null {
  const { year, month, day, minute, second, ms, isAfternoon, dayOfYear } = fields;
  let { hour } = fields;
  if (isAfternoon !== null) {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (isAfternoon ? 12 : 0);
  }
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  const days = dayOfYear === null ? daysFromCivil(year, month, day) : daysFromCivil(year, 1, 1) + dayOfYear - 1;
  return days * MS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
}
