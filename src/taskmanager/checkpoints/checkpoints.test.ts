import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodePorts } from '../../core/node-ports.ts';
import type { JobGraph } from '../../graph/index.ts';
import {
  committedRows,
  operatorNode,
  runScripted,
  sequenceRow,
  sinkNode,
  sourceNode,
  testGraph,
} from '../../testing/index.ts';
import type { CommittedRow, ScriptedRunOptions } from '../../testing/index.ts';

const ROWS = 8000;
/** Of a second source, whose barriers come late. */
const SLOW_ROWS = 400;
const KEYS = 17;
/** A failing run is not made smaller: it depends on the instant as well as on the seed. */
const RUNS = { numRuns: 8, endOnFailure: true };
const TIMEOUT_MS = 240_000;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'checkpoints-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const HASH = { kind: 'hash', keys: [1] } as const;

function source(name: string, rows: number) {
  const options = { rows, splits: 4, batchRows: 20, keys: KEYS, pauseEvery: 1 };
  return sourceNode(name, options, { kind: 'fail' }, { delayMs: 5, idleMs: null });
}

/** Two sources, behind an exchange an operator that remembers, and a sink that commits with checkpoints. */
function jobOf(operator: string, into: string) {
  return (parallelism: number): JobGraph =>
    testGraph('exactly once', [
      { name: 'in', parallelism, chain: [source('in', ROWS), operatorNode('spread', 'expand-1')] },
      { name: 'slow', parallelism: 1, chain: [source('slow', SLOW_ROWS), operatorNode('wait', 'slow-40')] },
      {
        name: 'remember',
        parallelism,
        chain: [operatorNode('remember', operator), operatorNode('some', 'drop-1')],
        from: [
          ['in', HASH],
          ['slow', HASH],
        ],
      },
      {
        name: 'out',
        parallelism,
        chain: [sinkNode('out', { directory: into, rowsPerWrite: 60 }, 'transactional')],
        from: [['remember', { kind: 'rebalance' }]],
      },
    ]);
}

const sorted = (rows: readonly (readonly unknown[])[]): string[] => rows.map((row) => row.map(String).join(' ')).sort();

const expectedRows = [ROWS, SLOW_ROWS].flatMap((count) =>
  Array.from({ length: count }, (_, n) => sequenceRow(n, KEYS)),
);

/** Every row came, each key was counted from 1 on, and its sum is right at the end. */
function expectTally(rows: readonly CommittedRow[]): void {
  expect(rows.map(({ row }) => String(row[2])).sort()).toEqual(expectedRows.map((row) => row[2]).sort());
  const expected = [...Map.groupBy(expectedRows, (row) => row[1])].map(([key, ofKey]) => ({
    key,
    counts: ofKey.map((_, index) => index + 1),
    sum: ofKey.reduce((sum, row) => sum + Number(row[0]), 0),
  }));
  const actual = [...Map.groupBy(rows, ({ row }) => row[1])].map(([key, ofKey]) => ({
    key,
    counts: ofKey.map(({ row }) => Number(row[0])).sort((a, b) => a - b),
    sum: ofKey.find(({ row }) => Number(row[0]) === ofKey.length)?.row[3],
  }));
  const byKey = (a: { readonly key: unknown }, b: { readonly key: unknown }): number => Number(a.key) - Number(b.key);
  expect(actual.sort(byKey)).toEqual(expected.sort(byKey));
}

/** Runs a job and returns what it committed. */
async function outcome(operator: string, options: ScriptedRunOptions): Promise<readonly CommittedRow[]> {
  const into = await mkdtemp(join(directory, 'run-'));
  const { completed } = await runScripted(jobOf(operator, into), options);
  expect(completed).toBeGreaterThan(0);
  return committedRows(into, nodePorts.files);
}

const failures = fc.integer({ min: 0, max: 6 });

describe('a job whose parts fail at any instant', () => {
  it(
    'counts every row once, whatever is aborted, overtaken, restarted or rescaled',
    async () => {
      const property = fc.asyncProperty(fc.integer(), failures, fc.boolean(), async (seed, count, disturbs) => {
        expectTally(await outcome('tally-1', { seed, failures: count, disturbs }));
      });
      await fc.assert(property, RUNS);
    },
    TIMEOUT_MS,
  );

  it(
    'loses no event time: what is held back until its time comes out once, and nothing is late',
    async () => {
      const property = fc.asyncProperty(fc.integer(), failures, async (seed, count) => {
        const rows = await outcome('sort-1', { seed, failures: count, disturbs: true });
        expect(sorted(rows.map(({ row }) => row))).toEqual(sorted(expectedRows));
      });
      await fc.assert(property, RUNS);
    },
    TIMEOUT_MS,
  );

  it(
    'loses nothing where rows need only count at least once, though it may count them again',
    async () => {
      const property = fc.asyncProperty(fc.integer(), failures, async (seed, count) => {
        const rows = await outcome('tally-1', { seed, failures: count, disturbs: false, mode: 'at-least-once' });
        const texts = rows.map(({ row }) => row[2]);
        expect(new Set(texts)).toEqual(new Set(expectedRows.map((row) => row[2])));
        expect(texts.length).toBeGreaterThanOrEqual(expectedRows.length);
      });
      await fc.assert(property, { ...RUNS, numRuns: 3 });
    },
    TIMEOUT_MS,
  );
});
