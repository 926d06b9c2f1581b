import { describe, expect, it } from '@jest/globals';
import { splitId } from '../../core/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import { rpcErrors } from '../../rpc/index.ts';
import {
  JobWorld as World,
  passingError as passing,
  sinkNode,
  sourceNode,
  testGraph,
  worldGraph,
  worldSettings as settings,
} from '../../testing/index.ts';
import type { JobMaster } from '../job-master.ts';

const made = testGraph('job', [
  { name: 's', parallelism: 3, chain: [sourceNode('in', {})] },
  { name: 'k', parallelism: 3, chain: [sinkNode('out')], from: [['s', { kind: 'forward' }]] },
]);
/** Each slot is a region: rows stay in theirs. */
const graph: JobGraph = { ...made, checkpoint: settings, restart: worldGraph.restart };

/** Runs at parallelism 3, each subtask with one split; the first checkpoint has completed. */
async function running(given: Partial<JobGraph> = {}) {
  const world = new World();
  world.splits = ['a', 'b', 'c'].map((id) => ({ id: splitId(id), position: {}, racks: [] }));
  world.discoveryIntervalMs = 10_000_000;
  const master = world.start({ ...world.clustered(), graph: { ...graph, ...given } });
  await world.quiet();
  await world.pass(1000);
  expect(world.record.checkpoints).toMatchObject([{ checkpointId: 1 }]);
  world.manager.log.length = 0;
  world.outside.length = 0;
  return { world, master };
}

const tasksOf = (master: JobMaster) =>
  master.executions.map(({ attemptId, state, slot }) => `${attemptId} ${slot?.slotId} ${state}`);

/** What is asked of tasks and slots of slices 0 and 2 by which they would end or begin. */
const disturbed = (world: World) => world.logged(/^(deploy|cancel|freeSlot): (s0|s2|._0_|._2_)/);

describe('the failure of a part of a job', () => {
  it('restarts that part from the last checkpoint, in another slot; all others go on', async () => {
    const { world, master } = await running();
    world.lose(1, 'MR-TASK-MANAGER-LOST', true);
    await world.quiet();
    expect(tasksOf(master).filter((line) => line.endsWith('FAILED'))).toEqual(['s_1_0 s1 FAILED', 'k_1_0 s1 FAILED']);
    expect(master.waitingFor).toContain('a part of it');
    // No checkpoint is begun meanwhile.
    await world.pass(99);
    await world.pass(1);
    expect(world.record.generation).toBe(2);
    expect(world.outside).toEqual(['abort 1/1']);
    expect(tasksOf(master)).toEqual([
      ...['s_0_0 s0 RUNNING', 's_1_1 s3 RUNNING', 's_2_0 s2 RUNNING'],
      ...['k_0_0 s0 RUNNING', 'k_1_1 s3 RUNNING', 'k_2_0 s2 RUNNING'],
    ]);
    expect(disturbed(world)).toEqual([]);
    expect(world.states).toEqual(['CREATED', 'RUNNING']);
    expect([master.restarts, master.lastFailure?.code]).toEqual([1, 'MR-TASK-MANAGER-LOST']);
    expect(world.manager.slices.at(-1)).toMatchObject({ attempt: 1, checkpointing: { run: { generation: 2 } } });
    expect(world.manager.descriptor('s_1_1').restore).toMatchObject({ checkpointId: 1 });
    expect(world.manager.splitsOf('s_1_1')).toEqual([{ id: 'b', position: { acknowledged: 1 }, racks: [] }]);
    expect(world.manager.splitsOf('s_0_0')).toHaveLength(1);
    const slots = [{ attempt: 0 }, { attempt: 1, slotId: 's3' }, { attempt: 0 }];
    expect(world.plan).toMatchObject({ attempt: 1, slots });
    await world.pass(250);
    expect(world.record.checkpoints).toMatchObject([{ checkpointId: 2 }]);
    expect((await world.last()).vertices[0]?.subtasks.map(({ subtaskIndex }) => subtaskIndex)).toEqual([0, 1, 2]);
    // The dead one's share of the first run is gone from the record, what others have of it stays.
    expect(world.record.runs.map(({ generation, subtasks }) => [generation, subtasks])).toEqual([
      [1, [0, 2]],
      [2, [1]],
    ]);
  });

  it('uses the slot again where a task has failed by itself, and gives up the pending checkpoint', async () => {
    const { world, master } = await running();
    world.manager.silent.add('k');
    await world.pass(1000);
    await world.manager.fail('k_1_0', passing('a broken row'));
    await world.quiet();
    expect(world.logged(/^(cancel|freeSlot)/)).toEqual(['cancel: s_1_0', 'freeSlot: s1']);
    expect(world.logged(/^aborted/)).toEqual(['aborted 2: k_0_0', 'aborted 2: k_2_0']);
    expect(master.checkpoints().recent[0]).toMatchObject({ checkpointId: 2, state: 'aborted' });
    world.manager.silent.clear();
    await world.pass(100);
    expect(tasksOf(master)[1]).toBe('s_1_1 s1 RUNNING');
    await world.pass(250);
    expect(world.record.checkpoints).toMatchObject([{ checkpointId: 3 }]);
    expect(disturbed(world)).toEqual([]);
  });

  it('restarts that part alone where its TaskManager is told to be lost only after a call has failed', async () => {
    for (const lostWhile of ['ending', 'waiting'] as const) {
      const { world, master } = await running();
      const { failing, hanging } = world.manager;
      const fields = { kind: 'task-manager', address: 'tm', reason: 'no connection', outcome: 'unknown' };
      const unreachable = rpcErrors.create('MR-RPC-UNREACHABLE', fields);
      for (const call of ['completed: k_1_0', 'cancel: s_1_0', 'freeSlot: s1']) failing.set(call, unreachable);
      if (lostWhile === 'ending') hanging.add('freeSlot: s1');
      await world.pass(1000);
      expect(master.lastFailure?.code).toBe('MR-RPC-UNREACHABLE');
      world.lose(1, 'MR-TASK-MANAGER-LOST', true);
      await world.quiet();
      await world.pass(100);
      expect(tasksOf(master).slice(0, 3)).toEqual(['s_0_0 s0 RUNNING', 's_1_1 s3 RUNNING', 's_2_0 s2 RUNNING']);
      expect([disturbed(world), master.restarts]).toEqual([[], 1]);
    }
  });

  it('gives splits that were found after the checkpoint again as they were', async () => {
    const { world } = await running();
    world.splits = [...world.splits, { id: splitId('d'), position: { from: 'start' }, racks: [] }];
    await world.pass(9_999_000);
    const reader = ['s_0_0', 's_1_0', 's_2_0'].find((task) => world.manager.splitsOf(task).length === 2) ?? '';
    world.manager.silent.add('k');
    await world.manager.fail(reader, passing('a broken row'));
    await world.quiet();
    await world.pass(100);
    const again = world.manager.splitsOf(reader.replace(/0$/, '1'));
    expect(again.map(({ id }) => id)).toContain('d');
    expect(new Set(again.map(({ id }) => id)).size).toBe(2);
  });

  it('fails the whole job where others fail meanwhile, or where it takes too long', async () => {
    const { world, master } = await running({ checkpoint: { ...settings, timeoutMs: 60_000 } });
    await world.manager.fail('k_1_0', passing('a broken row'));
    await world.quiet();
    await world.manager.fail('k_2_0', passing('another'));
    await world.quiet();
    expect(world.states.slice(2)).toEqual(['FAILING', 'RESTARTING']);
    await world.pass(100);
    expect(tasksOf(master).map((line) => line.split(' ')[0])).toEqual(
      ['s_0_1', 's_1_1', 's_2_1', 'k_0_1', 'k_1_1', 'k_2_1'],
    );
    expect(world.record.runs.map(({ generation, subtasks }) => [generation, subtasks])).toContainEqual([2, undefined]);
    world.hasSlots = false;
    await world.pass(1000);
    world.lose(1);
    await world.quiet();
    await world.pass(100);
    expect(master.waitingFor).toContain('1 slots');
    await world.pass(30_000);
    expect(master.lastFailure).toMatchObject({ code: 'MR-JOB-PART-LATE' });
    expect(world.states.slice(-1)).toEqual(['RESTARTING']);
    world.hasSlots = true;
    await world.pass(100);
    expect(master.state).toBe('RUNNING');
  });

  it('fails the whole job where checkpoints do not complete in time, or parts fail again and again', async () => {
    const { world, master } = await running({ checkpoint: { ...settings, timeoutMs: 60_000 } });
    world.manager.silent.add('k');
    for (const attempt of [0, 1, 2]) {
      expect(world.states).toEqual(['CREATED', 'RUNNING']);
      await world.manager.fail(`k_1_${attempt}`, passing('a broken row'));
      await world.quiet();
      await world.pass(100);
    }
    expect(world.states.slice(2)).toEqual(['FAILING', 'RESTARTING', 'CREATED', 'RUNNING']);
    const { restarts } = master;
    await world.manager.fail('k_1_3', passing('a broken row'));
    await world.quiet();
    await world.pass(100);
    expect([master.restarts, world.states.length]).toEqual([restarts + 1, 6]);
    await world.pass(61_000);
    expect(master.lastFailure?.code).toMatch(/MR-JOB-(PART-LATE|CHECKPOINTS-FAIL)/);
    expect(world.states.slice(6, 7)).toEqual(['FAILING']);
  });

  it('is no more than a part where the leader changes afterwards: its tasks go on', async () => {
    const { world, master } = await running();
    await world.manager.fail('k_1_0', passing('a broken row'));
    await world.quiet();
    await world.pass(100);
    master.abandon();
    await world.quiet();
    const next = new World(world, true);
    const successor = next.takeOver({ graph });
    await next.quiet();
    expect(next.logged(/^(deploy|cancel|freeSlot)/)).toEqual([]);
    expect(tasksOf(successor).slice(0, 3)).toEqual(['s_0_0 s0 RUNNING', 's_1_1 s1 RUNNING', 's_2_0 s2 RUNNING']);
    // Only those hear of the last checkpoint that have a part in it.
    const older = ['s_0_0', 's_2_0', 'k_0_0', 'k_2_0'];
    expect(next.logged(/^completed 1:/)).toEqual(older.map((id) => `completed 1: ${id}`));
    await next.pass(1000);
    await next.manager.fail('k_2_0', passing('a broken row'));
    await next.quiet();
    await next.pass(100);
    expect(next.record.generation).toBe(3);
    expect(next.outside.filter((line) => line.startsWith('abort'))).toEqual(['abort 1/2']);
    expect(tasksOf(successor)[2]).toBe('s_2_2 s2 RUNNING');
  });
});
