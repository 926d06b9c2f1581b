import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodePorts } from '../../core/node-ports.ts';
import type { Exchange, JobGraph } from '../../graph/index.ts';
import {
  committedRows,
  MemoryCheckpointStorage,
  MemoryJobs,
  operatorNode,
  runScripted,
  sequenceRow,
  sinkNode,
  sourceNode,
  testGraph,
  withMiniCluster,
} from '../../testing/index.ts';
import type { CommittedRow, TestVertex } from '../../testing/index.ts';

const ROWS = 3000;
const KEYS = 17;
const TIMEOUT_MS = 240_000;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'unaligned-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const HASH: Exchange = { kind: 'hash', keys: [1] };

interface Shape {
  readonly operator: 'tally-1' | 'sort-1';
  /** How rows reach the operator: at once, after a vertex that they are forwarded to, or spread twice. */
  readonly way: 'direct' | 'forward' | 'rebalance';
  /** Behind the operator. */
  readonly toSink: 'chained' | 'rebalance' | 'hash';
  readonly expand: number;
  readonly rowsPerWrite: number;
}

/** Sources that never wait, and a sink that takes a few rows at a time. */
function jobOf({ operator, way, toSink, expand, rowsPerWrite }: Shape, into: string) {
  const source = (name: string, rows: number) => {
    const options = { rows, splits: 4, batchRows: 20, keys: KEYS };
    return sourceNode(name, options, { kind: 'fail' }, { delayMs: 5, idleMs: null });
  };
  const sink = sinkNode('out', { directory: into, rowsPerWrite }, 'transactional');
  return (parallelism: number): JobGraph => {
    const middle: TestVertex[] =
      way === 'direct'
        ? []
        : [
            {
              name: 'middle',
              parallelism: way === 'forward' ? parallelism : 2,
              chain: [operatorNode('middle', 'drop-1')],
              from: [['in', { kind: way }]],
            },
          ];
    const first = middle.length === 0 ? 'in' : 'middle';
    const remember = [operatorNode('remember', operator), operatorNode('some', 'drop-1')];
    const exchange: Exchange = toSink === 'hash' ? HASH : { kind: 'rebalance' };
    // One subtask of each is one chain: then rows that were on their way enter in its middle.
    const isChained = toSink === 'chained' || parallelism === 1;
    const last: TestVertex = { name: 'out', parallelism, chain: [sink], from: [['remember', exchange]] };
    return testGraph('unaligned', [
      { name: 'in', parallelism, chain: [source('in', ROWS), operatorNode('spread', `expand-${expand}`)] },
      { name: 'other', parallelism: 1, chain: [source('other', ROWS / 10), operatorNode('wait', 'slow-3')] },
      ...middle,
      {
        name: 'remember',
        parallelism,
        chain: isChained ? [...remember, sink] : remember,
        from: [
          [first, HASH],
          ['other', HASH],
        ],
      },
      ...(isChained ? [] : [last]),
    ]);
  };
}

const expected = (expand: number) =>
  [ROWS, ROWS / 10].flatMap((count, input) =>
    Array.from({ length: count }, (_, n) => sequenceRow(n, KEYS)).flatMap((row) =>
      Array.from({ length: input === 0 ? expand : 1 }, () => row),
    ),
  );

/** Every row came, each key was counted from 1 on, and its sum is right at the end. */
function tallyOf(rows: readonly CommittedRow[]) {
  return [...Map.groupBy(rows, ({ row }) => row[1])]
    .map(([key, ofKey]) => ({
      key,
      counts: ofKey.map(({ row }) => Number(row[0])).sort((a, b) => a - b),
      sum: ofKey.find(({ row }) => Number(row[0]) === ofKey.length)?.row[3],
      texts: ofKey.map(({ row }) => String(row[2])).sort(),
    }))
    .sort((a, b) => Number(a.key) - Number(b.key));
}

function expectedTally(expand: number) {
  return [...Map.groupBy(expected(expand), (row) => row[1])]
    .map(([key, ofKey]) => ({
      key,
      counts: ofKey.map((_, index) => index + 1),
      sum: ofKey.reduce((sum, row) => sum + Number(row[0]), 0),
      texts: ofKey.map((row) => row[2]).sort(),
    }))
    .sort((a, b) => a.key - b.key);
}

const sorted = (rows: readonly (readonly unknown[])[]): string[] => rows.map((row) => row.map(String).join(' ')).sort();

const shapes: fc.Arbitrary<Shape> = fc.record({
  operator: fc.constantFrom('tally-1', 'sort-1'),
  way: fc.constantFrom('direct', 'forward', 'rebalance'),
  toSink: fc.constantFrom('chained', 'rebalance', 'hash'),
  expand: fc.integer({ min: 1, max: 3 }),
  rowsPerWrite: fc.integer({ min: 1, max: 30 }),
});

describe('barriers that overtake', () => {
  it(
    'count every row once, whatever is aborted, overtaken, restarted or rescaled',
    async () => {
      let overtakenBytes = 0;
      const settings = { alignmentTimeoutMs: fc.constantFrom(0, 0, 2, 10), credits: fc.integer({ min: 1, max: 3 }) };
      const chance = { seed: fc.integer(), failures: fc.integer({ min: 1, max: 6 }), disturbs: fc.boolean() };
      // Between slots of one process, and between processes.
      const wire = { isSpread: fc.boolean() };
      const runs = fc.record({ ...settings, ...chance, ...wire });
      const property = fc.asyncProperty(shapes, runs, async (shape, options) => {
        const into = await mkdtemp(join(directory, 'run-'));
        const { completed, job } = await runScripted(jobOf(shape, into), options);
        expect(completed).toBeGreaterThan(0);
        for (const { metrics } of job.acknowledgements) overtakenBytes += metrics.inFlightBytes ?? 0;
        const rows = await committedRows(into, nodePorts.files);
        if (shape.operator === 'tally-1') expect(tallyOf(rows)).toEqual(expectedTally(shape.expand));
        else expect(sorted(rows.map(({ row }) => row))).toEqual(sorted(expected(shape.expand)));
      });
      await fc.assert(property, { numRuns: 8, endOnFailure: true });
      expect(overtakenBytes).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  /** Two exchanges, and a sink that takes nothing for ever. */
  function blockedJob(toSink: Exchange | null, alignmentTimeoutMs: number | undefined): JobGraph {
    const source = sourceNode('in', { splits: 2, batchRows: 50, keys: KEYS });
    const sink = sinkNode('out', { blocked: true });
    const tally = operatorNode('tally', 'tally-1');
    const graph = testGraph('blocked', [
      { name: 'in', parallelism: 2, chain: [source] },
      { name: 'tally', parallelism: 2, chain: toSink === null ? [tally, sink] : [tally], from: [['in', HASH]] },
      ...(toSink === null ? [] : [{ name: 'out', parallelism: 2, chain: [sink], from: [['tally', toSink] as const] }]),
    ]);
    const times = { intervalMs: 20, timeoutMs: alignmentTimeoutMs === undefined ? 300 : 60_000, minPauseMs: 0 };
    const settings = { ...times, mode: 'exactly-once', tolerableFailures: 1_000_000, retained: 1 } as const;
    const checkpoint = alignmentTimeoutMs === undefined ? settings : { ...settings, alignmentTimeoutMs };
    return { ...graph, checkpoint };
  }

  /** What has become of the first checkpoints of a job. */
  async function outcomes(graph: JobGraph, count: number) {
    const stores = { store: new MemoryJobs().open(), storage: new MemoryCheckpointStorage() };
    return withMiniCluster({ slotCount: 2, stores, limits: { credits: 1 } }, async ({ submit }) => {
      const job = await submit(graph);
      const deadlineMs = nodePorts.clock.monotonicMs() + 60_000;
      for (;;) {
        if (nodePorts.clock.monotonicMs() > deadlineMs) throw new Error(JSON.stringify(job.checkpoints()));
        const { completedCount: completed, abortedCount: aborted, recent } = job.checkpoints();
        if (completed + aborted >= count) {
          await job.cancel();
          const bytes = recent.reduce((sum, { inFlightBytes }) => sum + inFlightBytes, 0);
          return { completed, aborted, bytes };
        }
        await nodePorts.clock.sleep(1);
      }
    });
  }

  it.each([
    ['behind the last step of its chain', null],
    ['behind a hash exchange', HASH],
    ['behind a rebalancing one', { kind: 'rebalance' }],
  ] as const)(
    'let checkpoints complete while a sink is blocked %s; aligned ones time out',
    async (_, toSink) => {
      const { completed, aborted, bytes } = await outcomes(blockedJob(toSink, 0), 12);
      expect({ completed: completed >= 12, aborted }).toEqual({ completed: true, aborted: 0 });
      expect(bytes).toBeGreaterThan(0);
      const aligned = await outcomes(blockedJob(toSink, undefined), 3);
      expect(aligned.aborted).toBeGreaterThan(0);
      expect(aligned.completed).toBeLessThan(3);
    },
    TIMEOUT_MS,
  );
});
