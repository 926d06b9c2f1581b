import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { slotId, taskManagerId } from '../../core/index.ts';
import type { FreeSlot } from '../slot-pool.ts';
import { improvePlacement } from './improve-placement.ts';

/** Slot `a1` is of TaskManager `a`, in a rack of the same name, on a host of its own. */
function slot(name: string): FreeSlot {
  const rack = name.slice(0, 1);
  const location = { taskManagerId: taskManagerId(rack), slotId: slotId(name), rack, host: `host-${rack}`, data: null };
  return { location, address: rack, memoryBytes: 1, tags: [] };
}

const slots = (names: string): readonly FreeSlot[] => names.split(' ').map(slot);
const placed = (found: readonly FreeSlot[] | null): string | null =>
  found === null ? null : found.map(({ location }) => location.slotId).join(' ');

describe('improvePlacement', () => {
  it('spreads slices that are crowded, and leaves those that are not', () => {
    const better = improvePlacement([], slots('a1 a2'), slots('a1 a2 b1 b2'));
    expect(placed(better)?.split(' ').map((name) => name.slice(0, 1)).toSorted()).toEqual(['a', 'b']);
    expect(improvePlacement([], slots('a1 b1'), slots('a1 a2 b1 b2 c1'))).toBeNull();
    expect(improvePlacement([], slots('a1 a2'), slots('a1 a2'))).toBeNull();
  });

  it('brings slices to the splits that they read, before it spreads them', () => {
    const demand = (rack: string) => ({
      parallelism: 2,
      splits: [0, 1].map((subtaskIndex) => ({ racks: [rack], subtaskIndex })),
    });
    expect(placed(improvePlacement([demand('b')], slots('a1 b1'), slots('a1 b1 b2')))).toMatch(/^b[12] b[12]$/);
    expect(improvePlacement([demand('a')], slots('a1 a2'), slots('a1 a2 b1 b2'))).toBeNull();
  });

  it('finds nothing more to gain where it has just been followed', () => {
    const names = fc.uniqueArray(fc.constantFrom(...'a1 a2 a3 b1 b2 b3 c1 c2'.split(' ')), { minLength: 2 });
    const racks = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 });
    fc.assert(
      fc.property(names, fc.nat(), racks, (all, seed, reading) => {
        const offered = all.map(slot);
        const present = offered.slice(0, 1 + (seed % (offered.length - 1)));
        const splits = reading.map((rack, index) => ({ racks: [rack], subtaskIndex: index % present.length }));
        const demands = [{ parallelism: present.length, splits }];
        const better = improvePlacement(demands, present, offered);
        if (better !== null) expect(improvePlacement(demands, better, offered)).toBeNull();
      }),
    );
  });
});
