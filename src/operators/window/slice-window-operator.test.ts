import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OperatorHarness, driveOperatorAllWays } from '../../testing/index.ts';
import { CALLS, input, rowArbitrary } from '../fixtures/reference-aggregates.ts';
import { referenceWindows } from '../fixtures/reference-windows.ts';
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
import { SliceWindowOperator } from './slice-window-operator.ts';
import type { SlicedWindow } from './window-spec.ts';

const offsetMs = fc.constantFrom(0, 3);
const windowArbitrary: fc.Arbitrary<SlicedWindow> = fc.oneof(
  fc.record({ kind: fc.constant('tumble' as const), sizeMs: fc.integer({ min: 1, max: 20 }), offsetMs }),
  fc.record({
    kind: fc.constant('hop' as const),
    sizeMs: fc.integer({ min: 1, max: 20 }),
    slideMs: fc.integer({ min: 1, max: 9 }),
    offsetMs,
  }),
  fc
    .record({ stepMs: fc.integer({ min: 1, max: 9 }), steps: fc.integer({ min: 1, max: 5 }), offsetMs })
    .map(({ stepMs, steps, offsetMs: offset }) => ({
      kind: 'cumulate' as const,
      stepMs,
      maxMs: stepMs * steps,
      offsetMs: offset,
    })),
);

const { open, reopen } = openersOf(OperatorHarness);

describe('windows by slices', () => {
  it('give every key its aggregates in every window, whatever the batches, restores and subtasks', async () => {
    await fc.assert(
      fc.asyncProperty(
        windowArbitrary,
        eventsArbitrary(keyRow(['a', 'b', null])),
        fc.constantFrom([0], []),
        async (window, events, keys) => {
          const spec = windowSpecOf(window, { keys });
          const expected = referenceWindows(spec, events);
          const create = () => new SliceWindowOperator(spec);
          const result = await driveOperatorAllWays({ create, input, rows: events, keys: [keys], compare: 'rows' });
          expect(textOf(result.rows)).toEqual(textOf(expected.rows));
          expect(result.failures).toHaveLength(expected.noTime);
          for (const { code } of result.failures) expect(code).toBe('MR-OPERATOR-NO-EVENT-TIME');
          const ends = result.rows.map(({ values }) => values[0] as number);
          expect(ends).toEqual(ends.toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 60 },
    );
  }, SLOW_MS);

  it('merge every aggregate exactly', async () => {
    const mergeable = CALLS.filter((call) => !(call.function === 'array-agg' && call.distinct));
    await fc.assert(
      fc.asyncProperty(windowArbitrary, eventsArbitrary(rowArbitrary), async (window, events) => {
        const spec = windowSpecOf(window, { keys: [0], calls: mergeable });
        const expected = referenceWindows(spec, events);
        const create = () => new SliceWindowOperator(spec);
        const result = await driveOperatorAllWays({ create, input, rows: events, compare: 'rows' });
        expect(textOf(result.rows)).toEqual(textOf(expected.rows));
        expect(result.failures).toHaveLength(expected.noTime + expected.overflows);
      }),
      { numRuns: 10 },
    );
  }, SLOW_MS);

  it('fire again for late rows until their lateness is over, and then drop them', async () => {
    await fc.assert(
      fc.asyncProperty(
        windowArbitrary,
        eventsArbitrary(keyRow(['a', 'b', null])),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 5 }),
        async (window, events, latenessMs, batchSize) => {
          const spec = windowSpecOf(window, { latenessMs });
          const expected = referenceWindows(spec, events);
          const create = () => new SliceWindowOperator(spec);
          const single = await driveFlushed(await open(create, 1), events, 1);
          expect(textOf(single.rows)).toEqual(textOf(expected.rows));
          expect(single.late).toBe(expected.late);
          const restored = await driveRestored(reopen(create), events);
          expect(restored.late).toBe(expected.late);
          expect(textOf(restored.rows)).toEqual(textOf(expected.rows));
          // In batches, windows fire again less often, and end up the same.
          const batched = await driveFlushed(await open(create, batchSize), events, batchSize);
          expect(newest(batched.rows, 1)).toEqual(newest(expected.rows, 1));
          expect(batched.late).toBe(expected.late);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('fire early for keys that changed, by the clock', async () => {
    await fc.assert(
      fc.asyncProperty(
        windowArbitrary,
        eventsArbitrary(keyRow(['a', 'b', null])),
        fc.constantFrom(0, 7),
        async (window, events, latenessMs) => {
          const spec = windowSpecOf(window, { latenessMs, earlyMs: 10 });
          const expected = referenceWindows({ ...spec, earlyMs: null }, events);
          const result = await driveFlushed(await open(() => new SliceWindowOperator(spec), 3), events, 3, 15);
          expect(newest(result.rows, 1)).toEqual(newest(expected.rows, 1));
          const create = () => new SliceWindowOperator(spec);
          const restored = await driveRestored(reopen(create), events, 15);
          expect(newest(restored.rows, 1)).toEqual(newest(expected.rows, 1));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('emit early what has changed, and nothing twice', async () => {
    const spec = windowSpecOf({ kind: 'hop' as const, sizeMs: 20, slideMs: 10, offsetMs: 0 }, { earlyMs: 100 });
    const harness = await OperatorHarness.open({ create: () => new SliceWindowOperator(spec), input });
    const rows = (...times: number[]) => times.map((timestamp) => ({ values: ['a', ...NULLS], timestamp }));
    const start = harness.nowMs;
    await harness.process(rows(11, 12));
    expect(harness.alarmMs).toBe(start + 100);
    harness.advanceTo(start + 99);
    expect(harness.takeRows()).toEqual([]);
    harness.advanceTo(start + 100);
    const early = (endMs: number, count: bigint) => ({
      values: [endMs, 'a', count, endMs - 20],
      timestamp: endMs - 1,
      rowKind: 2,
      origin: null,
    });
    expect(harness.takeRows()).toEqual([early(20, 2n), early(30, 2n)]);
    harness.advanceTo(start + 1000);
    expect(harness.takeRows()).toEqual([]);
    expect(harness.alarmMs).toBe(Infinity);
    await harness.process(rows(21));
    harness.watermark(20);
    harness.advanceTo(start + 1100);
    expect(harness.takeRows()).toEqual([early(20, 2n), early(30, 3n), early(40, 1n)]);
    await harness.close();
  });
});
