import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RestartStrategy } from '../../graph/index.ts';
import { decideRestart, noFailures } from './restart-strategy.ts';

/** The delays that follow failures at these times; null where the job is given up. */
function delays(strategy: RestartStrategy, timesMs: readonly number[], chance = 0.5): (number | null)[] {
  const out: (number | null)[] = [];
  let memory = noFailures;
  for (const nowMs of timesMs) {
    const decision = decideRestart(strategy, memory, nowMs, chance);
    out.push(decision.kind === 'restart' ? decision.delayMs : null);
    if (decision.kind === 'give-up') break;
    memory = decision.memory;
  }
  return out;
}

const growing = {
  kind: 'exponential-delay',
  initialMs: 1000,
  maxMs: 10_000,
  multiplier: 3,
  jitter: 0,
  resetMs: 60_000,
} as const;

describe('restart strategies', () => {
  it('none gives up at once', () => {
    expect(delays({ kind: 'none' }, [5])).toEqual([null]);
  });

  it('fixed-delay gives up after its attempts, however long ago they were', () => {
    expect(delays({ kind: 'fixed-delay', attempts: 2, delayMs: 7 }, [0, 1e9, 2e9])).toEqual([7, 7, null]);
    expect(delays({ kind: 'fixed-delay', attempts: 0, delayMs: 7 }, [0])).toEqual([null]);
  });

  it('failure-rate gives up at more failures than allowed within the interval', () => {
    const strategy = { kind: 'failure-rate', failures: 2, intervalMs: 100, delayMs: 7 } as const;
    expect(delays(strategy, [0, 99, 150, 198])).toEqual([7, 7, 7, null]);
    expect(delays(strategy, [0, 50, 100, 150, 200, 250])).toEqual([7, 7, 7, 7, 7, 7]);
    expect(delays(strategy, [0, 50, 99])).toEqual([7, 7, null]);
  });

  it('exponential-delay grows up to its maximum, and begins anew after a calm time', () => {
    expect(delays(growing, [0, 2000, 6000, 20_000])).toEqual([1000, 3000, 9000, 10_000]);
    // The calm time begins after the delay.
    expect(delays(growing, [0, 60_999])).toEqual([1000, 3000]);
    expect(delays(growing, [0, 61_000, 122_000])).toEqual([1000, 1000, 1000]);
  });

  it('exponential-delay varies by chance, within its share and its maximum, and grows as if it did not', () => {
    const strategy = { ...growing, jitter: 0.2 };
    expect(delays(strategy, [0, 2000], 0)).toEqual([800, 2400]);
    expect(delays(strategy, [0, 2000, 5000, 9000], 0.999999)).toEqual([1200, 3600, 10_000, 10_000]);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(1e6), (chance, nowMs) => {
        const [delayMs] = delays(strategy, [nowMs], chance);
        expect(delayMs).toBeGreaterThanOrEqual(800);
        expect(delayMs).toBeLessThanOrEqual(1200);
      }),
    );
  });
});
