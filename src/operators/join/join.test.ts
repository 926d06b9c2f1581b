import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RowKind } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { ManualClock, OperatorHarness, driveOperator, driveOperatorAllWays } from '../../testing/index.ts';
import type { InputEvent, InputRow, OutputRow } from '../../testing/index.ts';
import { leftOf } from '../fixtures/changelogs.ts';
import { keyedEvents } from '../fixtures/keyed-events.ts';
import {
  DIVIDED,
  LEFT_KEYS,
  ORDERED,
  RIGHT_KEYS,
  joinReference,
  joinSpecOf,
  left,
  leftRow,
  right,
  rightRow,
  temporalReference,
} from '../fixtures/reference-joins.ts';
import { textOf } from '../fixtures/window-cases.ts';
import { createJoinOperator } from './create-join-operator.ts';
import type { JoinSpec } from './join-spec.ts';

const START = 1_700_000_000_000;
const TYPES = ['inner', 'left', 'right', 'full', 'semi', 'anti'] as const;
const input = [left, right];
const keys = [LEFT_KEYS, RIGHT_KEYS];

const boundsArbitrary: fc.Arbitrary<Exclude<JoinSpec['bounds'], null | { readonly kind: 'temporal' }>> = fc.oneof(
  fc.record({
    kind: fc.constant('interval' as const),
    beforeMs: fc.integer({ min: -3, max: 12 }),
    afterMs: fc.integer({ min: 3, max: 12 }),
  }),
  fc.record({
    kind: fc.constant('window' as const),
    sizeMs: fc.integer({ min: 1, max: 15 }),
    offsetMs: fc.integer({ min: 0, max: 5 }),
  }),
);

const conditionArbitrary = fc.constantFrom(null, ORDERED, DIVIDED);

/** Rows without event time, and a clock that goes on. */
const clockedEvents = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ values: leftRow, input: fc.constant(0) }) },
      { weight: 5, arbitrary: fc.record({ values: rightRow, input: fc.constant(1) }) },
      { weight: 2, arbitrary: fc.record({ advance: fc.integer({ min: 0, max: 20 }) }) },
    ),
    { maxLength: 60 },
  )
  .map((steps): InputEvent[] => {
    let nowMs = START;
    return steps.map((step) => ('advance' in step ? { nowMs: (nowMs += step.advance) } : step));
  });

const driveAll = (spec: JoinSpec, rows: readonly InputEvent[]) =>
  driveOperatorAllWays({
    create: () => createJoinOperator(spec),
    input,
    rows,
    stepId: 'j',
    keys,
    compare: 'rows',
    ports: { ...nodePorts, clock: new ManualClock(START) },
  });

const anonymous = (rows: readonly OutputRow[]) => textOf(rows.map((row) => ({ ...row, origin: null })));

async function lateOf(spec: JoinSpec, events: readonly InputEvent[]): Promise<number> {
  const harness = await OperatorHarness.open({ create: () => createJoinOperator(spec), input });
  for (const event of events) {
    if ('values' in event) await harness.process([event]);
    else if ('watermarkMs' in event) harness.watermark(event.watermarkMs);
  }
  await harness.close();
  return harness.counter('numLateRecordsDropped');
}

describe('joins within bounds', () => {
  it.each(TYPES)('pair what is near enough, and say the rest when it is certain: %s', async (type) => {
    await fc.assert(
      fc.asyncProperty(
        keyedEvents([leftRow, rightRow]),
        boundsArbitrary,
        conditionArbitrary,
        async (events, bounds, condition) => {
          const spec = joinSpecOf(type, bounds, { condition });
          const expected = joinReference(spec, events, START);
          expect(anonymous((await driveAll(spec, events)).rows)).toEqual(textOf(expected.rows));
          expect(await lateOf(spec, events)).toBe(expected.late);
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each(TYPES)('give nothing that is late behind them: %s', async (type) => {
    await fc.assert(
      fc.asyncProperty(keyedEvents([leftRow, rightRow]), boundsArbitrary, async (events, bounds) => {
        const create = () => createJoinOperator(joinSpecOf(type, bounds));
        const harness = await OperatorHarness.open({ create, input, pauses: 1 });
        let watermark = -Infinity;
        for (const event of events) {
          if ('values' in event) await harness.process([event]);
          else if ('watermarkMs' in event) harness.watermark(event.watermarkMs);
          for (const row of harness.takeRows()) expect(row.timestamp).toBeGreaterThanOrEqual(watermark);
          if ('watermarkMs' in event) watermark = event.watermarkMs;
        }
        await harness.close();
      }),
    );
  });

  it('free what they held', async () => {
    const bounds = { kind: 'interval', beforeMs: 5, afterMs: 10 } as const;
    const create = () => createJoinOperator(joinSpecOf('full', bounds, { condition: ORDERED }));
    const harness = await OperatorHarness.open({ create, input });
    let stateBytes = 0;
    for (let round = 0; round < 20; round++) {
      const timestamp = round * 100;
      const name = (i: number) => `a key that is longer than others ${round} ${i}`;
      const lefts = Array.from({ length: 300 }, (_, i) => ({ values: [name(i), 1n, [i], 1n], timestamp, input: 0 }));
      const rights = lefts.map(({ values }) => ({ values: [1n, 2n, values[0] as string], timestamp, input: 1 }));
      await harness.process([...lefts, ...rights]);
      expect(harness.takeRows()).toHaveLength(300);
      harness.watermark(timestamp + 11);
      expect(harness.takeRows()).toEqual([]);
      expect(harness.snapshot().chunks).toEqual([]);
      if (round === 0) ({ stateBytes } = harness);
      expect(harness.stateBytes).toBeLessThanOrEqual(stateBytes * 2);
    }
    await harness.close();
  });

  it('stop and go on in the middle of the partners of a row', async () => {
    const lefts: InputRow[] = Array.from({ length: 5000 }, (_, i) => ({
      values: ['a', BigInt(i), null, 1n],
      timestamp: 10,
      input: 0,
    }));
    const rights: InputRow[] = [0, 1, 2].map((i) => ({ values: [1n, BigInt(i), 'a'], timestamp: 10 + i, input: 1 }));
    const spec = joinSpecOf('full', { kind: 'interval', beforeMs: 5, afterMs: 5 });
    const create = () => createJoinOperator(spec);
    const test = { create, input, rows: [...lefts, ...rights] };
    const { rows } = await driveOperator(test, { batchSize: 1024, pauses: 2 });
    expect(rows).toHaveLength(15_000);
    expect(new Set(anonymous(rows)).size).toBe(15_000);
  });
});

describe('joins without bounds', () => {
  it.each(TYPES)('come to all pairs, whatever the batches, restores and subtasks: %s', async (type) => {
    await fc.assert(
      fc.asyncProperty(
        clockedEvents,
        fc.option(fc.integer({ min: 1, max: 30 })),
        conditionArbitrary,
        async (events, ttlMs, condition) => {
          const spec = joinSpecOf(type, null, { condition, ttlMs });
          const { rows } = await driveAll(spec, [{ nowMs: START }, ...events]);
          if (type === 'inner' || type === 'semi') expect(rows.every(({ rowKind }) => rowKind === 0)).toBe(true);
          expect(leftOf(rows)).toEqual(textOf(joinReference(spec, events, START).rows));
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each(TYPES)('are right after every row: %s', async (type) => {
    await fc.assert(
      fc.asyncProperty(clockedEvents, conditionArbitrary, async (events, condition) => {
        const spec = joinSpecOf(type, null, { condition });
        const harness = await OperatorHarness.open({ create: () => createJoinOperator(spec), input });
        for (const [index, event] of events.entries()) {
          if (!('values' in event)) continue;
          await harness.process([event]);
          const expected = joinReference(spec, events.slice(0, index + 1), START);
          expect(leftOf(harness.rows)).toEqual(textOf(expected.rows));
        }
        await harness.close();
      }),
      { numRuns: 30 },
    );
  });

  it('forget by the clock', async () => {
    const create = () => createJoinOperator(joinSpecOf('left', null, { ttlMs: 10 }));
    const harness = await OperatorHarness.open({ create, input, nowMs: START });
    const rows = (name: string) => [
      { values: [name, 1n, null, 1n], input: 0 },
      { values: [1n, 1n, name], input: 1 },
    ];
    await harness.process(rows('a'));
    expect(harness.alarmMs).toBe(START + 10);
    harness.advanceTo(START + 5);
    await harness.process(rows('b'));
    harness.advanceTo(START + 10);
    expect(harness.snapshot().chunks).toHaveLength(2);
    harness.advanceTo(START + 15);
    expect(harness.snapshot().chunks).toEqual([]);
    expect(harness.alarmMs).toBe(Infinity);
    await harness.close();
  });

  it('refuse rows that take others back', async () => {
    const rows = [{ values: ['a', 1n, null, 1n], rowKind: RowKind.delete }];
    const create = () => createJoinOperator(joinSpecOf('inner', null));
    await expect(driveOperator({ create, input, rows }, { batchSize: 1, pauses: 0 })).rejects.toMatchObject({
      code: 'MR-OPERATOR-CHANGELOG',
    });
  });
});

describe('temporal joins', () => {
  const TEMPORAL = { kind: 'temporal' } as const;

  it.each(['inner', 'left'] as const)('meet the version of their time: %s', async (type) => {
    await fc.assert(
      fc.asyncProperty(keyedEvents([leftRow, rightRow], 80), conditionArbitrary, async (events, condition) => {
        const spec = joinSpecOf(type, TEMPORAL, { condition });
        const expected = temporalReference(spec, events);
        expect(anonymous((await driveAll(spec, events)).rows)).toEqual(textOf(expected.rows));
      }),
      { numRuns: 50 },
    );
  });

  it('know of keys that were deleted, and of those that came back', async () => {
    const kinds = fc.constantFrom(RowKind.insert, RowKind.updateAfter, RowKind.delete);
    const kindsArbitrary = fc.array(kinds, { minLength: 80, maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(keyedEvents([leftRow, rightRow], 80), kindsArbitrary, async (all, rowKinds) => {
        let watermark = -Infinity;
        const events = all.flatMap((event, index): InputEvent[] => {
          if ('watermarkMs' in event) watermark = event.watermarkMs;
          if (!('values' in event) || event.input === 0) return [event];
          return (event.timestamp ?? NaN) >= watermark ? [{ ...event, rowKind: rowKinds[index] as RowKind }] : [];
        });
        const spec = joinSpecOf('left', TEMPORAL);
        expect(anonymous((await driveAll(spec, events)).rows)).toEqual(textOf(temporalReference(spec, events).rows));
      }),
      { numRuns: 30 },
    );
  });

  it('keep one version of a key once no row can meet the others', async () => {
    const create = () => createJoinOperator(joinSpecOf('left', TEMPORAL));
    const harness = await OperatorHarness.open({ create, input });
    const versions = Array.from({ length: 100 }, (_, i) => ({ values: [1n, BigInt(i), 'a'], timestamp: i, input: 1 }));
    await harness.process(versions);
    const sizeOf = () => harness.snapshot().chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const all = sizeOf();
    harness.watermark(50);
    expect(sizeOf()).toBeLessThan(all * 0.55);
    harness.watermark(99);
    expect(sizeOf()).toBeLessThan(all * 0.02);
    await harness.process([{ values: [1n, 0n, 'a'], timestamp: 98, input: 1 }]);
    expect(harness.counter('numLateRecordsDropped')).toBe(1);
    await harness.process([{ values: [1n, 0n, 'a'], timestamp: 100, input: 1, rowKind: RowKind.delete }]);
    harness.watermark(100);
    expect(harness.snapshot().chunks).toEqual([]);
    await harness.close();
  });
});
