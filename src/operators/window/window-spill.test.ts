import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { types } from '../../core/index.ts';
import type { Value } from '../../core/index.ts';
import { OperatorHarness, checkHistory, historyArbitrary, memorySpill, subtaskOfRow } from '../../testing/index.ts';
import type { InputRow, OperatorSnapshot, OutputRow } from '../../testing/index.ts';
import { aggregate, input } from '../fixtures/reference-aggregates.ts';
import { NULLS, SLOW_MS, windowSpecOf } from '../fixtures/window-cases.ts';
import { SliceWindowOperator } from './slice-window-operator.ts';
import type { SlicedWindow } from './window-spec.ts';

const row = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'd', null), fc.bigInt(-9n, 9n), fc.integer({ min: -30, max: 400 }))
  .map(([key, number, timestamp]) => ({
    values: [key, number, null, null, null, null, null] as Value[],
    timestamp,
  }));

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];

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

  it('do not come back where one subtask had fired them and another had not', async () => {
    const window: SlicedWindow = { kind: 'tumble', sizeMs: 50, offsetMs: 0 };
    const spec = windowSpecOf(window, { calls: [aggregate('count', null, types.long)] });
    const options = { create: () => new SliceWindowOperator(spec), input, maxParallelism: 8 };
    const files: OperatorSnapshot[] = [];
    const fired: OutputRow[] = [];
    const spill = memorySpill(1);
    for (const subtaskIndex of [0, 1]) {
      const harness = await OperatorHarness.open({ ...options, subtaskIndex, parallelism: 2, spill });
      const rows = KEYS.map((key) => ({ values: [key, ...NULLS], timestamp: 10 }));
      const isMine = ({ values }: InputRow) => subtaskOfRow(input, [0], values, 2, 8) === subtaskIndex;
      for (const row of rows.filter(isMine)) await harness.process([row]);
      const first = harness.beginSnapshot({ whole: new Set() });
      const old = await first.takeFromDisk();
      first.confirm();
      expect(spill.stored()).toBeGreaterThan(1);
      // The barrier overtakes the watermark of the other one.
      await harness.watermarkFromDisk(subtaskIndex === 0 ? 100 : 20);
      if (subtaskIndex === 0) expect(spill.stored()).toBe(0);
      const second = await harness.beginSnapshot({ whole: new Set() }).takeFromDisk();
      files.push({ ...old, watermarkMs: second.watermarkMs }, second);
      fired.push(...harness.takeRows());
      await harness.close();
    }
    expect(fired.length).toBeGreaterThan(0);
    expect(fired.length).toBeLessThan(KEYS.length);
    for (const memoryBytes of [1, null]) {
      const space = memoryBytes === null ? {} : { spill: memorySpill(memoryBytes) };
      const restored = { ...options, restore: files, ...space };
      const harness = await OperatorHarness.open(restored);
      await harness.watermarkFromDisk(100);
      const keys = [...fired, ...harness.takeRows()].map(({ values }) => values[1]);
      expect(keys.toSorted()).toEqual(KEYS);
      await harness.close();
    }
  });
});
