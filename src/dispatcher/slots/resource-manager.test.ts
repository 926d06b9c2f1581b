import { describe, expect, it } from '@jest/globals';
import { jobId, slotId, taskManagerId } from '../../core/index.ts';
import { inProcessTransport } from '../../rpc/index.ts';
import type { RegisteredSlot, RpcTransport, TaskManagerGateway } from '../../rpc/index.ts';
import type { LostSlots, SlotRequest } from '../../scheduler/index.ts';
import { ManualClock } from '../../testing/index.ts';
import { ResourceManager } from './resource-manager.ts';

const EPOCH = 3;
const HEARTBEATS = { intervalMs: 1000, timeoutMs: 5000 };
const [A, B, C] = [jobId('a'), jobId('b'), jobId('c')];

/** The first free slots. */
const first = (count: number): SlotRequest => ({
  count,
  choose: (free) => (free.length < count ? null : free.slice(0, count)),
});

/** Resolves to whether the promise has been settled. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A TaskManager of which only its slots are there. */
class FakeSlots {
  readonly freed: string[] = [];
  /** What freeSlot answers with. */
  answer: Promise<void> = Promise.resolve();
  readonly withdraw: () => void;
  readonly #name: string;
  readonly #manager: ResourceManager;

  constructor(name: string, manager: ResourceManager, rpc: RpcTransport) {
    this.#name = name;
    this.#manager = manager;
    const gateway: Pick<TaskManagerGateway, 'freeSlot'> = {
      freeSlot: (message) => {
        this.freed.push(`${message.jobId} ${message.slotId} ${message.epoch}`);
        return this.answer;
      },
    };
    this.withdraw = rpc.serve('task-manager', name, gateway as TaskManagerGateway).withdraw;
  }

  get id() {
    return taskManagerId(this.#name);
  }

  slot(index: number) {
    return { taskManagerId: this.id, slotId: slotId(`${this.#name}-${index}`) };
  }

  /** Each slot with what runs in it. */
  register(occupants: readonly RegisteredSlot['occupant'][], epoch = EPOCH): Promise<unknown> {
    const slots = occupants.map((occupant, index) => ({
      slotId: this.slot(index).slotId,
      memoryBytes: 1,
      data: null,
      occupant,
    }));
    const where = { address: this.#name, rack: null, host: null, tags: [] };
    return this.#manager.registerTaskManager({ epoch, taskManagerId: this.id, ...where, slots });
  }

  heartbeat() {
    return this.#manager.heartbeat({ epoch: EPOCH, taskManagerId: this.id });
  }

  unregister(): Promise<void> {
    return this.#manager.unregisterTaskManager({ epoch: EPOCH, taskManagerId: this.id });
  }
}

function start() {
  const clock = new ManualClock(1_000_000);
  const rpc = inProcessTransport();
  const manager = new ResourceManager({ clock, epoch: EPOCH, remote: { rpc, heartbeats: HEARTBEATS } });
  const lost: { job: string; lost: LostSlots }[] = [];
  for (const job of [A, B]) manager.onLost(job, (slots) => lost.push({ job, lost: slots }));
  return { clock, manager, lost, taskManager: (name: string) => new FakeSlots(name, manager, rpc) };
}

const idle = [null, null];

describe('slots', () => {
  it('are given in the order of asking, once there are enough', async () => {
    const { manager, taskManager } = start();
    const one = manager.allocate(A, first(3));
    const second = manager.allocate(B, first(1));
    await taskManager('x').register(idle);
    // One that would fit does not overtake one that does not.
    expect(await isSettled(one)).toBe(false);
    expect(await isSettled(second)).toBe(false);
    expect(manager.waitingFor(B)).toBe('1 slot (2 of 2 are free; jobs that wait in front of it: 1)');
    await taskManager('y').register(idle);
    expect((await one).map(({ location }) => location.slotId)).toEqual(['x-0', 'x-1', 'y-0']);
    expect(await second).toMatchObject([{ address: 'y', location: { slotId: 'y-1' } }]);
    expect([manager.freeCount, manager.totalCount, manager.waitingFor(B)]).toEqual([0, 4, null]);
  });

  it('that a job gives back are given to others once their TaskManager has freed them', async () => {
    const { manager, clock, taskManager } = start();
    const x = taskManager('x');
    await x.register([null]);
    await manager.allocate(A, first(1));
    const gone = manager.allocate(jobId('gone'), first(1));
    const waiting = manager.allocate(B, first(1));
    manager.release(jobId('gone'));
    x.answer = Promise.reject(new Error('no answer'));
    manager.release(A);
    await turn();
    expect(await isSettled(waiting)).toBe(false);
    x.answer = Promise.resolve();
    clock.advanceTo(clock.nowMs() + 1000);
    expect(await waiting).toHaveLength(1);
    expect(x.freed).toEqual(['a x-0 3', 'a x-0 3']);
    expect(await isSettled(gone)).toBe(false);
  });

  it('are free at once where their TaskManager is in this process', async () => {
    const manager = new ResourceManager({ clock: new ManualClock(), epoch: EPOCH, remote: null });
    const x = new FakeSlots('x', manager, inProcessTransport());
    await x.register(idle);
    await manager.allocate(A, first(2));
    manager.release(A);
    expect(manager.freeCount).toBe(2);
    await x.unregister();
    expect(manager.totalCount).toBe(0);
    expect(x.freed).toEqual([]);
  });

  it('stay with their jobs when a TaskManager registers again', async () => {
    const { manager, taskManager } = start();
    const x = taskManager('x');
    await x.register(idle);
    await manager.allocate(A, first(1));
    await x.register(idle);
    expect(manager.freeCount).toBe(1);
  });

  it('that run what nobody wants any more are freed', async () => {
    const { manager, taskManager } = start();
    const x = taskManager('x');
    await x.register([{ jobId: A, attempt: 7 }, null]);
    expect([manager.freeCount, manager.totalCount]).toEqual([1, 2]);
    await turn();
    expect(x.freed).toEqual(['a x-0 3']);
    expect(manager.freeCount).toBe(2);
  });

  it('are not taken by a leader that has been replaced', async () => {
    await expect(start().taskManager('x').register(idle, EPOCH - 1)).rejects.toThrow('epoch 2');
  });
});

describe('a TaskManager', () => {
  it('is lost where its process is gone: its jobs are told, and what comes back is freed', async () => {
    const { manager, lost, taskManager } = start();
    const x = taskManager('x');
    await x.register(idle);
    await taskManager('y').register(idle);
    await manager.allocate(A, first(3));
    x.withdraw();
    expect(lost).toMatchObject([{ job: 'a', lost: { slotIds: ['x-0', 'x-1'], areDead: true } }]);
    expect(lost[0]?.lost.error).toMatchObject({ code: 'MR-TASK-MANAGER-LOST', retry: 'backoff' });
    expect(String(lost[0]?.lost.error)).toContain('nothing is served at x any more');
    expect(await x.heartbeat()).toEqual({ isKnown: false });
    const again = new FakeSlots('x', manager, inProcessTransport());
    await again.register([{ jobId: A, attempt: 1 }, null]);
    expect(manager.freeCount).toBe(2);
  });

  it('is lost after its silence, counted while the leader itself ran', async () => {
    const { manager, clock, lost, taskManager } = start();
    const x = taskManager('x');
    await x.register(idle);
    await manager.allocate(A, first(1));
    const pass = (ms: number): void => clock.advanceTo(clock.nowMs() + ms);
    pass(4900);
    await x.heartbeat();
    pass(4900);
    expect(lost).toEqual([]);
    expect(manager.heardAtMs(x.id)).toBe(1_004_900);
    await x.heartbeat();
    // The leader's machine was suspended: its timers come late, all at once.
    clock.suspend(60_000);
    pass(3900);
    expect(lost).toEqual([]);
    pass(1200);
    expect(lost).toMatchObject([{ lost: { error: { fields: { taskManager: 'x' } } } }]);
    expect(manager.totalCount).toBe(0);
  });

  it('that ends gives its tasks up, and is forgotten once its slots are free', async () => {
    const { manager, lost, taskManager } = start();
    const x = taskManager('x');
    await x.register(idle);
    await manager.allocate(A, first(1));
    const freed = Promise.withResolvers<undefined>();
    x.answer = freed.promise;
    await x.unregister();
    expect(lost).toMatchObject([{ job: 'a', lost: { slotIds: ['x-0'], error: { code: 'MR-TASK-MANAGER-DRAINED' } } }]);
    expect(manager.totalCount).toBe(0);
    expect(await x.heartbeat()).toEqual({ isKnown: true });
    expect(x.freed).toEqual([]);
    manager.release(A);
    await turn();
    expect(await x.heartbeat()).toEqual({ isKnown: true });
    freed.resolve(undefined);
    await turn();
    expect(x.freed).toEqual(['a x-0 3']);
    expect(await x.heartbeat()).toEqual({ isKnown: false });
  });

  it('that is drained is given no tasks until it may have some again', async () => {
    const { manager, clock, lost, taskManager } = start();
    const x = taskManager('x');
    await x.register(idle);
    await manager.allocate(A, first(1));
    const mark = { version: 1, taskManagerId: 'x', reason: 'a new kernel', expiresAtMs: null } as const;
    manager.drain(mark);
    expect(lost).toMatchObject([{ lost: { slotIds: ['x-0'], areDead: false } }]);
    expect(String(lost[0]?.lost.error)).toContain('a new kernel');
    manager.release(A);
    await turn();
    expect(x.freed).toEqual(['a x-0 3']);
    const waiting = manager.allocate(A, first(1));
    expect(manager.waitingFor(A)).toBe('1 slot (0 of 2 are free; drained TaskManagers: 1)');
    manager.undrain(x.id);
    expect(await waiting).toHaveLength(1);
    manager.drain({ ...mark, expiresAtMs: clock.nowMs() + 2000 });
    const later = manager.allocate(B, first(1));
    await x.heartbeat();
    clock.advanceTo(clock.nowMs() + 1999);
    expect(await isSettled(later)).toBe(false);
    clock.advanceTo(clock.nowMs() + 1);
    expect(await later).toHaveLength(1);
  });
});

describe('slots are taken over', () => {
  const runsA = { jobId: A, attempt: 7 };

  it('once all TaskManagers have registered with the attempt, and by nobody else', async () => {
    const { manager, taskManager } = start();
    const [x, y] = [taskManager('x'), taskManager('y')];
    manager.expectAdoption(A, [7]);
    await y.register([runsA, null]);
    const other = manager.allocate(B, first(2));
    const adopted = manager.adopt(A, 7, [x.slot(1), y.slot(0)], 10_000);
    expect(await isSettled(adopted)).toBe(false);
    await x.register([null, runsA]);
    expect((await adopted).map(({ address, location }) => [address, location.slotId])).toEqual([
      ['x', 'x-1'],
      ['y', 'y-0'],
    ]);
    expect((await other).map(({ location }) => location.slotId)).toEqual(['y-1', 'x-0']);
    await turn();
    expect([...x.freed, ...y.freed]).toEqual([]);
  });

  it.each([
    ['another attempt is there', [{ jobId: A, attempt: 6 }]],
    ['another job is there', [{ jobId: B, attempt: 7 }]],
    ['nothing is there', [null]],
  ])('not where %s', async (_, occupants) => {
    const { manager, taskManager } = start();
    const [x, y] = [taskManager('x'), taskManager('y')];
    const adopted = manager.adopt(A, 7, [x.slot(0), y.slot(0)], 10_000);
    const refused = expect(adopted).rejects.toMatchObject({ code: 'MR-JOB-SLOTS-GONE' });
    await y.register([runsA]);
    await x.register(occupants);
    await refused;
    await turn();
    expect(y.freed).toEqual(['a y-0 3']);
    expect(manager.freeCount).toBe(2);
  });

  it('not where a TaskManager does not come, is gone, or is drained', async () => {
    const { manager, clock, taskManager } = start();
    const x = taskManager('x');
    const late = expect(manager.adopt(A, 7, [x.slot(0)], 10_000)).rejects.toThrow('has not come within 10 s');
    clock.advanceTo(clock.nowMs() + 10_000);
    await late;
    const gone = expect(manager.adopt(A, 7, [x.slot(0)], 10_000)).rejects.toThrow('TaskManager x: it is dead');
    manager.taskManagerGone(x.id, 'it is dead');
    await gone;
    await expect(manager.adopt(A, 7, [x.slot(0)], 10_000)).rejects.toThrow('TaskManager x: it is dead');
    const y = taskManager('y');
    manager.drain({ version: 1, taskManagerId: 'y', reason: 'it smells', expiresAtMs: null });
    const drained = expect(manager.adopt(A, 7, [y.slot(0)], 10_000)).rejects.toThrow('y is drained');
    await y.register([runsA]);
    await drained;
  });

  it('not for long where a TaskManager is announced nowhere, and for the whole time where it is', async () => {
    const { manager, clock, taskManager } = start();
    const [x, y, z] = [taskManager('x'), taskManager('y'), taskManager('z')];
    const left = manager.adopt(A, 7, [x.slot(0)], 10_000);
    const late = manager.adopt(B, 7, [y.slot(0)], 10_000);
    const whole = manager.adopt(C, 7, [z.slot(0)], 10_000);
    await z.register([{ jobId: C, attempt: 7 }]);
    manager.taskManagersAnnounced(new Set([x.id, y.id]));
    clock.advanceTo(clock.nowMs() + 3000);
    expect((await whole).map(({ address }) => address)).toEqual(['z']);
    expect(await isSettled(left)).toBe(false);
    const refused = expect(left).rejects.toThrow('TaskManager x: it is announced nowhere');
    manager.taskManagersAnnounced(new Set([y.id]));
    await refused;
    expect(await isSettled(late)).toBe(false);
    // Just after its leader; it may be announced anew.
    const back = manager.adopt(A, 7, [x.slot(0)], 10_000);
    clock.advanceTo(clock.nowMs() + 2999);
    expect(await isSettled(back)).toBe(false);
    await x.register([runsA]);
    expect((await back).map(({ address }) => address)).toEqual(['x']);
    const refusedLate = expect(late).rejects.toThrow('has not come within 10 s');
    clock.advanceTo(clock.nowMs() + 10_000);
    await refusedLate;
  });
});
