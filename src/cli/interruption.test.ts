import { describe, expect, it } from '@jest/globals';

import type { Clock } from '../core/index.ts';
import { watchForInterruption } from './interruption.ts';
import type { Environment } from './process-environment.ts';

function setUp() {
  const events: string[] = [];
  let now = 0;
  let signal: () => void = () => undefined;
  const environment = {
    onSignal(listener: () => void) {
      signal = listener;
      return () => events.push('released');
    },
    exitNow: (code: number) => events.push(`exit ${code}`),
  } as unknown as Environment;
  const clock = { monotonicMs: () => now } as Clock;
  const release = watchForInterruption(environment, clock, () => events.push('cancel'));
  return {
    events,
    release,
    signalAt(timeMs: number) {
      now = timeMs;
      signal();
    },
  };
}

describe('an interruption', () => {
  it('cancels at the first signal and exits at the second', () => {
    const { events, release, signalAt } = setUp();
    signalAt(1000);
    expect(events).toEqual(['cancel']);
    signalAt(2500);
    expect(events).toEqual(['cancel', 'exit 130']);
    release();
    expect(events.at(-1)).toBe('released');
  });

  it('takes signals that come together for one press', () => {
    const { events, signalAt } = setUp();
    signalAt(1000);
    signalAt(1001);
    signalAt(1300);
    expect(events).toEqual(['cancel']);
  });
});
