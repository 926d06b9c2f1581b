import { describe, expect, it } from '@jest/globals';

import { crashPointNames } from '../../src/cli/index.ts';
import { planKills, type Kill } from './kill-plan.ts';

function countsOf(kills: readonly Kill[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kill of kills) {
    const name = kill.kind === 'point' ? kill.point : 'random';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

describe('the plan of kills', () => {
  it.each([1, 2, 7, 10, 11, 20, 55, 80, 200])('has %i', (kills) => {
    for (let seed = 1; seed < 30; seed++) {
      const { running, ending } = planKills(kills, seed);
      expect(running.length + ending.length).toBe(kills);
    }
  });

  it('kills five times at every step of the protocol that there is, in a long test', () => {
    const { running, ending } = planKills(200, 42);
    const counts = countsOf([...running, ...ending]);
    expect(Object.fromEntries(counts)).toEqual({
      ...Object.fromEntries(crashPointNames.map((name) => [name, 5])),
      random: 145,
    });
  });

  it('kills at most steps in a short one, at others with another seed', () => {
    const seen = new Set<string>();
    for (let seed = 1; seed < 30; seed++) {
      const { running, ending } = planKills(10, seed);
      const counts = countsOf([...running, ...ending]);
      expect(counts.get('random')).toBe(3);
      expect(counts.size).toBe(8);
      for (const name of counts.keys()) seen.add(name);
    }
    expect([...seen].sort()).toEqual([...crashPointNames, 'random'].sort());
  });

  it('is the same for the same seed', () => {
    expect(planKills(50, 7)).toEqual(planKills(50, 7));
    expect(planKills(50, 7)).not.toEqual(planKills(50, 8));
  });

  it('waits with the end of input until all input is there', () => {
    const { running } = planKills(200, 3);
    expect(countsOf(running).has('input-ended')).toBe(false);
  });
});
