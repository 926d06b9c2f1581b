import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Value } from '../../core/index.ts';
import { driveOperatorAllWays } from '../../testing/index.ts';
import { CALLS, input, reference, rowArbitrary } from '../fixtures/reference-aggregates.ts';
import { SLOW_MS, windowSpecOf } from '../fixtures/window-cases.ts';
import { CountWindowOperator } from './count-window-operator.ts';

describe('count windows', () => {
  it('are so many rows of a key, in the order of arrival; one that is not full is not emitted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(rowArbitrary, { maxLength: 60 }),
        fc.constantFrom([0], [], [6, 2]),
        async (size, rows, keys) => {
          const spec = windowSpecOf({ kind: 'count' as const, size }, { keys, calls: CALLS });
          const create = () => new CountWindowOperator(spec);
          const events = rows.map((values) => ({ values }));
          const result = await driveOperatorAllWays({ create, input, rows: events, keys: [keys] });
          const open = new Map<string, Value[][]>();
          let overflows = 0;
          const expected = rows.flatMap((row) => {
            const key = keys.map((index) => row[index] ?? null);
            const id = key.map((value) => `${typeof value} ${String(value)}`).join('|');
            const window = [...(open.get(id) ?? []), row];
            open.set(id, window.length === size ? [] : window);
            if (window.length < size) return [];
            const values = reference(window);
            if (values === null) overflows++;
            return values === null ? [] : [[null, ...key, ...values, null]];
          });
          expect(result.rows.map(({ values }) => values)).toEqual(expected);
          expect(result.failures).toHaveLength(overflows);
          for (const { timestamp, rowKind } of result.rows) expect([timestamp, rowKind]).toEqual([null, 0]);
        },
      ),
      { numRuns: 15 },
    );
  }, SLOW_MS);
});
