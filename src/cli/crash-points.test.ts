import { describe, expect, it } from '@jest/globals';

import { crashPointsOf } from './crash-points.ts';

describe('crash points', () => {
  it('are not there unless one is asked for', () => {
    const kill = (): never => {
      throw new Error('killed');
    };
    expect(crashPointsOf(undefined, kill)).toEqual({});
    expect(crashPointsOf('', kill)).toEqual({});
  });

  it('end the process the so-manieth time that theirs is reached, and once only', () => {
    let kills = 0;
    const { crashPoints } = crashPointsOf('pointer-moved:2', () => (kills += 1));
    const counts = (['pointer-moved', 'state-written', 'pointer-moved', 'pointer-moved'] as const).map((point) => {
      crashPoints?.reached(point);
      return kills;
    });
    expect(counts).toEqual([0, 0, 1, 1]);
  });

  it.each(['nowhere', 'pointer-moved:0', 'pointer-moved:', 'pointer-moved:x', ':1'])('refuses %s', (setting) => {
    expect(() => crashPointsOf(setting, () => undefined)).toThrow(/MILLRACE_CRASH_POINT=.*one of barrier-aligned/);
  });
});
