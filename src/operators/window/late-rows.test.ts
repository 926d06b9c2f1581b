import { beforeAll, describe, expect, it } from '@jest/globals';
import { LATE_SIDE } from '../../core/index.ts';
import type { Operator, Value } from '../../core/index.ts';
import { loadParser, parseAggregate } from '../../expr/index.ts';
import { OperatorHarness } from '../../testing/index.ts';
import { input } from '../fixtures/reference-aggregates.ts';
import { windowSpecOf } from '../fixtures/window-cases.ts';
import { SessionWindowOperator } from './session-window-operator.ts';
import { SliceWindowOperator } from './slice-window-operator.ts';

beforeAll(loadParser);

const row = (key: string, n: bigint, timestamp: number): { readonly values: readonly Value[]; timestamp: number } => ({
  values: [key, n, 7, null, 0.5, `${key}${key}`, true],
  timestamp,
});

/** A call that fails for 0, so that not every row of a batch gets as far as its window. */
function calls() {
  const parsed = parseAggregate('sum', 'SUM(10 / n)', input);
  if ('problems' in parsed) throw new Error('no aggregate');
  return [parsed.aggregate];
}

const TUMBLE = { kind: 'tumble', sizeMs: 10, offsetMs: 0 } as const;
const kinds: readonly (readonly [string, () => Operator])[] = [
  ['slices', () => new SliceWindowOperator(windowSpecOf(TUMBLE, { calls: calls() }))],
  ['sessions', () => new SessionWindowOperator(windowSpecOf({ kind: 'session', gapMs: 5 }, { calls: calls() }))],
];

const ROWS = [
  row('a', 1n, 105),
  row('b', 0n, 3),
  row('c', 2n, 3),
  row('d', 5n, 85),
  row('e', 1n, NaN),
  row('f', 1n, 107),
];

describe.each(kinds)('rows that come too late for windows by %s', (_kind, create) => {
  it.each([1, 2, 10])('are handed on as they came, %i at a time', async (batchSize) => {
    const harness = await OperatorHarness.open({ create, input, batchSize, pauses: 2, sides: [LATE_SIDE] });
    try {
      harness.watermark(100);
      await harness.process(ROWS);
      harness.finish();
      const late = harness.sideRows(LATE_SIDE).map(({ values, timestamp, origin }) => {
        const [k, n, , , , s] = values;
        return [k, n, s, timestamp, origin];
      });
      expect(late).toEqual([
        ['c', 2n, 'cc', 3, 'row 2'],
        ['d', 5n, 'dd', 85, 'row 3'],
      ]);
      expect(harness.failures.map(({ origin }) => origin)).toEqual(['row 1', 'row 4']);
      expect(harness.counter('numLateRecordsDropped')).toBe(0);
      expect(harness.takeRows().map(({ values }) => values[1]).sort()).toEqual(['a', 'f']);
    } finally {
      await harness.close();
    }
  });

  it('are counted and dropped where nobody reads them', async () => {
    const harness = await OperatorHarness.open({ create, input });
    try {
      harness.watermark(100);
      await harness.process(ROWS);
      expect(harness.sideRows(LATE_SIDE)).toEqual([]);
      expect(harness.counter('numLateRecordsDropped')).toBe(2);
    } finally {
      await harness.close();
    }
  });
});
