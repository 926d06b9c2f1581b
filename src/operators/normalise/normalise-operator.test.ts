import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RowKind, rowSchema, types } from '../../core/index.ts';
import type { Value } from '../../core/index.ts';
import { OperatorHarness, driveOperatorAllWays } from '../../testing/index.ts';
import type { InputRow } from '../fixtures/driven.ts';
import { NormaliseOperator } from './normalise-operator.ts';

const input = rowSchema([
  { name: 'amount', type: types.double },
  { name: 'id', type: types.long },
  { name: 'name', type: types.string },
]);
const spec = { stepId: 'n', keys: [1], input, output: input };

const changeArbitrary = fc.record({
  values: fc.tuple(
    fc.constantFrom(null, 1, NaN),
    fc.constantFrom(null, 1n, 2n ** 60n, 3n),
    fc.constantFrom(null, '', 'a long name, longer than most', 'b'),
  ),
  rowKind: fc.constantFrom(...Object.values(RowKind)),
});

interface Out {
  readonly rowKind: number;
  readonly values: readonly Value[];
  readonly timestamp: number | null;
}

function reference(changes: readonly InputRow[]): Out[] {
  const kept = new Map<Value, readonly Value[]>();
  return changes.flatMap(({ values, rowKind, timestamp = 0 }): Out[] => {
    const key = values[1] as Value;
    const old = kept.get(key);
    if (rowKind === RowKind.updateBefore) return [];
    if (rowKind === RowKind.delete) {
      kept.delete(key);
      return old === undefined ? [] : [{ rowKind, values: old, timestamp }];
    }
    kept.set(key, values);
    if (old === undefined) return [{ rowKind: RowKind.insert, values, timestamp }];
    if (old.every((value, index) => Object.is(value, values[index]))) return [];
    return [
      { rowKind: RowKind.updateBefore, values: old, timestamp },
      { rowKind: RowKind.updateAfter, values, timestamp },
    ];
  });
}

describe('NormaliseOperator', () => {
  it('takes back what it said of a key before, in all ways', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(changeArbitrary, { maxLength: 60 }), async (changes) => {
        const rows = changes.map((change, timestamp) => ({ ...change, timestamp }));
        const create = () => new NormaliseOperator(spec);
        const result = await driveOperatorAllWays({ create, input, rows, keys: [[1]] });
        expect(result.rows.map(({ rowKind, values, timestamp }) => ({ rowKind, values, timestamp }))).toEqual(
          reference(rows),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('stops between the two rows of an update, and goes on there', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({ values: [i, 7n, 'x'] as Value[], timestamp: i }));
    const create = () => new NormaliseOperator(spec);
    const harness = await OperatorHarness.open({ create, input, batchSize: 3000, pauses: 2 });
    await harness.process(rows);
    expect(harness.rows.map(({ rowKind, values }) => [rowKind, values[0]])).toEqual(
      reference(rows).map(({ rowKind, values }) => [rowKind, values[0]]),
    );
    await harness.close();
  });
});
