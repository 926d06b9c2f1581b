import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jobId as toJobId, slotId, taskManagerId } from '../../core/index.ts';
import type { JobId } from '../../core/index.ts';
import type { JobGraph, ReactiveRescale } from '../../graph/index.ts';
import { ManualClock, sinkNode, sourceNode, testGraph } from '../../testing/index.ts';
import { ResourceManager } from '../slots/resource-manager.ts';
import { decideRescale } from './decide-rescale.ts';
import type { RescaleFacts } from './decide-rescale.ts';
import { ReactiveJobs } from './reactive-jobs.ts';

const SETTINGS: ReactiveRescale = {
  minParallelism: 1,
  maxParallelism: 6,
  stabilizationMs: 10_000,
  minIntervalMs: 30_000,
  resourceWaitMs: 5000,
};
const QUIET: RescaleFacts = {
  phase: 'runs',
  slots: 2,
  available: 2,
  steadyMs: Infinity,
  waitingMs: 0,
  sinceRescaleMs: null,
};
const decide = (facts: Partial<RescaleFacts>, settings: Partial<ReactiveRescale> = {}) =>
  decideRescale({ ...SETTINGS, ...settings }, { ...QUIET, ...facts });

describe('a job that takes as many slots as there are', () => {
  it('grows once their number is steady, and its last change is some time ago', () => {
    expect(decide({ available: 4 })).toEqual({ kind: 'rescale', slots: 4 });
    expect(decide({ available: 9 })).toEqual({ kind: 'rescale', slots: 6 });
    expect(decide({ available: 4, steadyMs: 4000 })).toEqual({ kind: 'keep', forMs: 6000 });
    expect(decide({ available: 4, steadyMs: 4000, sinceRescaleMs: 10_000 })).toEqual({ kind: 'keep', forMs: 20_000 });
    expect(decide({})).toEqual({ kind: 'keep', forMs: null });
  });

  it('shrinks where it has waited in vain for those that it lost, and not below its least', () => {
    const lost = { phase: 'waits', available: 1, steadyMs: 0, sinceRescaleMs: 0 } as const;
    expect(decide({ ...lost, waitingMs: 1000 })).toEqual({ kind: 'keep', forMs: 4000 });
    expect(decide({ ...lost, waitingMs: 5000 })).toEqual({ kind: 'rescale', slots: 1 });
    expect(decide({ ...lost, waitingMs: 5000 }, { minParallelism: 2 })).toEqual({ kind: 'keep', forMs: null });
    expect(decide({ ...lost, available: 0, waitingMs: 5000 })).toEqual({ kind: 'keep', forMs: null });
  });

  it('is left alone while it changes, or is about to get what it asked for', () => {
    expect(decide({ phase: 'changes', available: 4 })).toEqual({ kind: 'keep', forMs: 500 });
    expect(decide({ phase: 'waits', available: 4, waitingMs: 60_000 })).toEqual({ kind: 'keep', forMs: null });
  });
});

/** A ResourceManager, and jobs that ask it for slots again whenever they lose some. */
class World {
  readonly clock = new ManualClock();
  readonly manager = new ResourceManager({ clock: this.clock, epoch: 1, remote: null });
  readonly problems: string[] = [];
  readonly rescales: { readonly id: JobId; readonly from: number; readonly to: number; readonly atMs: number }[] = [];
  readonly led: SimulatedJob[] = [];
  /** A step of the job that keeps so many subtasks. */
  fixed = 0;
  obstacle: string | null = null;
  readonly reactive = new ReactiveJobs({
    clock: this.clock,
    slots: this.manager,
    jobs: this.#jobs(),
    compile: async (job, parallelism) => graphOf(job.accepted.graph, Math.max(parallelism, this.fixed)),
    restoreProblem: async () => this.obstacle,
    onProblem: ({ code }) => this.problems.push(code),
  });

  #jobs() {
    const { led } = this;
    const restart = async (id: JobId, next: { readonly graph: JobGraph | null }) => {
      const job = led.find(({ accepted }) => accepted.jobId === id);
      if (job === undefined || next.graph === null) throw new Error('there is nothing to restart');
      const [from, to] = [job.slots, parallelismOf(next.graph)];
      this.rescales.push({ id, from, to, atMs: this.clock.nowMs() });
      job.restart(next.graph, this.clock.nowMs());
      return { running: () => Promise.resolve() };
    };
    return { led: led as never, restart };
  }

  async submit(digit: string, parallelism: number, settings: Partial<ReactiveRescale> = {}): Promise<SimulatedJob> {
    const rescale = { ...SETTINGS, ...settings };
    const job = new SimulatedJob(toJobId(digit.repeat(32)), this.manager, graphOf({ rescale }, parallelism));
    this.led.push(job);
    job.start();
    await this.pass(0);
    return job;
  }

  async join(name: string, slots: number): Promise<void> {
    const all = Array.from({ length: slots }, (_, index) => ({
      slotId: slotId(`${name}-${index}`),
      memoryBytes: 1,
      data: null,
      occupant: null,
    }));
    const registration = { taskManagerId: taskManagerId(name), address: name, rack: null, host: null, tags: [] };
    await this.manager.registerTaskManager({ epoch: 1, ...registration, slots: all });
    await this.pass(0);
  }

  async leave(name: string): Promise<void> {
    await this.manager.unregisterTaskManager({ epoch: 1, taskManagerId: taskManagerId(name) });
    await this.pass(0);
  }

  /** In steps, as everything takes several turns. */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.clock.nowMs() + durationMs;
    do {
      this.clock.advanceTo(Math.min(untilMs, this.clock.nowMs() + 250));
      for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
    } while (this.clock.nowMs() < untilMs);
  }
}

class SimulatedJob {
  readonly accepted: { readonly jobId: JobId; graph: JobGraph };
  readonly handle: { state: string; executions: { state: string }[] } = { state: 'RUNNING', executions: [] };
  readonly submission: { restartedAtMs?: number } = {};
  readonly endedAtMs = null;
  readonly isRescaling = false;
  readonly #manager: ResourceManager;
  #term = 0;

  constructor(id: JobId, manager: ResourceManager, graph: JobGraph) {
    this.accepted = { jobId: id, graph };
    this.#manager = manager;
    manager.onLost(id, () => {
      this.start();
    });
  }

  get slots(): number {
    return parallelismOf(this.accepted.graph);
  }

  get isRunning(): boolean {
    return this.handle.executions.every(({ state }) => state === 'RUNNING');
  }

  restart(graph: JobGraph, atMs: number): void {
    this.accepted.graph = graph;
    this.submission.restartedAtMs = atMs;
    this.start();
  }

  start(): void {
    const { jobId } = this.accepted;
    const count = this.slots;
    const term = ++this.#term;
    this.handle.executions = Array.from({ length: count }, () => ({ state: 'SCHEDULED' }));
    void Promise.resolve().then(async () => {
      if (term !== this.#term) return;
      this.#manager.release(jobId);
      const choose = <Slot>(free: readonly Slot[]) => (free.length < count ? null : free.slice(0, count));
      await this.#manager.allocate(jobId, { count, choose });
      if (term === this.#term) for (const execution of this.handle.executions) execution.state = 'RUNNING';
    });
  }
}

function graphOf(like: Pick<JobGraph, 'rescale'>, parallelism: number): JobGraph {
  const graph = testGraph('job', [
    { name: 'a', parallelism, chain: [sourceNode('in', {}), sinkNode('out', {})] },
  ]);
  return like.rescale === undefined ? graph : { ...graph, rescale: like.rescale };
}

const parallelismOf = ({ vertices }: JobGraph): number => vertices[0]?.parallelism ?? 0;

describe('jobs that take as many slots as there are', () => {
  it('grow and shrink with the TaskManagers', async () => {
    const world = new World();
    await world.join('t1', 1);
    const job = await world.submit('1', 1);
    await world.join('t2', 2);
    await world.pass(9000);
    expect(job.slots).toBe(1);
    // They are not steady any more.
    await world.join('t3', 1);
    await world.pass(9000);
    expect(job.slots).toBe(1);
    await world.pass(1500);
    expect(job).toMatchObject({ slots: 4, isRunning: true });
    await world.leave('t2');
    expect(job.isRunning).toBe(false);
    await world.pass(4000);
    expect(job.slots).toBe(4);
    await world.pass(1500);
    expect(job).toMatchObject({ slots: 2, isRunning: true });
    await world.join('t4', 1);
    await world.pass(25_000);
    expect(job.slots).toBe(2);
    await world.pass(10_000);
    expect(job).toMatchObject({ slots: 3, isRunning: true });
    expect(world.rescales.map(({ from, to }) => [from, to])).toEqual([[1, 4], [4, 2], [2, 3]]);
    world.reactive.close();
    await world.join('t5', 3);
    await world.pass(60_000);
    expect(job.slots).toBe(3);
  });

  it('share what nobody has, and take nothing that others wait for', async () => {
    const world = new World();
    await world.join('t1', 2);
    const jobs = [await world.submit('1', 1), await world.submit('2', 1)];
    await world.join('t2', 4);
    await world.pass(11_000);
    expect(jobs.map(({ slots }) => slots)).toEqual([3, 3]);
    void world.manager.allocate(toJobId('3'.repeat(32)), { count: 5, choose: () => null });
    await world.join('t3', 2);
    await world.pass(120_000);
    expect(jobs.map(({ slots }) => slots)).toEqual([3, 3]);
    expect(jobs.every(({ isRunning }) => isRunning)).toBe(true);
  });

  it('stay as they are where that many slots are of no use, or their checkpoint does not fit', async () => {
    const world = new World();
    world.fixed = 4;
    await world.join('t1', 2);
    const job = await world.submit('1', 2);
    await world.join('t2', 1);
    await world.pass(120_000);
    expect(job).toMatchObject({ slots: 2, isRunning: true });
    world.fixed = 0;
    world.obstacle = 'rows were on their way';
    await world.join('t3', 1);
    await world.pass(60_000);
    expect(job.slots).toBe(4);
    await world.leave('t1');
    await world.pass(60_000);
    expect(job).toMatchObject({ slots: 4, isRunning: false });
    expect(world.problems).toEqual(['MR-CLUSTER-NOT-RESCALABLE']);
    await world.join('t4', 2);
    expect(job.isRunning).toBe(true);
  });

  it('have as many as there are once nothing changes any more, and grow no more often than they may', async () => {
    const change = fc.record({ slots: fc.integer({ min: 0, max: 3 }), afterMs: fc.integer({ min: 0, max: 40_000 }) });
    const limits = fc.record({ minParallelism: fc.integer({ min: 1, max: 3 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 6 }), limits, async (changes, { minParallelism }) => {
        const world = new World();
        const job = await world.submit('1', minParallelism, { minParallelism });
        const present = new Map<string, number>();
        for (const [index, { slots, afterMs }] of changes.entries()) {
          const [oldest] = present.keys();
          if (slots > 0) {
            await world.join(`t${index}`, slots);
            present.set(`t${index}`, slots);
          } else if (oldest !== undefined) {
            await world.leave(oldest);
            present.delete(oldest);
          }
          await world.pass(afterMs);
        }
        await world.pass(90_000);
        const total = [...present.values()].reduce((sum, each) => sum + each, 0);
        const isEnough = total >= minParallelism;
        expect(job.isRunning).toBe(isEnough);
        if (isEnough) expect(job.slots).toBe(Math.min(total, SETTINGS.maxParallelism));
        world.rescales.forEach(({ from, to, atMs }, index) => {
          const before = world.rescales[index - 1];
          if (to > from && before !== undefined) expect(atMs - before.atMs).toBeGreaterThanOrEqual(30_000);
        });
        world.reactive.close();
      }),
      { numRuns: 40 },
    );
  });
});
