import { describe, expect, it } from '@jest/globals';

import { countingRandomness, ManualClock } from '../../../testing/index.ts';
import { Patience } from './patience.ts';
import { CutShortError, faultOf } from './s3-fault.ts';
import { s3Limits } from './s3-limits.ts';

const limits = { ...s3Limits, attempts: 5, firstBackoffMs: 100, maxBackoffMs: 250, timeoutMs: 1000 };

/** Time passes as soon as somebody sleeps. */
class HastyClock extends ManualClock {
  readonly sleptMs: number[] = [];

  override sleep(delayMs: number): Promise<void> {
    this.sleptMs.push(delayMs);
    return Promise.resolve();
  }
}

function newPatience() {
  const clock = new HastyClock();
  return { clock, patience: new Patience(limits, clock, { ...countingRandomness(), next: () => 0.5 }) };
}

const denied = Object.assign(new Error('no'), { name: 'AccessDenied' });

describe('asking a service', () => {
  it('is repeated while it may pass, later and later', async () => {
    const { clock, patience } = newPatience();
    const asked = patience.insist(({ number }) =>
      number < 5 ? Promise.reject(new CutShortError('half')) : Promise.resolve(number),
    );
    await expect(asked).resolves.toBe(5);
    expect(clock.sleptMs).toEqual([75, 150, 187.5, 187.5]);
  });

  it('ends with the last failure', async () => {
    const { patience } = newPatience();
    let count = 0;
    const asked = patience.insist(() => Promise.reject(new CutShortError(`failure ${++count}`)));
    await expect(asked).rejects.toThrow('failure 5');
  });

  it('is not repeated where somebody has to mend something', async () => {
    const { clock, patience } = newPatience();
    await expect(patience.insist(() => Promise.reject(denied))).rejects.toBe(denied);
    expect(clock.sleptMs).toEqual([]);
  });

  it('is given up when no answer comes, and whoever asks is told to stop', async () => {
    const { clock, patience } = newPatience();
    let isAborted = false;
    const asked = patience.await((signal) => {
      signal.addEventListener('abort', () => (isAborted = true));
      return new Promise(() => undefined);
    });
    clock.advanceTo(limits.timeoutMs);
    const error: unknown = await asked.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(String(error)).toContain('no answer within 1000 ms');
    expect(faultOf(error)).toBe('transient');
    expect(isAborted).toBe(true);
  });
});
