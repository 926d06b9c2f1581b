import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RowKind } from '../../core/index.ts';
import { OperatorHarness, checkHistory, driveOperator, driveOperatorAllWays } from '../../testing/index.ts';
import type { HistoryStep, InputRow } from '../../testing/index.ts';
import { changesArbitrary, remaining } from '../fixtures/changes.ts';
import { leftOf } from '../fixtures/changelogs.ts';
import {
  DIVIDED,
  LEFT_KEYS,
  ORDERED,
  RIGHT_KEYS,
  joinReference,
  joinSpecOf,
  left,
  right,
} from '../fixtures/reference-joins.ts';
import { textOf } from '../fixtures/window-cases.ts';
import { createJoinOperator } from './create-join-operator.ts';
import type { JoinSpec, JoinType } from './join-spec.ts';

const TYPES = ['inner', 'left', 'right', 'full', 'semi', 'anti'] as const;
const input = [left, right];
const SLOW_MS = 180_000;

const conditionArbitrary = fc.constantFrom(null, ORDERED, DIVIDED);

function specOf(type: JoinType, condition: JoinSpec['condition'] = null): JoinSpec {
  return { ...joinSpecOf(type, null, { condition }), retracts: true };
}

describe('joins of rows that are taken back', () => {
  it.each(TYPES)('are right after every change: %s', async (type) => {
    await fc.assert(
      fc.asyncProperty(changesArbitrary, conditionArbitrary, async (changes, condition) => {
        const spec = specOf(type, condition);
        const harness = await OperatorHarness.open({ create: () => createJoinOperator(spec), input });
        for (const [index, change] of changes.entries()) {
          await harness.process([change]);
          const expected = joinReference(spec, remaining(changes.slice(0, index + 1)), 0);
          expect(leftOf(harness.rows)).toEqual(textOf(expected.rows));
        }
        await harness.close();
      }),
      { numRuns: 40 },
    );
  });

  it.each(TYPES)('come to the same, whatever the batches, restores and subtasks: %s', async (type) => {
    await fc.assert(
      fc.asyncProperty(changesArbitrary, conditionArbitrary, async (changes, condition) => {
        const spec = specOf(type, condition);
        const keys = [LEFT_KEYS, RIGHT_KEYS];
        const create = () => createJoinOperator(spec);
        const test = { create, input, rows: changes, stepId: 'j', keys, compare: 'rows' } as const;
        const { rows } = await driveOperatorAllWays(test);
        expect(leftOf(rows)).toEqual(textOf(joinReference(spec, remaining(changes), 0).rows));
      }),
      { numRuns: 25 },
    );
  });

  it.each(TYPES)(
    'are beyond memory what they are in memory: %s',
    async (type) => {
      const sides = { input: left, keys: LEFT_KEYS, right: { input: right, keys: RIGHT_KEYS } };
      const create = () => createJoinOperator(specOf(type, type === 'full' ? ORDERED : null));
      const property = fc.asyncProperty(changesArbitrary, historyShape, (changes, shape) =>
        checkHistory({ create, ...sides }, withRows(shape, changes)),
      );
      await fc.assert(property, { numRuns: 150 });
    },
    SLOW_MS,
  );

  it('stop and go on between the two halves of a meeting', async () => {
    const lefts: InputRow[] = Array.from({ length: 3000 }, (_, i) => ({
      values: ['a', BigInt(i), [i], 1n],
      input: 0,
    }));
    const one: InputRow = { values: [1n, 1n, 'a'], input: 1 };
    // It makes the number of rows before those of a meeting odd.
    const lone: InputRow = { values: [1n, 1n, 'b'], input: 1 };
    const rows = [...lefts, lone, one, { ...one, rowKind: RowKind.delete }, one];
    for (const pauses of [1, 2, 3]) {
      const create = () => createJoinOperator(specOf('full'));
      const result = await driveOperator({ create, input, rows }, { batchSize: 1024, pauses });
      expect(result.rows).toHaveLength(3000 * 7 + 1);
      expect(leftOf(result.rows)).toEqual(textOf(joinReference(specOf('full'), [...lefts, lone, one], 0).rows));
    }
  });

  it('take back rows that differ in an array alone', async () => {
    const rows = [[1], [2], null].map((tags): InputRow => ({ values: ['a', 1n, tags, 1n], input: 0 }));
    const taken = { ...(rows[1] as InputRow), rowKind: RowKind.delete };
    const create = () => createJoinOperator(specOf('left'));
    const result = await driveOperator({ create, input, rows: [...rows, taken] }, { batchSize: 10, pauses: 0 });
    const kept = [rows[0], rows[2]] as InputRow[];
    expect(leftOf(result.rows)).toEqual(textOf(joinReference(specOf('left'), kept, 0).rows));
  });

  it('keep nothing of what was taken back', async () => {
    const create = () => createJoinOperator(specOf('full'));
    const harness = await OperatorHarness.open({ create, input });
    const rows: InputRow[] = [
      { values: ['a', 1n, null, 1n], input: 0 },
      { values: [1n, 1n, 'a'], input: 1 },
      { values: [null, 1n, null, 1n], input: 0 },
    ];
    await harness.process(rows);
    expect(harness.snapshot().chunks).not.toEqual([]);
    await harness.process(rows.map((row) => ({ ...row, rowKind: RowKind.delete })));
    expect(harness.snapshot().chunks).toEqual([]);
    expect(leftOf(harness.rows)).toEqual([]);
    await harness.close();
  });
});

const whole = fc.subarray([0, 1, 2, 3, 4, 5, 6, 7]);
const memory = fc.constantFrom(null, 1, 20_000, 1 << 24);
/** Numbers stand for so many rows. */
const historyShape = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.nat(8) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('barrier' as const), whole, taken: fc.nat(6) }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('checkpoint-ends' as const), isCompleted: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('restart' as const),
        parallelism: fc.integer({ min: 1, max: 3 }),
        memoryBytes: memory,
      }),
    },
  ),
  { minLength: 5, maxLength: 40, size: 'max' },
);

/** Changes depend on those before, so they are given out in order. */
function withRows(
  shape: readonly (number | HistoryStep)[],
  changes: readonly InputRow[],
): readonly HistoryStep[] {
  let given = 0;
  return shape.map((step) => {
    if (typeof step !== 'number') return step;
    const rows = changes.slice(given, given + step);
    given += step;
    return { kind: 'rows', rows };
  });
}
