import { describe, it } from '@jest/globals';
import fc from 'fast-check';

import { types } from '../../core/index.ts';
import type { Value } from '../../core/index.ts';
import { checkHistory, historyArbitrary } from '../../testing/index.ts';
import { aggregate, input } from '../fixtures/reference-aggregates.ts';
import { SLOW_MS, windowSpecOf } from '../fixtures/window-cases.ts';
import { SliceWindowOperator } from './slice-window-operator.ts';
import type { SlicedWindow } from './window-spec.ts';

const row = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'd', null), fc.bigInt(-9n, 9n), fc.integer({ min: -30, max: 400 }))
  .map(([key, number, timestamp]) => ({
    values: [key, number, null, null, null, null, null] as Value[],
    timestamp,
  }));

const windows: readonly (readonly [string, SlicedWindow])[] = [
  ['tumble', { kind: 'tumble', sizeMs: 50, offsetMs: 3 }],
  ['hop', { kind: 'hop', sizeMs: 60, slideMs: 20, offsetMs: 0 }],
  ['hop, between', { kind: 'hop', sizeMs: 15, slideMs: 20, offsetMs: 0 }],
  ['cumulate', { kind: 'cumulate', stepMs: 20, maxMs: 80, offsetMs: 0 }],
];

describe('windows that do not fit memory', () => {
  const cases = windows.flatMap(([name, window]) => [0, 45].map((latenessMs) => ({ name, window, latenessMs })));

  it.each(cases)('are what they are in memory: $name, lateness $latenessMs', async ({ window, latenessMs }) => {
    const calls = [
      aggregate('count', null, types.long),
      aggregate('sum', 1, types.long),
      aggregate('last', 1, types.long),
    ];
    const spec = windowSpecOf(window, { calls, latenessMs });
    const create = () => new SliceWindowOperator(spec);
    await fc.assert(
      fc.asyncProperty(historyArbitrary(row), (steps) => checkHistory({ create, input, keys: [0] }, steps)),
      { numRuns: 25 },
    );
  }, SLOW_MS);
});
