import { describe, expect, it } from '@jest/globals';

import type { JobMetrics } from '../../metrics/index.ts';
import { progressLine, progressTable, totalsByStep, type JobProgress } from './job-progress.ts';

function metrics(steps: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>>): JobMetrics {
  return {
    atMs: 0,
    steps: Object.entries(steps).map(([stepId, counters]) => ({
      stepId,
      subtasks: [],
      counters: Object.fromEntries(
        Object.entries(counters).map(([name, [total, perSecond]]) => [name, { total, perSecond }]),
      ),
    })),
  };
}

const progress: JobProgress = {
  jobName: 'totals',
  state: 'RUNNING',
  isEnded: false,
  elapsedMs: 12_000,
  steps: [
    { stepId: 'orders', what: 'source kafka' },
    { stepId: 'large', what: 'filter' },
    { stepId: 'out', what: 'sink kafka' },
  ],
  metrics: metrics({
    orders: { numRecordsIn: [1_234_567, 102_345], numRecordsOut: [1_234_000, 102_000], pendingRecords: [70, 0] },
    out: { numRecordsIn: [40, 4], numRecordsOut: [39, 4] },
  }),
  lastCheckpoint: null,
};

describe('a job in progress', () => {
  it('is a table on a terminal', () => {
    expect(progressTable(progress)).toEqual([
      'totals  RUNNING  12 s',
      'step                         in        out  in per second  lag',
      'orders  source kafka  1,234,567  1,234,000         102k/s   70',
      'large   filter',
      'out     sink kafka           40         39            4/s',
    ]);
  });

  it('is a line elsewhere', () => {
    expect(progressLine(progress)).toBe(
      '12 s  RUNNING; orders read 1,234,567 (102k/s, lag 70); out wrote 39 (4/s)',
    );
  });

  it('has the rates of the whole run once it has ended', () => {
    expect(progressLine({ ...progress, state: 'FINISHED', isEnded: true })).toBe(
      '12 s  FINISHED; orders read 1,234,567 (103k/s, lag 70); out wrote 39 (3/s)',
    );
  });

  it('shows what went wrong only where something did', () => {
    const counters = { numRecordsSkipped: [3, 0], numDeadLetters: [2, 0] } as const;
    const troubled = { ...progress, metrics: metrics({ orders: counters }) };
    expect(progressLine(troubled)).toBe('12 s  RUNNING; orders skipped 3; orders sent 2 dead letters');
    expect(progressTable(troubled)[1]).toBe('step                  in  out  in per second  skipped  dead letters');
  });

  it('says which checkpoint is the newest, and how old it is while it can be of use', () => {
    const lastCheckpoint = { checkpointId: 7, ageMs: 2500 };
    expect(progressTable({ ...progress, lastCheckpoint })[0]).toBe('totals  RUNNING  12 s  checkpoint 7, 2.5 s ago');
    expect(progressLine({ ...progress, metrics: metrics({}), lastCheckpoint, isEnded: true })).toBe(
      '12 s  RUNNING; checkpoint 7',
    );
  });

  it('has totals for scripts', () => {
    expect(totalsByStep(progress)).toEqual({
      orders: { numRecordsIn: 1_234_567, numRecordsOut: 1_234_000, pendingRecords: 70 },
      large: {},
      out: { numRecordsIn: 40, numRecordsOut: 39 },
    });
  });
});
