import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../testing/index.ts';
import { AlignmentTimeout } from './alignment-timeout.ts';

function timeoutOf(timeoutMs: number | null) {
  const clock = new ManualClock();
  const timeout = new AlignmentTimeout(clock, timeoutMs);
  const due: number[] = [];
  timeout.onDue = (checkpointId) => due.push(checkpointId);
  return { clock, timeout, due };
}

describe('an alignment timeout', () => {
  it('is due once, so long after its checkpoint was first heard of', () => {
    const { clock, timeout, due } = timeoutOf(100);
    timeout.heard(1, undefined);
    clock.advanceTo(clock.monotonicMs() + 60);
    timeout.heard(1, undefined);
    clock.advanceTo(clock.monotonicMs() + 39);
    expect(due).toEqual([]);
    clock.advanceTo(clock.monotonicMs() + 1);
    timeout.heard(1, 'unaligned');
    clock.advanceTo(clock.monotonicMs() + 1000);
    expect(due).toEqual([1]);
  });

  it('is due at once for a barrier that has overtaken already, and with no time to wait', () => {
    const patient = timeoutOf(null);
    patient.timeout.heard(3, undefined);
    patient.timeout.heard(3, 'unaligned');
    expect(patient.due).toEqual([3]);
    const hasty = timeoutOf(0);
    hasty.timeout.heard(4, undefined);
    hasty.timeout.heard(4, undefined);
    expect(hasty.due).toEqual([4]);
  });

  it('is never due for savepoints, nor for what is over', () => {
    const { clock, timeout, due } = timeoutOf(100);
    timeout.heard(1, 'aligned');
    clock.advanceTo(clock.monotonicMs() + 1000);
    timeout.heard(2, undefined);
    timeout.over(2);
    timeout.heard(2, 'unaligned');
    clock.advanceTo(clock.monotonicMs() + 1000);
    timeout.heard(3, undefined);
    timeout.over(2);
    clock.advanceTo(clock.monotonicMs() + 1000);
    expect(due).toEqual([3]);
  });
});
