import { describe, expect, it } from '@jest/globals';
import type { JobGraph } from '../graph/index.ts';
import { operatorNode, sinkNode, sourceNode, testGraph, withMiniCluster } from '../testing/index.ts';
import type { JobHandle } from '../testing/index.ts';

const total = (job: JobHandle, step: string, counter: string): number =>
  job.counters().steps.find(({ stepId }) => stepId === step)?.counters[counter]?.total ?? 0;

async function until(what: string, isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`waited 15 s until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A source, and behind an exchange an operator, in as many slots. */
function through(operator: string, parallelism: number, options: Record<string, number> = {}): JobGraph {
  return testGraph(`through ${operator}`, [
    { name: 'in', parallelism, chain: [sourceNode('in', { splits: 5, ...options })] },
    {
      name: 'out',
      parallelism,
      chain: [operatorNode('step', operator), sinkNode('out')],
      from: [['in', { kind: 'hash', keys: [1] }]],
    },
  ]);
}

describe('slots on threads of their own', () => {
  it('exchange every row once', async () => {
    const rows = 30_000;
    await withMiniCluster({ slotCount: 3, slots: 'threads' }, async ({ run }) => {
      const { state, error, job } = await run(through('expand-2', 3, { rows }));
      expect(error).toBeNull();
      expect(state).toBe('FINISHED');
      expect(total(job, 'out', 'testRows')).toBe(2 * rows);
      expect(total(job, 'out', 'testSum')).toBe(rows * (rows - 1));
    });
  });

  it('tell across threads which step failed at which position', async () => {
    await withMiniCluster({ slotCount: 2, slots: 'threads' }, async ({ run }) => {
      const { state, error } = await run(through('reject-4321', 2));
      expect(state).toBe('FAILED');
      expect(error).toMatchObject({
        code: 'MR-TEST-REJECTED',
        scope: 'record',
        message: 'step step at split in-1, offset 4321: no good',
      });
    });
  });
});

describe('a thread that ends', () => {
  it('fails its job, not the process, and its slot can be used again', async () => {
    await withMiniCluster({ slotCount: 3, slots: 'threads' }, async ({ submit, run }) => {
      const other = await submit(through('expand-1', 1));
      await until('the other job runs', () => total(other, 'out', 'testRows') > 0);
      const { state, error } = await run(through('exit-3000', 2));
      expect(state).toBe('FAILED');
      expect(error).toMatchObject({ code: 'MR-TASK-THREAD-LOST', fields: { reason: expect.stringContaining('7') } });
      const before = total(other, 'out', 'testRows');
      await until('the other job goes on', () => total(other, 'out', 'testRows') > before);
      expect(other.state).toBe('RUNNING');
      expect((await run(through('expand-1', 2, { rows: 100 }))).state).toBe('FINISHED');
      await other.cancel();
    });
  });
});

describe('a thread that does not answer', () => {
  it('is ended with its job, and others do not notice', async () => {
    const limits = { stuckTimeoutMs: 2000 };
    await withMiniCluster({ slotCount: 2, slots: 'threads', limits }, async ({ submit, run }) => {
      const other = await submit(through('expand-1', 1));
      const { state, error } = await run(through('spin-3000', 1));
      expect(state).toBe('FAILED');
      expect(error).toMatchObject({ code: 'MR-TASK-STUCK', fields: { tasks: expect.stringContaining('out') } });
      expect(other.state).toBe('RUNNING');
      await other.cancel();
    });
  });

  it('is ended by a cancellation that it does not hear', async () => {
    const limits = { cancelTimeoutMs: 300 };
    await withMiniCluster({ slotCount: 1, slots: 'threads', limits }, async ({ submit }) => {
      const job = await submit(through('spin-3000', 1));
      await until('it runs', () => job.state === 'RUNNING');
      await new Promise((resolve) => setTimeout(resolve, 500));
      await job.cancel();
      expect(job.state).toBe('CANCELED');
    });
  });
});
