import { describe, expect, it } from '@jest/globals';
import { jobId, slotId, splitId, taskManagerId } from '../core/index.ts';
import type { AttemptId, CrashPoint } from '../core/index.ts';
import type { RestartStrategy } from '../graph/index.ts';
import {
  sinkNode,
  sourceNode,
  testGraph,
  JobWorld as World,
  passingError as passing,
  worldGraph as graph,
  worldSettings as settings,
} from '../testing/index.ts';
import type { JobMaster } from './job-master.ts';

const COMMITTING: readonly CrashPoint[] = ['all-acknowledged', 'metadata-written', 'pointer-moved'];

describe('a job that takes checkpoints', () => {
  it('completes one per interval, and tells tasks when the pointer has moved', async () => {
    const world = new World();
    const master = world.start();
    await world.quiet();
    expect(world.states).toEqual(['CREATED', 'RUNNING']);
    expect(world.manager.slices[0]).toMatchObject({
      checkpointing: { run: { generation: 1, jobName: 'job', settings }, storage: { path: '/checkpoints' } },
    });
    const tasks = world.manager.slices.flatMap((slice) => slice.tasks);
    expect(tasks.map(({ restore }) => restore)).toEqual([null, null, null, null]);
    world.crashPoints.length = 0;
    await world.pass(999);
    expect(master.checkpoints()).toEqual({ completedCount: 0, abortedCount: 0, recent: [] });
    await world.pass(1);
    expect(world.crashPoints).toEqual(COMMITTING);
    expect(world.manager.log.filter((line) => /^(trigger|completed)/.test(line))).toEqual([
      'trigger 1: s_0_0',
      'trigger 1: s_1_0',
      'completed 1: s_0_0',
      'completed 1: s_1_0',
      'completed 1: k_0_0',
      'completed 1: k_1_0',
    ]);
    expect(await world.last()).toMatchObject({
      ...{ checkpointId: 1, kind: 'checkpoint', generation: 1, triggeredAtMs: 1_001_000, maxParallelism: 128 },
      vertices: [
        { vertexId: 's', stepIds: ['in'], parallelism: 2, subtasks: [{ subtaskIndex: 0 }, { subtaskIndex: 1 }] },
        { vertexId: 'k', stepIds: ['out'], parallelism: 2, subtasks: [{ subtaskIndex: 0 }, { subtaskIndex: 1 }] },
      ],
    });
    expect(master.checkpoints().recent).toMatchObject([
      {
        ...{ checkpointId: 1, state: 'completed', triggeredAtMs: 1_001_000, endedAtMs: 1_001_000, durationMs: 0 },
        ...{ subtasks: 4, acknowledged: 4, alignmentMs: 1, syncMs: 2, asyncMs: 3, failure: null },
      },
    ]);
  });

  it('keeps as many as it should, and removes the files of others after the grace', async () => {
    const world = new World();
    world.start();
    for (let second = 0; second < 63; second++) await world.pass(1000);
    const { checkpoints, tombstones, nextCheckpointId } = world.record;
    expect(checkpoints.map(({ checkpointId }) => checkpointId)).toEqual([62]);
    expect(nextCheckpointId).toBe(73);
    expect(tombstones.length).toBeLessThan(62);
    const left = await world.storage.list();
    expect(left).toContain(checkpoints[0]?.metadata.name);
    expect(left.length).toBe(61);
  });

  it('finishes after a last checkpoint of what its tasks had at their ends', async () => {
    const world = new World();
    const master = world.start();
    await world.quiet();
    world.crashPoints.length = 0;
    for (const task of ['s_0_0', 's_1_0', 'k_0_0', 'k_1_0']) await world.manager.end(task);
    await world.quiet();
    expect(world.crashPoints).toEqual(['input-ended', ...COMMITTING]);
    expect(await master.result).toEqual({ state: 'FINISHED', error: null });
    expect(world.record).toMatchObject({ isFinished: true, checkpoints: [{ checkpointId: 1 }] });
    const { vertices } = await world.last();
    expect(vertices.flatMap(({ subtasks }) => subtasks).every(({ isFinished }) => isFinished)).toBe(true);
    expect(world.outside.filter((line) => /commit|abort/.test(line))).toEqual([]);
  });

  it('fails, and starts again, after more failures in a row than it tolerates', async () => {
    const world = new World();
    const master = world.start();
    world.manager.silent.add('k');
    await world.pass(0);
    await world.pass(1000);
    await world.pass(500);
    expect(world.states.slice(2)).toEqual(['FAILING', 'RESTARTING']);
    expect(master.lastFailure).toMatchObject({ code: 'MR-JOB-CHECKPOINTS-FAIL', fields: { failures: 1 } });
    expect(master.checkpoints()).toMatchObject({ abortedCount: 1, recent: [{ acknowledged: 2, state: 'aborted' }] });
    expect(world.manager.log).toContain('aborted 1: k_0_0');
    expect(world.manager.log).not.toContain('aborted 1: s_0_0');
    world.manager.silent.clear();
    await world.pass(100);
    await world.pass(250);
    expect(world.record.checkpoints).toMatchObject([{ checkpointId: 2 }]);
  });

  it('puts up with metadata that cannot be written, and with tasks that decline', async () => {
    const world = new World();
    const master = world.start({ graph: { ...graph, checkpoint: { ...settings, tolerableFailures: 2 } } });
    world.storage.beforeMetadata = () => {
      throw passing('the disk is full');
    };
    await world.pass(0);
    await world.pass(1000);
    expect(master.checkpoints().recent[0]).toMatchObject({ state: 'aborted', failure: 'the disk is full' });
    world.storage.beforeMetadata = null;
    world.manager.silent.add('k');
    await world.pass(1000);
    await world.manager.decline('k_1_0', 2, passing('no quota'));
    expect(master.checkpoints().recent[0]).toMatchObject({ state: 'aborted', failure: 'no quota' });
    world.manager.silent.clear();
    await world.pass(1000);
    expect(master.checkpoints().recent.map(({ state }) => state)).toEqual(['completed', 'aborted', 'aborted']);
    expect(master.state).toBe('RUNNING');
  });

  it('aborts a checkpoint that cannot be triggered', async () => {
    const world = new World();
    const master = world.start({ graph: { ...graph, checkpoint: { ...settings, tolerableFailures: 2 } } });
    await world.quiet();
    world.manager.failing.set('trigger', passing('no route'));
    await world.pass(1000);
    expect(master.checkpoints().recent[0]).toMatchObject({ state: 'aborted', failure: 'no route' });
  });

  it('restarts where a task cannot be told that one is aborted: its source may stand still behind it', async () => {
    const world = new World();
    const master = world.start({ graph: { ...graph, checkpoint: { ...settings, tolerableFailures: 2 } } });
    world.manager.silent.add('k');
    await world.pass(0);
    await world.pass(1000);
    world.manager.failing.set('aborted', passing('no route'));
    await world.pass(500);
    await world.quiet();
    expect(master.lastFailure).toMatchObject({ message: 'no route' });
    expect(master.restarts).toBe(1);
  });

  it('reserves more ids once failures have used them up', async () => {
    const world = new World();
    const master = world.start({ graph: { ...graph, checkpoint: { ...settings, tolerableFailures: 50 } } });
    world.manager.silent.add('k');
    for (let second = 0; second < 13; second++) {
      await world.pass(1000);
      expect(world.record.nextCheckpointId).toBeGreaterThan(master.checkpoints().recent[0]?.checkpointId ?? 0);
    }
    expect(master.checkpoints().recent[0]?.checkpointId).toBeGreaterThan(10);
    expect(world.record.nextCheckpointId).toBe(21);
  });

  it('is lost to another leader, and does not start again', async () => {
    const world = new World();
    const master = world.start();
    await world.quiet();
    world.jobs.depose();
    await world.pass(1000);
    expect(await master.result).toMatchObject({ state: 'FAILED', error: { code: 'MR-HA-FENCED' } });
    expect(world.outside).not.toContain('abort 1');
  });
});

describe('a task that fails', () => {
  it('is followed by a restart from the last checkpoint, with a new generation', async () => {
    const world = new World();
    const master = world.start();
    await world.pass(0);
    await world.pass(1000);
    expect(world.manager.splitsOf('s_1_0')).toMatchObject([{ id: 'b', position: {} }]);
    world.crashPoints.length = 0;
    world.outside.length = 0;
    await world.manager.fail('k_1_0', passing('the disk has gone'));
    await world.quiet();
    expect(world.states.slice(2)).toEqual(['FAILING', 'RESTARTING']);
    expect([master.restarts, master.lastFailure?.message]).toEqual([1, 'the disk has gone']);
    expect(world.manager.log.filter((line) => /^(cancel|free)/.test(line))).toEqual([
      ...['s_0_0', 's_1_0', 'k_0_0'].map((task) => `cancel: ${task}`),
      ...['freeSlot: s0', 'freeSlot: s1'],
    ]);
    expect(world.outside).toEqual(['close source']);
    await world.pass(99);
    expect(world.crashPoints).toEqual([]);
    await world.pass(1);
    expect(world.states.slice(4)).toEqual(['CREATED', 'RUNNING']);
    expect(world.crashPoints).toEqual(['generation-raised', 'handles-committed', 'older-aborted']);
    expect(world.outside.slice(1)).toEqual(['abort 1', 'open source', 'prepare 2 restored']);
    expect(world.manager.running).toEqual(['k_0_1', 'k_1_1', 's_0_1', 's_1_1']);
    expect(world.manager.descriptor('k_0_1').restore).toEqual({ checkpointId: 1, operators: [], watermarkMs: null });
    expect(world.manager.splitsOf('s_1_1')).toMatchObject([{ id: 'b', position: { acknowledged: 1 } }]);
    expect(master.origin).toMatchObject({ kind: 'restored', checkpointId: 1 });
    // It goes on: the slots are still its own, and ids are not used twice.
    expect(world.slotRequests).toBe(1);
    await world.pass(250);
    const runs = [{ generation: 2 }];
    expect(world.record).toMatchObject({ generation: 2, checkpoints: [{ checkpointId: 2 }], runs });
  });

  it('before the first checkpoint is followed by a restart from the beginning', async () => {
    const world = new World();
    world.start();
    await world.quiet();
    await world.manager.fail('k_1_0', passing('gone'));
    await world.pass(0);
    await world.pass(100);
    expect(world.manager.descriptor('k_0_1').restore).toBeNull();
    expect(world.manager.splitsOf('s_1_1')).toMatchObject([{ id: 'b', position: {} }]);
    expect(world.outside).toContain('abort 1');
  });

  it('ends the job where a restart would not help', async () => {
    const world = new World();
    const master = world.start();
    await world.pass(0);
    await world.pass(1000);
    await world.manager.fail('k_1_0', passing('poison', 'never'));
    await world.quiet();
    expect(await master.result).toMatchObject({ state: 'FAILED', error: { message: 'poison' } });
    expect(world.states.slice(2)).toEqual(['FAILING', 'FAILED']);
    // What it has left open is taken back for the sake of those who read its output.
    expect(world.outside.slice(-2)).toEqual(['abort 1', 'slots released']);
    expect(world.record.isFinished).toBe(false);
  });

  it('ends the job once the strategy gives up', async () => {
    const world = new World();
    const once: RestartStrategy = { kind: 'fixed-delay', attempts: 1, delayMs: 100 };
    const master = world.start({ graph: { ...graph, restart: once } });
    await world.quiet();
    await world.manager.fail('k_0_0', passing('first'));
    await world.pass(0);
    await world.pass(100);
    await world.manager.fail('k_0_1', passing('second'));
    expect(await master.result).toMatchObject({ state: 'FAILED', error: { message: 'second' } });
    expect(master.restarts).toBe(1);
  });

  it('counts once, whatever else fails with it', async () => {
    const world = new World();
    const master = world.start();
    await world.quiet();
    world.manager.isDeaf = true;
    await world.manager.fail('k_0_0', passing('first'));
    await world.manager.fail('k_1_0', passing('second'));
    await world.manager.cancelled('s_0_0');
    expect(world.states.at(-1)).toBe('FAILING');
    await world.manager.cancelled('s_1_0');
    await world.quiet();
    expect([master.restarts, master.lastFailure?.message, world.states.at(-1)]).toEqual([1, 'first', 'RESTARTING']);
  });

  it('while the pointer is moved leaves that to be decided first', async () => {
    const world = new World();
    const master = world.start();
    await world.quiet();
    const gate = Promise.withResolvers<undefined>();
    world.jobs.beforeWrite = () => gate.promise;
    await world.pass(1000);
    await world.manager.fail('k_1_0', passing('gone'));
    await world.quiet();
    expect(world.states.at(-1)).toBe('FAILING');
    gate.resolve(undefined);
    await world.quiet();
    expect(world.states.at(-1)).toBe('RESTARTING');
    await world.pass(100);
    expect(world.manager.descriptor('k_0_1').restore).toMatchObject({ checkpointId: 1 });
    expect(master.checkpoints()).toMatchObject({ completedCount: 1, abortedCount: 0 });
    expect(world.manager.log).not.toContain('completed 1: k_0_0');
  });

  it('while metadata is written makes the checkpoint count for nothing', async () => {
    const world = new World();
    const master = world.start();
    await world.quiet();
    const gate = Promise.withResolvers<undefined>();
    world.storage.beforeMetadata = () => gate.promise;
    await world.pass(1000);
    await world.manager.fail('k_1_0', passing('gone'));
    await world.quiet();
    expect(world.states.at(-1)).toBe('RESTARTING');
    world.storage.beforeMetadata = null;
    await world.pass(100);
    gate.resolve(undefined);
    await world.pass(250);
    expect(master.checkpoints()).toMatchObject({ completedCount: 1, abortedCount: 1 });
    const { checkpoints, tombstones } = world.record;
    expect(checkpoints).toMatchObject([{ checkpointId: 2 }]);
    expect(tombstones.map(({ name }) => name)).toEqual([expect.stringMatching(/^chk-1\/1-.*metadata$/)]);
  });

  it('says nothing to the next attempt', async () => {
    const world = new World();
    const master = world.start();
    await world.quiet();
    await world.manager.fail('k_1_0', passing('gone'));
    await world.pass(0);
    await world.pass(100);
    await world.manager.fail('k_0_0', passing('late'));
    await world.manager.end('s_0_0');
    await world.manager.acknowledge('s_1_0', 1);
    await world.pass(250);
    expect([master.state, master.restarts]).toEqual(['RUNNING', 1]);
    expect(world.record.checkpoints).toMatchObject([{ checkpointId: 1 }]);
  });

  it('in a job without checkpoints is followed by a restart from the beginning', async () => {
    const world = new World();
    const none = { store: null, storage: null, storageConfig: null };
    const master = world.start({ graph: { ...graph, checkpoint: null }, ...none });
    await world.quiet();
    await world.manager.fail('k_1_0', passing('gone'));
    await world.pass(0);
    await world.pass(100);
    expect(world.manager.running).toEqual(['k_0_1', 'k_1_1', 's_0_1', 's_1_1']);
    for (const task of world.manager.running) await world.manager.end(task);
    expect(await master.result).toMatchObject({ state: 'FINISHED' });
    const prepared = world.outside.filter((line) => line.startsWith('prepare'));
    expect(prepared).toEqual(['prepare without run', 'prepare without run']);
  });
});

describe('a slot that cannot be freed', () => {
  it('is given back, and its run is aborted again at the next restart', async () => {
    const world = new World();
    world.start();
    await world.quiet();
    world.manager.failing.set('freeSlot', passing('no answer'));
    await world.manager.fail('k_1_0', passing('gone'));
    await world.pass(0);
    await world.pass(100);
    expect(world.outside).toContain('slots released');
    expect(world.slotRequests).toBe(2);
    world.manager.failing.clear();
    await world.manager.fail('k_1_1', passing('gone'));
    await world.pass(0);
    await world.pass(100);
    expect(world.outside.filter((line) => line.startsWith('abort'))).toEqual(['abort 1', 'abort 1 2']);
  });
});

describe('what cannot be started', () => {
  it('fails at once the first time, so that whoever starts it hears of it', async () => {
    const world = new World();
    world.failing.set('open source', passing('no broker'));
    const master = world.start();
    expect(await master.result).toMatchObject({ state: 'FAILED', error: { message: 'step in: no broker' } });
    expect(world.states).toEqual(['FAILING', 'FAILED']);
    expect(world.slotRequests).toBe(0);
  });

  it('is tried again once it has run', async () => {
    const world = new World();
    const master = world.start();
    await world.quiet();
    world.failing.set('open source', passing('no broker'));
    await world.manager.fail('k_1_0', passing('gone'));
    await world.pass(0);
    await world.pass(100);
    expect(world.states.slice(2)).toEqual(['FAILING', 'RESTARTING', 'FAILING', 'RESTARTING']);
    expect(master.lastFailure?.message).toBe('step in: no broker');
    world.failing.clear();
    await world.pass(100);
    expect(world.manager.running).toEqual(['k_0_2', 'k_1_2', 's_0_2', 's_1_2']);
  });

  it('waits for slots near to its splits, for a while', async () => {
    const world = new World();
    world.splits = ['a', 'b'].map((id) => ({ id: splitId(id), position: {}, racks: ['r1'] }));
    const choices: boolean[] = [];
    const slot = (rack: string, index: number) => ({
      location: { taskManagerId: taskManagerId('tm'), slotId: slotId(`s${index}`), rack, host: null, data: null },
      ...{ address: 'tm', memoryBytes: 1, tags: [] },
    });
    world.onRequest = ({ choose }) => {
      const isNear = choose([slot('r1', 0), slot('r1', 1)]) !== null;
      const isFar = choose([slot('r1', 0), slot('r2', 1)]) !== null;
      choices.push(isNear, isFar);
      return isFar;
    };
    const master = world.start({ localityWaitMs: 500 });
    await world.quiet();
    expect([choices, master.waitingFor]).toEqual([[true, false], '2 slots; 0 of 2 are free']);
    await world.pass(500);
    expect(choices).toEqual([true, false, true, true]);
    expect(world.manager.running).toHaveLength(4);
    expect(master.placement?.splits).toMatchObject([{ splitId: 'a', subtaskIndex: 0, locality: 'indifferent' }, {}]);
  });

  it('fails for want of slots', async () => {
    const world = new World();
    world.hasSlots = false;
    const master = world.start();
    await world.quiet();
    expect(world.states).toEqual(['CREATED', 'RUNNING']);
    await world.pass(5000);
    expect(master.lastFailure?.code).toBe('MR-JOB-NO-SLOTS');
    expect(world.states.slice(2)).toEqual(['FAILING', 'FAILED']);
    expect(await master.result).toMatchObject({
      error: { message: 'the job has waited 5 s in vain for 2 slots; 0 of 2 are free' },
    });
  });
});

describe('a cancellation', () => {
  it('ends a job that runs, and what it has left open; it can be resumed', async () => {
    const world = new World();
    const master = world.start();
    await world.pass(0);
    await world.pass(1000);
    master.cancel();
    expect(await master.result).toEqual({ state: 'CANCELED', error: null });
    expect(world.outside.slice(-2)).toEqual(['abort 1', 'slots released']);
    const next = new World(world);
    const again = next.start();
    await next.quiet();
    expect(again.origin).toMatchObject({ kind: 'restored', checkpointId: 1 });
    expect(next.manager.running).toEqual(['k_0_1', 'k_1_1', 's_0_1', 's_1_1']);
    expect(next.manager.splitsOf('s_0_1')).toMatchObject([{ id: 'a', position: { acknowledged: 1 } }]);
    // Ids of the block that the first had reserved are not used again.
    await next.pass(1000);
    expect(next.record.checkpoints).toMatchObject([{ checkpointId: 12 }]);
  });

  it('ends a job that waits for its restart, or for slots, or recovers', async () => {
    const waiting = new World();
    const first = waiting.start();
    await waiting.quiet();
    await waiting.manager.fail('k_1_0', passing('gone'));
    await waiting.quiet();
    first.cancel();
    expect((await first.result).state).toBe('CANCELED');
    await waiting.pass(100_000);
    expect(waiting.states.slice(2)).toEqual(['FAILING', 'RESTARTING', 'CANCELLING', 'CANCELED']);

    const slotless = new World();
    slotless.hasSlots = false;
    const second = slotless.start();
    await slotless.quiet();
    second.cancel();
    expect((await second.result).state).toBe('CANCELED');

    const recovering = new World();
    const third = recovering.start();
    third.cancel();
    expect((await third.result).state).toBe('CANCELED');
    expect(recovering.manager.slices).toEqual([]);
  });

  it('comes too late for a job whose tasks have all finished', async () => {
    const world = new World();
    const master = world.start();
    await world.quiet();
    const gate = Promise.withResolvers<undefined>();
    for (const task of ['s_0_0', 's_1_0', 'k_0_0']) await world.manager.end(task);
    await world.manager.end('k_1_0');
    world.jobs.beforeWrite = (record) => (record.isFinished ? gate.promise : undefined);
    await world.quiet();
    master.cancel();
    gate.resolve(undefined);
    expect((await master.result).state).toBe('FINISHED');
  });

  it('during a failure ends the job as cancelled', async () => {
    const world = new World();
    const master = world.start();
    await world.quiet();
    world.manager.isDeaf = true;
    await world.manager.fail('k_1_0', passing('gone'));
    master.cancel();
    for (const task of ['s_0_0', 's_1_0', 'k_0_0']) await world.manager.cancelled(task);
    expect((await master.result).state).toBe('CANCELED');
  });
});

describe('a job that is started again', () => {
  it('takes its state over with another parallelism', async () => {
    const world = new World();
    const master = world.start();
    await world.pass(0);
    await world.pass(1000);
    master.cancel();
    await master.result;
    const next = new World(world);
    const vertices = graph.vertices.map((vertex) => ({ ...vertex, parallelism: 1 }));
    next.start({ graph: { ...graph, vertices } });
    await next.quiet();
    expect(next.manager.splitsOf('s_0_1').map(({ id }) => id)).toEqual(['a', 'b']);
    expect(next.record.runs).toMatchObject([{ generation: 1, parallelism: 2 }, { generation: 2, parallelism: 1 }]);
  });

  it('and had finished starts anew, with new ids', async () => {
    const world = new World();
    const master = world.start();
    await world.quiet();
    for (const task of world.manager.running) await world.manager.end(task);
    await master.result;
    const next = new World(world);
    const again = next.start();
    await next.quiet();
    expect(again.origin).toMatchObject({ kind: 'anew-after-finish', checkpointId: 1 });
    expect(next.manager.descriptor('k_0_1').restore).toBeNull();
    await next.pass(1000);
    expect(next.record).toMatchObject({ isFinished: false, checkpoints: [{ checkpointId: 12 }] });
  });
});

describe('a source with a drift', () => {
  it('is told how far it may run ahead of the others', async () => {
    const watermark = { delayMs: 0, idleMs: null, maxDriftMs: 100 };
    const aligned = testGraph('job', [
      { name: 's', parallelism: 2, chain: [sourceNode('in', {}, { kind: 'fail' }, watermark), sinkNode('out')] },
    ]);
    const world = new World();
    const master = world.start({ graph: aligned });
    await world.quiet();
    const [first, second] = world.manager.running;
    if (first === undefined || second === undefined) throw new Error('there are two');
    const report = (watermarks: readonly (readonly [AttemptId, number])[]) => {
      const sources = watermarks.map(([attemptId, watermarkMs]) => ({ attemptId, watermarkMs, isIdle: false }));
      const gateway = world.rpc.connect('job-master', 'jobmaster/job');
      return gateway.reportProgress({ epoch: 1, jobId: jobId('job'), slotId: slotId('s0'), steps: [], sources });
    };
    await report([[first, 1000], [second, 500]]);
    await world.quiet();
    expect(world.manager.log.filter((line) => line.startsWith('align'))).toEqual([
      `align 600: ${first}`,
      `align 600: ${second}`,
    ]);
    master.cancel();
    await master.result;
  });
});

describe('a TaskManager that is lost', () => {
  /** Two TaskManagers with a slot each; the second one does not answer any more. */
  async function broken(prepare: (world: World, master: JobMaster) => Promise<void> | void = () => undefined) {
    const world = new World(undefined, false, 2);
    const master = world.start(world.clustered());
    await world.quiet();
    await prepare(world, master);
    const [, lost] = world.managers;
    if (lost === undefined) throw new Error('there are two');
    lost.isHung = true;
    return { world, master, lost };
  }

  it('fails its tasks at once, and nobody waits for it', async () => {
    const { world, master } = await broken((each) => each.pass(1000));
    world.lose(1);
    await world.quiet();
    expect(master.lastFailure).toMatchObject({ code: 'MR-TASK-MANAGER-LOST' });
    expect(world.states.slice(2)).toEqual(['FAILING', 'RESTARTING']);
    // The others have ended in order, and all slots are given back.
    expect(world.logged(/^cancel/)).toEqual(['cancel: s_0_0', 'cancel: k_0_0']);
    expect(world.outside).toContain('slots released');
    expect(master.waitingFor).toMatch(/restart, 100 ms/);
    await world.pass(100);
    expect(world.slotRequests).toBe(2);
    expect(world.plan?.attempt).toBe(1);
    expect(world.logged(/^deploy/)).toEqual(['deploy: s0', 'deploy: s0', 'deploy: s1', 'deploy: s1']);
    expect(master.failures).toMatchObject([{ atMs: 1_001_000, error: { code: 'MR-TASK-MANAGER-LOST' } }]);
    // It may only be unreachable: what it leaves is aborted again at the next restart.
    await world.manager.fail('s_0_1', passing('gone'));
    await world.pass(0);
    world.lose(1);
    await world.quiet();
    await world.pass(100);
    expect(world.outside.filter((line) => line.startsWith('abort'))).toEqual(['abort 1', 'abort 1 2']);
  });

  it('and dead leaves nothing that would have to be aborted again and again', async () => {
    const { world } = await broken((each) => each.pass(1000));
    world.lose(1, 'MR-TASK-MANAGER-LOST', true);
    await world.quiet();
    await world.pass(100);
    await world.manager.fail('k_0_1', passing('gone'));
    await world.quiet();
    world.lose(1, 'MR-TASK-MANAGER-LOST', true);
    await world.quiet();
    await world.pass(100);
    expect(world.outside.filter((line) => line.startsWith('abort'))).toEqual(['abort 1', 'abort 2']);
  });

  it('has left calls without an answer: that does not fail the next attempt, however late it is noticed', async () => {
    const { promise, reject } = Promise.withResolvers<undefined>();
    let isAsked = false;
    const { world, master } = await broken(async (each) => {
      const [, hung] = each.managers;
      if (hung === undefined) throw new Error('there are two');
      hung.checkpointCompleted = async () => {
        isAsked = true;
        await promise;
      };
      await each.pass(1000);
    });
    expect(isAsked).toBe(true);
    world.lose(1);
    await world.quiet();
    await world.pass(100);
    await world.quiet();
    reject(passing('no answer within 10 s'));
    await world.quiet();
    expect([world.states.at(-1), master.restarts, master.failures.length]).toEqual(['RUNNING', 1, 1]);
  });

  it('fails the next attempt by nothing that it answers late', async () => {
    const late = Promise.withResolvers<undefined>();
    const { world, master } = await broken(async (each) => {
      const [, second] = each.managers;
      if (second !== undefined) second.checkpointCompleted = () => late.promise;
      await each.pass(1000);
    });
    world.lose(1);
    await world.quiet();
    await world.pass(100);
    late.reject(passing('no answer in time'));
    await world.quiet();
    expect([world.states.at(-1), master.failures.length]).toEqual(['RUNNING', 1]);
  });

  it('gives a pending checkpoint up', async () => {
    const { world, master } = await broken();
    await world.pass(1000);
    world.lose(1);
    await world.quiet();
    await world.pass(100);
    await world.quiet();
    expect(master.checkpoints().recent).toMatchObject([{ checkpointId: 1, state: 'aborted' }]);
  });

  it('and gives its answers much later fails no later attempt', async () => {
    const checkpoint = { ...settings, tolerableFailures: 3 };
    const world = new World(undefined, false, 2);
    const master = world.start({ ...world.clustered(), graph: { ...graph, checkpoint } });
    const [, lost] = world.managers;
    if (lost === undefined) throw new Error('there are two');
    await world.pass(0);
    lost.isHung = true;
    await world.pass(1000);
    await world.pass(500);
    expect(lost.log).toContain('aborted 1: k_1_0');
    world.lose(1);
    await world.quiet();
    expect(master.state).toBe('RESTARTING');
    lost.isHung = false;
    await world.pass(100);
    expect([master.state, master.restarts]).toEqual(['RUNNING', 1]);
    lost.giveUp(passing('no answer within 10000 ms'));
    await world.quiet();
    expect([master.state, master.restarts]).toEqual(['RUNNING', 1]);
    expect(master.failures).toMatchObject([{ error: { code: 'MR-TASK-MANAGER-LOST' } }]);
  });

  it('while its slot is deployed, cancelled or freed holds nobody up', async () => {
    const deploying = new World(undefined, false, 2);
    const [, hung] = deploying.managers;
    if (hung === undefined) throw new Error('there are two');
    hung.isHung = true;
    deploying.start();
    await deploying.quiet();
    deploying.lose(1);
    await deploying.quiet();
    expect(deploying.states.at(-1)).toBe('RESTARTING');

    const cancelled = await broken(async ({ manager }) => {
      await manager.fail('s_0_0', passing('something else'));
    });
    // Its tasks have ended by now, but its slot is not free.
    await cancelled.world.quiet();
    expect(cancelled.world.states.at(-1)).toBe('RESTARTING');

    const freeing = await broken();
    await freeing.world.manager.fail('s_0_0', passing('something else'));
    await freeing.world.quiet();
    expect(freeing.world.states.at(-1)).toBe('FAILING');
    freeing.world.lose(1);
    await freeing.world.quiet();
    expect(freeing.world.states.at(-1)).toBe('RESTARTING');
    expect(freeing.master.failures).toMatchObject([{ error: { message: 'something else' } }]);
    expect(freeing.world.outside).toContain('slots released');

    const user = await broken();
    user.master.cancel();
    await user.world.quiet();
    expect(user.world.states.at(-1)).toBe('CANCELLING');
    user.world.lose(1);
    expect(await user.master.result).toMatchObject({ state: 'CANCELED' });
  });

  it('between two attempts takes its slots with it, and is no failure', async () => {
    const world = new World();
    const master = world.start();
    await world.quiet();
    await world.manager.fail('k_1_0', passing('gone'));
    await world.quiet();
    world.lose(1);
    expect(world.outside).toContain('slots released');
    await world.pass(100);
    expect([world.slotRequests, master.restarts, master.failures.length]).toEqual([2, 1, 1]);
    expect(world.manager.running).toHaveLength(4);
  });

  it('is drained: its tasks end in order, and leave nothing to abort twice', async () => {
    const world = new World(undefined, false, 2);
    const master = world.start();
    await world.quiet();
    world.lose(1, 'MR-TASK-MANAGER-DRAINED');
    await world.quiet();
    expect(master.lastFailure).toMatchObject({ code: 'MR-TASK-MANAGER-DRAINED' });
    expect(world.logged(/^(cancel|freeSlot)/)).toHaveLength(6);
    expect(world.outside).toContain('slots released');
    await world.pass(100);
    await world.manager.fail('k_0_1', passing('gone'));
    await world.pass(0);
    await world.pass(100);
    expect(world.outside.filter((line) => line.startsWith('abort'))).toEqual(['abort 1', 'abort 2']);
  });
});
