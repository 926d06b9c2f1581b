import { describe, expect, it } from '@jest/globals';

import { cpuSecondsOf, recordsPerCpuSecond } from './cpu-per-record.ts';

const sample = (rows: number, cpuSeconds: number) => ({ rows, cpuSeconds });

describe('records per CPU-second', () => {
  it('count from a fifth of the output to its end, without what was idle before and after', () => {
    const samples = [sample(0, 1), sample(10, 3), sample(25, 4), sample(60, 6), sample(100, 9), sample(100, 20)];
    expect(recordsPerCpuSecond(samples, 100, 1000)).toBe(150);
  });

  it('count to the last sample where the process has ended before it was seen to have written all', () => {
    expect(recordsPerCpuSecond([sample(20, 4), sample(80, 6)], 100, 1000)).toBe(300);
  });

  it('are not told of a run that was over before two samples', () => {
    expect(() => recordsPerCpuSecond([sample(0, 1), sample(100, 2)], 100, 1000)).toThrow('do not show');
    expect(() => recordsPerCpuSecond([], 0, 1000)).toThrow('do not show');
  });
});

describe('the CPU time of a process', () => {
  it('is what the system counts, and nothing where there is no process', () => {
    const before = cpuSecondsOf(process.pid) ?? Number.NaN;
    const used = process.cpuUsage();
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThanOrEqual((used.user + used.system) / 1e6 + 0.02);
    expect(cpuSecondsOf(2 ** 30)).toBeNull();
  });
});
