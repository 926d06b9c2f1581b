import { describe, expect, it } from '@jest/globals';
import { operatorNode, sinkNode, sourceNode, testGraph, withMiniCluster } from '../testing/index.ts';
import type { MiniCluster } from '../testing/index.ts';
import type { JobHandle } from '../dispatcher/index.ts';

function total(job: JobHandle, step: string, counter: string): number {
  return job.counters().steps.find(({ stepId }) => stepId === step)?.counters[counter]?.total ?? 0;
}

describe('slots on threads of their own', () => {
  it('exchange every row once', async () => {
    await withMiniCluster({ slotCount: 3, slots: 'threads' }, async ({ run }: MiniCluster) => {
      const rows = 30_000;
      const { state, error, job } = await run(
        testGraph('threads', [
          { name: 'in', parallelism: 3, chain: [sourceNode('in', { rows, splits: 5 })] },
          {
            name: 'out',
            parallelism: 3,
            chain: [operatorNode('twice', 'expand-2'), sinkNode('out')],
            from: [['in', { kind: 'hash', keys: [1] }]],
          },
        ]),
      );
      expect(error).toBeNull();
      expect(state).toBe('FINISHED');
      expect(total(job, 'out', 'testRows')).toBe(2 * rows);
      expect(total(job, 'out', 'testSum')).toBe(rows * (rows - 1));
    });
  });
});
