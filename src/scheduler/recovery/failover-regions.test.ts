import { describe, expect, it } from '@jest/globals';
import { sinkNode, sourceNode, testGraph } from '../../testing/index.ts';
import { failoverRegions, slicesToRestart } from './failover-regions.ts';

const source = (name: string, parallelism: number) => ({ name, parallelism, chain: [sourceNode(name, {})] });
const sink = (name: string, parallelism: number, from: string, kind: 'forward' | 'rebalance') => {
  const inputs: [string, { kind: 'forward' | 'rebalance' }][] = [[from, { kind }]];
  return { name, parallelism, chain: [sinkNode(name)], from: inputs };
};

describe('regions of a job', () => {
  it('are its slots, where rows stay in theirs', () => {
    const graph = testGraph('job', [source('a', 3), sink('x', 3, 'a', 'forward'), source('b', 2)]);
    expect(failoverRegions(graph)).toEqual([[0], [1], [2]]);
  });

  it('hold all slots that rows pass between, and those that they do not one by one', () => {
    const graph = testGraph('job', [source('a', 2), sink('x', 1, 'a', 'rebalance'), source('b', 4)]);
    expect(failoverRegions(graph)).toEqual([[0, 1], [2], [3]]);
    expect(slicesToRestart(failoverRegions(graph), [1])).toEqual([0, 1]);
    expect(slicesToRestart(failoverRegions(graph), [3, 0])).toEqual([0, 1, 3]);
  });

  it('are one where everything depends on everything', () => {
    const graph = testGraph('job', [source('a', 1), sink('x', 3, 'a', 'rebalance')]);
    expect(failoverRegions(graph)).toEqual([[0, 1, 2]]);
  });
});
