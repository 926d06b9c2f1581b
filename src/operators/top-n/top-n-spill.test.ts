import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { checkHistory, historyArbitrary } from '../../testing/index.ts';
import { input, rowArbitrary, specArbitrary } from '../fixtures/reference-top-n.ts';
import { TopNOperator } from './top-n-operator.ts';

const SLOW_MS = 180_000;

describe('rows of top-n that do not fit memory', () => {
  it('are what they are in memory', async () => {
    // Rows that are equal in the order can be told apart.
    const row = fc.tuple(rowArbitrary, fc.nat()).map(([values, number]) => ({ values: [...values, number] }));
    await fc.assert(
      fc.asyncProperty(specArbitrary, historyArbitrary(row), async (spec, steps) => {
        await checkHistory({ create: () => new TopNOperator(spec), input, keys: spec.keys }, steps);
      }),
      { numRuns: 400 },
    );
  }, SLOW_MS);
});
