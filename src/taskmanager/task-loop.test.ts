import { describe, expect, it } from '@jest/globals';
import { nodePorts } from '../core/node-ports.ts';
import type { Ports } from '../core/index.ts';
import { DEFAULT_LIMITS } from './runtime-limits.ts';
import { TaskLoop } from './task-loop.ts';

/** A loop on a clock that moves only when a subtask works; `log` gets each run and each turn of the event loop. */
function loopOnManualClock(log: string[]) {
  let nowMs = 0;
  const ports: Ports = {
    ...nodePorts,
    clock: { ...nodePorts.clock, monotonicMs: () => nowMs },
    macrotasks: {
      yield: () => {
        log.push('turn');
        return nodePorts.macrotasks.yield();
      },
    },
  };
  let turns = 0;
  const loop = new TaskLoop(ports, DEFAULT_LIMITS, () => turns++);
  return { loop, work: (ms: number) => (nowMs += ms), now: () => nowMs, turns: () => turns };
}

describe('the loop of a slot', () => {
  it('gives subtasks slices in the order of waking, and the event loop its turn within 5 ms', async () => {
    const log: string[] = [];
    const { loop, work, turns } = loopOnManualClock(log);
    let left = 30;
    const busy = (name: string, ms: number) => {
      const runnable = {
        run: () => {
          log.push(name);
          work(ms);
          if (--left <= 0) loop.stop();
          else loop.wake(runnable);
        },
      };
      loop.wake(runnable);
      loop.wake(runnable);
      return ms;
    };
    const costs = { a: busy('a', 0.5), b: busy('b', 1), c: busy('c', 0.1) };
    await loop.run();
    const runs = log.filter((entry) => entry !== 'turn');
    // Woken twice, each stands in the line once; then in turn.
    expect(runs.slice(0, 6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    let sinceTurn = 0;
    for (const entry of log) {
      sinceTurn = entry === 'turn' ? 0 : sinceTurn + costs[entry as keyof typeof costs];
      expect(sinceTurn).toBeLessThan(5);
    }
    expect(turns()).toBe(log.filter((entry) => entry === 'turn').length);
    expect(turns()).toBeGreaterThan(4);
  });

  it('says until when a slice lasts', async () => {
    const { loop, now } = loopOnManualClock([]);
    let slice = 0;
    loop.wake({
      run: (deadlineMs) => {
        slice = deadlineMs - now();
        loop.stop();
      },
    });
    await loop.run();
    expect(slice).toBe(DEFAULT_LIMITS.sliceMs);
  });

  it('gives a turn of its own length to what asks for it', async () => {
    const { loop, now } = loopOnManualClock([]);
    let turn = 0;
    loop.wake({
      turnMs: 7,
      run: (deadlineMs) => {
        turn = deadlineMs - now();
        loop.stop();
      },
    });
    await loop.run();
    expect(turn).toBe(7);
  });

  it('sleeps until something is woken, from anywhere', async () => {
    const { loop } = loopOnManualClock([]);
    const running = loop.run();
    let runs = 0;
    const runnable = {
      run: () => {
        runs++;
      },
    };
    await nodePorts.clock.sleep(5);
    expect(runs).toBe(0);
    loop.wake(runnable);
    await nodePorts.clock.sleep(5);
    expect(runs).toBe(1);
    loop.stop();
    loop.wake(runnable);
    await running;
    expect(runs).toBe(1);
  });
});
