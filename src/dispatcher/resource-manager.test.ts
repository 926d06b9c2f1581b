import { describe, expect, it } from '@jest/globals';
import { jobId, slotId, taskManagerId } from '../core/index.ts';
import type { SlotRequest } from '../scheduler/index.ts';
import { ResourceManager } from './resource-manager.ts';

const register = (manager: ResourceManager, name: string, count: number): Promise<unknown> =>
  manager.registerTaskManager({
    epoch: 1,
    taskManagerId: taskManagerId(name),
    address: name,
    rack: null,
    host: null,
    tags: [],
    slots: Array.from({ length: count }, (_, index) => ({ slotId: slotId(`${name}-${index}`), memoryBytes: 1, data: null, occupant: null })),
  });

/** The first free slots. */
const first = (count: number): SlotRequest => ({
  count,
  choose: (free) => (free.length < count ? null : free.slice(0, count)),
});

/** Resolves to whether the promise has. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
}

describe('the ResourceManager', () => {
  it('gives slots in the order of asking, once there are enough', async () => {
    const manager = new ResourceManager();
    const one = manager.allocate(jobId('a'), first(3));
    const second = manager.allocate(jobId('b'), first(1));
    await register(manager, 'x', 2);
    // One that would fit does not overtake one that does not.
    expect(await isSettled(one)).toBe(false);
    expect(await isSettled(second)).toBe(false);
    await register(manager, 'y', 2);
    expect((await one).map(({ location }) => location.slotId)).toEqual(['x-0', 'x-1', 'y-0']);
    expect(await second).toMatchObject([{ address: 'y', location: { slotId: 'y-1' } }]);
    expect(manager.freeCount).toBe(0);
    expect(manager.totalCount).toBe(4);
  });

  it('takes slots back, and serves who waits', async () => {
    const manager = new ResourceManager();
    await register(manager, 'x', 1);
    await manager.allocate(jobId('a'), first(1));
    const gone = manager.allocate(jobId('b'), first(1));
    const waiting = manager.allocate(jobId('c'), first(1));
    manager.release(jobId('b'));
    manager.release(jobId('a'));
    expect(await waiting).toHaveLength(1);
    expect(await isSettled(gone)).toBe(false);
  });

  it('keeps what runs when a TaskManager registers again, and forgets one that leaves', async () => {
    const manager = new ResourceManager();
    await register(manager, 'x', 2);
    await manager.allocate(jobId('a'), first(1));
    await register(manager, 'x', 2);
    expect(manager.freeCount).toBe(1);
    await manager.unregisterTaskManager({ epoch: 1, taskManagerId: taskManagerId('x') });
    expect(manager.totalCount).toBe(0);
  });

  it('refuses an older epoch', async () => {
    const manager = new ResourceManager();
    await manager.unregisterTaskManager({ epoch: 5, taskManagerId: taskManagerId('x') });
    expect(() => register(manager, 'x', 1)).toThrow('epoch 1');
  });
});
