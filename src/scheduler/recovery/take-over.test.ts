import { describe, expect, it } from '@jest/globals';
import { MillraceError, splitId } from '../../core/index.ts';
import type { CrashPoint } from '../../core/index.ts';
import {
  JobWorld as World,
  passingError as passing,
  worldGraph as graph,
  worldSettings as settings,
} from '../../testing/index.ts';
import type { JobMaster } from '../job-master.ts';

/** A job that runs under a leader, which then lets go of it. */
async function led(prepare: (world: World, master: JobMaster) => Promise<void> | void = () => undefined) {
  const world = new World();
  const master = world.start(world.clustered());
  await world.quiet();
  await prepare(world, master);
  master.abandon();
  await world.quiet();
  return world;
}

/** What would end or begin a task. */
const DISTURBANCES = /^(deploy|cancel|freeSlot)/;

async function expectToGoOn(next: World, master: JobMaster): Promise<void> {
  await next.quiet();
  expect(next.logged(DISTURBANCES)).toEqual([]);
  expect(next.states).toEqual(['CREATED', 'RUNNING']);
  expect(next.record.generation).toBe(1);
  expect(master.executions.map(({ attemptId, slot }) => `${attemptId} ${slot?.slotId}`)).toEqual([
    's_0_0 s0',
    's_1_0 s1',
    'k_0_0 s0',
    'k_1_0 s1',
  ]);
}

/** The job restarts from its last checkpoint; the slots of the old attempt are free first. */
async function expectToRestart(next: World, master: JobMaster, reason: RegExp): Promise<void> {
  await next.quiet();
  expect(master.failures[0]?.error).toMatchObject({ code: 'MR-JOB-SLOTS-GONE' });
  expect(master.failures[0]?.error.message).toMatch(reason);
  expect([master.restarts, master.lastFailure]).toEqual([0, null]);
  expect(next.states).toEqual(['CREATED', 'RUNNING']);
  expect(next.plan?.attempt).toBe(1);
  expect(next.manager.slices.slice(-2).map(({ attempt }) => attempt)).toEqual([1, 1]);
}

describe('a job that is taken over', () => {
  it('goes on, and its checkpoints too, with ids that nobody has used', async () => {
    const before = await led((world) => world.pass(1000));
    const next = new World(before, true);
    const master = next.takeOver();
    expect(master.waitingFor).toContain('TaskManagers');
    await expectToGoOn(next, master);
    expect(master.waitingFor).toBeNull();
    // What the old leader had completed is told again; what it may have begun is given up; the next is taken at once.
    expect(next.logged(/completed 1:/)).toHaveLength(4);
    expect(next.logged(/aborted (2|11): k_0_0/)).toHaveLength(2);
    expect(next.logged(/aborted 12/)).toEqual([]);
    expect(next.record.checkpoints).toMatchObject([{ checkpointId: 12 }]);
    const { generation, vertices } = await next.last();
    expect([generation, vertices[0]?.subtasks[0]?.splits]).toMatchObject([1, [{ id: 'a' }]]);
    await next.pass(1000);
    expect(next.record.checkpoints).toMatchObject([{ checkpointId: 13 }]);
    // Later it is a job like any other.
    await next.manager.fail('k_0_0', passing('gone'));
    await next.pass(0);
    await next.pass(100);
    expect(next.manager.running).toEqual(['k_0_1', 'k_1_1', 's_0_1', 's_1_1']);
    expect([master.restarts, next.record.generation, next.plan?.attempt]).toEqual([1, 2, 1]);
  });

  it.each<CrashPoint>(['all-acknowledged', 'metadata-written', 'pointer-moved'])(
    'goes on where its leader died at %s',
    async (crashPoint) => {
      const world = new World();
      const first = world.start(world.clustered());
      world.onCrashPoint = (name) => {
        if (name === crashPoint) first.abandon();
      };
      await world.pass(0);
      await world.pass(1000);
      expect(world.crashPoints).toContain(crashPoint);
      expect(world.logged(/completed/)).toEqual([]);
      const next = new World(world, true);
      await expectToGoOn(next, next.takeOver());
      const hasMoved = crashPoint === 'pointer-moved';
      expect(next.logged(/completed 1:/)).toHaveLength(hasMoved ? 4 : 0);
      // The tasks that had acknowledged it are told too: its handles come again.
      expect(next.logged(/aborted 1: k_0_0/)).toHaveLength(hasMoved ? 0 : 1);
      expect(next.record.checkpoints).toMatchObject([{ checkpointId: hasMoved ? 12 : 11 }]);
    },
  );

  it('goes on where not all tasks had acknowledged a checkpoint, which counts for nothing', async () => {
    const before = await led(async (world) => {
      world.manager.silent.add('k');
      await world.pass(1000);
    });
    const next = new World(before, true);
    const master = next.takeOver();
    await expectToGoOn(next, master);
    await next.manager.acknowledge('k_0_0', 1);
    next.manager.silent.clear();
    expect(master.checkpoints().recent).toMatchObject([{ checkpointId: 11, acknowledged: 2 }]);
    await next.manager.acknowledge('k_0_0', 11);
    await next.manager.acknowledge('k_1_0', 11);
    await next.quiet();
    expect(next.record.checkpoints).toMatchObject([{ checkpointId: 11 }]);
  });

  it('lets sources go on that a savepoint had stopped', async () => {
    const world = new World();
    const first = world.start({ ...world.clustered(), openStorage: () => world.storage });
    await world.quiet();
    world.onCrashPoint = (name) => {
      if (name === 'pointer-moved') first.abandon();
    };
    const target = { kind: 'directory', path: '/savepoint' } as const;
    const saved = first.savepoint({ target, stopsSources: true });
    saved.catch(() => undefined);
    await world.quiet();
    await expect(saved).rejects.toMatchObject({ code: 'MR-JOB-SAVEPOINT-FAILED' });
    const next = new World(world, true);
    await expectToGoOn(next, next.takeOver());
    const told = next.logged(/^(completed 1|aborted 1): s_0_0/);
    expect(told).toEqual(['completed 1: s_0_0', 'aborted 1: s_0_0']);
    expect(next.logged(/aborted 1: k/)).toEqual([]);
  });

  it('gives out splits that its old leader had not found yet, and no others', async () => {
    const world = new World();
    world.discoveryIntervalMs = 1000;
    const first = world.start(world.clustered());
    await world.quiet();
    first.abandon();
    const next = new World(world, true);
    next.splits = ['a', 'b', 'c'].map((id) => ({ id: splitId(id), position: {}, racks: [] }));
    await expectToGoOn(next, next.takeOver());
    expect(next.manager.splitsOf('s_0_0').map(({ id }) => id)).toEqual(['a', 'c']);
    expect(next.manager.splitsOf('s_1_0').map(({ id }) => id)).toEqual(['b']);
  });

  it('fails where its source cannot be looked at any more, once, and as long as it is the same attempt', async () => {
    const world = new World();
    world.discoveryIntervalMs = 1000;
    const first = world.start(world.clustered());
    await world.quiet();
    first.abandon();
    const next = new World(world, true);
    const gate = Promise.withResolvers<undefined>();
    next.beforeOpen = () => gate.promise;
    const master = next.takeOver();
    await expectToGoOn(next, master);
    await next.manager.fail('k_0_0', passing('gone'));
    await next.quiet();
    gate.reject(passing('no broker'));
    next.beforeOpen = null;
    await next.pass(100);
    expect(next.states.slice(2)).toEqual(['FAILING', 'RESTARTING', 'CREATED', 'RUNNING']);
    expect(master.failures.map(({ error }) => error.message)).toEqual(['gone']);

    master.abandon();
    const last = new World(next, true);
    last.failing.set('open source', passing('no broker'));
    const again = last.takeOver();
    await last.quiet();
    expect(again.lastFailure?.message).toBe('step in: no broker');
    expect(last.states).toEqual(['CREATED', 'RUNNING', 'FAILING', 'RESTARTING']);
  });

  it('finishes, whether its tasks end before, meanwhile or after', async () => {
    const before = await led((world) => world.manager.end('s_0_0'));
    await before.manager.end('s_1_0');
    const next = new World(before, true);
    const master = next.takeOver();
    await expectToGoOn(next, master);
    await next.manager.end('k_0_0');
    await next.manager.end('k_1_0');
    expect(await master.result).toEqual({ state: 'FINISHED', error: null });
    expect(next.record).toMatchObject({ isFinished: true, generation: 1 });
    expect(next.logged(/^deploy/)).toEqual([]);
  });

  it.each<CrashPoint>(['input-ended', 'pointer-moved'])('finishes where its leader died at %s', async (at) => {
    const world = new World();
    const first = world.start(world.clustered());
    await world.quiet();
    world.onCrashPoint = (name) => {
      if (name === at) first.abandon();
    };
    for (const task of world.manager.running) await world.manager.end(task);
    await world.quiet();
    expect(world.manager.running).toHaveLength(4);
    const next = new World(world, true);
    const master = next.takeOver();
    expect(await master.result).toMatchObject({ state: 'FINISHED' });
    expect(next.record).toMatchObject({ isFinished: true, generation: 1 });
  });

  it('has finished where all that is missing is that somebody says so', async () => {
    const world = new World();
    const first = world.start(world.clustered());
    await world.quiet();
    for (const task of world.manager.running) await world.manager.end(task);
    await first.result;
    const next = new World(world, true);
    next.failing.set('adopt', passing('its slots are free'));
    const master = next.takeOver();
    expect(await master.result).toEqual({ state: 'FINISHED', error: null });
    expect(next.logged(/^deploy/)).toEqual([]);
    expect(next.record.generation).toBe(1);
  });

  it('hears what tasks report before the answer has come that says what they had reported', async () => {
    const before = await led();
    const next = new World(before, true);
    next.manager.onAdopted = () => {
      next.manager.onAdopted = null;
      void next.manager.fail('k_0_0', passing('just now'));
    };
    const master = next.takeOver();
    await next.quiet();
    expect(next.states).toEqual(['CREATED', 'RUNNING', 'FAILING', 'RESTARTING']);
    expect([master.restarts, master.lastFailure?.message]).toEqual([1, 'just now']);
  });

  it('takes no checkpoints: it goes on, and numbers attempts on from there', async () => {
    const none = { graph: { ...graph, checkpoint: null }, store: null, storage: null, storageConfig: null };
    const world = new World();
    const first = world.start({ ...world.clustered(), ...none });
    await world.quiet();
    await world.manager.fail('k_1_0', passing('gone'));
    await world.pass(0);
    await world.pass(100);
    first.abandon();
    const next = new World(world, true);
    const master = next.takeOver(none);
    await next.quiet();
    expect(master.executions.map(({ state }) => state)).toEqual(['RUNNING', 'RUNNING', 'RUNNING', 'RUNNING']);
    await next.manager.fail('k_1_1', passing('gone'));
    await next.pass(0);
    await next.pass(100);
    expect(next.manager.running).toEqual(['k_0_2', 'k_1_2', 's_0_2', 's_1_2']);
    master.abandon();
    // One that starts anew does not use numbers again either.
    const last = new World(next, true);
    last.start({ ...last.clustered(), ...none });
    await last.quiet();
    expect(last.plan?.attempt).toBe(3);
  });
});

describe('a job that cannot be taken over restarts', () => {
  it('where a task had failed meanwhile', async () => {
    const before = await led();
    await before.manager.fail('k_1_0', passing('the disk has gone'));
    const next = new World(before, true);
    const master = next.takeOver();
    await expectToRestart(next, master, /task k_1_0 has failed: the disk has gone/);
    expect(next.logged(DISTURBANCES)).toEqual(['freeSlot: s0', 'freeSlot: s1', 'deploy: s0', 'deploy: s1']);
    expect(next.outside.filter((line) => line.startsWith('abort'))).toEqual(['abort 1']);
    expect(next.record.runs).toMatchObject([{ generation: 1 }, { generation: 2 }]);
  });

  it('where tasks did not run yet, were being cancelled, or knew of no splits', async () => {
    const slow = new World();
    slow.manager.isSlow = true;
    const first = slow.start(slow.clustered());
    await slow.quiet();
    first.abandon();
    slow.manager.isSlow = false;
    const next = new World(slow, true);
    await expectToRestart(next, next.takeOver(), /task s_0_0 is INITIALIZING/);

    const cancelled = new World();
    const second = cancelled.start(cancelled.clustered());
    await cancelled.quiet();
    second.cancel();
    second.abandon();
    await cancelled.quiet();
    const again = new World(cancelled, true);
    await expectToRestart(again, again.takeOver(), /task s_0_0 is CANCELED/);

    const unsaid = new World();
    unsaid.manager.isForgetful = true;
    const third = unsaid.start(unsaid.clustered());
    await unsaid.quiet();
    third.abandon();
    unsaid.manager.isForgetful = false;
    const anew = new World(unsaid, true);
    await expectToRestart(anew, anew.takeOver(), /task s_0_0 was not told of its first splits/);
  });

  it('where a slot is not there: what may still run of it is aborted again and again', async () => {
    const before = await led((world) => world.pass(1000));
    const next = new World(before, true);
    next.failing.set('adopt', passing('it has not registered'));
    const master = next.takeOver();
    await next.quiet();
    expect(master.failures[0]?.error.message).toBe('it has not registered');
    expect(next.states).toEqual(['CREATED', 'RUNNING']);
    expect(next.outside.slice(0, 3)).toEqual(['adopt 0', 'slots released', 'abort 1']);
    expect(next.manager.splitsOf('s_1_1')).toMatchObject([{ id: 'b', position: { acknowledged: 1 } }]);
    await next.manager.fail('k_1_1', passing('gone'));
    await next.pass(0);
    await next.pass(100);
    expect(next.outside.filter((line) => line.startsWith('abort'))).toEqual(['abort 1', 'abort 1 2']);
  });

  it('where a slot runs something else, or a TaskManager is lost while it is asked', async () => {
    const other = await led();
    await other.manager.freeSlot({ slotId: 's0' as never });
    const next = new World(other, true);
    await expectToRestart(next, next.takeOver(), /slot s0 does not run attempt 0/);

    const world = new World(undefined, false, 2);
    const first = world.start(world.clustered());
    await world.quiet();
    first.abandon();
    const after = new World(world, true);
    const [, hung] = after.managers;
    if (hung === undefined) throw new Error('there are two');
    hung.isHung = true;
    const master = after.takeOver();
    await after.quiet();
    expect(after.states).toEqual([]);
    after.lose(1);
    await after.quiet();
    expect(master.failures[0]?.error.message).toMatch(/is lost: no answer/);
    // Nothing waits for the one that does not answer.
    expect(after.states).toEqual(['CREATED', 'RUNNING']);
    expect(after.manager.slices.at(-1)).toMatchObject({ attempt: 1, slot: { slotId: 's0' } });
  });

  it('where its generation was raised after the plan', async () => {
    const before = await led();
    const beginning = new World(before, true);
    beginning.hasSlots = false;
    const second = beginning.start(beginning.clustered());
    await beginning.quiet();
    second.abandon();
    expect(beginning.plan?.attempt).toBe(0);
    const next = new World(beginning, true);
    const master = next.takeOver();
    await next.quiet();
    expect(master.failures[0]?.error.message).toMatch(/generation 2 was begun meanwhile/);
    expect(next.plan?.attempt).toBe(2);
  });

  it('where splits of its checkpoint were not given out', async () => {
    const first = await led((world) => world.pass(1000));
    const second = new World(first);
    const master = second.start(second.clustered());
    await second.quiet();
    second.manager.forget('s_1_1');
    master.abandon();
    const next = new World(second, true);
    const again = next.takeOver();
    await next.quiet();
    expect(again.failures[0]?.error.message).toMatch(/split b of the checkpoint was not given to any task yet/);
    expect(next.manager.splitsOf('s_1_2')).toMatchObject([{ id: 'b', position: { acknowledged: 1 } }]);
  });

  it('from its last checkpoint, however it was submitted', async () => {
    const before = await led((world) => world.pass(1000));
    await before.manager.fail('k_1_0', passing('gone'));
    const next = new World(before, true);
    const master = next.takeOver({ start: { kind: 'fresh' } });
    await next.quiet();
    expect(master.origin).toMatchObject({ kind: 'restored', checkpointId: 1 });
  });
});

describe('whoever cancels a job while it is taken over', () => {
  it('is heard once that is decided', async () => {
    const before = await led();
    const next = new World(before, true);
    const master = next.takeOver();
    master.cancel();
    expect(next.states).toEqual([]);
    expect(await master.result).toMatchObject({ state: 'CANCELED' });
    expect(next.logged(/^cancel/)).toHaveLength(4);

    const lost = new World(await led(), true);
    lost.failing.set('adopt', passing('it has not registered'));
    const other = lost.takeOver();
    other.cancel();
    expect(await other.result).toMatchObject({ state: 'CANCELED' });
    expect(lost.logged(/^deploy/)).toEqual([]);
  });
});

describe('a job that is abandoned', () => {
  it('touches nothing any more, whatever happens', async () => {
    const world = new World();
    const master = world.start(world.clustered());
    await world.pass(0);
    await world.pass(1000);
    const { record, plan } = world;
    for (const each of world.managers) each.log.length = 0;
    world.outside.length = 0;
    master.abandon();
    master.abandon();
    world.lose(0);
    await world.manager.fail('k_0_0', passing('gone'));
    master.cancel();
    const target = { kind: 'directory', path: '/savepoint' } as const;
    await expect(master.savepoint({ target, stopsSources: false })).rejects.toThrow('another leader');
    await world.pass(100_000);
    expect(world.states).toEqual(['CREATED', 'RUNNING']);
    expect([world.logged(/./), world.outside]).toEqual([[], ['close source']]);
    expect([world.record, world.plan]).toEqual([record, plan]);
    let isResolved = false;
    void master.result.then(() => {
      isResolved = true;
    });
    await world.quiet();
    expect(isResolved).toBe(false);
  });

  it('is so by itself once its leader is fenced, and does not cancel what is another leader’s', async () => {
    const world = new World();
    world.start(world.clustered());
    await world.quiet();
    world.jobs.depose();
    await world.pass(1000);
    expect(world.logged(/^(cancel|freeSlot)/)).toEqual([]);
    const next = new World(world, true);
    await expectToGoOn(next, next.takeOver());
  });

  it('while it gives back what an attempt held leaves the rest to the next leader', async () => {
    const world = new World();
    const master = world.start(world.clustered());
    await world.quiet();
    world.manager.isDeaf = true;
    await world.manager.fail('k_0_0', passing('gone'));
    master.abandon();
    for (const task of ['s_0_0', 's_1_0', 'k_1_0']) await world.manager.cancelled(task);
    await world.pass(100_000);
    expect(world.logged(/^(freeSlot|deploy)/)).toEqual(['deploy: s0', 'deploy: s1']);
    expect(world.record.generation).toBe(1);
  });
});

describe('a store that is away for a while', () => {
  it('fails no job that a restart could not help, and checkpoints go on later', async () => {
    const world = new World();
    const master = world.start({ ...world.clustered(), graph: { ...graph, checkpoint: settings } });
    await world.quiet();
    world.jobs.beforeWrite = () => {
      const row = { domain: 'external', scope: 'process', retry: 'backoff', message: 'away' } as const;
      throw new MillraceError('MR-HA-UNAVAILABLE', row, {});
    };
    for (let second = 0; second < 30; second++) await world.pass(1000);
    expect(master.state).toBe('RUNNING');
    expect(world.logged(/^cancel/)).toEqual([]);
    world.jobs.beforeWrite = null;
    for (let second = 0; second < 3; second++) await world.pass(1000);
    expect(world.record.checkpoints).toHaveLength(1);
  });
});
