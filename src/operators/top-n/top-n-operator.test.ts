import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RowKind } from '../../core/index.ts';
import type { Value } from '../../core/index.ts';
import { OperatorHarness, driveOperator, driveOperatorAllWays } from '../../testing/index.ts';
import { input, leftOf, ranked, reference, rowArbitrary, specArbitrary } from '../fixtures/reference-top-n.ts';
import { TopNOperator } from './top-n-operator.ts';
import type { TopNSpec } from './top-n-operator.ts';

const numbered = (rows: readonly (readonly Value[])[]) => rows.map((row, number) => [...row, number]);

describe('TopNOperator', () => {
  it('keeps the first rows of each key, whatever the batches, restores and subtasks', async () => {
    await fc.assert(
      fc.asyncProperty(specArbitrary, fc.array(rowArbitrary, { maxLength: 60 }), async (spec, given) => {
        const rows = numbered(given);
        const result = await driveOperatorAllWays({
          create: () => new TopNOperator(spec),
          input,
          rows: rows.map((values) => ({ values })),
          keys: [spec.keys],
        });
        expect(leftOf(result.rows)).toEqual(reference(spec, rows));
      }),
      { numRuns: 40 },
    );
  });

  it('is right after every row, with no more rows than asked for at any time', async () => {
    await fc.assert(
      fc.asyncProperty(specArbitrary, fc.array(rowArbitrary, { maxLength: 40 }), async (spec, given) => {
        const harness = await OperatorHarness.open({ create: () => new TopNOperator(spec), input });
        const rows = numbered(given);
        for (const [index, values] of rows.entries()) {
          await harness.process([{ values }]);
          expect(leftOf(harness.rows)).toEqual(reference(spec, rows.slice(0, index + 1)));
        }
        if (spec.keys.length === 0) {
          for (let end = 0; end < harness.rows.length; end++) {
            expect(leftOf(harness.rows.slice(0, end)).length).toBeLessThanOrEqual(spec.count);
          }
        }
        await harness.close();
      }),
      { numRuns: 40 },
    );
  });

  it('says with places which row follows which, so that the newest of a place counts', async () => {
    const spec: TopNSpec = {
      stepId: 't', keys: [0], by: [{ column: 1, descending: true }], count: 2, hasRank: true, input, output: ranked,
    };
    const row = (amount: bigint, number: number): readonly Value[] => ['north', amount, null, null, null, null, number];
    const rows = [row(5n, 0), row(7n, 1), row(7n, 2), row(1n, 3)].map((values) => ({ values }));
    const create = () => new TopNOperator(spec);
    const result = await driveOperator({ create, input, rows }, { batchSize: 4, pauses: 1 });
    expect(result.rows.map(({ values, rowKind }) => [rowKind, values[6], values[7]])).toEqual([
      [RowKind.insert, 0, 1n],
      [RowKind.updateBefore, 0, 1n],
      [RowKind.updateAfter, 1, 1n],
      [RowKind.insert, 0, 2n],
      [RowKind.updateBefore, 0, 2n],
      [RowKind.updateAfter, 2, 2n],
    ]);
  });

  it('stops and goes on in the middle of the places that a row changes', async () => {
    const by = [{ column: 6, descending: false }];
    const spec: TopNSpec = { stepId: 't', keys: [], by, count: 1500, hasRank: true, input, output: ranked };
    // Each comes behind all others, but for the last.
    const rows = Array.from({ length: 2000 }, (_, number) => ['a', null, null, null, null, null, (number + 1) % 2000]);
    const events = rows.map((values) => ({ values }));
    const create = () => new TopNOperator(spec);
    const result = await driveOperator({ create, input, rows: events }, { batchSize: 512, pauses: 1 });
    expect(result.rows).toHaveLength(1500 + 2 * 1500);
    const places = new Map<Value, Value>();
    for (const { values, rowKind } of result.rows) {
      if (rowKind !== RowKind.updateBefore) places.set(values[7] as Value, values[6] as Value);
    }
    expect([...places]).toEqual(Array.from({ length: 1500 }, (_, place) => [BigInt(place + 1), place]));
  });

  it('holds no more than what counts', async () => {
    const by = [{ column: 6, descending: true }];
    const spec: TopNSpec = { stepId: 't', keys: [0], by, count: 3, hasRank: false, input, output: input };
    const harness = await OperatorHarness.open({ create: () => new TopNOperator(spec), input });
    let stateBytes = 0;
    for (let round = 0; round < 20; round++) {
      const rows = Array.from({ length: 500 }, (_, i): { values: Value[] } => ({
        values: ['a', null, null, `name ${round} ${i}`, null, null, round * 500 + i],
      }));
      await harness.process(rows);
      expect(harness.takeRows().length).toBeGreaterThan(500);
      if (round === 0) ({ stateBytes } = harness);
      expect(harness.stateBytes).toBeLessThanOrEqual(stateBytes * 2);
    }
    await harness.close();
  });

  it('refuses rows that take others back', async () => {
    const spec: TopNSpec = { stepId: 't', keys: [], by: [], count: 1, hasRank: false, input, output: input };
    const rows = [{ values: [], rowKind: RowKind.delete }];
    await expect(
      driveOperator({ create: () => new TopNOperator(spec), input, rows }, { batchSize: 1, pauses: 0 }),
    ).rejects.toMatchObject({ code: 'MR-OPERATOR-CHANGELOG' });
  });
});
