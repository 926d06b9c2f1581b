import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MAX_WATERMARK_MS } from '../../core/index.ts';
import type { CheckpointStorage, ConnectorCatalog, CrashPoints, Ports, SourceReader } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import type { JobGraph } from '../../graph/index.ts';
import {
  Collected,
  committedRows,
  createTestOperator,
  MemoryCheckpointStorage,
  operatorNode,
  ScriptedJob,
  sinkNode,
  snapshotsOf,
  sourceNode,
  testCatalog,
  testGraph,
} from '../../testing/index.ts';
import type { ScriptedCheckpoint, ScriptedJobOptions } from '../../testing/index.ts';

const DEADLINE_MS = 20_000;
let directory: string;
let job: ScriptedJob;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'subtask-'));
});

afterEach(async () => {
  await job.close();
  await rm(directory, { recursive: true, force: true });
});

async function until(what: string, isTrue: () => boolean): Promise<void> {
  const { clock, macrotasks } = nodePorts;
  const deadline = clock.monotonicMs() + DEADLINE_MS;
  while (!isTrue()) {
    if (clock.monotonicMs() > deadline) throw new Error(`waited ${DEADLINE_MS} ms until ${what}`);
    await macrotasks.yield();
  }
}

/** A source that pauses for ever after its first batch of 20, unless `rows` is less; a tally and the sink behind it. */
function graphOf(rows: number, operator = 'tally-1'): JobGraph {
  return testGraph('task', [
    {
      name: 'in',
      parallelism: 1,
      chain: [sourceNode('in', { rows, batchRows: 20, pauseEvery: 1, pauseMs: 100_000_000 })],
    },
    {
      name: 'out',
      parallelism: 1,
      chain: [operatorNode('tally', operator), sinkNode('out', { directory }, 'transactional')],
      from: [['in', { kind: 'hash', keys: [1] }]],
    },
  ]);
}

async function start(
  graph: JobGraph,
  options: Partial<ScriptedJobOptions> = {},
  from: ScriptedCheckpoint | null = null,
): Promise<void> {
  job = new ScriptedJob(graph, {
    catalog: testCatalog(new Collected()),
    ports: nodePorts,
    createOperator: createTestOperator,
    storage: new MemoryCheckpointStorage(),
    slotCount: 1,
    ...options,
  });
  await job.start();
  await job.deploy(from);
}

async function run(graph: JobGraph, options: Partial<ScriptedJobOptions> = {}): Promise<void> {
  await start(graph, options);
  await until('all tasks run', () => job.isEvery('RUNNING'));
  await job.addSplits(null);
}

async function checkpoint(): Promise<ScriptedCheckpoint> {
  const id = await job.trigger();
  await until(`checkpoint ${id} is acknowledged`, () => job.checkpoint(id) !== null);
  return job.checkpoint(id) as ScriptedCheckpoint;
}

/** Checkpoints until one of them holds the rows that the source has given so far. */
async function checkpointWithRows(): Promise<ScriptedCheckpoint> {
  for (;;) {
    const taken = await checkpoint();
    const [out] = snapshotsOf(taken, 'out');
    if (out !== undefined && out.committables.length > 0) return taken;
  }
}

describe('a task that takes part in checkpoints', () => {
  it('goes through the named steps, and says how long each took', async () => {
    const points: string[] = [];
    const ports: Ports = { ...nodePorts, crashPoints: { reached: (name) => points.push(name) } };
    await run(graphOf(1000), { ports });
    const taken = await checkpointWithRows();
    points.length = 0;
    const id = await job.trigger();
    await until('it is acknowledged', () => job.checkpoint(id) !== null);
    expect(points.toSorted()).toEqual([
      'barrier-aligned',
      'barrier-aligned',
      'state-written',
      'state-written',
      'transaction-flushed',
    ]);
    expect([points[0], points.at(-1)]).toEqual(['barrier-aligned', 'state-written']);
    await job.complete(id);
    await until('it is committed', () => points.includes('transaction-committed'));
    const [out] = snapshotsOf(taken, 'out');
    expect(out).toMatchObject({ subtaskIndex: 0, isFinished: false, watermarkMs: null, splits: [] });
    expect(out?.operators.map(({ stepId, schema }) => [stepId, schema.kind])).toEqual([['tally', 'tally']]);
    const [source] = snapshotsOf(taken, 'in');
    expect(source?.splits).toEqual([{ id: 'in-0', position: { next: 20, step: 1 }, racks: [] }]);
    for (const { metrics } of job.acknowledgements) {
      for (const value of Object.values(metrics)) expect(value).toBeGreaterThanOrEqual(0);
    }
    expect(job.acknowledgements.some(({ metrics }) => metrics.stateBytes > 0)).toBe(true);
    expect(await committedRows(directory, nodePorts.files)).toHaveLength(20);
  });

  it('goes on where its state could not be written, and takes part in the next', async () => {
    const memory = new MemoryCheckpointStorage();
    let isFull = true;
    const storage: CheckpointStorage = Object.assign(Object.create(memory) as CheckpointStorage, {
      createFile: (id: number, owner: string) =>
        isFull ? Promise.reject(new Error('the disk is full')) : memory.createFile(id, owner),
    });
    await run(graphOf(1000), { storage });
    const isDeclined = (): boolean => job.declines.length > 0;
    let last = 0;
    // At first there may be nothing to store: the rows are on their way.
    while (!isDeclined()) {
      last = await job.trigger();
      await until('it is answered', () => isDeclined() || job.checkpoint(last) !== null);
    }
    const message = expect.stringContaining('the disk is full');
    expect(job.declines).toMatchObject([{ checkpointId: last, error: { code: 'MR-INTERNAL', message } }]);
    isFull = false;
    expect(snapshotsOf(await checkpoint(), 'out')[0]?.operators).toHaveLength(1);
    expect(job.isEvery('RUNNING')).toBe(true);
  });

  it('refuses a checkpoint before it runs', async () => {
    const chain = [sourceNode('in', {}), operatorNode('stuck', 'stuck-open'), sinkNode('out')];
    await start(testGraph('stuck', [{ name: 'in', parallelism: 1, chain }]));
    const id = await job.trigger();
    await until('it is declined', () => job.declines.length > 0);
    expect(job.declines).toMatchObject([{ checkpointId: id, error: { code: 'MR-TASK-NOT-RUNNING' } }]);
    await job.cancel();
    await until('it is cancelled', () => job.isEvery('CANCELED'));
  });

  it('waits at its end for a checkpoint that holds its last snapshot, commits, and finishes', async () => {
    const points: string[] = [];
    const ports: Ports = { ...nodePorts, crashPoints: { reached: (name) => points.push(name) } };
    await run(graphOf(15), { ports });
    await until('all tasks have ended', () => job.hasEnded);
    expect(job.isEvery('RUNNING')).toBe(true);
    expect(await committedRows(directory, nodePorts.files)).toEqual([]);
    // Of all checkpoints that were not acknowledged, with or without barriers.
    const id = await job.trigger();
    const taken = job.checkpoint(id);
    const [out] = snapshotsOf(taken, 'out');
    expect(out).toMatchObject({ isFinished: true, operators: [], committables: [{ checkpointId: 1 }] });
    expect(snapshotsOf(taken, 'in')[0]?.splits).toEqual([{ id: 'in-0', position: { next: 15, step: 1 }, racks: [] }]);
    await job.abort(id);
    const next = job.takeId();
    await job.complete(next);
    await until('all tasks have finished', () => job.isEvery('FINISHED'));
    expect(await committedRows(directory, nodePorts.files)).toHaveLength(15);
    expect(points).not.toContain('barrier-aligned');
    expect(job.acknowledgements).toEqual([]);
  });

  it('says with its last snapshot that event time is over, and goes on from that', async () => {
    const chain = [sourceNode('in', { rows: 15 }, { kind: 'fail' }, { delayMs: 0, idleMs: null }), sinkNode('out')];
    await run(testGraph('over', [{ name: 'in', parallelism: 1, chain }]));
    await until('the task has ended', () => job.hasEnded);
    const last = job.checkpoint(job.takeId());
    expect(snapshotsOf(last, 'in')).toMatchObject([{ watermarkMs: MAX_WATERMARK_MS, isFinished: true }]);
    await job.cancel();
    await until('it is cancelled', () => job.isEvery('CANCELED'));
    await job.free();
    await job.deploy(last);
    await until('it runs', () => job.isEvery('RUNNING'));
    await job.addSplits(last);
    await until('the task has ended again', () => job.hasEnded);
    await job.complete(job.takeId());
    await until('it has finished', () => job.isEvery('FINISHED'));
  });

  it('goes on saying which key groups had come further before it was restored', async () => {
    await run(graphOf(1000));
    const taken = await checkpointWithRows();
    await job.cancel();
    await until('it is cancelled', () => job.isEvery('CANCELED'));
    await job.free();
    const vertices = taken.vertices.map((vertex) => ({
      ...vertex,
      subtasks: vertex.subtasks.map((subtask) => ({ ...subtask, watermarkMs: 5, ahead: [0, 9, 5, 10, 19, 8] })),
    }));
    await job.deploy({ ...taken, vertices });
    await until('all tasks run', () => job.isEvery('RUNNING'));
    const [out] = snapshotsOf(await checkpoint(), 'out');
    expect(out).toMatchObject({ watermarkMs: 5, ahead: [10, 19, 8] });
  });

  it('fails where what it prepared cannot be committed', async () => {
    await run(graphOf(1000));
    const { checkpointId } = await checkpointWithRows();
    for (const name of await nodePorts.files.list(directory)) await nodePorts.files.remove(`${directory}/${name}`);
    await job.complete(checkpointId);
    await until('it has failed', () => job.failure !== null);
    expect(job.failure).toMatchObject({ message: expect.stringContaining('step out: '), fields: { step: 'out' } });
  });

  it('leaves what an aborted checkpoint had prepared to the next one', async () => {
    let committed = 0;
    const crashPoints: CrashPoints = {
      reached: (name) => {
        if (name === 'transaction-committed') committed++;
      },
    };
    await run(graphOf(1000), { ports: { ...nodePorts, crashPoints } });
    const first = await checkpointWithRows();
    await job.abort(first.checkpointId);
    const second = await checkpoint();
    expect(snapshotsOf(second, 'out')[0]?.committables).toEqual(snapshotsOf(first, 'out')[0]?.committables);
    await job.complete(second.checkpointId);
    await until('it is committed', () => committed > 0);
    const third = await checkpoint();
    expect(snapshotsOf(third, 'out')[0]?.committables).toEqual([]);
  });

  it('fails with the reason where what it is restored from is damaged', async () => {
    const storage = new MemoryCheckpointStorage();
    await run(graphOf(1000), { storage });
    const taken = await checkpointWithRows();
    await job.cancel();
    await until('it is cancelled', () => job.isEvery('CANCELED'));
    await job.free();
    for (const name of await storage.list()) storage.damage(name);
    await job.deploy(taken);
    await until('it has failed', () => job.failure !== null);
    expect(job.failure).toMatchObject({ code: 'MR-STATE-DAMAGED', fields: { step: 'tally' } });
  });

  it('tells its reader which positions are safe, and commits what the reader writes itself', async () => {
    const log: string[] = [];
    const catalog = testCatalog(new Collected());
    const [sequence] = catalog.sources.values();
    if (sequence === undefined) throw new Error('there is one');
    const createReader = (spec: Parameters<typeof sequence.createReader>[0]): SourceReader =>
      Object.assign(sequence.createReader(spec), {
        checkpointCompleted: (positions: SourceReaderPositions) =>
          log.push(`at ${positions.map(({ position }) => String(position['next'])).join()}`),
        committing: {
          prepareCommit: async (id: number) => {
            log.push(`prepare ${id}`);
            return [];
          },
          commit: async (id: number) => {
            log.push(`commit ${id}`);
          },
        },
      } satisfies Partial<SourceReader>);
    const sources: ConnectorCatalog['sources'] = new Map([['sequence', { ...sequence, createReader }]]);
    await run(graphOf(20), { catalog: { ...catalog, sources } });
    await until('all tasks have ended', () => job.hasEnded);
    await job.complete(job.takeId());
    await until('all tasks have finished', () => job.isEvery('FINISHED'));
    expect(log).toEqual(['prepare 1', 'at 20', 'commit 1']);
  });
});

type SourceReaderPositions = Parameters<NonNullable<SourceReader['checkpointCompleted']>>[0];

describe('a source whose watermarks are aligned', () => {
  it('tells how far it has come, stops where it is told to, and goes on', async () => {
    const options = { batchRows: 5, pauseEvery: 1 };
    const watermark = { delayMs: 0, idleMs: null, maxDriftMs: 10 };
    const chain = [sourceNode('in', options, { kind: 'fail' }, watermark), sinkNode('out')];
    const limits = { watermarkIntervalMs: 1, reportIntervalMs: 1 };
    await run(testGraph('aligned', [{ name: 'in', parallelism: 1, chain }]), { limits });
    await until('it has told', () => job.progress.some(({ watermarkMs }) => watermarkMs > 0));
    const next = (taken: ScriptedCheckpoint): unknown => snapshotsOf(taken, 'in')[0]?.splits[0]?.position['next'];
    await job.align(0);
    const [before, after] = [await checkpoint(), await checkpoint()];
    expect(next(after)).toBe(next(before));
    await job.align(Infinity);
    while (next(await checkpoint()) === next(before));
    await job.cancel();
    await until('it is cancelled', () => job.isEvery('CANCELED'));
  });
});

describe('an alarm of an operator', () => {
  it('goes off in a job that has nothing else to do, and not after the end', async () => {
    // The tally of `heartbeat` emits a row at every alarm, and sets the next one.
    await run(graphOf(1000, 'beat-1'));
    await until('it has beaten', () => job.isEvery('RUNNING'));
    const taken = await checkpointWithRows();
    await job.complete(taken.checkpointId);
    for (let beats = 0; beats < 3;) {
      const { checkpointId } = await checkpoint();
      await job.complete(checkpointId);
      const rows = await committedRows(directory, nodePorts.files);
      beats = rows.filter(({ row }) => String(row[2]).startsWith('beat')).length;
    }
    await job.cancel();
    await until('it is cancelled', () => job.isEvery('CANCELED'));
  });
});
