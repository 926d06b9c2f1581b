import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rowSchema, types } from '../../core/index.ts';
import type { AggregateCall, Field, Value } from '../../core/index.ts';
import { OperatorHarness, driveOperatorAllWays } from '../../testing/index.ts';
import type { InputEvent, InputRow, OutputRow } from '../../testing/index.ts';
import { CALLS, aggregate, input, rowArbitrary } from '../fixtures/reference-aggregates.ts';
import { referenceWindows } from '../fixtures/reference-windows.ts';
import { SliceWindowOperator } from './slice-window-operator.ts';
import type { SlicedWindow, WindowField, WindowSpec } from './window-spec.ts';

const COUNT = aggregate('count', null, types.long);

function specOf(
  window: SlicedWindow,
  parts: {
    readonly keys?: readonly number[];
    readonly calls?: readonly AggregateCall[];
    readonly latenessMs?: number;
    readonly earlyMs?: number | null;
  } = {},
): WindowSpec<SlicedWindow> {
  const { keys = [0], calls = [COUNT], latenessMs = 0, earlyMs = null } = parts;
  const fields: WindowField[] = [
    { kind: 'window-end' },
    ...keys.map((_, key) => ({ kind: 'key' as const, key })),
    ...calls.map((_, call) => ({ kind: 'call' as const, call })),
    { kind: 'window-start' },
  ];
  const output = rowSchema([
    { name: 'end', type: types.timestamp },
    ...keys.map((key) => input.fields[key] as Field),
    ...calls.map(({ type }, index) => ({ name: `o${index}`, type })),
    { name: 'start', type: types.timestamp },
  ]);
  const named = calls.map((call, index) => ({ ...call, name: `o${index}` }));
  return { stepId: 'w', keys, calls: named, window, latenessMs, earlyMs, fields, input, output };
}

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

/** Rows around a time that goes on, and watermarks that follow it, more or less. */
const eventsArbitrary = (row: fc.Arbitrary<readonly Value[]>): fc.Arbitrary<InputEvent[]> =>
  fc
    .array(
      fc.oneof(
        { weight: 12, arbitrary: fc.record({ values: row, behind: fc.integer({ min: -5, max: 25 }) }) },
        { weight: 1, arbitrary: fc.record({ values: row, behind: fc.constant(NaN) }) },
        { weight: 4, arbitrary: fc.record({ advance: fc.integer({ min: 0, max: 15 }) }) },
        { weight: 1, arbitrary: fc.record({ advance: fc.constant(100) }) },
      ),
      { maxLength: 50 },
    )
    .map((events) => {
      let now = -20;
      return events.map((event) => {
        if ('advance' in event) return { watermarkMs: (now += event.advance) };
        return { values: event.values, timestamp: now + 8 - event.behind };
      });
    });

const keyRow = (keys: readonly Value[]): fc.Arbitrary<readonly Value[]> =>
  fc.constantFrom(...keys).map((key) => [key, 1n, null, null, null, null, null]);

const textOf = (rows: readonly OutputRow[]): string[] =>
  rows
    .map((row) => JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)))
    .sort();

/** The newest row per window and key. */
function newest(rows: readonly OutputRow[], keyCount: number): string[] {
  const last = new Map<string, OutputRow>();
  for (const row of rows) last.set(JSON.stringify(row.values.slice(0, 1 + keyCount)), { ...row, rowKind: 0 });
  return textOf([...last.values()]);
}

describe('windows by slices', () => {
  it('give every key its aggregates in every window, whatever the batches, restores and subtasks', async () => {
    await fc.assert(
      fc.asyncProperty(
        windowArbitrary,
        eventsArbitrary(keyRow(['a', 'b', null])),
        fc.constantFrom([0], []),
        async (window, events, keys) => {
          const spec = specOf(window, { keys });
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
      { numRuns: 100 },
    );
  });

  it('merge every aggregate exactly', async () => {
    const mergeable = CALLS.filter((call) => !(call.function === 'array-agg' && call.distinct));
    await fc.assert(
      fc.asyncProperty(windowArbitrary, eventsArbitrary(rowArbitrary), async (window, events) => {
        const spec = specOf(window, { keys: [0], calls: mergeable });
        const expected = referenceWindows(spec, events);
        const create = () => new SliceWindowOperator(spec);
        const result = await driveOperatorAllWays({ create, input, rows: events, compare: 'rows' });
        expect(textOf(result.rows)).toEqual(textOf(expected.rows));
        expect(result.failures).toHaveLength(expected.noTime + expected.overflows);
      }),
      { numRuns: 15 },
    );
  });

  it('fire again for late rows until their lateness is over, and then drop them', async () => {
    await fc.assert(
      fc.asyncProperty(
        windowArbitrary,
        eventsArbitrary(keyRow(['a', 'b', null])),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 5 }),
        async (window, events, latenessMs, batchSize) => {
          const spec = specOf(window, { latenessMs });
          const expected = referenceWindows(spec, events);
          const create = () => new SliceWindowOperator(spec);
          const single = await drive(create, events, 1);
          expect(textOf(single.rows)).toEqual(textOf(expected.rows));
          expect(single.late).toBe(expected.late);
          // In batches, windows fire again less often, and end up the same.
          const batched = await drive(create, events, batchSize);
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
          const spec = specOf(window, { latenessMs, earlyMs: 10 });
          const expected = referenceWindows({ ...spec, earlyMs: null }, events);
          const result = await drive(() => new SliceWindowOperator(spec), events, 3, 15);
          expect(newest(result.rows, 1)).toEqual(newest(expected.rows, 1));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('emit early what has changed, and nothing twice', async () => {
    const spec = specOf({ kind: 'hop', sizeMs: 20, slideMs: 10, offsetMs: 0 }, { earlyMs: 100 });
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

const NULLS = [null, null, null, null, null, null];

/** Flushed after every batch; the clock goes on by `clockMs` with it. */
async function drive(
  create: () => SliceWindowOperator,
  events: readonly InputEvent[],
  batchSize: number,
  clockMs = 0,
): Promise<{ readonly rows: readonly OutputRow[]; readonly late: number }> {
  const harness = await OperatorHarness.open({ create, input, batchSize, pauses: 1 });
  try {
    for (const batch of batchesOf(events, batchSize)) {
      if ('watermarkMs' in batch) harness.watermark(batch.watermarkMs);
      else await harness.process(batch.rows, () => { harness.flush(); });
      harness.advanceTo(harness.nowMs + clockMs);
    }
    harness.finish();
    return { rows: harness.takeRows(), late: harness.counter('numLateRecordsDropped') };
  } finally {
    await harness.close();
  }
}

function batchesOf(
  events: readonly InputEvent[],
  batchSize: number,
): ({ readonly watermarkMs: number } | { readonly rows: InputRow[] })[] {
  const batches: ({ readonly watermarkMs: number } | { readonly rows: InputRow[] })[] = [];
  for (const event of events) {
    const last = batches.at(-1);
    if (!('values' in event)) {
      if ('watermarkMs' in event) batches.push(event);
    } else if (last !== undefined && 'rows' in last && last.rows.length < batchSize) last.rows.push(event);
    else batches.push({ rows: [event] });
  }
  return batches;
}
