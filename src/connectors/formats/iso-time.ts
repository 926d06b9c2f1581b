/**
 * Dates, times and timestamps of ISO 8601 in bytes, without making strings. The calendar is the proleptic Gregorian
 * one; a timestamp without an offset is UTC; digits of a second finer than milliseconds are cut off.
 *
 *     date       2026-01-02, or with a sign and six digits of a year: +010000-01-01
 *     time       03:04, 03:04:05, 03:04:05.678901
 *     timestamp  date, or date (T or space) time [Z, +hh, +hhmm or +hh:mm]
 */
import { MAX_TIMESTAMP_MS } from '../../core/index.ts';
import { daysFromCivil, daysInMonth, MS_PER_DAY } from '../../expr/index.ts';

const MS_PER_MINUTE = 60_000;
/** The range of ECMAScript's Date. */
const MAX_DAYS = MAX_TIMESTAMP_MS / MS_PER_DAY;

const DASH = 0x2d;
const COLON = 0x3a;
const PLUS = 0x2b;

/** Parses one text at a time; not re-entrant. NaN stands for text that is none. */
export class IsoTimeParser {
  #bytes: Uint8Array = new Uint8Array(0);
  #p = 0;
  #end = 0;

  timestamp(bytes: Uint8Array, start: number, end: number): number {
    this.#start(bytes, start, end);
    const days = this.#date();
    if (this.#p === end) return inRange(days * MS_PER_DAY);
    const separator = bytes[this.#p] as number;
    if (separator !== 0x54 && separator !== 0x20 && separator !== 0x74) return NaN;
    this.#p++;
    const time = this.#time();
    const offset = this.#p === end ? 0 : this.#offset();
    return this.#p === end ? inRange(days * MS_PER_DAY + time - offset) : NaN;
  }

  /** Days since 1970-01-01. */
  date(bytes: Uint8Array, start: number, end: number): number {
    this.#start(bytes, start, end);
    const days = this.#date();
    return this.#p === end && Math.abs(days) <= MAX_DAYS ? days : NaN;
  }

  /** Milliseconds of the day. */
  time(bytes: Uint8Array, start: number, end: number): number {
    this.#start(bytes, start, end);
    const time = this.#time();
    return this.#p === end ? time : NaN;
  }

  #start(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#p = start;
    this.#end = end;
  }

  #date(): number {
    const sign = this.#bytes[this.#p] as number;
    const signed = sign === PLUS || sign === DASH;
    if (signed) this.#p++;
    const year = this.#digits(signed ? 6 : 4);
    if (!this.#take(DASH)) return NaN;
    const month = this.#digits(2);
    if (!this.#take(DASH)) return NaN;
    const day = this.#digits(2);
    if (sign === DASH && year === 0) return NaN;
    const signedYear = sign === DASH ? -year : year;
    if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(signedYear, month))) return NaN;
    return daysFromCivil(signedYear, month, day);
  }

  #time(): number {
    const hour = this.#digits(2);
    if (!this.#take(COLON)) return NaN;
    const minute = this.#digits(2);
    let second = 0;
    let ms = 0;
    if (this.#take(COLON)) {
      second = this.#digits(2);
      const c = this.#p < this.#end ? this.#bytes[this.#p] : 0;
      if (c === 0x2e || c === 0x2c) {
        this.#p++;
        ms = this.#fraction();
      }
    }
    if (!(hour <= 23 && minute <= 59 && second <= 59)) return NaN;
    return hour * 3_600_000 + minute * MS_PER_MINUTE + second * 1000 + ms;
  }

  #fraction(): number {
    let ms = 0;
    let count = 0;
    while (this.#p < this.#end) {
      const digit = (this.#bytes[this.#p] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      if (count < 3) ms = ms * 10 + digit;
      count++;
      this.#p++;
    }
    if (count === 0) return NaN;
    return count === 1 ? ms * 100 : count === 2 ? ms * 10 : ms;
  }

  /** Milliseconds east of UTC. */
  #offset(): number {
    const c = this.#bytes[this.#p] as number;
    this.#p++;
    if (c === 0x5a || c === 0x7a) return 0;
    if (c !== PLUS && c !== DASH) return NaN;
    const hours = this.#digits(2);
    let minutes = 0;
    if (this.#p < this.#end) {
      this.#take(COLON);
      minutes = this.#digits(2);
    }
    if (!(hours <= 18 && minutes <= 59)) return NaN;
    const offset = (hours * 60 + minutes) * MS_PER_MINUTE;
    return c === DASH ? -offset : offset;
  }

  #digits(count: number): number {
    if (this.#p + count > this.#end) return NaN;
    let value = 0;
    for (let i = 0; i < count; i++) {
      const digit = (this.#bytes[this.#p + i] as number) - 0x30;
      if (digit < 0 || digit > 9) return NaN;
      value = value * 10 + digit;
    }
    this.#p += count;
    return value;
  }

  #take(c: number): boolean {
    if (this.#p >= this.#end || this.#bytes[this.#p] !== c) return false;
    this.#p++;
    return true;
  }
}

function inRange(ms: number): number {
  return Math.abs(ms) <= MAX_TIMESTAMP_MS ? ms : NaN;
}

/**
 * The minute of the last timestamp seen, as text and as milliseconds: consecutive timestamps mostly share it. `[0]` and
 * `[1]` are the 16 bytes of `2026-01-02T03:04` read as two doubles (their bits: ASCII is never NaN or zero), `[2]` the
 * milliseconds of that minute.
 */
export type MinuteCache = Float64Array;

export const newMinuteCache = (): MinuteCache => Float64Array.of(0, 0, 0);

/** Fills the cache from the 16 bytes at `start`; false where they are no minute of a timestamp. */
export function cacheMinute(
  cache: MinuteCache,
  parser: IsoTimeParser,
  bytes: Uint8Array,
  view: DataView,
  start: number,
): boolean {
  const ms = parser.timestamp(bytes, start, start + 16);
  if (Number.isNaN(ms) || bytes[start + 13] !== COLON) return false;
  cache[0] = view.getFloat64(start, true);
  cache[1] = view.getFloat64(start + 8, true);
  cache[2] = ms;
  return true;
}
