import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../testing/index.ts';
import { Alarms } from './alarms.ts';

function alarmsOf(stageCount: number) {
  const clock = new ManualClock(1000);
  const alarms = new Alarms(clock, stageCount);
  const log: string[] = [];
  alarms.onDue = () => {
    for (let stage = alarms.next(); stage >= 0; stage = alarms.next()) log.push(`${stage} at ${clock.nowMs()}`);
  };
  return { clock, alarms, log };
}

describe('alarms', () => {
  it('go off once, each at its time, of whichever operator', () => {
    const { clock, alarms, log } = alarmsOf(3);
    alarms.set(2, 1050);
    alarms.set(0, 1020);
    clock.advanceTo(1019);
    expect(log).toEqual([]);
    clock.advanceTo(1100);
    expect(log).toEqual(['0 at 1020', '2 at 1050']);
    expect(alarms.isDue).toBe(false);
  });

  it('go off soon where their time has passed already', () => {
    const { clock, alarms, log } = alarmsOf(1);
    alarms.set(0, 5);
    expect(log).toEqual([]);
    clock.advanceTo(1000);
    expect(log).toEqual(['0 at 1000']);
  });

  it('are replaced: by a later time, an earlier one, or none', () => {
    const { clock, alarms, log } = alarmsOf(2);
    alarms.set(0, 1020);
    alarms.set(0, 1040);
    alarms.set(1, 1090);
    alarms.set(1, 1060);
    clock.advanceTo(1200);
    expect(log).toEqual(['0 at 1040', '1 at 1060']);
    alarms.set(0, 1300);
    alarms.set(0, Infinity);
    clock.advanceTo(2000);
    expect(log).toHaveLength(2);
  });

  it('may be set again while they go off', () => {
    const { clock, alarms, log } = alarmsOf(1);
    const tell = alarms.onDue;
    alarms.onDue = () => {
      tell();
      if (clock.nowMs() < 1030) alarms.set(0, clock.nowMs() + 10);
    };
    alarms.set(0, 1010);
    clock.advanceTo(1500);
    expect(log).toEqual(['0 at 1010', '0 at 1020', '0 at 1030']);
  });

  it('notice within a minute that the clock has jumped', () => {
    const { clock, alarms, log } = alarmsOf(1);
    let offsetMs = 0;
    const jumping = new Alarms(
      {
        nowMs: () => clock.nowMs() + offsetMs,
        monotonicMs: () => clock.monotonicMs(),
        schedule: (delayMs, callback) => clock.schedule(delayMs, callback),
        sleep: (delayMs) => clock.sleep(delayMs),
      },
      1,
    );
    alarms.close();
    jumping.onDue = () => {
      if (jumping.next() === 0) log.push('went off');
    };
    jumping.set(0, 10_000_000);
    offsetMs = 20_000_000;
    clock.advanceTo(61_000);
    expect(log).toEqual(['went off']);
  });

  it('do not go off after the end', () => {
    const { clock, alarms, log } = alarmsOf(1);
    alarms.set(0, 1010);
    alarms.close();
    alarms.set(0, 1020);
    clock.advanceTo(2000);
    expect(log).toEqual([]);
    expect(alarms.isDue).toBe(false);
  });
});
