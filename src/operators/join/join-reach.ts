import { Side } from './join-spec.ts';
import type { PairBounds } from './join-spec.ts';

/** Which times of the other side a row meets: those from `first` to `last`, both included. */
export interface JoinReach {
  first(side: Side, timeMs: number): number;
  last(side: Side, timeMs: number): number;
}

export function createReach(bounds: PairBounds | null): JoinReach {
  if (bounds === null) return { first: () => -Infinity, last: () => Infinity };
  if (bounds.kind === 'interval') {
    const { beforeMs, afterMs } = bounds;
    return {
      first: (side, timeMs) => timeMs - (side === Side.left ? beforeMs : afterMs),
      last: (side, timeMs) => timeMs + (side === Side.left ? afterMs : beforeMs),
    };
  }
  const { sizeMs, offsetMs } = bounds;
  const start = (timeMs: number): number => Math.floor((timeMs - offsetMs) / sizeMs) * sizeMs + offsetMs;
  return { first: (_, timeMs) => start(timeMs), last: (_, timeMs) => start(timeMs) + sizeMs - 1 };
}
