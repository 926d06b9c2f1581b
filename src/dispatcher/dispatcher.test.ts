import { describe, expect, it } from '@jest/globals';
import type { JobGraph } from '../graph/index.ts';
import {
  MemoryCheckpointStorage,
  MemoryJobs,
  sinkNode,
  sourceNode,
  testGraph,
  withMiniCluster,
} from '../testing/index.ts';

function jobOf(name: string, sink: string, takesCheckpoints: boolean): JobGraph {
  const graph = testGraph(name, [
    { name: 'v', parallelism: 1, chain: [sourceNode('in', { pauseEvery: 1 }), sinkNode('out', {}, sink)] },
  ]);
  const times = { intervalMs: 10, timeoutMs: 10_000, minPauseMs: 0 };
  const checkpoint = { ...times, mode: 'exactly-once', tolerableFailures: 0, retained: 1 } as const;
  return { ...graph, checkpoint: takesCheckpoints ? checkpoint : null };
}

const stores = () => ({ store: new MemoryJobs().open(), storage: new MemoryCheckpointStorage() });

describe('a job is not accepted', () => {
  it('that writes exactly-once without checkpoints', async () => {
    await withMiniCluster({ slotCount: 1, stores: stores() }, async ({ submit, cluster }) => {
      await expect(submit(jobOf('job', 'transactional', false))).rejects.toMatchObject({
        code: 'MR-JOB-NEEDS-CHECKPOINTS',
        fields: { step: 'out' },
      });
      expect(cluster.dispatcher.list()).toEqual([]);
    });
  });

  it('that has no place for its checkpoints, or is to start from one and takes none', async () => {
    await withMiniCluster({ slotCount: 1 }, async ({ submit }) => {
      await expect(submit(jobOf('job', 'collect', true))).rejects.toMatchObject({ code: 'MR-JOB-NO-CHECKPOINT-STORE' });
      const start = { kind: 'from', location: '/savepoints/1' } as const;
      await expect(submit(jobOf('job', 'collect', false), { start })).rejects.toThrow(
        'the job takes no checkpoints, so it cannot start from /savepoints/1',
      );
    });
  });

  it('whose name or whose storage another one has', async () => {
    await withMiniCluster({ slotCount: 2, stores: stores() }, async ({ submit }) => {
      const first = await submit(jobOf('job', 'collect', true));
      await expect(submit(jobOf('job', 'collect', true))).rejects.toMatchObject({
        code: 'MR-JOB-NAME-TAKEN',
        fields: { jobId: first.jobId },
      });
      await expect(submit(jobOf('other', 'collect', true))).rejects.toMatchObject({ code: 'MR-JOB-STORAGE-TAKEN' });
      // Unless it keeps nothing there.
      const third = await submit(jobOf('other', 'collect', false));
      await first.cancel();
      const again = await submit(jobOf('job', 'collect', true));
      expect((await Promise.all([third.cancel(), again.cancel()])).length).toBe(2);
    });
  });
});

describe('the handle of a job', () => {
  it('is the same where a job is submitted again under its id', async () => {
    await withMiniCluster({ slotCount: 1, stores: stores() }, async ({ submit }) => {
      const first = await submit(jobOf('job', 'collect', true));
      expect(await submit(jobOf('job', 'collect', true), { jobId: first.jobId })).toBe(first);
    });
  });

  it('tells of checkpoints', async () => {
    await withMiniCluster({ slotCount: 1, stores: stores() }, async ({ submit }) => {
      const job = await submit(jobOf('job', 'collect', true));
      const completed = Promise.withResolvers<undefined>();
      const look = (): void => {
        if (job.checkpoints().completedCount > 1) completed.resolve(undefined);
        else setTimeout(look, 5);
      };
      look();
      await completed.promise;
      expect(job.origin).toMatchObject({ kind: 'anew' });
      expect([job.restarts, job.lastFailure]).toEqual([0, null]);
      expect(job.checkpoints().recent[1]).toMatchObject({ state: 'completed', subtasks: 1, acknowledged: 1 });
    });
  });
});
