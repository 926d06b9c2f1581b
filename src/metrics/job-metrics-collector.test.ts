import { describe, expect, it } from '@jest/globals';
import { attemptId, subtaskId, vertexId } from '../core/index.ts';
import type { Clock } from '../core/index.ts';
import { JobMetricsCollector } from './index.ts';

function collector() {
  let nowMs = 0;
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    schedule: () => ({ cancel: () => undefined }),
    sleep: () => Promise.resolve(),
  };
  const metrics = new JobMetricsCollector(['in', 'out'], clock);
  const report = (subtaskIndex: number, counters: Record<string, number>, attempt = 0): void => {
    metrics.report([
      { stepId: 'in', subtaskIndex, attemptId: attemptId(subtaskId(vertexId('v'), subtaskIndex), attempt), counters },
    ]);
  };
  return {
    metrics,
    report,
    at: (ms: number) => {
      nowMs = ms;
    },
    reading: (name: string) => metrics.snapshot().steps[0]?.counters[name],
  };
}

describe('metrics of a job', () => {
  it('sum subtasks, and list steps that have counted nothing', () => {
    const { metrics, report } = collector();
    report(0, { numRecordsIn: 10 });
    report(2, { numRecordsIn: 5, numBytesIn: 7 });
    expect(metrics.snapshot().steps).toEqual([
      {
        stepId: 'in',
        counters: { numRecordsIn: { total: 15, perSecond: 0 }, numBytesIn: { total: 7, perSecond: 0 } },
        subtasks: [{ numRecordsIn: 10 }, undefined, { numRecordsIn: 5, numBytesIn: 7 }],
      },
      { stepId: 'out', counters: {}, subtasks: [] },
    ]);
  });

  it('give the rate over the last seconds, not since the start', () => {
    const { report, at, reading } = collector();
    for (let second = 0; second <= 10; second++) {
      at(second * 1000);
      report(0, { n: second * 100 });
    }
    expect(reading('n')).toEqual({ total: 1000, perSecond: 100 });
    for (let second = 11; second <= 30; second++) {
      at(second * 1000);
      report(0, { n: 1000 + (second - 10) * 5000 });
    }
    expect(reading('n')?.perSecond).toBeCloseTo(5000);
  });

  it('slow down when reports stop, and stand still at the end', () => {
    const { metrics, report, at, reading } = collector();
    at(0);
    report(0, { n: 0 });
    at(1000);
    report(0, { n: 1000 });
    expect(reading('n')?.perSecond).toBeCloseTo(1000);
    at(12_000);
    expect(reading('n')?.perSecond).toBeLessThan(100);
    metrics.end();
    expect(reading('n')).toEqual({ total: 1000, perSecond: 0 });
  });
});
