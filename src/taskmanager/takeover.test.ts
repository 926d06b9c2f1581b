import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { attemptId, jobId, slotId, splitId, stepId, subtaskId, vertexId } from '../core/index.ts';
import type { JobId, SlotId, SubtaskSnapshot } from '../core/index.ts';
import { nodePorts } from '../core/node-ports.ts';
import { inProcessTransport, rpcErrors } from '../rpc/index.ts';
import type {
  LeaderReference,
  RpcTransport,
  SliceDescriptor,
  TaskManagerGateway,
  TaskManagerRegistration,
} from '../rpc/index.ts';
import { ManualClock, sinkNode, sourceNode, testGraph } from '../testing/index.ts';
import { FakeSlotThreads } from './fixtures/fake-slot-threads.ts';
import { startTaskManager } from './index.ts';
import type { TaskManager } from './index.ts';

const JOB = jobId('job');
const VERTEX = vertexId('in');
const STEP = stepId('in');
const DRAIN_TIMEOUT_MS = 30_000;
const ORPHAN_TIMEOUT_MS = 600_000;
const CANCEL_TIMEOUT_MS = 15_000;
const STUCK_TIMEOUT_MS = 2000;
const START_TIMEOUT_MS = 60_000;
const DEADLINE_MS = 25_000;

/** Writes down what is reported to it. */
class FakeMaster {
  readonly heard: string[] = [];
  /** What was reported while nobody could be reached. */
  readonly missed: string[] = [];
  isAway = false;

  constructor(rpc: RpcTransport, name: string) {
    const hear = async (what: string): Promise<void> => {
      (this.isAway ? this.missed : this.heard).push(what);
      if (this.isAway) throw rpcErrors.create('MR-RPC-UNREACHABLE', { kind: 'job-master', address: name });
    };
    rpc.serve('job-master', name, {
      taskStateChanged: ({ epoch, state }) => hear(`${state} ${epoch}`),
      acknowledgeCheckpoint: ({ epoch, checkpointId }) => hear(`acknowledge ${checkpointId} ${epoch}`),
      declineCheckpoint: ({ epoch, checkpointId }) => hear(`decline ${checkpointId} ${epoch}`),
      checkpointCommitted: ({ epoch, checkpointId }) => hear(`committed ${checkpointId} ${epoch}`),
      taskEnded: ({ epoch }) => hear(`ended ${epoch}`),
      reportProgress: ({ epoch, steps }) => hear(`progress ${steps.length} ${epoch}`),
    });
  }
}

let rpc: RpcTransport;
let clock: ManualClock;
let threads: FakeSlotThreads;
let manager: TaskManager;
let gateway: TaskManagerGateway;
let master: FakeMaster;
let registrations: TaskManagerRegistration[];
let unregistrations: number;
let tell: (leader: LeaderReference | null) => void;

beforeEach(async () => {
  rpc = inProcessTransport();
  clock = new ManualClock();
  threads = new FakeSlotThreads();
  master = new FakeMaster(rpc, 'jm');
  registrations = [];
  unregistrations = 0;
  rpc.serve('resource-manager', 'rm', {
    registerTaskManager: async (message) => {
      registrations.push(message);
      return { heartbeatIntervalMs: null };
    },
    heartbeat: async () => ({ isKnown: true }),
    unregisterTaskManager: async () => {
      unregistrations++;
    },
  });
  await startManager(0);
});

async function startManager(stuckTimeoutMs: number): Promise<void> {
  manager = await startTaskManager({
    rpc,
    leaders: (onChange) => {
      tell = onChange;
      onChange({ epoch: 1, resourceManagerAddress: 'rm' });
      return () => undefined;
    },
    ports: { ...nodePorts, clock },
    workerHost: threads,
    slotCount: 2,
    limits: { stuckTimeoutMs, cancelTimeoutMs: CANCEL_TIMEOUT_MS },
    orphanTimeoutMs: ORPHAN_TIMEOUT_MS,
    drainTimeoutMs: DRAIN_TIMEOUT_MS,
  });
  await manager.registered;
  gateway = rpc.connect('task-manager', manager.address);
}

afterEach(async () => {
  tell(null);
  const closed = manager.close();
  for (const thread of threads.started) thread.exit(null);
  await closed;
});

const slotAt = (index: number): SlotId => slotId(`${manager.id}-${index}`);

/** A source and a sink in one slot. */
function slice(epoch: number, attempt = 0, job: JobId = JOB): SliceDescriptor {
  const [vertex] = testGraph('one', [
    { name: 'in', parallelism: 1, chain: [sourceNode('in', {}), sinkNode('out')] },
  ]).vertices;
  if (vertex === undefined) throw new Error('there is one');
  const errors = { kind: 'fail' } as const;
  const task = { attemptId: taskOf(attempt), vertex, subtaskIndex: 0, inputs: [], outputs: [], errors, restore: null };
  return {
    epoch,
    jobId: job,
    jobName: 'one',
    maxParallelism: 128,
    slot: { taskManagerId: manager.id, slotId: slotAt(0), rack: null, host: null, data: null },
    attempt,
    jobMasterAddress: 'jm',
    checkpointing: null,
    tasks: [task],
  };
}

const taskOf = (attempt: number) => attemptId(subtaskId(VERTEX, 0), attempt);
const task = (epoch: number, attempt = 0) => ({ epoch, jobId: JOB, attemptId: taskOf(attempt) });
const split = (name: string) => ({ id: splitId(name), position: { next: 0 }, racks: [] });
const snapshot: SubtaskSnapshot = {
  subtaskIndex: 0,
  splits: [],
  watermarkMs: 7,
  operators: [],
  committables: [],
  isFinished: true,
};

function adoption(epoch: number, changes: { readonly attempt?: number; readonly jobId?: JobId } = {}) {
  return { epoch, jobId: JOB, attempt: 0, slotId: slotAt(0), jobMasterAddress: 'jm2', ...changes };
}

function says(kind: 'state', state: 'INITIALIZING' | 'RUNNING' | 'FINISHED' | 'CANCELED'): void {
  threads.last.says({ kind, attemptId: taskOf(0), state, error: null });
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  const deadline = nodePorts.clock.monotonicMs() + DEADLINE_MS;
  while (!isTrue()) {
    if (nodePorts.clock.monotonicMs() > deadline) throw new Error(`waited ${DEADLINE_MS} ms until ${what}`);
    await nodePorts.clock.sleep(1);
  }
}

/** A running task with two splits, in the slot 0. */
async function deployed(): Promise<void> {
  await gateway.deploy(slice(1));
  says('state', 'INITIALIZING');
  says('state', 'RUNNING');
  await until('it runs', () => master.heard.includes('RUNNING 1'));
  await gateway.addSplits({ ...task(1), stepId: STEP, splits: [split('a')] });
  await gateway.addSplits({ ...task(1), stepId: STEP, splits: [split('b')] });
}

/** Lets what is due happen, and what follows from it. */
async function pass(durationMs: number): Promise<void> {
  const endMs = clock.nowMs() + durationMs;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await turn();
  while (clock.runNext(endMs)) await turn();
  clock.advanceTo(endMs);
  await turn();
}

describe('a slot that is adopted', () => {
  it('says what was told and given, and reports to the new leader from then on', async () => {
    await deployed();
    const next = new FakeMaster(rpc, 'jm2');
    const source = { stepId: STEP, splits: [split('a'), split('b')], isComplete: false };
    const running = { attemptId: taskOf(0), state: 'RUNNING', error: null, final: null };
    const report = await gateway.adoptSlot(adoption(2));
    expect(report).toEqual({ jobId: JOB, attempt: 0, tasks: [{ ...running, sources: [source] }] });
    const { attemptId: id } = task(1);
    const metrics = { alignmentMs: 0, syncMs: 0, asyncMs: 0, stateBytes: 0 };
    threads.last.says({ kind: 'progress', steps: [], sources: [] });
    threads.last.says({ kind: 'acknowledge', attemptId: id, checkpointId: 4, snapshot, metrics });
    threads.last.says({ kind: 'ended', attemptId: id, snapshot });
    says('state', 'FINISHED');
    await until('all is told', () => next.heard.includes('FINISHED 2'));
    expect(next.heard).toEqual(['progress 0 2', 'acknowledge 4 2', 'ended 2', 'FINISHED 2']);
    expect(master.heard).toEqual(['INITIALIZING 1', 'RUNNING 1']);
    // The thread has noticed nothing of it.
    expect(threads.last.kinds()).toEqual(['deploy', 'add-splits', 'add-splits']);
    await expect(gateway.cancel(task(1))).rejects.toMatchObject({ code: 'MR-RPC-STALE-EPOCH' });
  });

  it('says how its tasks have ended, as long as it is not freed', async () => {
    await deployed();
    await gateway.noMoreSplits({ ...task(1), stepId: STEP });
    threads.last.says({ kind: 'ended', attemptId: taskOf(0), snapshot });
    await until('its end is told', () => master.heard.includes('ended 1'));
    threads.last.exit(new Error('out of memory'));
    await until('its failure is told', () => master.heard.includes('FAILED 1'));
    for (const epoch of [2, 3]) {
      expect((await gateway.adoptSlot(adoption(epoch))).tasks).toMatchObject([
        { state: 'FAILED', error: { code: 'MR-TASK-THREAD-LOST' }, final: snapshot, sources: [{ isComplete: true }] },
      ]);
    }
  });

  it('tells the new leader what the old one was not there to hear, and nobody twice', async () => {
    await deployed();
    master.isAway = true;
    says('state', 'FINISHED');
    await until('it is reported', () => master.missed.includes('FINISHED 1'));
    const next = new FakeMaster(rpc, 'jm2');
    expect((await gateway.adoptSlot(adoption(2))).tasks).toMatchObject([{ state: 'FINISHED' }]);
    master.isAway = false;
    await pass(10_000);
    expect([master.heard, next.heard]).toEqual([['INITIALIZING 1', 'RUNNING 1'], []]);
  });

  it('repeats what its own leader did not hear while it could not be reached', async () => {
    await deployed();
    master.isAway = true;
    says('state', 'FINISHED');
    await until('it is reported', () => master.missed.includes('FINISHED 1'));
    master.isAway = false;
    await pass(1000);
    expect(master.heard).toEqual(['INITIALIZING 1', 'RUNNING 1', 'FINISHED 1']);
  });

  it('is refused where it runs something else, or is being freed', async () => {
    const unknown = expect.objectContaining({ code: 'MR-TASK-UNKNOWN-SLOT' });
    await expect(gateway.adoptSlot(adoption(1))).rejects.toEqual(unknown);
    await deployed();
    await expect(gateway.adoptSlot(adoption(2, { attempt: 1 }))).rejects.toEqual(unknown);
    await expect(gateway.adoptSlot(adoption(2, { jobId: jobId('other') }))).rejects.toEqual(unknown);
    await expect(gateway.adoptSlot(adoption(1))).rejects.toMatchObject({ code: 'MR-RPC-STALE-EPOCH' });
    const freed = gateway.freeSlot({ epoch: 2, jobId: JOB, slotId: slotAt(0) });
    await until('it is cancelled', () => threads.last.kinds().includes('cancel'));
    await expect(gateway.adoptSlot(adoption(2))).rejects.toEqual(unknown);
    threads.last.exit(null);
    await freed;
  });
});

describe('a slot that is freed', () => {
  it('cancels what still runs, and is free when its thread is gone', async () => {
    await deployed();
    threads.last.obeys = false;
    let isFree = false;
    const free = { epoch: 2, jobId: JOB, slotId: slotAt(0) };
    const freed = [gateway.freeSlot(free), gateway.freeSlot(free)].map((each) =>
      each.then(() => {
        isFree = true;
      }),
    );
    await until('it is told to cancel', () => threads.last.kinds().includes('cancel'));
    await expect(gateway.deploy(slice(2, 1))).rejects.toMatchObject({ code: 'MR-TASK-SLOT-OCCUPIED' });
    expect(threads.last.kinds()).not.toContain('stop');
    says('state', 'CANCELED');
    await until('it is told to stop', () => threads.last.kinds().includes('stop'));
    expect(isFree).toBe(false);
    threads.last.exit(null);
    await Promise.all(freed);
    await gateway.deploy(slice(2, 1));
    // What comes late for the old one does not touch the new one.
    await gateway.freeSlot({ ...free, attempt: 0 });
    expect(threads.started).toHaveLength(2);
    expect(threads.last.hasExited).toBe(false);
  });

  it('ends a thread that does not cancel in time', async () => {
    await deployed();
    const freed = gateway.freeSlot({ epoch: 1, jobId: JOB, slotId: slotAt(0) });
    await until('it is told to cancel', () => threads.last.kinds().includes('cancel'));
    await pass(CANCEL_TIMEOUT_MS - 1);
    expect(threads.last.hasExited).toBe(false);
    await pass(1000);
    await freed;
    expect(threads.last.hasExited).toBe(true);
    expect(master.heard.at(-1)).toBe('CANCELED 1');
  });
});

describe('a thread that shows no sign of life', () => {
  beforeEach(async () => {
    await manager.close();
    await startManager(STUCK_TIMEOUT_MS);
  });

  it('is ended, but has time to start', async () => {
    await deployed();
    await pass(START_TIMEOUT_MS - 1000);
    expect(threads.last.hasExited).toBe(false);
    Atomics.add(new Int32Array(threads.last.start.progress), 0, 1);
    await pass(1000 + STUCK_TIMEOUT_MS - 1000);
    expect(threads.last.hasExited).toBe(false);
    await pass(1000);
    expect(threads.last.hasExited).toBe(true);
    await until('its failure is told', () => master.heard.includes('FAILED 1'));
  });

  it('is ended where it does not start', async () => {
    await deployed();
    await pass(START_TIMEOUT_MS);
    expect(threads.last.hasExited).toBe(true);
  });
});

describe('a TaskManager whose leader is gone', () => {
  it('keeps its tasks, and registers them with the next one', async () => {
    await deployed();
    tell(null);
    await pass(ORPHAN_TIMEOUT_MS - 1);
    expect(threads.last.kinds()).not.toContain('cancel');
    tell({ epoch: 2, resourceManagerAddress: 'rm' });
    await until('it has registered', () => registrations.length === 2);
    expect(registrations[1]).toMatchObject({
      epoch: 2,
      slots: [{ occupant: { jobId: JOB, attempt: 0 } }, { occupant: null }],
    });
    // What the old one still says counts no more.
    await expect(gateway.cancel(task(1))).rejects.toMatchObject({ code: 'MR-RPC-STALE-EPOCH' });
  });

  it('gives them up after the orphan timeout', async () => {
    await deployed();
    tell(null);
    await pass(ORPHAN_TIMEOUT_MS);
    await until('it is told to cancel', () => threads.last.kinds().includes('cancel'));
    says('state', 'CANCELED');
    await until('its thread is gone', () => threads.last.hasExited);
    await until('the slot is free', () => {
      tell(null);
      tell({ epoch: 2, resourceManagerAddress: 'rm' });
      return registrations.at(-1)?.slots[0]?.occupant === null;
    });
  });
});

describe('a TaskManager that is closed', () => {
  it('waits until the leader has freed its slots, and takes nothing new', async () => {
    await deployed();
    let isClosed = false;
    const closed = manager.close().then(() => {
      isClosed = true;
    });
    await until('the leader knows', () => unregistrations === 1);
    const other = { ...slice(1), slot: { ...slice(1).slot, slotId: slotAt(1) } };
    await expect(gateway.deploy(other)).rejects.toMatchObject({ code: 'MR-TASK-MANAGER-CLOSING' });
    await pass(DRAIN_TIMEOUT_MS - 1);
    expect([isClosed, threads.last.kinds().includes('cancel')]).toEqual([false, false]);
    says('state', 'CANCELED');
    await gateway.freeSlot({ epoch: 1, jobId: JOB, slotId: slotAt(0) });
    await closed;
    await expect(gateway.cancel(task(1))).rejects.toMatchObject({ code: 'MR-RPC-UNREACHABLE' });
  });

  it.each([
    ['after the drain timeout', () => pass(DRAIN_TIMEOUT_MS)],
    [
      'where the leader is gone, and no other has come for a while',
      async () => {
        tell(null);
        await pass(3000);
      },
    ],
  ])('ends its tasks itself %s', async (_when, happens) => {
    await deployed();
    const closed = manager.close();
    await until('the leader knows', () => unregistrations === 1);
    await pass(1);
    expect(threads.last.kinds()).not.toContain('cancel');
    await happens();
    await until('it is told to cancel', () => threads.last.kinds().includes('cancel'));
    says('state', 'CANCELED');
    await closed;
    expect(threads.last.hasExited).toBe(true);
  });
});
