import { describe, expect, it } from '@jest/globals';

import { longestPauseMs, recoveryTimes } from './recovery-times.ts';

const row = (sentAtMs: number, seenAtMs: number, partition: number) => ({ sentAtMs, seenAtMs, partition });

/** Rows of two partitions, each committed half a second after it was sent. */
const usual = [row(7000, 7500, 0), row(7000, 7500, 1), row(8000, 8500, 0), row(8000, 8500, 1)];

describe('the times of a recovery', () => {
  it('are not known before every partition comes as usual', () => {
    expect(recoveryTimes(usual, 9000)).toBeNull();
    expect(recoveryTimes([...usual, row(8900, 12_000, 0), row(9100, 12_000, 0)], 9000)).toBeNull();
    expect(recoveryTimes([...usual, row(9100, 12_000, 0), row(11_500, 12_000, 0)], 9000)).toBeNull();
  });

  it('count from the disturbance to the first row that was sent after it, and to rows as quick as before', () => {
    const late = [row(9100, 12_000, 0), row(9100, 12_000, 1), row(11_500, 12_100, 0), row(11_500, 12_200, 1)];
    expect(recoveryTimes([...usual, ...late], 9000)).toEqual({ firstOutputMs: 3000, caughtUpMs: 3200 });
  });

  it('know what was usual before a disturbance that lasts', () => {
    const back = [row(60_100, 60_600, 0), row(60_100, 60_700, 1)];
    expect(recoveryTimes([...usual, ...back], 60_000)).toBeNull();
    expect(recoveryTimes([...usual, ...back], 60_000, 9000)).toEqual({ firstOutputMs: 600, caughtUpMs: 700 });
  });
});

describe('a pause', () => {
  it('is the longest time without an append, up to the ends', () => {
    expect(longestPauseMs([900, 1010, 1100, 1400, 2500], 1000, 1500)).toBe(300);
    expect(longestPauseMs([], 1000, 1500)).toBe(500);
    expect(longestPauseMs([1001], 1000, 1500)).toBe(499);
  });
});
