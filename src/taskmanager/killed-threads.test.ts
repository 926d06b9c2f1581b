import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WorkerThread } from '../core/index.ts';
import { nodePorts } from '../core/node-ports.ts';
import type { JobGraph } from '../graph/index.ts';
import { openCheckpointStorage } from '../state/index.ts';
import {
  committedRows,
  MemoryJobs,
  operatorNode,
  seededRandom,
  sequenceRow,
  sinkNode,
  sourceNode,
  testGraph,
  withMiniCluster,
} from '../testing/index.ts';

const FEWEST_ROWS = 40_000;
const KEYS = 50;
const KILLS = 3;
const DEADLINE_MS = 150_000;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'killed-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Reads about 100 rows per ms and subtask: slow enough to be killed in between. */
function jobOf(into: string, rows: number): JobGraph {
  const hash = { kind: 'hash', keys: [1] } as const;
  return {
    ...testGraph('killed', [
      {
        name: 'in',
        parallelism: 2,
        chain: [sourceNode('in', { rows, splits: 3, keys: KEYS, batchRows: 100, pauseEvery: 1 })],
      },
      {
        name: 'out',
        parallelism: 2,
        chain: [operatorNode('tally', 'tally-1'), sinkNode('out', { directory: into }, 'transactional')],
        from: [['in', hash]],
      },
    ]),
    checkpoint: {
      intervalMs: 5,
      mode: 'exactly-once',
      timeoutMs: 60_000,
      minPauseMs: 0,
      tolerableFailures: 10,
      retained: 1,
    },
    restart: { kind: 'fixed-delay', attempts: 100, delayMs: 1 },
  };
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  const { clock } = nodePorts;
  const deadline = clock.monotonicMs() + DEADLINE_MS;
  while (!isTrue()) {
    if (clock.monotonicMs() > deadline) throw new Error(`waited ${DEADLINE_MS} ms until ${what}`);
    await clock.sleep(2);
  }
}

/** Runs the job and kills threads of it; returns how many were started. */
async function runAndKill(rows: number, random: () => number, into: string, isSpread: boolean): Promise<number> {
  const config = { kind: 'directory', path: `${into}-checkpoints` } as const;
  const stores = { store: new MemoryJobs().open(), storage: openCheckpointStorage(config, nodePorts), config };
  const threads: WorkerThread[] = [];
  let started = 0;
  const onThread = (thread: WorkerThread): void => {
    threads.push(thread);
    started++;
  };
  await withMiniCluster({ slotCount: 2, slots: 'threads', isSpread, stores, onThread }, async ({ submit }) => {
    const job = await submit(jobOf(into, rows));
    const isOver = (): boolean => job.state === 'FINISHED' || job.state === 'FAILED';
    for (let kill = 0; kill < KILLS; kill++) {
      const enough = job.checkpoints().completedCount + Math.floor(random() * 6);
      await until('it has come further', () => isOver() || job.checkpoints().completedCount > enough);
      const victims = threads.splice(0);
      await victims[Math.floor(random() * victims.length)]?.terminate();
      await until('it runs on new threads', () => isOver() || threads.length === 2);
    }
    const { state, error } = await job.result;
    expect([state, error]).toEqual(['FINISHED', null]);
  });
  return started;
}

async function expectEveryRowOnce(into: string, count: number): Promise<void> {
  const rows = (await committedRows(into, nodePorts.files)).map(({ row }) => row);
  const expected = Array.from({ length: count }, (_, n) => sequenceRow(n, KEYS));
  expect(rows).toHaveLength(count);
  expect(rows.map((row) => String(row[2])).sort()).toEqual(expected.map((row) => row[2]).sort());
  for (const [key, ofKey] of Map.groupBy(rows, (row) => Number(row[1]))) {
    const counts = ofKey.map((row) => Number(row[0])).sort((a, b) => a - b);
    expect([key, counts]).toEqual([key, counts.map((_, index) => index + 1)]);
  }
}

describe('a job whose threads are killed', () => {
  it.each([
    ['of one process', false],
    ['of different processes', true],
  ])(
    'counts every row once, with slots %s',
    async (_place, isSpread) => {
      const seed = Number(process.env['MILLRACE_TEST_SEED']);
      const random = seededRandom(seed);
      try {
        // A job that was too fast for a kill shows nothing: then a longer one.
        for (let rows = FEWEST_ROWS, started = 0; started <= 2; rows *= 3) {
          const into = join(directory, String(rows));
          await nodePorts.files.makeDirectory(into);
          started = await runAndKill(rows, random, into, isSpread);
          await expectEveryRowOnce(into, rows);
        }
      } catch (error) {
        throw new Error(`with seed ${seed}`, { cause: error });
      }
    },
    DEADLINE_MS * 2,
  );
});
