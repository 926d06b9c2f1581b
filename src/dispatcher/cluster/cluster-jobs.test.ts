import { describe, expect, it } from '@jest/globals';
import { edgeId, jobId } from '../../core/index.ts';
import { serialiseJobGraph } from '../../graph/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import { haErrors } from '../../ha/index.ts';
import type { JobSubmission } from '../../ha/index.ts';
import { ManualClock, sinkNode, sourceNode, testGraph } from '../../testing/index.ts';
import { ClusterJobs } from './cluster-jobs.ts';

const ID = jobId('1'.repeat(32));
const OTHER = jobId('2'.repeat(32));

function graphOf(): JobGraph {
  const [a, b] = ['a'.repeat(32), 'b'.repeat(32)];
  const graph = testGraph('job', [
    { name: a, parallelism: 1, chain: [sourceNode('in', {})] },
    { name: b, parallelism: 1, chain: [sinkNode('out', {})], from: [[a, { kind: 'forward' }]] },
  ]);
  const edge = edgeId('c'.repeat(32));
  const times = { intervalMs: 10, timeoutMs: 60_000, minPauseMs: 0, tolerableFailures: 100, retained: 2 };
  return {
    ...graph,
    edges: graph.edges.map((each) => ({ ...each, id: edge })),
    vertices: graph.vertices.map((vertex) => ({
      ...vertex,
      inputs: vertex.inputs.map(() => edge),
      outputs: vertex.outputs.map(() => edge),
    })),
    checkpoint: { ...times, mode: 'exactly-once' },
  };
}

interface Run {
  wasCancelled: boolean;
  readonly end: (state: string) => void;
  readonly run: () => void;
  readonly move: (state: string) => void;
}

interface AcceptedGraph {
  readonly jobId: string;
  readonly graph: JobGraph;
}

/** One that ends when it is told to. */
function handleOf(accepted: AcceptedGraph) {
  const result = Promise.withResolvers<{ state: string; error: null }>();
  const running = Promise.withResolvers<undefined>();
  const listeners = new Set<(state: string) => void>();
  const life: Run = {
    wasCancelled: false,
    end: (state) => result.resolve({ state, error: null }),
    run: () => running.resolve(undefined),
    move: (state) => listeners.forEach((listener) => listener(state)),
  };
  const handle = {
    jobId: accepted.jobId,
    name: accepted.graph.name,
    running: running.promise,
    lastFailure: away(),
    onStateChange: (listener: (state: string) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    result: result.promise,
    savepoint: async () => {
      life.end('CANCELED');
    },
    cancel: async () => {
      life.wasCancelled = true;
      life.end('CANCELED');
      await result.promise;
    },
  };
  return { life, handle };
}

/** Handles that end when they are told to, and a store that does what the test says. */
function world(stored: JobSubmission[] = []) {
  const clock = new ManualClock();
  const runs: Run[] = [];
  const outcomes: string[] = [];
  const problems: string[] = [];
  const plans: (() => Promise<null>)[] = [];
  const run = (accepted: AcceptedGraph) => {
    const { life, handle } = handleOf(accepted);
    runs.push(life);
    return handle;
  };
  const prepare = async (id: string, graph: JobGraph) => ({ jobId: id, graph });
  const dispatcher = {
    prepare,
    run,
    submit: async (graph: JobGraph, { jobId: id }: { jobId: string }, accept: (job: unknown) => Promise<boolean>) => {
      const accepted = await prepare(id, graph);
      return (await accept(accepted)) ? run(accepted) : null;
    },
    forget: () => undefined,
    abandon: () => undefined,
  };
  const records = {
    jobs: async () => stored,
    endedJobs: async () => [],
    addJob: async (submission: JobSubmission) => stored.push(submission) > 0,
    replaceJob: async (submission: JobSubmission) => {
      stored.splice(0, stored.length, submission);
    },
    plan: () => plans.shift()?.() ?? Promise.resolve(null),
    endJob: async (_id: string, { state }: { state: string }) => {
      outcomes.push(state);
    },
  };
  const jobs = new ClusterJobs({
    clock,
    records: records as never,
    dispatcher: dispatcher as never,
    expectAdoption: () => undefined,
    slotsFreed: async () => undefined,
    onProblem: ({ code }) => problems.push(code),
  });
  const submit = (id: typeof ID) =>
    jobs.submit({ jobId: id, graph: graphOf(), start: { kind: 'fresh' }, allowDroppedState: false, source: 'x' });
  return { jobs, clock, runs, outcomes, problems, plans, stored, submit };
}

const away = (): Error =>
  haErrors.create('MR-HA-UNAVAILABLE', { operation: 'read', record: 'plan', directory: 'zk', reason: 'away' });

describe('a job that is rescaled', () => {
  it('goes on where the store is away for a moment between its stop and its next start', async () => {
    const { jobs, clock, runs, problems, plans, submit } = world();
    await submit(ID);
    plans.push(() => Promise.resolve(null), () => Promise.reject(away()));
    const rescaled = jobs.restart(ID, { graph: graphOf(), stop: 'checkpoint' });
    while (problems.length === 0) await new Promise(setImmediate);
    expect(jobs.find(ID)).toMatchObject({ isRescaling: true });
    clock.advanceTo(1000);
    await rescaled;
    expect(problems).toEqual(['MR-HA-UNAVAILABLE']);
    expect(runs).toHaveLength(2);
    expect(jobs.find(ID)).toMatchObject({ isRescaling: false, endedAtMs: null });
  });

  it('keeps its name, and ends where it is cancelled in between', async () => {
    const { jobs, runs, outcomes, plans, stored, submit } = world();
    await submit(ID);
    const reading = Promise.withResolvers<null>();
    const between = Promise.withResolvers<null>();
    plans.push(() => {
      between.resolve(null);
      return reading.promise;
    });
    const rescaled = jobs.restart(ID, { graph: graphOf(), stop: 'checkpoint' });
    await between.promise;
    await expect(submit(OTHER)).rejects.toMatchObject({ code: 'MR-JOB-NAME-TAKEN' });
    const cancelled = jobs.cancel(ID);
    reading.resolve(null);
    await Promise.all([rescaled, cancelled]);
    expect(stored).toMatchObject([{ jobId: ID, graph: serialiseJobGraph(graphOf()) }]);
    expect(runs.map(({ wasCancelled }) => wasCancelled)).toEqual([true, true]);
    expect(outcomes).toEqual(['CANCELED']);
  });

  it('is cancelled by the next leader where this one stores its next start after that was asked for', async () => {
    const { jobs, plans, stored, problems, submit } = world();
    await submit(ID);
    const reading = Promise.withResolvers<null>();
    plans.push(() => reading.promise, () => Promise.reject(away()));
    jobs.restart(ID, { graph: graphOf(), stop: 'checkpoint' }).catch(() => undefined);
    while (plans.length > 1) await new Promise(setImmediate);
    jobs.cancel(ID).catch(() => undefined);
    reading.resolve(null);
    // It is stored, and not started yet.
    while (problems.length === 0) await new Promise(setImmediate);
    jobs.abandon();
    expect(stored).toMatchObject([{ restartedAtMs: 0, isCancelled: true }]);
    const next = world(stored);
    await next.jobs.recover();
    while (next.outcomes.length === 0) await new Promise(setImmediate);
    expect(next.outcomes).toEqual(['CANCELED']);
  });

  it('is told of as done when its tasks run, and as failed where they do not', async () => {
    const { jobs, runs, stored, submit } = world();
    await submit(ID);
    let isDone = false;
    const restarted = await jobs.restart(ID, { graph: graphOf(), stop: 'checkpoint' });
    const first = restarted.running().then(() => {
      isDone = true;
    });
    while (runs.length < 2) await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(isDone).toBe(false);
    runs[1]?.run();
    await first;
    // It had no plan yet: what it was submitted with counts.
    expect(stored).toMatchObject([{ start: JSON.stringify({ kind: 'fresh' }), source: 'x', restartedAtMs: 0 }]);
    const second = await jobs.restart(ID, { graph: graphOf(), stop: 'cancel' });
    const runsAgain = second.running();
    runs[2]?.move('FAILING');
    await expect(runsAgain).rejects.toMatchObject({ code: 'MR-CLUSTER-NOT-RUNNING-AGAIN' });
    expect(jobs.find(ID)).toMatchObject({ isRescaling: false, endedAtMs: null });
  });

  it('is given up by this leader where its plan cannot be read', async () => {
    const { jobs, problems, plans, stored, submit } = world();
    await submit(ID);
    plans.push(() => Promise.reject(haErrors.create('MR-HA-DAMAGED', { file: 'plan', record: 'x', reason: 'y' })));
    await expect(jobs.restart(ID, { graph: graphOf(), stop: 'checkpoint' })).rejects.toMatchObject({
      code: 'MR-HA-DAMAGED',
    });
    expect(problems).toEqual(['MR-HA-DAMAGED']);
    expect(jobs.find(ID)).toMatchObject({ outcome: { state: 'FAILED' } });
    expect(stored).toMatchObject([{ jobId: ID, source: 'x' }]);
  });
});

describe('a cancellation', () => {
  it('is finished by the next leader where the one that was asked for it does not live to see the end', async () => {
    const { jobs, runs, outcomes, stored, submit } = world();
    await submit(ID);
    const [life] = runs;
    if (life === undefined) throw new Error('nothing runs');
    // Its tasks do not end.
    Object.assign(life, { end: () => undefined });
    jobs.cancel(ID).catch(() => undefined);
    while (stored[0]?.isCancelled !== true) await new Promise(setImmediate);
    jobs.abandon();
    const next = world(stored);
    await next.jobs.recover();
    while (next.outcomes.length === 0) await new Promise(setImmediate);
    expect(next.runs.map(({ wasCancelled }) => wasCancelled)).toEqual([true]);
    expect([outcomes, next.outcomes]).toEqual([[], ['CANCELED']]);
  });
});
