import { describe, expect, it } from '@jest/globals';
import { slotId, splitId, taskManagerId } from '../../core/index.ts';
import { sinkNode, sourceNode, testGraph } from '../../testing/index.ts';
import type { SlotLocation } from '../../rpc/index.ts';
import { explainPlacement } from './placement-report.ts';
import type { PlacementFacts, ReadSplits } from './placement-report.ts';

const hash = { kind: 'hash', keys: [1] } as const;
const graph = testGraph('job', [
  { name: 'reads', parallelism: 3, chain: [sourceNode('in', {})] },
  { name: 'counts', parallelism: 3, chain: [sinkNode('out')], from: [['reads', hash]] },
  { name: 'copies', parallelism: 3, chain: [sinkNode('copy')], from: [['reads', { kind: 'forward' }]] },
]);

const slot = (manager: string, index: number, rack: string | null, host: string | null): SlotLocation => ({
  taskManagerId: taskManagerId(manager),
  slotId: slotId(`${manager}-${index}`),
  ...{ rack, host, data: null },
});
const slots = [slot('x', 0, 'a', 'h1'), slot('x', 1, 'a', 'h1'), slot('y', 0, 'b', 'h2')];

const reads = (subtaskIndex: number, ...splits: readonly (readonly [string, readonly string[], boolean?])[]) =>
  ({
    ...{ stepId: 'in', subtaskIndex, place: slots[subtaskIndex] as SlotLocation },
    splits: splits.map(([id, racks, stays = false]) => ({ id: splitId(id), racks, stays })),
  }) satisfies ReadSplits;

const facts = (more: Partial<PlacementFacts>): PlacementFacts => ({ graph, slots, readers: [], choice: null, ...more });

describe('a placement', () => {
  it('says of each split who reads it, from how far, and why', () => {
    const readers = [reads(0, ['near', ['a']], ['here', ['c', 'h1']]), reads(1, ['lost', []], ['far', ['c']])];
    const report = explainPlacement(facts({ readers }));
    expect(report.totals).toEqual({ 'node-local': 1, 'rack-local': 1, 'cross-rack': 1, indifferent: 1 });
    const told = report.splits.map((each) => [each.splitId, each.subtaskIndex, each.locality, each.because]);
    expect(told).toEqual([
      ['near', 0, 'rack-local', 'it can be read within rack a'],
      ['here', 0, 'node-local', 'it can be read on this machine'],
      ['lost', 1, 'indifferent', 'it does not say where it is'],
      ['far', 1, 'cross-rack', 'no subtask runs in c'],
    ]);
  });

  it.each([
    ['that the checkpoint decides', ['b'], true, 'it stays with the subtask that had it in the checkpoint'],
    ['that load decides', ['b'], false, 'load comes first: who reads in b has 1 splits already'],
    ['that no free slot was near', ['z'], false, 'no slot was free in z'],
    ['that others weigh more', ['d'], false, 'other slots make the whole cheaper than those in d'],
  ] as const)('says of one that is read across racks %s', (_, racks, stays, because) => {
    const readers = [reads(0, ['far', racks, stays]), reads(2, ['other', ['b']])];
    const offered = ['a', 'b', 'd'].map((rack) => ({ rack, host: null }));
    const report = explainPlacement(facts({ readers, choice: { offered, previous: [] } }));
    expect(report.splits[0]).toMatchObject({ locality: 'cross-rack', because });
  });

  it('says of each slice where it runs and why, and how many have moved', () => {
    const readers = [reads(1, ['near', ['a']], ['far', ['b']])];
    const previous = [slots[0], slot('x', 7, 'a', 'h1'), slot('z', 0, null, null)].map((each) => each as SlotLocation);
    const report = explainPlacement(facts({ readers, choice: { offered: [], previous } }));
    expect(report.slices.map(({ taskManagerId: id, rack, because }) => [id, rack, because])).toEqual([
      ['x', 'a', 'it ran there before'],
      ['x', 'a', '1 of its 2 splits are near'],
      ['y', 'b', 'slices are spread evenly over TaskManagers and hosts'],
    ]);
    expect(report.moved).toBe(2);
    expect(explainPlacement(facts({})).moved).toBe(0);
  });

  it('says of each edge how many of its channels go how far', () => {
    const [hashed, forward] = explainPlacement(facts({})).edges;
    expect(hashed).toMatchObject({ from: 'reads', to: 'counts', exchange: 'hash' });
    expect(hashed?.channels).toMatchObject({ 'process-local': 5, 'cross-rack': 4, 'node-local': 0 });
    expect(hashed?.crossRackShare).toBeCloseTo(4 / 9);
    expect(forward?.channels).toMatchObject({ 'process-local': 3, 'cross-rack': 0 });
    const apart = [slot('x', 0, 'a', 'h1'), slot('y', 0, 'a', 'h1'), slot('z', 0, null, null)];
    const [other] = explainPlacement(facts({ slots: apart })).edges;
    expect(other?.channels).toMatchObject({ 'process-local': 3, 'node-local': 2, indifferent: 4 });
    expect(explainPlacement(facts({ slots: [] })).edges[0]).toMatchObject({ crossRackShare: 0 });
  });
});
