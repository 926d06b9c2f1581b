import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { stepId, types } from '../../core/index.ts';
import type { OperatorStateHandle } from '../../core/index.ts';
import { OperatorFiles } from './operator-files.ts';

const GROUPS = 8;
const KIB = 1024;
const key = { fields: [{ name: 'a', type: types.int }] };
const schema = { kind: 'k', version: 1, key, values: { fields: [] }, settings: {} };

const handle = (
  order: number | null,
  sizes: readonly (readonly [number, number])[],
  name = `chk-${order ?? 0}/a-0123456789abcdef.state`,
): OperatorStateHandle => ({
  stepId: stepId('s'),
  schema,
  file: { name, sizeBytes: 1 << 30, checksum: '00000000' },
  chunks: sizes.flatMap(([group, bytes]) => [group, 0, bytes]),
  ...(order === null ? {} : { order }),
});

const bytesOf = (handles: readonly OperatorStateHandle[]): number =>
  handles.flatMap(({ chunks }) => chunks.filter((_, at) => at % 3 === 2)).reduce((all, each) => all + each, 0);

describe('the files of an operator', () => {
  it('begin with those that it was restored from, of whichever checkpoint and subtask', () => {
    const files = new OperatorFiles([handle(9, [[1, 10]]), handle(null, [[2, 20]]), handle(4, [[1, 30]])], 12, GROUPS);
    const { whole, kept } = files.basisOf('s');
    expect([...whole]).toEqual([]);
    expect(kept.map(({ order, chunks }) => [order, chunks[0]])).toEqual([[4, 1], [9, 1], [12, 2]]);
    expect(files.basisOf('another')).toMatchObject({ kept: [] });
  });

  it('are never those of a savepoint', () => {
    const foreign = handle(5, [[2, 10]], '/elsewhere/chk-5/x.state');
    const files = new OperatorFiles([handle(4, [[1, 10]]), foreign], 9, GROUPS);
    const { whole, kept } = files.basisOf('s');
    expect([...whole]).toEqual(Array.from({ length: GROUPS }, (_, group) => group));
    expect(kept).toEqual([]);
  });

  it('stay few, and about three times as large as the state at most, whatever changes', () => {
    const change = fc.array(fc.tuple(fc.nat(GROUPS - 1), fc.integer({ min: 0, max: 400 })), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(change, { minLength: 40, maxLength: 120 }), (changes) => {
        const files = new OperatorFiles([], 0, GROUPS);
        /** Entries of a group are numbered: changes take those with the least numbers. */
        const entries = new Array<number>(GROUPS).fill(0);
        changes.forEach((counts, index) => {
          const { whole, kept } = files.basisOf('s');
          const stale = kept.filter(({ chunks }) => chunks.some((group, at) => at % 3 === 0 && whole.has(group)));
          if (stale.length > 0) throw new Error(`change ${index}: a group that is written whole is kept, too`);
          for (const [group, count] of counts) entries[group] = Math.max(entries[group] as number, count);
          const written = [
            ...counts.filter(([group]) => !whole.has(group)).map(([group, count]) => [group, count * KIB] as const),
            ...[...whole].map((group) => [group, (entries[group] as number) * KIB] as const),
          ].filter(([, bytes]) => bytes > 0);
          files.completed('s', written.length === 0 ? kept : [...kept, handle(index + 1, written)]);
        });
        const { kept } = files.basisOf('s');
        const live = entries.reduce((sum, count) => sum + count * KIB, 0);
        // Three times, what a group may be out of date, and one change more.
        expect(bytesOf(kept)).toBeLessThanOrEqual(3 * live + GROUPS * 64 * KIB + 12 * 400 * KIB);
        expect(kept.length).toBeLessThanOrEqual(33);
      }),
      { numRuns: 40 },
    );
  });
});
