import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeyGroupWatermarks, keyGroupRuns } from './key-group-watermarks.ts';

const NONE = -Infinity;
const watermarks = fc.array(fc.constantFrom(NONE, -5, 3, 8), { maxLength: 20 });

describe('watermarks of key groups', () => {
  it('are runs of groups that have the same', () => {
    const of = [4, 4, NONE, 4, 7];
    expect(keyGroupRuns([2, 3, 4, 5, 6], (group) => of[group - 2] ?? NONE)).toEqual([2, 3, 4, 5, 5, 4, 6, 6, 7]);
    expect(new KeyGroupWatermarks([]).latestMs).toBe(NONE);
  });

  it('are those that were given, as long as they are ahead', () => {
    fc.assert(
      fc.property(fc.nat(9), watermarks, fc.constantFrom(-6, -5, 3, 8), (first, all, untilMs) => {
        const groups = all.map((_, index) => first + index);
        const of = (group: number): number => all[group - first] ?? NONE;
        const kept = new KeyGroupWatermarks(keyGroupRuns(groups, of));
        expect(kept.latestMs).toBe(Math.max(NONE, ...all));
        const later = new KeyGroupWatermarks(kept.after(untilMs));
        for (let group = 0; group < 40; group++) {
          expect(kept.of(group)).toBe(of(group));
          expect(later.of(group)).toBe(of(group) > untilMs ? of(group) : NONE);
        }
      }),
    );
  });
});
