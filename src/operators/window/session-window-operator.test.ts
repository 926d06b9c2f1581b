import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RowKind } from '../../core/index.ts';
import { OperatorHarness, driveOperatorAllWays } from '../../testing/index.ts';
import { CALLS, input, rowArbitrary } from '../fixtures/reference-aggregates.ts';
import { ReferenceSessions } from '../fixtures/reference-sessions.ts';
import {
  NULLS,
  SLOW_MS,
  driveFlushed,
  driveRestored,
  eventsArbitrary,
  keyRow,
  newest,
  openersOf,
  textOf,
  windowSpecOf,
} from '../fixtures/window-cases.ts';
import { SessionWindowOperator } from './session-window-operator.ts';

const gapArbitrary = fc.integer({ min: 1, max: 8 }).map((gapMs) => ({ kind: 'session' as const, gapMs }));

const { open, reopen } = openersOf(OperatorHarness);

describe('session windows', () => {
  it('are what is left of the gaps, whatever the batches, restores and subtasks', async () => {
    await fc.assert(
      fc.asyncProperty(
        gapArbitrary,
        eventsArbitrary(keyRow(['a', 'b', null])),
        fc.constantFrom([0], []),
        async (window, events, keys) => {
          const spec = windowSpecOf(window, { keys });
          const expected = new ReferenceSessions(spec, events);
          const create = () => new SessionWindowOperator(spec);
          const result = await driveOperatorAllWays({ create, input, rows: events, keys: [keys], compare: 'rows' });
          expect(textOf(result.rows)).toEqual(textOf(expected.rows));
        },
      ),
      { numRuns: 60 },
    );
  }, SLOW_MS);

  it('merge every aggregate exactly', async () => {
    const mergeable = CALLS.filter((call) => !(call.function === 'array-agg' && call.distinct));
    await fc.assert(
      fc.asyncProperty(gapArbitrary, eventsArbitrary(rowArbitrary), async (window, events) => {
        const spec = windowSpecOf(window, { calls: mergeable });
        const expected = new ReferenceSessions(spec, events);
        const create = () => new SessionWindowOperator(spec);
        const result = await driveOperatorAllWays({ create, input, rows: events, compare: 'rows' });
        expect(textOf(result.rows)).toEqual(textOf(expected.rows));
      }),
      { numRuns: 10 },
    );
  }, SLOW_MS);

  it('with lateness take back what late rows change', async () => {
    await fc.assert(
      fc.asyncProperty(
        gapArbitrary,
        eventsArbitrary(keyRow(['a', 'b', null])),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 2, max: 5 }),
        async (window, events, latenessMs, batchSize) => {
          const spec = windowSpecOf(window, { latenessMs });
          const expected = new ReferenceSessions(spec, events);
          const create = () => new SessionWindowOperator(spec);
          const single = await driveFlushed(await open(create, 1), events, 1);
          expect(textOf(single.rows)).toEqual(textOf(expected.rows));
          expect(single.late).toBe(expected.late);
          const restored = await driveRestored(reopen(create), events);
          expect(restored.late).toBe(expected.late);
          expect(textOf(restored.rows)).toEqual(textOf(expected.rows));
          const batched = await driveFlushed(await open(create, batchSize), events, batchSize);
          expect(newest(batched.rows, 1)).toEqual(newest(expected.rows, 1));
          expect(batched.late).toBe(expected.late);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('find the place of a row among many sessions of a key, from either end', async () => {
    const spec = windowSpecOf({ kind: 'session' as const, gapMs: 10 });
    const times = Array.from({ length: 2000 }, (_, i) => ((i * 7919) % 2000) * 20);
    // Every second gap is closed, so that pairs of sessions become one.
    const bridges = Array.from({ length: 1000 }, (_, i) => [i * 40 + 8, i * 40 + 15]).flat();
    const events = [...times, ...bridges].map((timestamp) => ({ values: ['a', ...NULLS], timestamp }));
    const result = await driveFlushed(await open(() => new SessionWindowOperator(spec), 512), events, 512);
    const expected = Array.from({ length: 1000 }, (_, i) => [i * 40 + 30, 'a', 4n, i * 40]);
    expect(result.rows.map(({ values }) => values)).toEqual(expected);
  });

  it('free what they held', async () => {
    const spec = windowSpecOf({ kind: 'session' as const, gapMs: 10 }, { latenessMs: 5 });
    const harness = await OperatorHarness.open({ create: () => new SessionWindowOperator(spec), input });
    const rows = Array.from({ length: 500 }, (_, i) => ({ values: [`key ${i}`, ...NULLS], timestamp: i % 7 }));
    await harness.process(rows);
    const { stateBytes } = harness;
    for (let round = 1; round < 20; round++) {
      harness.watermark(round * 100);
      expect(harness.takeRows().map(({ rowKind }) => rowKind)).toEqual(rows.map(() => RowKind.insert));
      expect(harness.snapshot().chunks).toEqual([]);
      await harness.process(rows.map((row) => ({ ...row, timestamp: row.timestamp + round * 100 })));
      expect(harness.stateBytes).toBeLessThan(stateBytes * 2);
    }
    await harness.close();
  });
});
