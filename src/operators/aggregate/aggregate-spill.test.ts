import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { rowSchema, types } from '../../core/index.ts';
import type { AggregateCall, DataType, Value } from '../../core/index.ts';
import { checkHistory, historyArbitrary, memorySpill, OperatorHarness } from '../../testing/index.ts';
import { AggregateOperator } from './aggregate-operator.ts';

const SLOW_MS = 180_000;

const input = rowSchema([
  { name: 'key', type: types.string },
  { name: 'part', type: types.long },
  { name: 'amount', type: types.long },
  { name: 'note', type: types.string },
]);

const column = (index: number) => {
  const { name, type } = input.fields[index] ?? { name: '', type: types.long };
  return { kind: 'column', index, name, type } as const;
};

const call = (
  name: string,
  fn: AggregateCall['function'],
  index: number | null,
  type: DataType = types.long,
): AggregateCall => ({
  name,
  function: fn,
  argument: index === null ? null : column(index),
  distinct: fn === 'array-agg',
  filter: null,
  type: fn === 'array-agg' ? types.array(type) : type,
});

const calls = [
  call('rows', 'count', null),
  call('total', 'sum', 2),
  call('last', 'last', 3, types.string),
  call('notes', 'array-agg', 3, types.string),
];

const operator = (ttlMs: number | null = null) =>
  new AggregateOperator({
    stepId: 'totals',
    keys: [0, 1],
    calls,
    ttlMs,
    input,
    output: rowSchema([...input.fields.slice(0, 2), ...calls.map(({ name, type }) => ({ name, type }))]),
  });

const row = (timestamp: fc.Arbitrary<number | undefined>) =>
  fc
    .record({
      key: fc.constantFrom('a', 'b', null, 'a longer key of several words'),
      part: fc.constantFrom(0n, 1n, 2n, 3n, 2n ** 60n),
      amount: fc.integer({ min: -5, max: 5 }),
      note: fc.constantFrom('', 'x', 'a note that does not fit into the shortest class of strings', null),
      timestamp,
    })
    .map(({ key, part, amount, note, timestamp: at }) => ({
      values: [key, part, BigInt(amount), note] as Value[],
      ...(at === undefined ? {} : { timestamp: at }),
    }));

describe('groups that do not fit memory', () => {
  it.each([
    ['for ever', null, fc.constant(undefined)],
    ['with a ttl by event time', 50, fc.nat(400)],
    ['with a ttl by the clock', 30, fc.constant(undefined)],
  ] as const)('are what they are in memory, whatever happens: %s', async (_, ttlMs, timestamp) => {
    await fc.assert(
      fc.asyncProperty(historyArbitrary(row(timestamp)), (steps) =>
        checkHistory({ create: () => operator(ttlMs), input, keys: [0, 1] }, steps),
      ),
      { numRuns: 60 },
    );
  }, SLOW_MS);

  it('come back, all that a batch asks for', async () => {
    const spill = memorySpill(1, false);
    const harness = await OperatorHarness.open({ create: () => operator(), input, spill, batchSize: 3000 });
    const batch = Array.from({ length: 2500 }, (_, at) => ({ values: [`key ${at}`, 1n, BigInt(at), 'note'] }));
    await harness.process(batch);
    await harness.process([{ values: ['another', 1n, 1n, 'note'] }]);
    expect(spill.stored()).toBeGreaterThan(2000);
    harness.takeRows();
    await harness.process(batch);
    const found = harness.takeRows().map(({ values: [key, , rows, total] }) => [key, rows, total]);
    expect(found).toEqual(batch.map((_, at) => [`key ${at}`, 2n, BigInt(2 * at)]));
    await harness.close();
  });

  it('leave memory and, once their ttl is over, the store', async () => {
    const spill = memorySpill(15_000, false);
    const harness = await OperatorHarness.open({ create: () => operator(1000), input, spill });
    const batch = (from: number, timestamp: number) =>
      Array.from({ length: 200 }, (__, i) => ({ values: [`key ${10_000 + from + i}`, 1n, 1n, 'note'], timestamp }));
    let largest = 0;
    for (let round = 0; round < 40; round++) {
      await harness.process(batch(round * 200, round * 100));
      harness.watermark(round * 100);
      largest = Math.max(largest, spill.stored());
    }
    // Ten rounds are within the ttl; what is over goes as fast as new ones come.
    expect(largest).toBeGreaterThan(2000);
    expect(largest).toBeLessThan(5000);
    expect(harness.stateBytes).toBeLessThan(150_000);
    await harness.close();
  });
});

describe('a ttl of groups in memory', () => {
  it.each(['event time', 'the clock'])('frees their slots, by %s', async (by) => {
    const harness = await OperatorHarness.open({ create: () => operator(1000), input, nowMs: 0 });
    const sizes: number[] = [];
    for (let round = 0; round < 40; round++) {
      const at = by === 'event time' ? { timestamp: round * 500 } : {};
      await harness.process(
        Array.from({ length: 100 }, (_, i) => ({
          values: [`key ${100_000 + round * 100 + i}`, 1n, 1n, 'note'],
          ...at,
        })),
      );
      if (by === 'event time') harness.watermark(round * 500);
      else harness.advanceTo(round * 500);
      sizes.push(harness.stateBytes);
    }
    expect(sizes.at(-1)).toBe(sizes[20]);
    await harness.close();
  });

  it('counts late rows as of the watermark, also where that came before every row', async () => {
    const harness = await OperatorHarness.open({ create: () => operator(50), input });
    harness.watermark(12);
    await harness.process([{ values: ['a', 1n, 5n, null], timestamp: 0 }]);
    harness.watermark(50);
    await harness.process([{ values: ['a', 1n, 5n, null], timestamp: 0 }]);
    expect(harness.takeRows().map(({ values }) => values[3])).toEqual([5n, 10n]);
    await harness.close();
  });

  it('begins where it was not known before, and ends where it is dropped', async () => {
    const before = await OperatorHarness.open({ create: () => operator(), input, nowMs: 0 });
    const rows = [{ values: ['a', 1n, 5n, null] as Value[], timestamp: 10 }];
    await before.process(rows);
    before.watermark(20);
    const written = before.snapshot();
    const withTtl = await OperatorHarness.open({ create: () => operator(100), input, restore: [written] });
    withTtl.watermark(119);
    await withTtl.process(rows);
    const later = withTtl.snapshot();
    withTtl.watermark(300);
    await withTtl.process(rows);
    expect(withTtl.takeRows().map(({ values }) => values[3])).toEqual([10n, 5n]);
    const without = await OperatorHarness.open({ create: () => operator(), input, restore: [later] });
    without.watermark(1000);
    await without.process(rows);
    expect(without.takeRows().map(({ values }) => values[3])).toEqual([15n]);
    for (const harness of [before, withTtl, without]) await harness.close();
  });
});
