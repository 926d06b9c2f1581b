import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RowKind, rowSchema, types } from '../../core/index.ts';
import type { Field, Value } from '../../core/index.ts';
import { driveOperator, driveOperatorAllWays } from '../../testing/index.ts';
import { CALLS, aggregate, input, reference, rowArbitrary } from '../fixtures/reference-aggregates.ts';
import { AggregateOperator } from './aggregate-operator.ts';

const spec = (keys: readonly number[], calls = CALLS) => ({
  stepId: 'agg',
  keys,
  calls: calls.map((call, index) => ({ ...call, name: `o${index}` })),
  input,
  output: rowSchema([
    ...keys.map((key) => input.fields[key] as Field),
    ...calls.map((call, index) => ({ name: `o${index}`, type: call.type })),
  ]),
});

/** Far above what it takes on a machine that does nothing else. */
const SLOW_MS = 180_000;

describe('AggregateOperator', () => {
  it('gives every row the aggregates by definition of its key so far', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rowArbitrary, { maxLength: 40 }),
        fc.constantFrom([0], [], [1, 6], [3], [4, 2]),
        async (rows, keys) => {
          const result = await driveOperatorAllWays({
            create: () => new AggregateOperator(spec(keys)),
            input,
            rows: rows.map((values, i) => ({ values, timestamp: i })),
            keys: [keys],
          });
          const taken = new Map<string, Value[][]>();
          const expected = rows.flatMap((row, number) => {
            const key = keys.map((k) => row[k] as Value);
            const id = key.map((value) => `${typeof value} ${String(value)}`).join('|');
            const before = taken.get(id) ?? [];
            const values = reference([...before, row]);
            if (values === null) return [];
            taken.set(id, [...before, row as Value[]]);
            const rowKind = before.length === 0 ? RowKind.insert : RowKind.updateAfter;
            return [{ values: [...key, ...values], timestamp: number, rowKind, origin: `row ${number}` }];
          });
          expect(result.rows).toEqual(expected);
          expect(result.failures).toHaveLength(rows.length - expected.length);
          for (const failure of result.failures)
            expect(failure).toMatchObject({ stepId: 'agg', code: 'MR-EXPR-OVERFLOW' });
        },
      ),
      { numRuns: 15 },
    );
  }, SLOW_MS);

  it('keeps many keys apart, of every representation', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => {
      const n = BigInt((i * 7919) % 700) * (i % 3 === 0 ? 1n : 2n ** 50n);
      return { values: [`key ${i % 300}`, n, i, null, null, null, null] as Value[] };
    });
    const calls = [aggregate('count', null, types.long)];
    const { rows: out } = await driveOperatorAllWays({
      create: () => new AggregateOperator(spec([0, 1], calls)),
      input,
      rows,
    });
    const counts = new Map<string, bigint>();
    const expected = rows.map(({ values }) => {
      const id = `${String(values[0])} ${String(values[1])}`;
      counts.set(id, (counts.get(id) ?? 0n) + 1n);
      return counts.get(id);
    });
    expect(out.map((row) => row.values[2])).toEqual(expected);
  });

  it('emits nothing without rows, and refuses rows that take others back', async () => {
    const create = () => new AggregateOperator(spec([]));
    expect((await driveOperatorAllWays({ create, input, rows: [] })).rows).toEqual([]);
    const row = { values: input.fields.map(() => null), rowKind: RowKind.delete };
    await expect(driveOperator({ create, input, rows: [row] }, { batchSize: 1, pauses: 0 })).rejects.toMatchObject({
      code: 'MR-OPERATOR-CHANGELOG',
    });
  });
});
