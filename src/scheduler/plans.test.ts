import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { slotId, splitId, taskManagerId, vertexId } from '../core/index.ts';
import type { Split } from '../core/index.ts';
import type { SlotLocation } from '../rpc/index.ts';
import { operatorNode, sinkNode, sourceNode, testGraph } from '../testing/index.ts';
import { errorPolicyOf } from './error-policy.ts';
import { ExecutionGraph } from './execution-graph.ts';
import { checkGraph, planSlices, slotsNeeded } from './slice-plan.ts';
import { assignSplits } from './split-assignment.ts';

const slots = (count: number): SlotLocation[] =>
  Array.from({ length: count }, (_, index) => ({
    taskManagerId: taskManagerId('tm'),
    slotId: slotId(`s${index}`),
    rack: null, data: null,
    host: null,
  }));

const graph = testGraph('plan', [
  { name: 'a', parallelism: 2, chain: [sourceNode('a', {})] },
  { name: 'b', parallelism: 3, chain: [operatorNode('b', 'drop-2')], from: [['a', { kind: 'hash', keys: [1] }]] },
  { name: 'c', parallelism: 3, chain: [sinkNode('c')], from: [['b', { kind: 'forward' }]] },
  { name: 'd', parallelism: 1, chain: [sinkNode('d')], from: [['b', { kind: 'rebalance' }]] },
]);

describe('slices', () => {
  const executions = new ExecutionGraph(graph, () => 4).executions;
  const slices = planSlices(graph, executions, slots(3), () => null);

  it('hold subtask i of every vertex that has one', () => {
    expect(slotsNeeded(graph)).toBe(3);
    expect(slices.map((tasks) => tasks.map(({ attemptId }) => attemptId))).toEqual([
      ['a_0_4', 'b_0_4', 'c_0_4', 'd_0_4'],
      ['a_1_4', 'b_1_4', 'c_1_4'],
      ['b_2_4', 'c_2_4'],
    ]);
  });

  it('give every channel of the job a number of its own, the same at both ends', () => {
    const ends = new Map<number, string[]>();
    const note = (channel: number, end: string) => ends.set(channel, [...(ends.get(channel) ?? []), end]);
    for (const { subtaskIndex: index, inputs, outputs, vertex } of slices.flat()) {
      for (const { edge, firstChannel, senders } of inputs) {
        if (edge.exchange.kind === 'forward') note(firstChannel + index, `to ${edge.to} ${index} from ${index}`);
        else {
          senders.forEach((_, sender) => {
            note(firstChannel + sender * vertex.parallelism + index, `to ${edge.to} ${index} from ${sender}`);
          });
        }
      }
      for (const { edge, firstChannel, receivers } of outputs) {
        if (edge.exchange.kind === 'forward') note(firstChannel + index, `to ${edge.to} ${index} from ${index}`);
        else {
          receivers.forEach((_, receiver) => {
            note(firstChannel + index * receivers.length + receiver, `to ${edge.to} ${receiver} from ${index}`);
          });
        }
      }
    }
    expect(ends.size).toBe(2 * 3 + 3 + 3);
    for (const [, names] of ends) {
      expect(names).toHaveLength(2);
      expect(names[0]).toBe(names[1]);
    }
  });
});

describe('a graph that cannot be run', () => {
  const source = { name: 'a', parallelism: 2, chain: [sourceNode('a', {})] };
  it.each([
    ['has no vertices', testGraph('x', [])],
    ['parallelism of 0', testGraph('x', [{ ...source, parallelism: 0 }])],
    ['no steps', testGraph('x', [{ ...source, chain: [] }])],
    ['either a source or inputs', testGraph('x', [{ name: 'b', parallelism: 1, chain: [sinkNode('b')] }])],
    [
      'cannot be forwarded',
      testGraph('x', [
        source,
        { name: 'b', parallelism: 3, chain: [sinkNode('b')], from: [['a', { kind: 'forward' }]] },
      ]),
    ],
    [
      'more subtasks than there are key groups',
      testGraph('x', [
        source,
        { name: 'b', parallelism: 129, chain: [sinkNode('b')], from: [['a', { kind: 'hash', keys: [0] }]] },
      ]),
    ],
    ['there is no edge', { ...graph, edges: [] }],
  ])('%s', (message, bad) => {
    expect(() => checkGraph(bad)).toThrow(message);
  });

  it('is not this one', () => {
    expect(() => checkGraph(graph)).not.toThrow();
  });
});

describe('splits', () => {
  const splits = (count: number): Split[] =>
    Array.from({ length: count }, (_, index) => ({ id: splitId(`p${index}`), position: {}, racks: [] }));

  it('go in turn to subtasks that have none', () => {
    expect(assignSplits(splits(5), [0, 0, 0]).map((each) => each.map(({ id }) => id))).toEqual([
      ['p0', 'p3'],
      ['p1', 'p4'],
      ['p2'],
    ]);
  });

  it('are each given once, and leave no subtask two behind another that got one', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.array(fc.nat(9), { minLength: 1, maxLength: 8 }), (count, counts) => {
        const assigned = assignSplits(splits(count), counts);
        expect(assigned.flat().map(({ id }) => id).sort()).toEqual(splits(count).map(({ id }) => id).sort());
        const after = counts.map((before, index) => before + (assigned[index]?.length ?? 0));
        const receivers = after.filter((_, index) => (assigned[index]?.length ?? 0) > 0);
        for (const receiver of receivers) expect(receiver - Math.min(...after)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the error policy', () => {
  const of = (first: 'fail' | 'skip', second: 'fail' | 'skip' | 'dead-letter') => {
    const policy = second === 'dead-letter' ? { kind: second, target: 't' } : { kind: second };
    const made = testGraph('p', [
      { name: 'a', parallelism: 1, chain: [sourceNode('a', {}, { kind: first })] },
      { name: 'b', parallelism: 1, chain: [sourceNode('b', {}, policy)] },
      {
        name: 'c',
        parallelism: 1,
        chain: [sinkNode('c')],
        from: [
          ['a', { kind: 'rebalance' }],
          ['b', { kind: 'rebalance' }],
        ],
      },
    ]);
    return [errorPolicyOf(made, vertexId('b')), errorPolicyOf(made, vertexId('c'))];
  };

  it('is that of the source in its chain, and lenient behind an exchange only where all sources are', () => {
    expect(of('fail', 'skip')).toEqual([{ kind: 'skip' }, { kind: 'fail' }]);
    expect(of('skip', 'fail')).toEqual([{ kind: 'fail' }, { kind: 'fail' }]);
    expect(of('skip', 'skip')).toEqual([{ kind: 'skip' }, { kind: 'skip' }]);
    expect(of('skip', 'dead-letter')).toEqual([{ kind: 'dead-letter', target: 't' }, { kind: 'skip' }]);
  });
});
