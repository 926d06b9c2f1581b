import { describe, expect, it } from '@jest/globals';
import { MillraceError, splitId } from '../core/index.ts';
import type { Clock, Split } from '../core/index.ts';
import type { RestoredSplits } from './recovery/restored-tasks.ts';
import { SourceCoordinator } from './source-coordinator.ts';

class ManualClock implements Clock {
  readonly timers: { readonly delayMs: number; readonly callback: () => void; isCancelled: boolean }[] = [];
  nowMs = (): number => 0;
  monotonicMs = (): number => 0;
  sleep = (): Promise<void> => Promise.resolve();
  schedule(delayMs: number, callback: () => void) {
    const timer = { delayMs, callback, isCancelled: false };
    this.timers.push(timer);
    return {
      cancel: () => {
        timer.isCancelled = true;
      },
    };
  }

  /** Fires the timer that was set last, and waits until what it started has settled. */
  async fire(): Promise<void> {
    const timer = this.timers.at(-1);
    if (timer?.isCancelled === false) timer.callback();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

const split = (name: string): Split => ({ id: splitId(name), position: {}, racks: [] });

function coordinator(
  discoveries: readonly (readonly Split[] | Error)[],
  intervalMs: number | null,
  parallelism = 2,
  restored: RestoredSplits | null = null,
  places: Readonly<Record<string, readonly string[]>> = {},
) {
  const clock = new ManualClock();
  const log: string[] = [];
  let next = 0;
  const enumerator = {
    restore: (known: readonly string[]) => log.push(`restore ${known.join(' ')}`),
    open: () => Promise.resolve(),
    discover: () => {
      const found = discoveries[Math.min(next++, discoveries.length - 1)] ?? [];
      return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
    },
    locate: (id: string) => places[id] ?? null,
    discoveryIntervalMs: intervalMs,
    close: () => {
      log.push('close');
      return Promise.resolve();
    },
  };
  const callbacks = {
    addSplits: (index: number, splits: readonly Split[]) => {
      log.push(`add ${index}: ${splits.map(({ id }) => id).join(' ')}`);
    },
    noMoreSplits: (index: number) => log.push(`end ${index}`),
    failed: (error: unknown) => log.push(`failed ${String(error)}`),
  };
  const made = new SourceCoordinator('in', parallelism, enumerator, clock, callbacks, restored);
  return { made, clock, log };
}

function failure(retry: 'backoff' | 'never'): MillraceError {
  return new MillraceError('MR-TEST', { domain: 'external', scope: 'task', retry, message: 'no broker' }, {});
}

describe('a bounded source', () => {
  it('gives each subtask its splits once it runs, and no more', async () => {
    const { made, log, clock } = coordinator([[split('a'), split('b'), split('c')]], null);
    await made.open();
    made.place([]);
    expect(log).toEqual([]);
    made.subtaskRunning(1);
    made.subtaskRunning(0);
    made.subtaskRunning(0);
    expect(log).toEqual(['add 1: b', 'end 1', 'add 0: a c', 'end 0']);
    expect(clock.timers).toHaveLength(0);
  });

  it('ends subtasks that get none', async () => {
    const { made, log } = coordinator([[split('a')]], null);
    await made.open();
    made.place([]);
    made.subtaskRunning(1);
    expect(log).toEqual(['end 1']);
  });
});

describe('a source that is looked at again', () => {
  it('gives what is found later to the subtask that has least', async () => {
    const { made, log, clock } = coordinator([[split('a')], [split('b')], [split('c'), split('d')]], 50);
    await made.open();
    made.place([]);
    made.subtaskRunning(0);
    made.subtaskRunning(1);
    await clock.fire();
    await clock.fire();
    expect(log).toEqual(['add 0: a', 'add 1: ', 'add 1: b', 'add 0: c', 'add 1: d']);
    await made.close();
    await made.close();
    await clock.fire();
    expect(log.slice(5)).toEqual(['close']);
  });

  it('survives failures that pass', async () => {
    const { made, log, clock } = coordinator([[], failure('backoff'), failure('backoff'), [split('a')]], 50);
    await made.open();
    made.place([]);
    made.subtaskRunning(0);
    for (let time = 0; time < 3; time++) await clock.fire();
    expect(log).toEqual(['add 0: ', 'add 0: a']);
  });

  it('fails on others at once, and on passing ones that do not pass', async () => {
    const never = coordinator([[], failure('never')], 50);
    await never.made.open();
    never.made.place([]);
    await never.clock.fire();
    expect(never.log).toEqual([expect.stringContaining('no broker')]);
    const always = coordinator([[], failure('backoff')], 50);
    await always.made.open();
    always.made.place([]);
    for (let time = 0; time < 9; time++) await always.clock.fire();
    expect(always.log).toEqual([]);
    await always.clock.fire();
    expect(always.log).toEqual([expect.stringContaining('no broker')]);
  });

  it('fails to open where the first look fails', async () => {
    await expect(coordinator([failure('backoff')], 50).made.open()).rejects.toThrow('no broker');
  });
});

describe('a source that is restored', () => {
  const restored = (parallelism: number): RestoredSplits => ({
    parallelism,
    splits: [
      { split: { ...split('a'), position: { offset: 7 } }, subtaskIndex: 1 },
      { split: split('b'), subtaskIndex: 1 },
      { split: split('c'), subtaskIndex: 0 },
    ],
  });

  it('leaves splits where they were, and takes what is new in addition', async () => {
    // An enumerator that does not know better finds known ones again.
    const { made, log } = coordinator([[split('c'), split('d')]], null, 2, restored(2));
    await made.open();
    made.place([]);
    made.subtaskRunning(0);
    made.subtaskRunning(1);
    expect(log).toEqual(['restore a b c', 'add 0: c d', 'end 0', 'add 1: a b', 'end 1']);
  });

  it('spreads splits over another parallelism', async () => {
    const { made, log } = coordinator([[]], null, 3, restored(2));
    await made.open();
    made.place([]);
    for (const index of [0, 1, 2]) made.subtaskRunning(index);
    expect(log.filter((line) => line.startsWith('add'))).toEqual(['add 0: a', 'add 1: b', 'add 2: c']);
  });

  it('passes positions on', async () => {
    const given: Split[] = [];
    const enumerator = {
      open: () => Promise.resolve(),
      discover: () => Promise.resolve([]),
      discoveryIntervalMs: null,
      close: () => Promise.resolve(),
    };
    const callbacks = {
      addSplits: (_: number, splits: readonly Split[]) => given.push(...splits),
      noMoreSplits: () => undefined,
      failed: () => undefined,
    };
    const made = new SourceCoordinator('in', 1, enumerator, new ManualClock(), callbacks, restored(2));
    await made.open();
    made.place([]);
    made.subtaskRunning(0);
    expect(given[0]).toEqual({ ...split('a'), position: { offset: 7 } });
  });
});

describe('a source whose splits are near to somebody', () => {
  const at = (rack: string) => ({ rack, host: null });
  const near = (name: string, rack: string): Split => ({ id: splitId(name), position: {}, racks: [rack] });

  it('is read from nearby, evenly, also what is found later', async () => {
    const first = [near('a', 'r1'), near('b', 'r1'), near('c', 'r2'), near('d', 'r2')];
    const { made, log, clock } = coordinator([first, [near('e', 'r2'), near('f', 'r1')]], 50);
    await made.open();
    expect(made.demand).toMatchObject({ parallelism: 2, splits: [{ racks: ['r1'], subtaskIndex: null }, {}, {}, {}] });
    made.place([at('r2'), at('r1')]);
    made.subtaskRunning(0);
    made.subtaskRunning(1);
    expect(log).toEqual(['add 0: c d', 'add 1: a b']);
    await clock.fire();
    expect(log.slice(2)).toEqual(['add 0: e', 'add 1: f']);
    expect(made.readers.map(({ place, splits }) => [place.rack, splits.length])).toEqual([['r2', 3], ['r1', 3]]);
  });

  it('leaves restored splits with their subtasks, and says so before slots are chosen', async () => {
    const splits = [
      { split: near('a', 'r1'), subtaskIndex: 1 },
      { split: near('b', 'r1'), subtaskIndex: 1 },
    ];
    const { made, log } = coordinator([[near('c', 'r1')]], null, 2, { parallelism: 2, splits });
    await made.open();
    expect(made.demand.splits.map(({ subtaskIndex }) => subtaskIndex)).toEqual([1, 1, null]);
    made.place([at('r2'), at('r1')]);
    made.subtaskRunning(0);
    made.subtaskRunning(1);
    expect(log).toEqual(['restore a b', 'add 0: c', 'end 0', 'add 1: a b', 'end 1']);
  });

  it('is near to where its restored splits are now, not to where they were when the checkpoint was taken', async () => {
    const splits = [near('a', 'r1'), near('b', 'r1')].map((each) => ({ split: each, subtaskIndex: 0 }));
    const { made } = coordinator([[]], null, 2, { parallelism: 2, splits }, { a: ['r2', 'r3'] });
    await made.open();
    expect(made.demand.splits.map(({ racks }) => racks)).toEqual([['r2', 'r3'], ['r1']]);
    made.place([at('r2'), at('r1')]);
    expect(made.readers[0]?.splits.map(({ racks }) => racks)).toEqual([['r2', 'r3'], ['r1']]);
  });
});

describe('a source that is taken over', () => {
  const told = (names: readonly string[], isComplete = false) => ({ splits: names.map(split), isComplete });

  it('goes on looking, knowing what its subtasks have', async () => {
    const { made, log, clock } = coordinator([[split('c')], [split('d')]], 50);
    await made.resume([told(['a', 'b']), told([])], []);
    expect(log).toEqual(['restore a b', 'add 1: c']);
    await clock.fire();
    expect(log.slice(2)).toEqual(['add 1: d']);
  });

  it('bounded says that there are no more to whom it was not said, and does not look again', async () => {
    const { made, log } = coordinator([new Error('nobody should ask')], null);
    await made.resume([told(['a'], true), told([])], []);
    expect(log).toEqual(['end 1']);
  });
});
