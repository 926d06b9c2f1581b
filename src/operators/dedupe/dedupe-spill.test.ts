import { describe, it } from '@jest/globals';
import fc from 'fast-check';

import { rowSchema, types } from '../../core/index.ts';
import type { Value } from '../../core/index.ts';
import { checkHistory, historyArbitrary } from '../../testing/index.ts';
import { DedupeOperator } from './dedupe-operator.ts';

const SLOW_MS = 180_000;

const input = rowSchema([
  { name: 'id', type: types.long },
  { name: 'name', type: types.string },
  { name: 'number', type: types.long },
]);

const row = (timestamp: fc.Arbitrary<number | undefined>) =>
  fc
    .tuple(fc.constantFrom(1n, 2n, 2n ** 60n, null), fc.constantFrom('a', 'b', 'c', null), fc.bigInt(0n, 9n), timestamp)
    .map(([id, name, number, at]) => ({
      values: [id, name, number] as Value[],
      ...(at === undefined ? {} : { timestamp: at }),
    }));

describe('keys of dedupe that do not fit memory', () => {
  const cases = (['first', 'last'] as const).flatMap((keep) =>
    [null, 40].flatMap((ttlMs) => [
      { keep, ttlMs, by: 'event time', timestamp: fc.nat(300) },
      { keep, ttlMs, by: 'the clock', timestamp: fc.constant(undefined) },
    ]),
  );

  it.each(cases)('are what they are in memory: $keep by $by, ttl $ttlMs', async ({ keep, ttlMs, timestamp }) => {
    const create = () => new DedupeOperator({ stepId: 'd', keys: [1, 0], keep, ttlMs, input, output: input });
    await fc.assert(
      fc.asyncProperty(historyArbitrary(row(timestamp)), (steps) =>
        checkHistory({ create, input, keys: [1, 0] }, steps),
      ),
      { numRuns: 100 },
    );
  }, SLOW_MS);
});
