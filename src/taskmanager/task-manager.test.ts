import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { attemptId, jobId, slotId, splitId, stepId, subtaskId, taskManagerId, vertexId } from '../core/index.ts';
import { nodePorts } from '../core/node-ports.ts';
import { inProcessTransport, oneLeader } from '../rpc/index.ts';
import type {
  RpcTransport,
  SliceDescriptor,
  TaskManagerGateway,
  TaskManagerRegistration,
  TaskStateChange,
} from '../rpc/index.ts';
import { Collected, createTestOperator, sinkNode, sourceNode, testCatalog, testGraph } from '../testing/index.ts';
import { inlineWorkerHost, runSlot, startTaskManager } from './index.ts';
import type { TaskManager } from './index.ts';

const collected = new Collected();
const job = jobId('job');
let rpc: RpcTransport;
let manager: TaskManager;
let gateway: TaskManagerGateway;
let registration: TaskManagerRegistration;
let registrations: string[];
let reports: TaskStateChange[];

beforeEach(async () => {
  rpc = inProcessTransport();
  registrations = [];
  reports = [];
  collected.rows.length = 0;
  rpc.serve('resource-manager', 'rm', {
    registerTaskManager: (message) => {
      registration = message;
      registrations.push('registered');
      return Promise.resolve({ heartbeatIntervalMs: null });
    },
    heartbeat: () => Promise.resolve({ isKnown: true }),
    unregisterTaskManager: () => {
      registrations.push('unregistered');
      return Promise.resolve();
    },
  });
  rpc.serve('job-master', 'jm', {
    taskStateChanged: (message) => {
      reports.push(message);
      return Promise.resolve();
    },
    acknowledgeCheckpoint: () => Promise.resolve(),
    checkpointCommitted: () => Promise.resolve(),
    declineCheckpoint: () => Promise.resolve(),
    taskEnded: () => Promise.resolve(),
    reportProgress: () => Promise.resolve(),
  });
  const catalog = testCatalog(collected);
  manager = await startTaskManager({
    rpc,
    leaders: oneLeader({ epoch: 1, resourceManagerAddress: 'rm' }),
    ports: nodePorts,
    workerHost: inlineWorkerHost((data) =>
      runSlot(data, { ports: nodePorts, catalog, createOperator: createTestOperator }),
    ),
    slotCount: 2,
    rack: 'a',
  });
  await manager.registered;
  gateway = rpc.connect('task-manager', manager.address);
});

afterEach(async () => {
  await manager.close();
  expect(registrations).toEqual(['registered', 'unregistered']);
});

/** One subtask in one slot: a source of 10 rows and a sink. */
function slice(epoch: number, slot = 0): SliceDescriptor {
  const graph = testGraph('one', [
    { name: 'in', parallelism: 1, chain: [sourceNode('in', { rows: 10 }), sinkNode('out')] },
  ]);
  const [vertex] = graph.vertices;
  if (vertex === undefined) throw new Error('there is one');
  const location = { taskManagerId: manager.id, slotId: slotAt(slot), rack: null, host: null, data: null };
  const attempt = attemptId(subtaskId(vertex.id, 0), 0);
  const errors = { kind: 'fail' } as const;
  return {
    epoch,
    jobId: job,
    jobName: 'one',
    maxParallelism: 128,
    slot: location,
    attempt: 0,
    jobMasterAddress: 'jm',
    checkpointing: null,
    tasks: [{ attemptId: attempt, vertex, subtaskIndex: 0, inputs: [], outputs: [], errors, restore: null }],
  };
}

function slotAt(index: number) {
  return registration.slots[index]?.slotId ?? slotId('none');
}

async function untilReported(state: string): Promise<void> {
  for (let wait = 0; wait < 2000; wait++) {
    if (reports.some((report) => report.state === state)) return;
    await nodePorts.clock.sleep(2);
  }
  throw new Error(`waited 4 s for ${state}; got ${reports.map((report) => report.state).join()}`);
}

const task = (epoch: number) => ({ epoch, jobId: job, attemptId: attemptId(subtaskId(vertexId('in'), 0), 0) });

describe('a TaskManager', () => {
  it('registers its slots, runs a slice, tells each state, and frees the slot', async () => {
    expect(registration).toMatchObject({ epoch: 1, rack: 'a', slots: [{}, {}] });
    await gateway.deploy(slice(1));
    await untilReported('RUNNING');
    const splits = [{ id: splitId('s'), position: { next: 0, step: 1 }, racks: [] }];
    await gateway.addSplits({ ...task(1), stepId: stepId('in'), splits });
    await gateway.noMoreSplits({ ...task(1), stepId: stepId('in') });
    await untilReported('FINISHED');
    expect(reports.map(({ state }) => state)).toEqual(['INITIALIZING', 'RUNNING', 'FINISHED']);
    expect(collected.rows).toHaveLength(10);
    await gateway.freeSlot({ epoch: 1, jobId: job, slotId: slotAt(0) });
    await gateway.freeSlot({ epoch: 1, jobId: job, slotId: slotAt(0) });
    await gateway.deploy(slice(1));
    await gateway.cancel(task(1));
    await untilReported('CANCELED');
  });

  it('refuses messages of an older epoch, and nothing comes of them', async () => {
    await gateway.deploy(slice(4));
    await untilReported('RUNNING');
    const stale = expect.objectContaining({ code: 'MR-RPC-STALE-EPOCH' });
    await expect(gateway.cancel(task(3))).rejects.toEqual(stale);
    await expect(gateway.deploy(slice(3, 1))).rejects.toEqual(stale);
    await expect(gateway.freeSlot({ epoch: 3, jobId: job, slotId: slotAt(0) })).rejects.toEqual(stale);
    expect(reports.map(({ state, epoch }) => [state, epoch])).toEqual([
      ['INITIALIZING', 4],
      ['RUNNING', 4],
    ]);
  });

  it('refuses a slot that is occupied or not its own, and a peer that it cannot reach', async () => {
    await gateway.deploy(slice(1));
    await expect(gateway.deploy(slice(1))).rejects.toMatchObject({ code: 'MR-TASK-SLOT-OCCUPIED' });
    const other = slice(1);
    const elsewhere = { ...other.slot, taskManagerId: taskManagerId('x'), slotId: slotId('x-0') };
    await expect(gateway.deploy({ ...other, slot: elsewhere })).rejects.toMatchObject({
      code: 'MR-TASK-UNKNOWN-SLOT',
      fields: { slot: 'x-0' },
    });
    const [edge] = testGraph('pair', [
      { name: 'in', parallelism: 1, chain: [sourceNode('in', {})] },
      { name: 'out', parallelism: 1, chain: [sinkNode('out')], from: [['in', { kind: 'rebalance' }]] },
    ]).edges;
    if (edge === undefined) throw new Error('there is one');
    const tasks = slice(1, 1).tasks.map((each) => ({
      ...each,
      outputs: [{ edge, firstChannel: 0, reader: { stepId: stepId('out'), input: 0 }, receivers: [elsewhere] }],
    }));
    await expect(gateway.deploy({ ...slice(1, 1), tasks })).rejects.toMatchObject({ code: 'MR-TASK-PEER-ELSEWHERE' });
  });

  it('takes no notice of tasks that it does not know', async () => {
    await gateway.cancel(task(1));
    await gateway.noMoreSplits({ ...task(1), stepId: stepId('in') });
    expect(reports).toEqual([]);
  });
});
