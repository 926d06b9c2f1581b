import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { TaskCounters } from './task-counters.ts';
import { TaskTime, type TimeUse } from './task-time.ts';

function started() {
  const counters = new TaskCounters();
  const time = new TaskTime((name) => counters.counter('step', name));
  const read = (): Readonly<Record<string, number>> => counters.totals()[0]?.counters ?? {};
  return { time, read };
}

describe('the time of a task', () => {
  it('goes into work and the two ways of waiting, all of it since its first turn', () => {
    const use = fc.constantFrom<TimeUse>('busy', 'idle', 'backPressured');
    fc.assert(
      fc.property(fc.array(fc.tuple(use, fc.nat(5000)), { minLength: 1 }), fc.nat(9000), (turns, startMs) => {
        const { time, read } = started();
        time.settle(startMs);
        const expected = { busy: 0, idle: 0, backPressured: 0 };
        let nowMs = startMs;
        for (const [index, [each, lastsMs]] of turns.entries()) {
          time.enter(each, nowMs);
          nowMs += lastsMs;
          expected[each] += lastsMs;
          // When it is looked at changes nothing.
          if (index % 3 === 0) time.settle(nowMs);
        }
        time.settle(nowMs);
        expect(read()).toMatchObject({
          accumulateBusyTimeMs: expected.busy,
          accumulateIdleTimeMs: expected.idle,
          accumulateBackPressuredTimeMs: expected.backPressured,
        });
      }),
    );
  });

  it('is told per second, over the last five', () => {
    const { time, read } = started();
    time.enter('idle', 0);
    for (let nowMs = 500; nowMs <= 20_000; nowMs += 500) time.settle(nowMs);
    expect(read()).toMatchObject({ idleTimeMsPerSecond: 1000, backPressuredTimeMsPerSecond: 0 });
    for (let nowMs = 20_000; nowMs < 26_000; nowMs += 500) {
      time.enter('busy', nowMs);
      time.enter('backPressured', nowMs + 125);
      time.settle(nowMs + 500);
    }
    expect(read()).toMatchObject({
      busyTimeMsPerSecond: 250,
      idleTimeMsPerSecond: 0,
      backPressuredTimeMsPerSecond: 750,
    });
  });
});
