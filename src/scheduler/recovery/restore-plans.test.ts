import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_WATERMARK_MS, splitId, stepId, subtaskOfKeyGroup, types } from '../../core/index.ts';
import type {
  ChannelStateHandle,
  CheckpointedVertex,
  CheckpointMetadata,
  Field,
  OperatorStateHandle,
  StateSchema,
  SubtaskSnapshot,
} from '../../core/index.ts';
import type { Exchange, JobGraph, JobVertex } from '../../graph/index.ts';
import { operatorNode, sinkNode, sourceNode, testGraph, testSchema } from '../../testing/index.ts';
import { checkRestorePlan, planRestore } from './plan-restore.ts';
import { restoredSplits, restoreOfTask } from './restored-tasks.ts';

const nothing = { fields: [] };
const schema: StateSchema = { kind: 'aggregate', version: 1, key: nothing, values: nothing, settings: {} };

/** One chunk per key group, at ten times its number. */
function handle(step: string, keyGroups: readonly number[]): OperatorStateHandle {
  const file = { name: `chk-7/${step}-${keyGroups.join('_')}.state`, sizeBytes: 1, checksum: '00000000' };
  return { stepId: stepId(step), schema, file, chunks: keyGroups.flatMap((group) => [group, group * 10, 5]) };
}

const empty: SubtaskSnapshot = {
  subtaskIndex: 0,
  splits: [],
  watermarkMs: null,
  operators: [],
  committables: [],
  isFinished: false,
};

function vertex(
  id: string,
  steps: readonly string[],
  subtasks: readonly Partial<SubtaskSnapshot>[],
): CheckpointedVertex {
  return {
    vertexId: id,
    stepIds: steps.map(stepId),
    parallelism: subtasks.length,
    subtasks: subtasks.map((each, subtaskIndex) => ({ ...empty, ...each, subtaskIndex })),
  };
}

function checkpoint(vertices: readonly CheckpointedVertex[], kind: CheckpointMetadata['kind'] = 'checkpoint') {
  const times = { triggeredAtMs: 1, completedAtMs: 2 };
  const metadata: CheckpointMetadata = {
    ...{ version: 1, jobName: 'job', checkpointId: 7, kind, generation: 1, maxParallelism: 128, vertices },
    ...times,
  };
  return metadata;
}

const byKey: Exchange = { kind: 'hash', keys: [1] };
const split = (name: string) => ({ id: splitId(name), position: { next: 1 }, racks: [] });
const committable = (step: string) => ({ stepId: stepId(step), subtaskIndex: 0, checkpointId: 7, data: {} });

const graph: JobGraph = testGraph('job', [
  { name: 'v1', parallelism: 2, chain: [sourceNode('in', {})] },
  {
    name: 'v2',
    parallelism: 2,
    chain: [operatorNode('totals', 'drop-2'), sinkNode('out')],
    from: [['v1', { kind: 'hash', keys: [1] }]],
  },
]);

const whole = checkpoint([
  vertex('v1', ['in'], [{ splits: [split('a')] }, { splits: [split('b')] }]),
  vertex(
    'v2',
    ['totals', 'out'],
    [
      { operators: [handle('totals', [0, 1])], committables: [committable('out')] },
      { operators: [handle('totals', [64])] },
    ],
  ),
]);

const verdicts = (metadata: CheckpointMetadata, job = graph, schemas?: ReadonlyMap<string, StateSchema>) =>
  planRestore(metadata, job, schemas).steps.map((step) => `${step.stepId} ${step.verdict}: ${step.reason}`);

describe('the plan of a restore', () => {
  it('keeps what both know, wherever it stands', () => {
    const expected = [
      'in kept: positions of 2 splits',
      'totals kept: entries in 3 key groups',
      'out kept: 1 prepared outputs',
    ];
    expect(verdicts(whole)).toEqual(expected);
    const regrouped = testGraph('job', [
      { name: 'x', parallelism: 5, chain: [sourceNode('in', {})] },
      { name: 'y', parallelism: 3, chain: [operatorNode('totals', 'drop-2')], from: [['x', byKey]] },
      { name: 'z', parallelism: 1, chain: [sinkNode('out')], from: [['y', { kind: 'rebalance' }]] },
    ]);
    expect(verdicts(whole, regrouped)).toEqual(expected);
    expect(checkRestorePlan(planRestore(whole, regrouped), false)).toEqual([]);
  });

  it('names new and dropped steps, and refuses to drop state unless that is allowed', () => {
    const changed = testGraph('job', [
      { name: 'v1', parallelism: 1, chain: [sourceNode('in', {}), operatorNode('more', 'drop-2'), sinkNode('out')] },
    ]);
    expect(verdicts(whole, changed)).toEqual([
      'in kept: positions of 2 splits',
      'more new: the checkpoint has no such step',
      'out kept: 1 prepared outputs',
      'totals dropped: the job has no such step; it had entries in 3 key groups',
    ]);
    const plan = planRestore(whole, changed);
    expect(() => checkRestorePlan(plan, false)).toThrow(/state of steps that the job does not have: totals/);
    expect(checkRestorePlan(plan, true)).toEqual(['totals']);
  });

  it('drops steps without state in silence; prepared output is state, but for a savepoint', () => {
    const vertices = [vertex('v1', ['in', 'large', 'out'], [{ committables: [committable('out')] }])];
    const chain = [sourceNode('in', {}), sinkNode('other')];
    const changed = testGraph('job', [{ name: 'v1', parallelism: 1, chain }]);
    expect(() => checkRestorePlan(planRestore(checkpoint(vertices), changed), false)).toThrow('not have: out;');
    expect(checkRestorePlan(planRestore(checkpoint(vertices, 'savepoint'), changed), false)).toEqual([]);
  });

  it('takes no entries for no state, although there is a handle', () => {
    const vertices = [vertex('v2', ['gone'], [{ operators: [handle('gone', [])] }])];
    expect(checkRestorePlan(planRestore(checkpoint(vertices), graph), false)).toEqual([]);
  });

  it.each<[string, CheckpointedVertex]>([
    ['totals: it was a source, and is none now', vertex('v', ['totals'], [{ splits: [split('a')] }])],
    ['out: it had state of aggregate, and keeps none now', vertex('v', ['out'], [{ operators: [handle('out', [1])] }])],
    [
      'totals: it had prepared output, and is no sink now',
      vertex('v', ['totals'], [{ committables: [committable('totals')] }]),
    ],
  ])('refuses %s', (message, written) => {
    expect(() => checkRestorePlan(planRestore(checkpoint([written]), graph), true)).toThrow(message);
  });

  it('compares schemas where they are known', () => {
    const wider = { ...schema, values: { fields: [{ name: 'n', type: types.long }] } };
    expect(verdicts(whole, graph, new Map([['totals', wider]]))[1]).toBe('totals migrated: n is new');
    const other = new Map([['totals', { ...schema, kind: 'window' }]]);
    expect(verdicts(whole, graph, other)[1]).toBe(
      'totals incompatible: it was state of aggregate, and is of window',
    );
    expect(() => checkRestorePlan(planRestore(whole, graph, other), true)).toThrow('totals: it was state');
  });

  it('refuses another number of key groups where there is keyed state', () => {
    const other = { ...graph, maxParallelism: 256 };
    expect(() => checkRestorePlan(planRestore(whole, other), true)).toThrow('the job has 256 key groups');
    const stateless = checkpoint([vertex('v1', ['in'], [{ splits: [split('a')] }])]);
    expect(checkRestorePlan(planRestore(stateless, other), false)).toEqual([]);
  });
});

describe('a restored task', () => {
  const restore = (metadata: CheckpointMetadata, parallelism: number, index: number) => {
    const made = testGraph('job', [
      { name: 'v1', parallelism: 1, chain: [sourceNode('in', {})] },
      { name: 'v2', parallelism, chain: [operatorNode('totals', 'drop-2')], from: [['v1', byKey]] },
    ]);
    const [, second] = made.vertices;
    if (second === undefined) throw new Error('there are two');
    return restoreOfTask(metadata, second, index);
  };

  it('gets exactly the chunks of its key groups, whatever the parallelism was and is', () => {
    const groups = fc.uniqueArray(fc.nat(127), { maxLength: 40 });
    fc.assert(
      fc.property(groups, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (all, before, after) => {
        const owner = (group: number, parallelism: number) => subtaskOfKeyGroup(group, 128, parallelism);
        const subtasks = Array.from({ length: before }, (_, index) => ({
          operators: [handle('totals', all.filter((group) => owner(group, before) === index))],
        }));
        const metadata = checkpoint([vertex('old', ['totals'], subtasks)]);
        const found: number[] = [];
        for (let index = 0; index < after; index++) {
          for (const { chunks, file, stepId: step } of restore(metadata, after, index)?.operators ?? []) {
            expect(step).toBe('totals');
            expect(chunks.length).toBeGreaterThan(0);
            for (let at = 0; at < chunks.length; at += 3) {
              const [group = -1, position, length] = chunks.slice(at, at + 3);
              found.push(group);
              expect([owner(group, after), position, length]).toEqual([index, group * 10, 5]);
              expect(file.name).toContain(String(group));
            }
          }
        }
        expect(found.sort((a, b) => a - b)).toEqual([...all].sort((a, b) => a - b));
      }),
    );
  });

  it('starts anew where the checkpoint knows none of its steps', () => {
    expect(restore(checkpoint([vertex('v', ['other'], [{}])]), 1, 0)).toBeNull();
    expect(restore(checkpoint([vertex('v', ['totals'], [{}])]), 1, 0)).toEqual({
      checkpointId: 7,
      operators: [],
      watermarkMs: null,
    });
  });

  it('has the least watermark of those whose key groups it takes over', () => {
    const at = (...times: (number | null)[]) =>
      checkpoint([vertex('v', ['totals'], times.map((watermarkMs) => ({ watermarkMs })))]);
    const watermarks = (metadata: CheckpointMetadata, parallelism: number) =>
      Array.from({ length: parallelism }, (_, index) => restore(metadata, parallelism, index)?.watermarkMs);
    expect(watermarks(at(5, 9), 2)).toEqual([5, 9]);
    expect(watermarks(at(5, 9), 1)).toEqual([5]);
    expect(watermarks(at(5, 9), 4)).toEqual([5, 5, 9, 9]);
    expect(watermarks(at(5, 9), 3)).toEqual([5, 5, 9]);
    expect(watermarks(at(5, null), 1)).toEqual([null]);
  });

  it('knows the key groups that had come further, for good', () => {
    const at = (...subtasks: Partial<SubtaskSnapshot>[]) => checkpoint([vertex('v', ['totals'], subtasks)]);
    const two = at({ watermarkMs: 5 }, { watermarkMs: 9 });
    expect(restore(two, 1, 0)).toMatchObject({ watermarkMs: 5, ahead: [64, 127, 9] });
    expect(restore(two, 3, 1)).toMatchObject({ watermarkMs: 5, ahead: [64, 85, 9] });
    for (const same of [0, 1]) expect(restore(two, 2, same)).not.toHaveProperty('ahead');
    // What the subtask was restored with, as long as it is not passed.
    const again = at({ watermarkMs: 6, ahead: [10, 19, 7, 20, 29, 9] }, { watermarkMs: 8 });
    expect(restore(again, 2, 0)).toMatchObject({ watermarkMs: 6, ahead: [10, 19, 7, 20, 29, 9] });
    expect(restore(again, 1, 0)).toMatchObject({ watermarkMs: 6, ahead: [10, 19, 7, 20, 29, 9, 64, 127, 8] });
    const unknown = at({ watermarkMs: null }, { watermarkMs: 8 });
    expect(restore(unknown, 1, 0)).toMatchObject({ watermarkMs: null, ahead: [64, 127, 8] });
    // One that has finished keeps nothing, and nothing comes to it any more.
    const over = at({ watermarkMs: 6 }, { watermarkMs: MAX_WATERMARK_MS, isFinished: true });
    expect(restore(over, 1, 0)).not.toHaveProperty('ahead');
  });

  it('knows of key groups of several vertices what all of them had reached', () => {
    const metadata = checkpoint([
      vertex('v', ['totals'], [{ watermarkMs: 5 }, { watermarkMs: 9 }]),
      vertex('w', ['later'], [{ watermarkMs: 5 }, { watermarkMs: 7 }]),
    ]);
    const [, joined] = testGraph('job', [
      { name: 'in', parallelism: 1, chain: [sourceNode('in', {})] },
      {
        name: 'v',
        parallelism: 1,
        chain: [operatorNode('totals', 'drop-2'), operatorNode('later', 'drop-2'), sinkNode('out')],
        from: [['in', byKey]],
      },
    ]).vertices;
    if (joined === undefined) throw new Error('there is one');
    expect(restoreOfTask(metadata, joined, 0)).toMatchObject({ watermarkMs: 5, ahead: [64, 127, 7] });
  });

  it('is not held back by those that had finished', () => {
    const metadata = checkpoint([
      vertex('v', ['totals'], [
        { watermarkMs: null, isFinished: true },
        { watermarkMs: 9 },
        { watermarkMs: Infinity, isFinished: true },
      ]),
    ]);
    expect(restore(metadata, 1, 0)?.watermarkMs).toBe(9);
    const finished = checkpoint([vertex('v', ['totals'], [{ watermarkMs: Infinity, isFinished: true }])]);
    expect(restore(finished, 1, 0)?.watermarkMs).toBeNull();
  });

  it('of a source counts all watermarks once splits are spread anew', () => {
    const metadata = checkpoint([vertex('v', ['in'], [{ watermarkMs: 9 }, { watermarkMs: 5 }])]);
    const source = (parallelism: number) =>
      testGraph('job', [{ name: 'v', parallelism, chain: [sourceNode('in', {})] }]).vertices[0];
    const same = source(2);
    const other = source(3);
    if (same === undefined || other === undefined) throw new Error('there is one');
    expect(restoreOfTask(metadata, same, 0)?.watermarkMs).toBe(9);
    expect(restoreOfTask(metadata, other, 0)?.watermarkMs).toBe(5);
  });
});

describe('restored splits', () => {
  it('are found by their source', () => {
    expect(restoredSplits(whole, stepId('in'))).toEqual({
      parallelism: 2,
      splits: [
        { split: split('a'), subtaskIndex: 0 },
        { split: split('b'), subtaskIndex: 1 },
      ],
    });
    expect(restoredSplits(whole, stepId('other'))).toBeNull();
    // It was there and had none: what is found now is new.
    const none = checkpoint([vertex('v', ['in'], [{}])]);
    expect(restoredSplits(none, stepId('in'))).toEqual({ parallelism: 1, splits: [] });
  });
});

describe('rows that were on their way', () => {
  const channel = (over: Partial<ChannelStateHandle> = {}): ChannelStateHandle => ({
    stepId: stepId('totals'),
    input: 0,
    keys: [1],
    sender: 0,
    receiver: 0,
    receivers: 2,
    schema: testSchema,
    file: { name: 'chk-7/x.state', sizeBytes: 100, checksum: '00000000' },
    batches: [0, 10, 10, 20],
    ...over,
  });
  const inFlight = (...channels: ChannelStateHandle[]): CheckpointMetadata =>
    checkpoint([
      vertex('v1', ['in'], [{ channels }, {}]),
      vertex('v2', ['totals', 'out'], [{ channels: channels.map((each) => ({ ...each, sender: 9 })) }, {}]),
    ]);
  const jobOf = (parallelism: number, exchange: Exchange = byKey): JobGraph =>
    testGraph('job', [
      { name: 'v1', parallelism, chain: [sourceNode('in', {})] },
      { name: 'v2', parallelism, chain: [operatorNode('totals', 'drop-2'), sinkNode('out')], from: [['v1', exchange]] },
    ]);
  const given = (metadata: CheckpointMetadata, job: JobGraph): readonly string[] =>
    Array.from({ length: (job.vertices[1] as JobVertex).parallelism }, (_, subtask) =>
      (restoreOfTask(metadata, job.vertices[1] as JobVertex, subtask)?.channels ?? [])
        .map(({ handle: { sender, receiver }, isShared }) => `${sender}>${receiver}${isShared ? ' shared' : ''}`)
        .join(' '),
    );

  it('go to their receivers, what these had received first', () => {
    const both = inFlight(channel(), channel({ receiver: 1 }));
    expect(given(both, jobOf(2))).toEqual(['9>0 0>0', '9>1 0>1']);
  });

  it('go to whoever has their key groups after a change of parallelism, or anybody where none matters', () => {
    const both = inFlight(channel({ receiver: 1 }));
    expect(given(both, jobOf(1))).toEqual(['9>1 0>1']);
    expect(given(both, jobOf(3))).toEqual(['', '9>1 shared 0>1 shared', '9>1 shared 0>1 shared']);
    expect(given(inFlight(channel({ receiver: 4, receivers: 5, keys: null })), jobOf(3))).toEqual(['', '9>4 0>4', '']);
  });

  it('go to the middle of a chain where the step stands there now', () => {
    const chain = [sourceNode('in', {}), operatorNode('totals', 'drop-2'), sinkNode('out')];
    const merged = testGraph('job', [{ name: 'v1', parallelism: 1, chain }]);
    const aside = channel({ stepId: stepId('out'), keys: null, receivers: 2, receiver: 1 });
    const [only] = merged.vertices as [JobVertex];
    const found = restoreOfTask(inFlight(channel(), aside), only, 0)?.channels ?? [];
    expect(found.map(({ handle: each }) => `${each.sender}>${each.stepId}`)).toEqual([
      ...['9>totals', '9>out'],
      ...['0>totals', '0>out'],
    ]);
    expect(verdicts(inFlight(channel(), aside), merged)).toEqual([
      'in kept: no state',
      'totals kept: 4 batches on their way to it',
      'out kept: 4 batches on their way to it',
    ]);
  });

  it('are state of their step, and cannot go where its input is another one', () => {
    const gone = testGraph('job', [{ name: 'v1', parallelism: 1, chain: [sourceNode('in', {}), sinkNode('out')] }]);
    expect(() => checkRestorePlan(planRestore(inFlight(channel()), gone), false)).toThrow('totals');
    const only = (metadata: CheckpointMetadata, job = jobOf(2)) => verdicts(metadata, job)[1];
    expect(only(inFlight(channel()), jobOf(2, { kind: 'hash', keys: [0] }))).toMatch(
      /^totals incompatible: rows were on their way to it, and they are spread by other fields now; a savepoint/,
    );
    expect(only(inFlight(channel({ input: 1 }), channel()), jobOf(2, { kind: 'rebalance' }))).toMatch(/incompatible/);
    const [first, ...rest] = testSchema.fields as [Field, ...Field[]];
    const other = { fields: [{ ...first, type: types.string }, ...rest] };
    expect(only(inFlight(channel({ schema: other })))).toMatch(/their field n is of another type/);
    const more = { fields: [...testSchema.fields, { name: 'more', type: types.int }] };
    expect(only(inFlight(channel({ schema: more })))).toMatch(/they have the field more/);
  });

  it('may lack what an aggregation reads past, and nothing else', () => {
    // The step of this graph has neither keys nor arguments: it reads nothing.
    const narrow = { fields: testSchema.fields.slice(0, 2) };
    expect(verdicts(inFlight(channel({ schema: narrow })), jobOf(2))[1]).toMatch(/^totals kept/);
    const aside = channel({ stepId: stepId('out'), keys: null, schema: narrow });
    expect(verdicts(inFlight(aside), jobOf(2))[2]).toMatch(/^out incompatible: .* they lack the field text/);
  });
});
