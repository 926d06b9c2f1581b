import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RowKind, rowSchema, types } from '../../core/index.ts';
import type { Value } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { ManualClock, OperatorHarness, driveOperator, driveOperatorAllWays } from '../../testing/index.ts';
import type { InputEvent } from '../../testing/index.ts';
import { keyedEvents } from '../fixtures/keyed-events.ts';
import { textOf } from '../fixtures/window-cases.ts';
import { DedupeOperator } from './dedupe-operator.ts';

const input = rowSchema([
  { name: 'id', type: types.long },
  { name: 'name', type: types.string },
  { name: 'number', type: types.long },
]);
const KEYS = [1, 0];
const START = 1_700_000_000_000;

const create = (keep: 'first' | 'last', ttlMs: number | null) => () =>
  new DedupeOperator({ stepId: 'd', keys: KEYS, keep, ttlMs, input, output: input });

const portsAt = (nowMs: number) => ({ ...nodePorts, clock: new ManualClock(nowMs) });

const rowArbitrary = fc
  .tuple(fc.constantFrom(1n, 2n ** 60n, null), fc.constantFrom('a', 'b', null), fc.bigInt({ min: 0n, max: 9n }))
  .map((row): readonly Value[] => row);

interface Kept {
  values: readonly Value[];
  time: number;
  isWaiting: boolean;
}

/** By the book: every key in a map, every key looked at whenever time goes on. */
function reference(events: readonly InputEvent[], keep: 'first' | 'last', ttlMs: number | null, hasTime: boolean) {
  const kept = new Map<string, Kept>();
  const rows: { values: readonly Value[]; timestamp: number | null; rowKind: number }[] = [];
  let [watermark, now, late] = [-Infinity, START, 0];
  const reach = (time: number): void => {
    for (const [key, one] of [...kept]) {
      if (one.isWaiting && one.time <= time) {
        rows.push({ values: one.values, timestamp: one.time, rowKind: RowKind.insert });
        one.isWaiting = false;
      }
      if (!one.isWaiting && ttlMs !== null && one.time + ttlMs <= time) kept.delete(key);
    }
  };
  const take = (values: readonly Value[], time: number): void => {
    const key = KEYS.map((index) => String(values[index])).join('|');
    const known = kept.get(key);
    const timestamp = hasTime ? time : null;
    if (keep === 'first' && hasTime) {
      if (time < watermark) late++;
      else if (known === undefined || (known.isWaiting && time < known.time)) {
        kept.set(key, { values, time, isWaiting: true });
      }
    } else if (known === undefined) {
      if (hasTime && ttlMs !== null && time + ttlMs <= watermark) late++;
      else {
        kept.set(key, { values, time, isWaiting: false });
        rows.push({ values, timestamp, rowKind: RowKind.insert });
      }
    } else if (keep === 'last' && time >= known.time) {
      known.time = time;
      rows.push({ values, timestamp, rowKind: RowKind.updateAfter });
    }
  };
  for (const event of events) {
    if ('values' in event) {
      if (!Number.isNaN(event.timestamp)) take(event.values, hasTime ? (event.timestamp as number) : now);
    } else if ('nowMs' in event) {
      now = event.nowMs;
      if (!hasTime) reach(now);
    } else {
      watermark = event.watermarkMs;
      if (hasTime) reach(watermark);
    }
  }
  if (hasTime) reach(Infinity);
  return { rows, late };
}

const withoutOrigin = (rows: readonly { values: readonly Value[]; timestamp: number | null; rowKind: number }[]) =>
  textOf(rows.map(({ values, timestamp, rowKind }) => ({ values, timestamp, rowKind, origin: null })));

describe('DedupeOperator', () => {
  it('keeps the first or the last row of a key by event time', async () => {
    await fc.assert(
      fc.asyncProperty(
        keyedEvents([rowArbitrary]),
        fc.constantFrom('first' as const, 'last' as const),
        fc.option(fc.integer({ min: 1, max: 30 })),
        async (events, keep, ttlMs) => {
          const test = { create: create(keep, ttlMs), input, rows: events, stepId: 'd' };
          const result = await driveOperatorAllWays({ ...test, keys: [KEYS], compare: 'rows' });
          expect(withoutOrigin(result.rows)).toEqual(withoutOrigin(reference(events, keep, ttlMs, true).rows));
          const timeless = events.filter((event) => 'timestamp' in event && Number.isNaN(event.timestamp));
          expect(result.failures).toHaveLength(timeless.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('keeps the first or the last row by arrival where there is no event time', async () => {
    const timed = fc.oneof(
      { weight: 5, arbitrary: rowArbitrary.map((values) => ({ values })) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 }).map((advance) => ({ advance })) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(timed, { maxLength: 60 }),
        fc.constantFrom('first' as const, 'last' as const),
        fc.option(fc.integer({ min: 1, max: 30 })),
        async (steps, keep, ttlMs) => {
          let nowMs = START;
          const events = steps.map((step) => ('advance' in step ? { nowMs: (nowMs += step.advance) } : step));
          const expected = withoutOrigin(reference(events, keep, ttlMs, false).rows);
          const test = { create: create(keep, ttlMs), input, rows: [{ nowMs: START }, ...events], keys: [KEYS] };
          const { rows } = await driveOperatorAllWays({ ...test, ports: portsAt(START) });
          expect(withoutOrigin(rows)).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('counts rows that are too late to be judged', async () => {
    const keeps = fc.constantFrom('first' as const, 'last' as const);
    await fc.assert(
      fc.asyncProperty(keyedEvents([rowArbitrary]), keeps, async (events, keep) => {
        const harness = await OperatorHarness.open({ create: create(keep, 7), input });
        for (const event of events) {
          if ('values' in event) await harness.process([event]);
          else if ('watermarkMs' in event) harness.watermark(event.watermarkMs);
        }
        expect(harness.counter('numLateRecordsDropped')).toBe(reference(events, keep, 7, true).late);
        await harness.close();
      }),
    );
  });

  it('frees what it forgets', async () => {
    const harness = await OperatorHarness.open({ create: create('first', 5), input });
    let stateBytes = 0;
    for (let round = 0; round < 20; round++) {
      const rows = Array.from({ length: 500 }, (_, i) => ({
        values: [BigInt(i), `name ${round} ${i}`, 0n],
        timestamp: round * 100 + (i % 7),
      }));
      await harness.process(rows);
      harness.watermark(round * 100 + 50);
      expect(harness.takeRows()).toHaveLength(500);
      expect(harness.snapshot().chunks).toEqual([]);
      if (round === 0) ({ stateBytes } = harness);
      expect(harness.stateBytes).toBeLessThanOrEqual(stateBytes * 2);
    }
    await harness.close();
  });

  it('refuses rows that take others back', async () => {
    const rows = [{ values: [1n, 'a', 1n], rowKind: RowKind.delete }];
    const driven = driveOperator({ create: create('last', null), input, rows }, { batchSize: 1, pauses: 0 });
    await expect(driven).rejects.toMatchObject({ code: 'MR-OPERATOR-CHANGELOG' });
  });
});
