import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  civilFromDays,
  daysFromCivil,
  formatTimestamp,
  parseDate,
  parseTime,
  parseTimestamp,
} from './date-time-text.ts';

describe('dates and times', () => {
  it('agree with ECMAScript on every instant', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), (ms) => {
        expect(formatTimestamp(ms)).toBe(new Date(ms).toISOString());
        expect(parseTimestamp(new Date(ms).toISOString())).toBe(ms);
      }),
    );
  });

  it('count days back and forth', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (days) => {
        const { year, month, day } = civilFromDays(days);
        expect(daysFromCivil(year, month, day)).toBe(days);
      }),
    );
  });

  it.each([
    ['2024-02-29', 19782],
    ['2023-02-29', null],
    ['2000-02-29', 11016],
    ['1900-02-29', null],
    ['2024-13-01', null],
    ['2024-00-01', null],
    ['2024-1-1', 19723],
    ['24-01-01', null],
    ['2024-01-01x', null],
    ['٢٠٢٤-01-01', null],
  ])('%s as a date is %p', (text, expected) => {
    expect(parseDate(text)).toBe(expected);
  });

  it.each([
    ['12:34', 45_240_000],
    ['12:34:56', 45_296_000],
    ['12:34:56.7', 45_296_700],
    ['12:34:56.789999', 45_296_789],
    ['24:00', null],
    ['12:60', null],
    ['12:34:60', null],
    ['12', null],
  ])('%s as a time is %p', (text, expected) => {
    expect(parseTime(text)).toBe(expected);
  });

  it.each([
    ['2024-02-29', 1709164800000],
    ['2024-02-29T12:34:56.789Z', 1709210096789],
    ['2024-02-29 12:34:56.789', 1709210096789],
    ['2024-02-29T12:34', 1709210040000],
    ['2024-02-29T12:34:56+01', 1709206496000],
    ['2024-02-29T12:34:56-0130', 1709215496000],
    ['2024-02-29T12:34:56+19:00', null],
    ['2024-02-29T', null],
    ['2024-02-29Z', null],
    ['T12:00', null],
    ['1709210096789', null],
    ['', null],
  ])('%s as a timestamp is %p', (text, expected) => {
    expect(parseTimestamp(text)).toBe(expected);
  });
});
