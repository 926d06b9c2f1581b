import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rowSchema, types } from '../../core/index.ts';
import type { AggregateCall, Operator, RowSchema, StateSchema, Value } from '../../core/index.ts';
import { OperatorHarness, memorySpill } from '../../testing/index.ts';
import type { OperatorSnapshot } from '../../testing/index.ts';
import { createOperator } from '../create-operator.ts';
import { CALLS, aggregate, input } from '../fixtures/reference-aggregates.ts';
import { windowSpecOf } from '../fixtures/window-cases.ts';

const named = (calls: readonly AggregateCall[]): AggregateCall[] =>
  calls.map((call, index) => ({ ...call, name: `o${index}` }));

function aggregateOf(calls: readonly AggregateCall[], keys: readonly number[] = [0]): Operator {
  const { output } = windowSpecOf({ kind: 'count', size: 1 }, { keys, calls });
  const fields = output.fields.filter(({ name }) => name !== 'start' && name !== 'end');
  return createOperator({ kind: 'aggregate', stepId: 'w', keys, calls, input, output: { fields } });
}

function windowOf(
  window:
    | { readonly kind: 'tumble'; readonly sizeMs: number; readonly offsetMs: number }
    | { readonly kind: 'session'; readonly gapMs: number }
    | { readonly kind: 'count'; readonly size: number },
  calls = CALLS,
): Operator {
  return createOperator({ kind: 'window', ...windowSpecOf(window, { calls }) });
}

const TUMBLE = { kind: 'tumble', sizeMs: 10, offsetMs: 0 } as const;
const SESSION = { kind: 'session', gapMs: 10 } as const;
const COUNT = { kind: 'count', size: 100 } as const;

const dedupeOf = (keep: 'first' | 'last'): Operator =>
  createOperator({ kind: 'dedupe', stepId: 'w', keys: [0], keep, ttlMs: 5, input, output: input });

const INTERVAL = { kind: 'interval', beforeMs: 5, afterMs: 5 } as const;

function joinOf(bounds: typeof INTERVAL | { readonly kind: 'temporal' } | null): Operator {
  const output = { fields: [...input.fields, ...input.fields].map(({ type }, index) => ({ name: `f${index}`, type })) };
  const sides = { leftKeys: [0], rightKeys: [0], left: input, right: input, output };
  return createOperator({ kind: 'join', stepId: 'w', type: 'left', condition: null, bounds, ttlMs: null, ...sides });
}

const topNOf = (count: number): Operator => {
  const by = [{ column: 1, descending: true }];
  return createOperator({ kind: 'top-n', stepId: 'w', keys: [0], by, count, hasRank: false, input, output: input });
};

/** Of rows with a `key` and an `amount`. */
const rowKeepers: Readonly<Record<string, (input: RowSchema) => Operator>> = {
  dedupe: (input) => {
    const { keys } = namesOf(input);
    return createOperator({ kind: 'dedupe', stepId: 'w', keys, keep: 'first', ttlMs: null, input, output: input });
  },
  join: (input) => {
    const both = [...input.fields, ...input.fields];
    const output = rowSchema(both.map(({ type }, index) => ({ name: `f${index}`, type })));
    const { keys } = namesOf(input);
    const sides = { leftKeys: keys, rightKeys: keys, left: input, right: input, output };
    return createOperator({
      ...{ kind: 'join', stepId: 'w', type: 'inner', condition: null, bounds: null, ttlMs: null },
      ...sides,
    });
  },
  'top-n': (input) => {
    const { keys, amount } = namesOf(input);
    const by = [{ column: amount, descending: true }];
    return createOperator({ kind: 'top-n', stepId: 'w', keys, by, count: 1, hasRank: false, input, output: input });
  },
};

function namesOf({ fields }: RowSchema): { readonly keys: readonly number[]; readonly amount: number } {
  const place = (wanted: string): number => fields.findIndex(({ name }) => name === wanted);
  return { keys: [place('key')], amount: place('amount') };
}

const operators: Readonly<Record<string, () => Operator>> = {
  'running aggregates': () => aggregateOf(named(CALLS)),
  'tumbling windows': () => windowOf(TUMBLE),
  'session windows': () => windowOf(SESSION),
  'count windows': () => windowOf(COUNT),
  'dedupe, first': () => dedupeOf('first'),
  'dedupe, last': () => dedupeOf('last'),
  'interval joins': () => joinOf(INTERVAL),
  'temporal joins': () => joinOf({ kind: 'temporal' }),
  'joins without bounds': () => joinOf(null),
  'top-n': () => topNOf(4),
};

const rows = Array.from({ length: 40 }, (_, i): { values: Value[]; timestamp: number } => ({
  values: [`key ${i % 7}`, 2n ** BigInt(i), i, 10n ** BigInt(i % 30), i / 2, 'x'.repeat(i * 5), i % 2 === 0],
  timestamp: i,
}));

async function snapshotOf(create: () => Operator): Promise<OperatorSnapshot> {
  const harness = await OperatorHarness.open({ create, input });
  await harness.process(rows);
  const snapshot = harness.snapshot();
  await harness.close();
  return snapshot;
}

async function restore(create: () => Operator, snapshot: OperatorSnapshot): Promise<OperatorHarness> {
  return OperatorHarness.open({ create, input, restore: [snapshot] });
}

describe('what an operator remembers', () => {
  it.each(Object.keys(operators))('is refused or read, but breaks nothing, where it was changed: %s', async (name) => {
    const create = operators[name] as () => Operator;
    const snapshot = await snapshotOf(create);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ chunk: fc.nat(), at: fc.nat(), value: fc.nat(255) }), { minLength: 1, maxLength: 3 }),
        fc.record({ chunk: fc.nat(), cut: fc.option(fc.nat(), { nil: null }) }),
        async (edits, { chunk, cut }) => {
          const chunks = snapshot.chunks.map(({ keyGroup, bytes }) => ({ keyGroup, bytes: bytes.slice() }));
          for (const edit of edits) {
            const { bytes } = chunks[edit.chunk % chunks.length] as { bytes: Uint8Array };
            bytes[edit.at % bytes.length] = edit.value;
          }
          const shorter = chunks[chunk % chunks.length] as { bytes: Uint8Array };
          if (cut !== null) shorter.bytes = shorter.bytes.subarray(0, cut % shorter.bytes.length);
          try {
            const harness = await restore(create, { ...snapshot, chunks });
            await harness.process(rows);
            harness.finish();
            await harness.close();
          } catch (error) {
            expect(error).toMatchObject({ code: 'MR-STATE-INCOMPATIBLE', scope: 'job' });
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('survives calls that come, go and move, and wider integers', async () => {
    const sum = (index: number): AggregateCall => ({ ...aggregate('sum', index, types.long), name: 'sum' });
    const count: AggregateCall = { ...aggregate('count', null, types.long), name: 'count' };
    const last: AggregateCall = { ...aggregate('last', 5, types.string), name: 'last' };
    const max: AggregateCall = { ...aggregate('max', 4, types.double), name: 'max' };
    const snapshot = await snapshotOf(() => aggregateOf([sum(2), last, count]));
    const harness = await restore(() => aggregateOf([max, count, sum(1)]), snapshot);
    await harness.process([{ values: ['key 3', 1000n, null, null, 0.5, null, null] }]);
    const numbers = rows.filter(({ values }) => values[0] === 'key 3').map(({ values }) => values[2] as number);
    const total = numbers.reduce((a, b) => a + b, 1000);
    expect(harness.takeRows().map(({ values }) => values)).toEqual([
      ['key 3', 0.5, BigInt(numbers.length + 1), BigInt(total)],
    ]);
    await harness.close();
  });

  it.each([null, 1])('keeps rows whose fields come, go, move and become wider, with %j bytes', async (memoryBytes) => {
    const before = rowSchema([
      { name: 'key', type: types.string },
      { name: 'amount', type: types.int },
      { name: 'note', type: types.string },
    ]);
    const now = rowSchema([
      { name: 'more', type: types.double },
      { name: 'amount', type: types.long },
      { name: 'key', type: types.string },
    ]);
    const spill = memoryBytes === null ? {} : { spill: memorySpill(memoryBytes) };
    for (const [name, create] of Object.entries(rowKeepers)) {
      const first = await OperatorHarness.open({ create: () => create(before), input: before, ...spill });
      await first.process([{ values: ['a', 7, 'old'], timestamp: 1 }]);
      const snapshot = await first.beginSnapshot().takeFromDisk();
      expect({ name, rows: first.takeRows() }).toEqual({ name, rows: name === 'top-n' ? [expect.anything()] : [] });
      await first.close();
      const later = { create: () => create(now), input: now, restore: [snapshot], ...spill };
      const harness = await OperatorHarness.open(later);
      await harness.process([{ input: 1, values: [0.5, 5n, 'a'], timestamp: 2 }]);
      await harness.watermarkFromDisk(10);
      const output = harness.takeRows().map(({ values }) => JSON.stringify(values.map(String)));
      // The row from before: paired with the new one, waiting, or in front of it.
      if (name === 'join') expect(output).toEqual(['["null","7","a","0.5","5","a"]']);
      else if (name === 'dedupe') expect(output).toEqual(['["null","7","a"]']);
      else expect(output).toEqual([]);
      await harness.close();
    }
  });

  const changed: readonly (readonly [string, () => Operator, RegExp])[] = [
    ['of another kind', () => windowOf(TUMBLE), /state of aggregate, and is of window/],
    ['of another key', () => aggregateOf(named(CALLS), [1]), /its key was \(string\), and is \(long\)/],
    ['of another function', () => aggregateOf(named([CALLS[4] as AggregateCall])), /o0 was kept as "count"/],
  ];
  it.each(changed)('is refused where it is %s', async (_what, create, message) => {
    const snapshot = await snapshotOf(operators['running aggregates'] as () => Operator);
    await expect(restore(create, snapshot)).rejects.toThrow(message);
  });

  it('is refused where the window or the encoding changed', async () => {
    const snapshot = await snapshotOf(() => windowOf(TUMBLE));
    const other = restore(() => windowOf({ ...TUMBLE, sizeMs: 20 }), snapshot);
    await expect(other).rejects.toMatchObject({ code: 'MR-STATE-INCOMPATIBLE' });
    const schema: StateSchema = { ...snapshot.schema, version: 2 };
    const newer = restore(() => windowOf(TUMBLE), { ...snapshot, schema });
    await expect(newer).rejects.toThrow(/version 2, and this build reads 1/);
  });

  it('is refused where what decides about pairs or places changed', async () => {
    const pairs = await snapshotOf(() => joinOf(INTERVAL));
    await expect(restore(() => joinOf(null), pairs)).rejects.toThrow(/bounds was .*, and is null/);
    const ranks = await snapshotOf(() => topNOf(4));
    await expect(restore(() => topNOf(3), ranks)).rejects.toThrow(/count was 4, and is 3/);
    const first = await snapshotOf(() => dedupeOf('first'));
    await expect(restore(() => dedupeOf('last'), first)).rejects.toThrow(/keep was "first", and is "last"/);
  });

  it('goes with the rows of its key group', async () => {
    const create = () => windowOf(TUMBLE, [CALLS[0] as AggregateCall]);
    const snapshot = await snapshotOf(create);
    const [first, second] = snapshot.chunks;
    if (first === undefined || second === undefined) throw new Error('too few chunks');
    const chunks = [{ ...first, keyGroup: second.keyGroup }];
    await expect(restore(create, { ...snapshot, chunks })).rejects.toThrow(/not of key group/);
    const twice = restore(create, { ...snapshot, chunks: [first, first] });
    await expect(twice).rejects.toThrow(/comes twice/);
  });
});
