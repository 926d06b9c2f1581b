import { describe, expect, it } from '@jest/globals';
import { operatorNode, sequenceRow, sinkNode, sourceNode, testGraph, withMiniCluster } from '../testing/index.ts';

describe('a job in one process', () => {
  it('moves every row once, from sources through an exchange to sinks', async () => {
    await withMiniCluster({ slotCount: 2 }, async ({ run, collected }) => {
      const graph = testGraph('simple', [
        { name: 'in', parallelism: 2, chain: [sourceNode('in', { rows: 1000, splits: 3 })] },
        { name: 'out', parallelism: 2, chain: [operatorNode('all', 'expand-1'), sinkNode('out')], from: [['in', { kind: 'hash', keys: [1] }]] },
      ]);
      const { state, error } = await run(graph);
      expect(error).toBeNull();
      expect(state).toBe('FINISHED');
      const rows = collected.rows.map(({ row }) => row).sort((a, b) => Number(a[0]) - Number(b[0]));
      expect(rows).toEqual(Array.from({ length: 1000 }, (_, n) => sequenceRow(n, 10)));
    });
  });
});
