import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { edgeId, jobId, taskManagerId } from '../../core/index.ts';
import type { JobId } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import type { JobGraph } from '../../graph/index.ts';
import {
  committedRows,
  operatorNode,
  sinkNode,
  SmallCluster,
  sourceNode,
  testGraph,
} from '../../testing/index.ts';
import type { SmallTaskManager } from '../../testing/index.ts';
import type { JobDetails } from '../index.ts';

const KEYS = 7;
const SPLITS = 4;
const [SHORT, LONG] = [400, 4000];
const DEADLINE_MS = 120_000;
/** Graphs are stored: their names are ids. */
const [READS, COUNTS, EDGE] = ['a'.repeat(32), 'b'.repeat(32), edgeId('c'.repeat(32))];
const [JOB, OTHER, THIRD] = [jobId('1'.repeat(32)), jobId('2'.repeat(32)), jobId('3'.repeat(32))];

const REACTIVE = {
  minParallelism: 1,
  maxParallelism: 3,
  stabilizationMs: 50,
  minIntervalMs: 100,
  resourceWaitMs: 50,
};

let directory: string;
let cluster: SmallCluster;

const outputOf = (name: string): string => join(directory, name);

/** Of `rows` in 4 splits, or without end: behind an exchange an operator counts each key. */
function graphOf(name: string, rows: number | null, parallelism: number | null): JobGraph {
  const options = { splits: SPLITS, batchRows: 10, keys: KEYS, pauseEvery: 1, ...(rows === null ? {} : { rows }) };
  const count = parallelism ?? 2;
  const counting = [operatorNode('count', 'tally-1'), sinkNode('out', { directory: outputOf(name) }, 'transactional')];
  const graph = testGraph(name, [
    { name: READS, parallelism: count, chain: [sourceNode('in', options)] },
    { name: COUNTS, parallelism: count, chain: counting, from: [[READS, { kind: 'hash', keys: [1] }]] },
  ]);
  const times = { intervalMs: 10, timeoutMs: 60_000, minPauseMs: 0, tolerableFailures: 100, retained: 2 };
  return {
    ...graph,
    edges: graph.edges.map((edge) => ({ ...edge, id: EDGE })),
    vertices: graph.vertices.map((vertex) => ({
      ...vertex,
      inputs: vertex.inputs.map(() => EDGE),
      outputs: vertex.outputs.map(() => EDGE),
    })),
    checkpoint: { ...times, mode: 'exactly-once' },
    restart: { kind: 'fixed-delay', attempts: 1000, delayMs: 1 },
  };
}

/** Splits that are near to racks in turn. */
function inRacks(racks: readonly string[]): JobGraph {
  const options = { splits: SPLITS, keys: KEYS, pauseEvery: 1, racks: [...racks] };
  const graph = graphOf('job', null, 2);
  const [reads, counts] = graph.vertices;
  if (reads === undefined || counts === undefined) throw new Error('there are two vertices');
  return { ...graph, vertices: [{ ...reads, chain: [sourceNode('in', options)] }, counts] };
}

async function startAll(): Promise<void> {
  directory = await mkdtemp(join(tmpdir(), 'cluster-'));
  for (const name of ['job', 'other']) await mkdir(outputOf(name));
  cluster = new SmallCluster({
    directory,
    graphs: {
      short: (parallelism) => graphOf('job', SHORT, parallelism),
      long: (parallelism) => graphOf('job', LONG, parallelism),
      'not restarted': (parallelism) => ({ ...graphOf('job', null, parallelism), restart: { kind: 'none' } }),
      endless: (parallelism) => graphOf('job', null, parallelism),
      reactive: (parallelism) => ({ ...graphOf('job', null, parallelism), rescale: REACTIVE }),
      racks: () => inRacks(['r1', 'r2', 'r1', 'r3']),
      other: (parallelism) => graphOf('other', null, parallelism),
    },
  });
}

async function endAll(): Promise<void> {
  await cluster.close();
  // What a thread that was ended had begun to write may still come.
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

async function restartAll(): Promise<void> {
  await endAll();
  await startAll();
}

beforeEach(startAll);
afterEach(endAll);

const startTaskManagers = (names: readonly string[]): Promise<readonly SmallTaskManager[]> =>
  Promise.all(names.map((name) => cluster.startTaskManager(name, 1)));
const attempts = ({ executions }: JobDetails): readonly string[] => executions.map(({ attemptId }) => attemptId);

async function submit(text: string, id: JobId = JOB): Promise<void> {
  expect(await (await cluster.service()).submit({ text, variables: {}, jobId: id })).toBe(id);
}

/** Once the job runs and the leader has seen this many of its checkpoints complete. */
async function running(checkpoints: number, id: JobId = JOB): Promise<JobDetails> {
  const service = await cluster.service();
  return cluster.until(`${checkpoints} checkpoints`, () => {
    const details = service.job(id);
    const isRunning = details.executions.length > 0 && details.executions.every(({ state }) => state === 'RUNNING');
    return isRunning && details.checkpoints.completedCount >= checkpoints ? details : null;
  });
}

async function finished(id: JobId = JOB): Promise<JobDetails> {
  return cluster.until('the end of the job', () => {
    const details = cluster.leader?.service?.job(id) ?? null;
    if (details?.state === 'FAILED') throw details.failures[0]?.error ?? new Error('the job failed');
    return details?.state === 'FINISHED' ? details : null;
  });
}

/** Of each split every row came once, up to the last one, and each key was counted from 1 on. Returns how many. */
async function expectEachRowOnce(): Promise<number> {
  const rows = (await committedRows(outputOf('job'), nodePorts.files)).map(({ row }) => ({
    n: Number(String(row[2]).slice('row '.length)),
    key: Number(row[1]),
    count: Number(row[0]),
  }));
  const inOrder = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);
  for (const [split, own] of Map.groupBy(rows, ({ n }) => n % SPLITS)) {
    expect(inOrder(own.map(({ n }) => n))).toEqual(own.map((_, index) => split + index * SPLITS));
  }
  for (const own of Map.groupBy(rows, ({ key }) => key).values()) {
    expect(inOrder(own.map(({ count }) => count))).toEqual(own.map((_, index) => index + 1));
  }
  return rows.length;
}

/** Ends a job without end; what it has committed by then is looked at. */
async function cancelAndCheck(id: JobId = JOB): Promise<void> {
  await (await cluster.service()).cancel(id);
  expect(await expectEachRowOnce()).toBeGreaterThan(0);
}

describe('a leader', () => {
  it.each(['is killed', 'hands over', 'loses its session'])(
    'that %s stops no task: they go on under the next one',
    async (what) => {
      const first = cluster.startDispatcher('d1');
      await submit('endless');
      await startTaskManagers(['t1', 't2']);
      const before = await running(2);
      cluster.startDispatcher('d2');
      if (what === 'is killed') first.kill();
      else if (what === 'hands over') await first.running.close();
      else cluster.election.depose();
      await cluster.until('the next leader', () => cluster.leader?.name === 'd2');
      const after = await running(2);
      expect(attempts(after)).toEqual(attempts(before));
      expect(after.restarts).toBe(0);
      expect(after.executions.map(({ slotId }) => slotId)).toEqual(before.executions.map(({ slotId }) => slotId));
      if (what !== 'is killed') expect(first.running.service).toBeNull();
    },
    DEADLINE_MS,
  );

  it(
    'knows what the ones before it had accepted, ended and promised',
    async () => {
      const first = cluster.startDispatcher('d1');
      await startTaskManagers(['t1', 't2']);
      await submit('short');
      await finished();
      await submit('endless', OTHER);
      await running(1, OTHER);
      // Waits for slots.
      await submit('other', THIRD);
      await (await cluster.service()).cancel(OTHER);
      await running(1, THIRD);
      first.kill();
      cluster.startDispatcher('d2');
      // Also by whoever had no answer.
      await submit('other', THIRD);
      const service = await cluster.service();
      expect(service.jobs().map(({ jobId: id, state }) => [id, state])).toEqual([
        [THIRD, expect.stringMatching(/RUNNING|INITIALIZING/)],
        [OTHER, 'CANCELED'],
        [JOB, 'FINISHED'],
      ]);
      expect(service.job(JOB)).toMatchObject({ state: 'FINISHED', restarts: 0, failures: [], graph: { name: 'job' } });
      expect((await running(1, THIRD)).restarts).toBe(0);
      await expect(service.submit({ text: 'other', variables: {} })).rejects.toMatchObject({
        code: 'MR-JOB-NAME-TAKEN',
      });
    },
    DEADLINE_MS,
  );
});

describe('a TaskManager', () => {
  it.each(['is killed', 'is killed with its leader', 'ends'])(
    'that %s loses its tasks to others, and no row is lost or repeated',
    async (what) => {
      const first = cluster.startDispatcher('d1');
      await submit('endless');
      await startTaskManagers(['t1', 't2']);
      const before = await running(2);
      const spare = await cluster.startTaskManager('t3', 1);
      const [victim] = cluster.taskManagers;
      if (what === 'ends') await victim?.end();
      else victim?.kill();
      if (what === 'is killed with its leader') {
        first.kill();
        cluster.startDispatcher('d2');
        await cluster.until('the next leader', () => cluster.leader?.name === 'd2');
      }
      const service = await cluster.service();
      await cluster.until('its tasks to run elsewhere', () => {
        const { executions } = service.job(JOB);
        return executions.some(({ state, taskManagerId: id }) => state === 'RUNNING' && id === spare.manager.id);
      });
      const after = await running(2);
      expect(attempts(after)).not.toContain(attempts(before)[0]);
      expect(after.executions.some(({ taskManagerId: id }) => id === victim?.manager.id)).toBe(false);
      await cancelAndCheck();
    },
    DEADLINE_MS,
  );

  it(
    'that lives on gives its tasks their state back from its own disk, after another one has died',
    async () => {
      cluster.startDispatcher('d1');
      await submit('endless');
      await startTaskManagers(['t1', 't2']);
      const service = await cluster.service();
      const countersOf = (subtask: number): Readonly<Record<string, number>> =>
        service.job(JOB).metrics.steps.find(({ stepId: step }) => step === 'count')?.subtasks[subtask] ?? {};
      const hasCounted = (subtask: number): boolean => (countersOf(subtask)['numRecordsIn'] ?? 0) > 0;
      await cluster.until('both to have counted', () => hasCounted(0) && hasCounted(1));
      const { completedCount } = service.job(JOB).checkpoints;
      const before = await running(completedCount + 2);
      const spare = await cluster.startTaskManager('t3', 1);
      const [victim, survivor] = cluster.taskManagers;
      const stays = before.executions.find(({ taskManagerId: id }) => id === survivor?.manager.id)?.subtaskIndex ?? -1;
      victim?.kill();
      await cluster.until('the state to be back', () => countersOf(stays)['numBytesRestoredLocally'] !== undefined);
      expect(countersOf(stays)).not.toHaveProperty('numBytesRestoredRemotely');
      const after = await running(1);
      const places = after.executions.map(({ subtaskIndex, taskManagerId: id }) => [subtaskIndex, id]);
      expect(places).toContainEqual([stays, survivor?.manager.id]);
      expect(places).toContainEqual([1 - stays, spare.manager.id]);
      await cancelAndCheck();
    },
    DEADLINE_MS,
  );

  it(
    'that is drained gives its tasks up, and gets none before it may, whoever leads',
    async () => {
      const first = cluster.startDispatcher('d1');
      const [t1] = await startTaskManagers(['t1', 't2', 't3']);
      if (t1 === undefined) throw new Error('it did not start');
      // That is no failure.
      await submit('not restarted');
      await running(1);
      const service = await cluster.service();
      await expect(service.drain(taskManagerId('nobody'), 'x', null)).rejects.toMatchObject({
        code: 'MR-CLUSTER-NOT-FOUND',
      });
      await service.drain(t1.manager.id, 'a new kernel', null);
      const isElsewhere = ({ executions }: JobDetails): boolean =>
        executions.every(({ state, taskManagerId: id }) => state === 'RUNNING' && id !== null && id !== t1.manager.id);
      await cluster.until('its tasks to run elsewhere', () => isElsewhere(service.job(JOB)));
      first.kill();
      cluster.startDispatcher('d2');
      const next = await cluster.service();
      await cluster.until('its return', () => next.taskManagers().length === 3);
      const marks = next.taskManagers().map(({ drain }) => drain?.reason ?? null);
      expect(marks.toSorted()).toEqual(['a new kernel', null, null]);
      await submit('other', OTHER);
      expect(next.job(OTHER).state).not.toBe('FAILED');
      await cluster.until('it to wait for slots', () => next.job(OTHER).waitingFor?.includes('slots') ?? false);
      await expect(next.savepoint(OTHER, { target: null, stopsSources: false })).rejects.toMatchObject({
        code: 'MR-JOB-SAVEPOINT-FAILED',
        fields: { reason: expect.stringMatching(/^the job waits for 2 slots/) },
      });
      await expect(next.rescale(OTHER, 1)).rejects.toThrow('it waits for 2 slots');
      await cancelAndCheck();
      await running(1, OTHER);
      expect(isElsewhere(next.job(OTHER))).toBe(true);
    },
    DEADLINE_MS,
  );
});

describe('a job', () => {
  it(
    'is rescaled under its id, and stopped with a savepoint from which another one goes on',
    async () => {
      cluster.startDispatcher('d1');
      const [victim] = await startTaskManagers(['t1', 't2']);
      await submit('endless');
      await running(1);
      await startTaskManagers(['t3', 't4']);
      const service = await cluster.service();
      victim?.kill();
      await cluster.until('its restart', () => service.job(JOB).restarts === 1);
      const before = await running(1);
      await expect(service.rescale(JOB, 4)).rejects.toThrow('it would need 4 slots of 3');
      await service.rescale(JOB, 3);
      const after = await running(1);
      expect(after.executions).toHaveLength(6);
      expect(attempts(after)).not.toContain(attempts(before)[0]);
      // Behind a checkpoint of its own, which goes as any other does; what went wrong before is not forgotten.
      expect(after.origin).toMatchObject({ kind: 'restored', isSavepoint: false });
      expect(await readdir(join(directory, 'checkpoints', 'job'))).not.toContain('savepoints');
      expect(after).toMatchObject({ restarts: 1, failures: [{ error: { code: 'MR-TASK-MANAGER-LOST' } }] });
      const { location } = await service.savepoint(JOB, { target: null, stopsSources: true });
      expect(service.job(JOB).state).toBe('CANCELED');
      await expect(service.rescale(JOB, 1)).rejects.toMatchObject({ code: 'MR-CLUSTER-NOT-RESCALABLE' });
      await service.submit({ text: 'endless', variables: {}, jobId: OTHER, start: { kind: 'from', location } });
      await running(1, OTHER);
      await cancelAndCheck(OTHER);
    },
    DEADLINE_MS,
  );
});

describe('a job that runs where it had to', () => {
  it(
    'is spread anew when somebody asks for it, and not where that is no better',
    async () => {
      cluster.startDispatcher('d1');
      const crowded = await cluster.startTaskManager('t1', 2);
      await submit('endless');
      await running(1);
      const service = await cluster.service();
      await expect(service.rebalance(JOB)).rejects.toMatchObject({ code: 'MR-CLUSTER-NOT-REBALANCED' });
      const spare = await cluster.startTaskManager('t2', 2);
      await cluster.until('the other one', () => service.taskManagers().length === 2);
      const moved = await service.rebalance(JOB);
      expect(moved).toMatchObject([{ from: crowded.manager.id, to: spare.manager.id }]);
      const after = service.job(JOB);
      expect(after.executions.every(({ state }) => state === 'RUNNING')).toBe(true);
      expect(new Set(after.executions.map(({ taskManagerId: id }) => id)).size).toBe(2);
      expect(after.origin).toMatchObject({ kind: 'restored', isSavepoint: false });
      await expect(service.rebalance(JOB)).rejects.toThrow('its tasks are where they would be placed now');
      await running(1);
      await cancelAndCheck();
    },
    DEADLINE_MS,
  );
});

describe('a job that takes as many slots as there are', () => {
  const subtasks = (): number => {
    const { executions } = cluster.leader?.service?.job(JOB) ?? { executions: [] };
    const isRunning = executions.length > 0 && executions.every(({ state }) => state === 'RUNNING');
    return isRunning ? executions.length / 2 : 0;
  };
  const parallelism = (count: number) => cluster.until(`a parallelism of ${count}`, () => subtasks() === count);

  it(
    'grows and shrinks with the TaskManagers, whoever leads, and counts every row once',
    async () => {
      const first = cluster.startDispatcher('d1');
      await startTaskManagers(['t1', 't2']);
      await submit('reactive');
      await parallelism(2);
      await startTaskManagers(['t3']);
      await parallelism(3);
      expect((await running(1)).origin).toMatchObject({ kind: 'restored', isSavepoint: false });
      cluster.startDispatcher('d2');
      first.kill();
      await cluster.until('the next leader', () => cluster.leader?.name === 'd2');
      const [victim] = cluster.taskManagers;
      victim?.kill();
      await parallelism(2);
      await running(1);
      const service = await cluster.service();
      await expect(service.rescale(JOB, 1)).rejects.toThrow('it takes as many slots as there are');
      const [, drained] = cluster.taskManagers;
      if (drained === undefined) throw new Error('it is gone');
      await service.drain(drained.manager.id, 'a new kernel', null);
      await parallelism(1);
      await service.undrain(drained.manager.id);
      await parallelism(2);
      await running(1);
      await cancelAndCheck();
    },
    DEADLINE_MS,
  );
});

describe('a cluster of which anything may die at any instant', () => {
  const LOSSES = ['kill leader', 'close leader', 'depose', 'kill TaskManager', 'end TaskManager'] as const;
  const ACTIONS = [...LOSSES, 'rescale', 'rebalance'] as const;

  it(
    'counts every row once',
    async () => {
      const steps = fc.array(fc.tuple(fc.constantFrom(...ACTIONS), fc.nat(60)), { minLength: 3, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(steps, async (actions) => {
          await restartAll();
          await new Chaos(cluster).run(actions);
          await finished();
          expect(await expectEachRowOnce()).toBe(LONG);
        }),
        { numRuns: 5, endOnFailure: true },
      );
    },
    DEADLINE_MS * 2,
  );

  /** Replaces whatever it takes away. */
  class Chaos {
    readonly #cluster: SmallCluster;
    #count = 0;
    #taskManagers: SmallTaskManager[] = [];

    constructor(of: SmallCluster) {
      this.#cluster = of;
    }

    async run(actions: readonly (readonly [(typeof ACTIONS)[number], number])[]): Promise<void> {
      this.#cluster.startDispatcher('d-a');
      this.#cluster.startDispatcher('d-b');
      await this.#startTaskManager();
      await this.#startTaskManager();
      await submit('long');
      for (const [action, pauseMs] of actions) {
        await nodePorts.clock.sleep(pauseMs);
        await this.#cluster.within(action, this.#act(action));
      }
    }

    async #startTaskManager(): Promise<void> {
      this.#taskManagers.push(await this.#cluster.startTaskManager(`t-${this.#count++}`, 1));
    }

    async #act(action: (typeof ACTIONS)[number]): Promise<void> {
      switch (action) {
        case 'kill leader':
        case 'close leader': {
          const { leader } = this.#cluster;
          this.#cluster.startDispatcher(`d-${this.#count++}`);
          if (action === 'kill leader') leader?.kill();
          else await leader?.running.close();
          return;
        }
        case 'depose':
          this.#cluster.election.depose();
          return;
        case 'kill TaskManager':
        case 'end TaskManager': {
          const victim = this.#taskManagers.shift();
          await this.#startTaskManager();
          if (action === 'kill TaskManager') victim?.kill();
          else void victim?.end();
          return;
        }
        case 'rebalance':
          // Mostly there is nothing to gain.
          await this.#cluster.leader?.service?.rebalance(JOB).catch(() => undefined);
          return;
        case 'rescale':
          // It may not run yet, or its leader may be gone before it is done: then it runs as before.
          await this.#cluster.leader?.service?.rescale(JOB, 1 + (this.#count++ % 2)).catch(() => undefined);
      }
    }
  }
});

describe('the placement of a job', () => {
  it('is explained: before it is started, while it waits, and while it runs', async () => {
    cluster.startDispatcher('d1');
    const service = await cluster.service();
    const would = await service.previewPlacement({ text: 'racks', variables: {} });
    expect(would).toMatchObject({ jobId: null, needed: 2, free: 0, waitingFor: '2 slots (0 are free)', report: null });
    await submit('racks');
    await cluster.until('the job to wait', () => service.placement(JOB).waitingFor);
    expect(service.placement(JOB)).toMatchObject({ waitingFor: '2 slots (0 of 0 are free)', report: null });
    expect(service.job(JOB).waitingFor).toBe('2 slots (0 of 0 are free)');
    await cluster.startTaskManager('t1', 1, 'r1');
    await cluster.startTaskManager('t2', 1, 'r2');
    await running(1);
    const { report, waitingFor, crossRackBytes } = service.placement(JOB);
    expect(waitingFor).toBeNull();
    expect(report?.totals).toMatchObject({ 'rack-local': 3, 'cross-rack': 1 });
    expect(report?.splits.find(({ locality }) => locality === 'cross-rack')).toMatchObject({
      racks: ['r3'],
      because: 'no slot was free in r3',
    });
    expect(new Set(report?.slices.map(({ rack }) => rack))).toEqual(new Set(['r1', 'r2']));
    expect(report?.edges).toMatchObject([{ channels: { 'process-local': 2, 'cross-rack': 2 }, crossRackShare: 0.5 }]);
    expect(crossRackBytes?.read).toBe(0);
    await cluster.until('bytes between racks', () => (service.placement(JOB).crossRackBytes?.sent ?? 0) > 0);
    await cluster.startTaskManager('t3', 2, 'r3');
    await cluster.until('a TaskManager more', () => service.taskManagers().length === 3);
    const next = await service.previewPlacement({ text: 'racks', variables: {} });
    expect(next.report?.totals).toMatchObject({ 'rack-local': 1, 'cross-rack': 3 });
    await cancelAndCheck();
    expect(() => service.placement(JOB)).toThrow('there is no running job');
  });
});
