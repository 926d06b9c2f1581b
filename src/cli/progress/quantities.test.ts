import { describe, expect, it } from '@jest/globals';

import { formatCount, formatElapsed, formatRate, formatSize } from './quantities.ts';

describe('quantities', () => {
  it.each([
    [0, '0/s'],
    [999.4, '999/s'],
    [999.5, '1.00k/s'],
    [12_345, '12.3k/s'],
    [99_960, '100k/s'],
    [4_050_000, '4.05M/s'],
    [-3, '0/s'],
  ])('rate %d', (rate, text) => expect(formatRate(rate)).toBe(text));

  it.each([
    [400, '0.4 s'],
    [9_960, '10 s'],
    [59_700, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [7_380_000, '2 h 03 min'],
  ])('elapsed %d', (elapsedMs, text) => expect(formatElapsed(elapsedMs)).toBe(text));

  it.each([
    [0, '0 B'],
    [12_345, '12.3 kB'],
    [4_050_000, '4.05 MB'],
  ])('size %d', (bytes, text) => expect(formatSize(bytes)).toBe(text));

  it('count', () => expect(formatCount(1_234_567.4)).toBe('1,234,567'));
});
