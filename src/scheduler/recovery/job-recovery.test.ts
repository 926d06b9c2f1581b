import { beforeEach, describe, expect, it } from '@jest/globals';
import { splitId, stepId } from '../../core/index.ts';
import type {
  CheckpointMetadata,
  CheckpointSettings,
  Committer,
  ConnectorCatalog,
  ConnectorContext,
  CrashPoint,
  Ports,
  SinkConnector,
} from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import type { JobRecord, JobStore } from '../../ha/index.ts';
import {
  ManualClock,
  MemoryCheckpointStorage,
  MemoryJobs,
  sinkNode,
  sourceNode,
  testGraph,
} from '../../testing/index.ts';
import type { StartMode } from '../start-mode.ts';
import { JobRecovery } from './job-recovery.ts';

const settings: CheckpointSettings = {
  intervalMs: 1000,
  mode: 'exactly-once',
  timeoutMs: 1000,
  minPauseMs: 0,
  tolerableFailures: 2,
  retained: 2,
};

const job = { ...testGraph('job', [{ name: 'v', parallelism: 3, chain: [sourceNode('in', {}), sinkNode('out')] }]) };

/** What committers and crash points were told, in order. */
let log: string[];
let failing: Map<string, Error>;
let jobs: MemoryJobs;
let storage: MemoryCheckpointStorage;
let clock: ManualClock;
let store: JobStore;

beforeEach(() => {
  log = [];
  failing = new Map();
  jobs = new MemoryJobs();
  storage = new MemoryCheckpointStorage();
  clock = new ManualClock(1_000_000);
  store = jobs.open();
});

function say(what: string): void {
  log.push(what);
  const error = failing.get(what);
  if (error !== undefined) throw error;
}

function committer({ stepId: step, run }: ConnectorContext): Committer {
  say(`open ${step} in ${run?.generation ?? 'no run'}`);
  return {
    commit: async (handles) => say(`commit ${handles.map(({ data }) => String(data['name'])).join(' ')}`),
    abortOlder: async (runs) => say(`abort ${runs.map(({ generation }) => generation).join(' ')}`),
    close: async () => say(`close ${step}`),
  };
}

function catalog(isTransactional: boolean): ConnectorCatalog {
  const sink = { isTransactional: () => isTransactional, createCommitter: (_, context) => committer(context) } as Pick<
    SinkConnector,
    'isTransactional' | 'createCommitter'
  >;
  return { sources: new Map(), sinks: new Map([['collect', sink as SinkConnector]]), formats: new Map() };
}

interface Given {
  readonly start?: StartMode;
  readonly isTransactional?: boolean;
  readonly graph?: typeof job;
  readonly allowDroppedState?: boolean;
}

function recovery(given: Given = {}): JobRecovery {
  const { start = { kind: 'resume' }, isTransactional = true, graph = job, allowDroppedState = false } = given;
  const crashPoints = { reached: (name: CrashPoint) => say(`*${name}`) };
  const ports: Ports = { ...nodePorts, clock, crashPoints };
  const connectors = catalog(isTransactional);
  return new JobRecovery({ graph, settings, ports, catalog: connectors, store, storage, start, allowDroppedState });
}

const begin = (given?: Given) => recovery(given).begin(null, new AbortController().signal);

async function record(): Promise<JobRecord> {
  const stored = await store.read('job');
  if (stored === null) throw new Error('there is no record');
  return stored.record;
}

interface Written {
  readonly kind?: CheckpointMetadata['kind'];
  readonly handles?: readonly string[];
  readonly steps?: readonly string[];
}

/** Writes a checkpoint with one state file; the record is not told. */
async function write(checkpointId: number, { kind = 'checkpoint', handles = [], steps = ['in', 'out'] }: Written = {}) {
  const file = await (await storage.createFile(checkpointId, 'v_0_0')).finish();
  const schema = { kind: 'x', version: 1, key: { fields: [] }, values: { fields: [] }, settings: {} };
  const metadata: CheckpointMetadata = {
    ...{ version: 1, jobName: 'job', checkpointId, kind, generation: 1, triggeredAtMs: 1, completedAtMs: 5 },
    maxParallelism: 128,
    vertices: [
      {
        vertexId: 'v',
        stepIds: steps.map(stepId),
        parallelism: 1,
        subtasks: [
          {
            ...{ subtaskIndex: 0, watermarkMs: null, isFinished: false },
            splits: [{ id: splitId('a'), position: {}, racks: [] }],
            operators: [{ stepId: stepId('out'), schema, file, chunks: [] }],
            committables: handles.map((name) => ({
              ...{ stepId: stepId(steps.at(-1) ?? ''), subtaskIndex: 0, checkpointId, data: { name } },
            })),
          },
        ],
      },
    ],
  };
  const written = await storage.writeMetadata(metadata);
  return { pointer: { checkpointId, kind, metadata: written, completedAtMs: 5 }, files: [written.name, file.name] };
}

async function remember(change: Partial<JobRecord>): Promise<void> {
  const before = await store.read('job');
  const base: JobRecord = before?.record ?? {
    ...{ version: 1, jobName: 'job', clusterId: 'c0ffee', generation: 4, nextCheckpointId: 21, maxParallelism: 128 },
    ...{ isFinished: false, checkpoints: [], tombstones: [] },
    runs: [3, 4].map((generation) => ({ generation, parallelism: 2 })),
  };
  await store.write({ ...base, ...change }, before?.version ?? null);
}

describe('a job that was never run', () => {
  it('gets a record, a cluster id and its first ids, and starts anew', async () => {
    const started = await begin();
    expect(started).toMatchObject({
      run: { jobName: 'job', generation: 1, settings },
      restored: null,
      origin: { kind: 'anew' },
      ids: { first: 1, upTo: 11 },
    });
    expect(started.run.clusterId).toMatch(/^[0-9a-f]{16}$/);
    expect(await record()).toMatchObject({
      clusterId: started.run.clusterId,
      runs: [{ generation: 1, parallelism: 3, tolerableFailures: 2 }],
      nextCheckpointId: 11,
    });
    expect(log).toEqual(['*generation-raised', '*handles-committed', '*older-aborted']);
  });
});

describe('a job that is resumed', () => {
  it('commits what its last checkpoint holds, then aborts older runs, in this order', async () => {
    const { pointer } = await write(12, { handles: ['t1', 't2'] });
    await remember({ checkpoints: [pointer] });
    const started = await begin();
    expect(log).toEqual([
      '*generation-raised',
      'open out in 5',
      'commit t1 t2',
      '*handles-committed',
      'abort 3 4',
      '*older-aborted',
      'close out',
    ]);
    expect(started).toMatchObject({
      run: { clusterId: 'c0ffee', generation: 5 },
      restored: { checkpointId: 12 },
      origin: { kind: 'restored', checkpointId: 12, completedAtMs: 5, isSavepoint: false, droppedSteps: [] },
      ids: { first: 21, upTo: 31 },
    });
    expect(await record()).toMatchObject({ generation: 5, nextCheckpointId: 31, checkpoints: [pointer] });
  });

  it('does nothing to the outside where the generation cannot be raised', async () => {
    jobs.beforeWrite = () => {
      throw new Error('the disk is full');
    };
    await expect(begin()).rejects.toThrow('the disk is full');
    expect(log).toEqual([]);
  });

  it('aborts nothing where not everything could be committed', async () => {
    await remember({ checkpoints: [(await write(12, { handles: ['t1'] })).pointer] });
    failing.set('commit t1', new Error('fenced'));
    await expect(begin()).rejects.toThrow('step out: internal error: fenced');
    expect(log.slice(2)).toEqual(['commit t1', 'close out']);
  });

  it('refuses state that the job has no use for, before it commits anything', async () => {
    const { pointer } = await write(12, { handles: ['t1'], steps: ['in', 'gone'] });
    await remember({ checkpoints: [pointer] });
    await expect(begin()).rejects.toMatchObject({ code: 'MR-JOB-STATE-DROPPED', fields: { steps: 'gone' } });
    expect(log).toEqual(['*generation-raised']);
    const { origin } = await begin({ allowDroppedState: true });
    expect(origin).toMatchObject({ kind: 'restored', droppedSteps: ['gone'] });
  });

  it('cannot commit through a connector that does not know how', async () => {
    await remember({ checkpoints: [(await write(12, { handles: ['t1'] })).pointer] });
    const print = { ...job, vertices: job.vertices.map((vertex) => ({ ...vertex, chain: vertex.chain.map(toPrint) })) };
    await expect(begin({ graph: print })).rejects.toMatchObject({ code: 'MR-JOB-STATE-INCOMPATIBLE' });
  });

  it('stops where it stands once nobody wants it any more', async () => {
    await remember({ checkpoints: [(await write(12, { handles: ['t1'] })).pointer] });
    const control = new AbortController();
    failing.set('commit t1', new Error('not reached'));
    jobs.beforeWrite = () => control.abort(new Error('cancelled'));
    await expect(recovery().begin(null, control.signal)).rejects.toThrow('cancelled');
    expect(log).toEqual(['*generation-raised']);
  });

  it('commits nothing of a savepoint', async () => {
    await remember({ checkpoints: [(await write(12, { kind: 'savepoint', handles: ['t1'] })).pointer] });
    const { origin } = await begin();
    expect(log).not.toContain('commit t1');
    expect(origin).toMatchObject({ kind: 'restored', isSavepoint: true });
  });

  it('that had finished starts anew, without committing what is known to be committed', async () => {
    const { pointer } = await write(12, { handles: ['t1'] });
    await remember({ checkpoints: [pointer], isFinished: true });
    const started = await begin();
    expect(started).toMatchObject({ restored: null, origin: { kind: 'anew-after-finish', checkpointId: 12 } });
    expect(log).not.toContain('commit t1');
    expect(log).toContain('abort 3 4');
    expect(await record()).toMatchObject({ isFinished: false, checkpoints: [], generation: 5 });
  });
});

describe('a damaged checkpoint', () => {
  it('is refused where anything commits with checkpoints', async () => {
    const [older, newer] = [await write(11), await write(12)];
    await remember({ checkpoints: [older.pointer, newer.pointer] });
    storage.damage(newer.pointer.metadata.name);
    await expect(begin()).rejects.toMatchObject({ code: 'MR-STATE-DAMAGED' });
    expect((await record()).checkpoints).toHaveLength(2);
  });

  it('is left out for an older one where nothing does, with a warning', async () => {
    const [older, newer] = [await write(11), await write(12)];
    await remember({ checkpoints: [older.pointer, newer.pointer] });
    storage.damage(newer.pointer.metadata.name);
    const { origin, restored } = await begin({ isTransactional: false });
    expect(restored?.checkpointId).toBe(11);
    expect(origin.warnings).toEqual([expect.stringContaining('checkpoint 12 is left out')]);
    expect((await record()).checkpoints).toEqual([older.pointer]);
    storage.damage(older.pointer.metadata.name);
    await expect(begin({ isTransactional: false })).rejects.toMatchObject({ code: 'MR-STATE-DAMAGED' });
  });
});

describe('a fresh start', () => {
  it('commits the last checkpoint all the same, aborts the rest, and forgets it', async () => {
    const { pointer, files } = await write(12, { handles: ['t1'] });
    await remember({ checkpoints: [pointer] });
    const started = await begin({ start: { kind: 'fresh' } });
    expect(log.filter((line) => /^(commit|abort)/.test(line))).toEqual(['commit t1', 'abort 3 4']);
    expect(started).toMatchObject({ restored: null, origin: { kind: 'anew', warnings: [] }, ids: { first: 21 } });
    const { checkpoints, tombstones, clusterId } = await record();
    expect([checkpoints, clusterId]).toEqual([[], 'c0ffee']);
    expect(tombstones.map(({ name }) => name).sort()).toEqual([...files].sort());
  });

  it('succeeds although the last checkpoint is damaged or cannot be committed, and says so', async () => {
    const { pointer } = await write(12, { handles: ['t1'] });
    await remember({ checkpoints: [pointer] });
    failing.set('commit t1', new Error('expired'));
    expect((await begin({ start: { kind: 'fresh' } })).origin.warnings).toEqual([
      expect.stringMatching(/output of checkpoint 12.*expired/),
    ]);
    await remember({ checkpoints: [pointer] });
    storage.damage(pointer.metadata.name);
    expect((await begin({ start: { kind: 'fresh' } })).origin.warnings).toHaveLength(1);
  });

  it('is fresh once: a restart goes on from what was taken since', async () => {
    await remember({ checkpoints: [(await write(12)).pointer] });
    const made = recovery({ start: { kind: 'fresh' } });
    const { signal } = new AbortController();
    await made.begin(null, signal);
    const { pointer } = await write(22);
    await made.recorder.update((before) => ({ ...before, checkpoints: [pointer] }));
    const again = await made.begin(23, signal);
    expect(again).toMatchObject({ restored: { checkpointId: 22 }, run: { generation: 6 } });
    expect(again.ids).toEqual({ first: 23, upTo: 33 });
  });
});

describe('a start from a given place', () => {
  it('restores it, makes it the only checkpoint, and still commits what the job had', async () => {
    const own = await write(12, { handles: ['t1'] });
    const other = await write(40, { handles: ['t9'] });
    await remember({ checkpoints: [own.pointer] });
    const started = await begin({ start: { kind: 'from', location: '40' } });
    expect(log.filter((line) => /^(commit|abort)/.test(line))).toEqual(['commit t1', 'commit t9', 'abort 3 4']);
    expect(started).toMatchObject({ restored: { checkpointId: 40 }, ids: { first: 41, upTo: 51 } });
    expect(await record()).toMatchObject({ checkpoints: [other.pointer], nextCheckpointId: 51 });
    // And goes on from there if it is resumed before it has taken one itself.
    expect((await begin()).restored?.checkpointId).toBe(40);
  });

  it('fails where nothing is there, and leaves the job as it was', async () => {
    const { pointer } = await write(12);
    await remember({ checkpoints: [pointer] });
    await expect(begin({ start: { kind: 'from', location: '99' } })).rejects.toMatchObject({
      code: 'MR-STATE-NOT-FOUND',
    });
    expect((await record()).checkpoints).toEqual([pointer]);
  });
});

describe('runs', () => {
  it('leave the record with the next write after they were aborted', async () => {
    await remember({});
    const made = recovery();
    const { signal } = new AbortController();
    await made.begin(null, signal);
    expect((await record()).runs.map(({ generation }) => generation)).toEqual([3, 4, 5]);
    await made.begin(22, signal);
    expect((await record()).runs.map(({ generation }) => generation)).toEqual([5, 6]);
    expect(log.filter((line) => line.startsWith('abort'))).toEqual(['abort 3 4', 'abort 5']);
  });

  it('stay, and are aborted again, while a task of theirs may be alive', async () => {
    await remember({});
    const made = recovery();
    const { signal } = new AbortController();
    await made.begin(null, signal);
    made.lingers(4);
    await made.begin(22, signal);
    await made.begin(23, signal);
    expect((await record()).runs.map(({ generation }) => generation)).toEqual([5, 6, 7]);
    expect(log.filter((line) => line.startsWith('abort'))).toEqual(['abort 3 4', 'abort 5', 'abort 5 6']);
  });

  it('stay where they could not be aborted', async () => {
    await remember({});
    failing.set('abort 3 4', new Error('no broker'));
    await expect(begin()).rejects.toThrow('no broker');
    failing.clear();
    await begin();
    expect(log).toContain('abort 3 4 5');
  });
});

describe('files', () => {
  it('that nothing names are buried, and removed after the grace', async () => {
    const [kept, older] = [await write(12), await write(11)];
    const aborted = await write(13);
    await remember({ checkpoints: [older.pointer, kept.pointer] });
    await begin();
    const names = (await record()).tombstones.map(({ name }) => name).sort();
    expect(names).toEqual([...aborted.files].sort());
    expect(await storage.list()).toHaveLength(6);
    clock.advanceTo(clock.nowMs() + 59_999);
    await begin();
    expect(await storage.list()).toHaveLength(6);
    clock.advanceTo(clock.nowMs() + 1);
    const made = recovery();
    await made.begin(null, new AbortController().signal);
    expect([...(await storage.list())].sort()).toEqual([...kept.files, ...older.files].sort());
    await made.finish();
    expect((await record()).tombstones).toEqual([]);
  });

  it('are all left alone while it is not known what a retained checkpoint names', async () => {
    const [older, newer] = [await write(11), await write(12)];
    await write(13);
    await remember({ checkpoints: [older.pointer, newer.pointer] });
    storage.damage(older.pointer.metadata.name);
    await begin();
    expect((await record()).tombstones).toEqual([]);
  });

  it('that another execution may still write are left alone', async () => {
    await remember({ nextCheckpointId: 21 });
    await write(21);
    await begin();
    expect((await record()).tombstones).toEqual([]);
  });

  it('that cannot be removed are tried again', async () => {
    const { files } = await write(13);
    await remember({ tombstones: files.map((name) => ({ name, afterMs: 0 })) });
    const remove = storage.remove.bind(storage);
    storage.remove = () => Promise.reject(new Error('busy'));
    await begin();
    expect((await record()).tombstones).toHaveLength(2);
    storage.remove = remove;
    await begin();
    expect(await storage.list()).toEqual([]);
  });
});

describe('a job that has ended before its time', () => {
  it('commits its last checkpoint and aborts all runs, its own too', async () => {
    const made = recovery();
    await made.begin(null, new AbortController().signal);
    const { pointer } = await write(2, { handles: ['t1'] });
    await made.recorder.update((before) => ({ ...before, checkpoints: [pointer] }));
    log = [];
    await made.settle();
    expect(log).toEqual(['open out in 1', 'commit t1', 'abort 1', 'close out']);
  });

  it('does nothing where another leader has taken over, or where nothing was begun', async () => {
    await recovery().settle();
    const made = recovery();
    await made.begin(null, new AbortController().signal);
    log = [];
    jobs.depose();
    await expect(made.settle()).rejects.toMatchObject({ code: 'MR-HA-FENCED' });
    expect(log).toEqual([]);
  });
});

function toPrint<Node extends { readonly kind: string }>(node: Node): Node {
  return 'spec' in node ? { ...node, spec: { ...(node.spec as object), connector: 'print' } } : node;
}
