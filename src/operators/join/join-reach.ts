import { Side } from './join-spec.ts';
import type { PairBounds } from './join-spec.ts';

/** Which times of the other side a row meets: those from `first` to `last`, both included. */
export interface JoinReach {
  first(side: Side, timeMs: number): number;
  last(side: Side, timeMs: number): number;
  /** What must not be behind the watermark for a row of this time to be on time: also the time of what it makes. */
  closes(timeMs: number): number;
  /** The last time of a side that meets nothing more once event time has come to `watermarkMs`. */
  past(side: Side, watermarkMs: number): number;
}

export function createReach(bounds: PairBounds | null): JoinReach {
  const itself = (timeMs: number): number => timeMs;
  if (bounds === null) {
    return { first: () => -Infinity, last: () => Infinity, closes: itself, past: () => -Infinity };
  }
  if (bounds.kind === 'interval') {
    const { beforeMs, afterMs } = bounds;
    return {
      first: (side, timeMs) => timeMs - (side === Side.left ? beforeMs : afterMs),
      last: (side, timeMs) => timeMs + (side === Side.left ? afterMs : beforeMs),
      closes: itself,
      past: (side, watermarkMs) => watermarkMs - (side === Side.left ? afterMs : beforeMs) - 1,
    };
  }
  const { sizeMs, offsetMs } = bounds;
  const start = (timeMs: number): number => Math.floor((timeMs - offsetMs) / sizeMs) * sizeMs + offsetMs;
  const last = (timeMs: number): number => start(timeMs) + sizeMs - 1;
  const past = (_: Side, watermarkMs: number): number => start(watermarkMs) - 1;
  return { first: (_, timeMs) => start(timeMs), last: (_, timeMs) => last(timeMs), closes: last, past };
}
