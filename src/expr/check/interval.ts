/**
 * INTERVAL literals. There are no columns of intervals; one stands beside + or - and a date, a time or a timestamp.
 * Months and milliseconds are kept apart, because months have different lengths.
 */
export interface Interval {
  readonly months: number;
  readonly ms: number;
}

const MONTHS: Readonly<Record<string, number>> = { YEAR: 12, QUARTER: 3, MONTH: 1 };
const MILLISECONDS: Readonly<Record<string, number>> = {
  WEEK: 604_800_000,
  DAY: 86_400_000,
  HOUR: 3_600_000,
  MINUTE: 60_000,
  SECOND: 1000,
  MILLISECOND: 1,
};
/** Larger values leave the range of timestamps anyway. */
const LIMIT = 1e16;

/** The value, or what was expected instead. */
export function parseInterval(text: string, from: string | null, to: string | null): Interval | string {
  const trimmed = text.trim();
  if (from === null) return worded(trimmed);
  if (to !== null) return compound(trimmed, from, to);
  const match = /^([+-]?)(\d{1,10})(?:\.(\d{1,9}))?$/.exec(trimmed);
  if (match === null || (match[3] !== undefined && from !== 'SECOND')) {
    return `expected a whole number of ${from}S between the quotes, as in INTERVAL '5' ${from}`;
  }
  const fraction = Number((match[3] ?? '').slice(0, 3).padEnd(3, '0'));
  const sign = match[1] === '-' ? -1 : 1;
  return checked(scaled(from, sign * Number(match[2]), from === 'SECOND' ? sign * fraction : 0));
}

function scaled(unit: string, count: number, extraMs: number): Interval {
  // Adding zero turns -0 into 0.
  const months = MONTHS[unit];
  if (months !== undefined) return { months: count * months + 0, ms: 0 };
  return { months: 0, ms: count * (MILLISECONDS[unit] ?? 0) + extraMs + 0 };
}

function checked(interval: Interval): Interval | string {
  const isPossible = Math.abs(interval.ms) <= LIMIT && Math.abs(interval.months) <= 1e7;
  return isPossible ? interval : 'the interval is longer than all of time';
}

/** `1-6` YEAR TO MONTH, `1 02:03:04.5` DAY TO SECOND, `02:03` HOUR TO MINUTE. */
function compound(text: string, from: string, to: string): Interval | string {
  if (from === 'YEAR' && to === 'MONTH') {
    const match = /^([+-]?)(\d{1,9})-(\d{1,2})$/.exec(text);
    if (match === null) return "expected years and months, as in INTERVAL '1-6' YEAR TO MONTH";
    const months = Number(match[2]) * 12 + Number(match[3]);
    return checked({ months: match[1] === '-' ? -months : months, ms: 0 });
  }
  const units = ['DAY', 'HOUR', 'MINUTE', 'SECOND'];
  const first = units.indexOf(from);
  const last = units.indexOf(to);
  if (first === -1 || last <= first) return `there are no intervals from ${from} to ${to}`;
  const shapes = ['(\\d{1,9})', '(\\d{1,9})', '(\\d{1,9})', '(\\d{1,9}(?:\\.\\d{1,9})?)'].slice(first, last + 1);
  const pattern = shapes.reduce(
    (whole, shape, index) => whole + (index === 0 ? '' : index === 1 && first === 0 ? ' ' : ':') + shape,
  );
  const sign = text.startsWith('-') ? -1 : 1;
  const match = new RegExp(`^${pattern}$`).exec(text.replace(/^[+-]/, ''));
  if (match === null)
    return `expected ${units
      .slice(first, last + 1)
      .join(', ')
      .toLowerCase()} as in ${EXAMPLES[from] ?? ''}`;
  let ms = 0;
  for (let index = first; index <= last; index++) {
    ms += Math.trunc(Number(match[index - first + 1]) * (MILLISECONDS[units[index] ?? ''] ?? 0));
  }
  return checked({ months: 0, ms: sign * ms + 0 });
}

const EXAMPLES: Readonly<Record<string, string>> = {
  DAY: "INTERVAL '1 02:03:04.5' DAY TO SECOND",
  HOUR: "INTERVAL '02:03:04.5' HOUR TO SECOND",
  MINUTE: "INTERVAL '03:04.5' MINUTE TO SECOND",
};

/** PostgreSQL's `1 day 2 hours`. */
function worded(text: string): Interval | string {
  let months = 0;
  let ms = 0;
  const parts = [...text.matchAll(/\s*([+-]?\d{1,10})\s*([a-z]+)\s*/giy)];
  const covered = parts.reduce((length, part) => length + part[0].length, 0);
  if (parts.length === 0 || covered !== text.length) {
    return "expected a number and a unit: INTERVAL '5' MINUTE";
  }
  for (const [, count, word = ''] of parts) {
    const unit = word.toUpperCase().replace(/S$/, '');
    if (MONTHS[unit] === undefined && MILLISECONDS[unit] === undefined) return `\`${word}\` is no unit of time`;
    const part = scaled(unit, Number(count), 0);
    months += part.months;
    ms += part.ms;
  }
  return checked({ months, ms });
}
