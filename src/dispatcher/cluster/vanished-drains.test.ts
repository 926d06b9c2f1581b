import { expect, it } from '@jest/globals';
import { taskManagerId } from '../../core/index.ts';
import { ManualClock } from '../../testing/index.ts';
import { ResourceManager } from '../slots/resource-manager.ts';
import { VanishedDrains } from './vanished-drains.ts';

it('forgets the drain marks of TaskManagers that have been away for an hour, and no others', async () => {
  const clock = new ManualClock();
  const manager = new ResourceManager({ clock, epoch: 1, remote: null });
  const cleared: string[] = [];
  let isAway = true;
  const drains = new VanishedDrains({
    clock,
    slots: manager,
    records: {
      clearDrain: async (id) => {
        if (isAway) throw new Error('the store is away');
        cleared.push(id);
      },
    },
    onProblem: () => {
      isAway = false;
    },
  });
  const register = (name: string) => {
    const place = { taskManagerId: taskManagerId(name), address: name, rack: null, host: null, tags: [], slots: [] };
    return manager.registerTaskManager({ epoch: 1, ...place });
  };
  await register('stays');
  for (const id of ['stays', 'gone', 'back']) {
    manager.drain({ version: 1, taskManagerId: id, reason: 'x', expiresAtMs: null });
  }
  clock.advanceTo(50 * 60_000);
  await register('back');
  clock.advanceTo(66 * 60_000);
  await new Promise(setImmediate);
  expect(cleared).toEqual([]);
  clock.advanceTo(71 * 60_000);
  await new Promise(setImmediate);
  expect(cleared).toEqual(['gone']);
  expect([...manager.drainedIds]).toEqual(['stays', 'back']);
  drains.close();
  expect(clock.runNext()).toBe(false);
});
