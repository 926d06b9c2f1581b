import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodePorts } from '../core/node-ports.ts';
import type { JobGraph } from '../graph/index.ts';
import {
  Collected,
  committedRows,
  createTestOperator,
  Faults,
  faultyCatalog,
  MemoryCheckpointStorage,
  MemoryJobs,
  operatorNode,
  seededRandom,
  sequenceRow,
  sinkNode,
  sourceNode,
  testCatalog,
  testGraph,
  withMiniCluster,
} from '../testing/index.ts';
import type { JobHandle } from './index.ts';

const ROWS = 6000;
const KEYS = 13;
const DEADLINE_MS = 120_000;
/** A failing run is not made smaller: it depends on the instant as well as on the seed. */
const RUNS = { numRuns: 6, endOnFailure: true };
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'recovery-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** A source, behind an exchange an operator that remembers, and a sink that commits with checkpoints. */
function jobOf(parallelism: number, random: () => number, rows = ROWS): JobGraph {
  const options = { rows, splits: 5, batchRows: 20, keys: KEYS, pauseEvery: 2 };
  const graph = testGraph('recovery', [
    { name: 'in', parallelism, chain: [sourceNode('in', options)] },
    {
      name: 'remember',
      parallelism,
      chain: [operatorNode('remember', 'tally-1'), sinkNode('out', { directory }, 'transactional')],
      from: [['in', { kind: 'hash', keys: [1] }]],
    },
  ]);
  return {
    ...graph,
    checkpoint: {
      intervalMs: 2 + Math.floor(random() * 20),
      mode: 'exactly-once',
      timeoutMs: 10_000,
      minPauseMs: 0,
      tolerableFailures: Math.floor(random() * 3),
      retained: 1 + Math.floor(random() * 2),
    },
    restart: { kind: 'fixed-delay', attempts: 1000, delayMs: 1 },
  };
}

/** Every row came once, and each key was counted from 1 on. */
async function expectEachRowOnce(rows = ROWS): Promise<void> {
  const committed = (await committedRows(directory, nodePorts.files)).map(({ row }) => row);
  const expected = Array.from({ length: rows }, (_, n) => sequenceRow(n, KEYS));
  expect(committed.map((row) => row[2]).sort()).toEqual(expected.map((row) => row[2]).sort());
  const counts = (of: readonly (readonly unknown[])[]): string[] =>
    of.map((row) => `${String(row[1])} ${String(row[0])}`).sort();
  const counted = [...Map.groupBy(expected, (row) => row[1])].flatMap(([key, own]) =>
    own.map((_, index) => [index + 1, key]),
  );
  expect(counts(committed)).toEqual(counts(counted));
}

/** One leader after the other runs the job, some of them without the one before knowing; parts fail at any instant. */
class Leaders {
  readonly jobs = new MemoryJobs();
  readonly storage = new MemoryCheckpointStorage();
  readonly #random: () => number;
  readonly #deadlineMs = nodePorts.clock.monotonicMs() + DEADLINE_MS;
  #failuresLeft: number;
  #takeoversLeft: number;

  constructor(seed: number, failures: number, takeovers: number) {
    this.#random = seededRandom(seed);
    this.#failuresLeft = failures;
    this.#takeoversLeft = takeovers;
  }

  /** Until the job has finished. */
  async lead(): Promise<void> {
    const [faults, rare] = [new Faults(), new Faults()];
    const store = rare.faulty('store', this.jobs.open());
    const storage = rare.faulty('storage', this.storage);
    const isLast = await withMiniCluster(
      {
        slotCount: 3,
        stores: { store, storage },
        catalog: faultyCatalog(testCatalog(new Collected()), faults),
        createOperator: (node) => faults.faulty('operator', createTestOperator(node)),
      },
      async ({ submit }) => {
        this.#arm(faults, rare);
        const job = await submit(jobOf(1 + Math.floor(this.#random() * 3), this.#random));
        job.onStateChange((state) => {
          if (state === 'RESTARTING') this.#arm(faults, rare);
        });
        const isDone = await this.#watch(job);
        // The next leader does not wait for this one to notice.
        if (!isDone && this.#random() < 0.5) await this.lead();
        return isDone;
      },
    );
    if (!isLast && !this.#hasFinished()) await this.lead();
  }

  #hasFinished(): boolean {
    return this.jobs.peek('recovery')?.record.isFinished === true;
  }

  /** Whether the job has finished; false where it is time for another leader. */
  async #watch(job: JobHandle): Promise<boolean> {
    const takeover = this.#takeoversLeft-- > 0 ? 1 + Math.floor(this.#random() * 60) : Infinity;
    for (let turn = 0; turn < takeover; turn++) {
      const ended = await Promise.race([job.result, nodePorts.clock.sleep(2)]);
      if (ended !== undefined) {
        if (ended.error !== null && ended.error.code !== 'MR-TEST-FAULT') throw ended.error;
        return ended.state === 'FINISHED';
      }
      if (nodePorts.clock.monotonicMs() > this.#deadlineMs) throw new Error(`not done: ${describeJob(job)}`);
    }
    return false;
  }

  /** What works on rows is called a thousand times as often as what keeps checkpoints. */
  #arm(faults: Faults, rare: Faults): void {
    const isLeft = this.#failuresLeft-- > 0;
    const isRare = this.#random() < 0.5;
    faults.arm(isLeft && !isRare ? 1 + Math.floor(this.#random() ** 2 * 4000) : Infinity);
    rare.arm(isLeft && isRare ? 1 + Math.floor(this.#random() * 60) : Infinity);
  }
}

function describeJob(job: JobHandle): string {
  return `${job.state}, ${job.restarts} restarts, ${String(job.lastFailure)}, ${JSON.stringify(job.checkpoints())}`;
}

describe('a job whose parts and leaders fail at any instant', () => {
  it(
    'counts every row once',
    async () => {
      const times = fc.integer({ min: 0, max: 8 });
      const property = fc.asyncProperty(fc.integer(), times, times, async (seed, failures, takeovers) => {
        await rm(directory, { recursive: true, force: true });
        await nodePorts.files.makeDirectory(directory);
        const leaders = new Leaders(seed, failures, takeovers);
        await leaders.lead();
        await expectEachRowOnce();
      });
      await fc.assert(property, RUNS);
    },
    DEADLINE_MS * 2,
  );
});
