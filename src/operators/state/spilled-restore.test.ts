import { describe, expect, it } from '@jest/globals';

import { rowSchema, types } from '../../core/index.ts';
import type { Operator, OperatorState, SpillSpace, SpillStore } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { memorySpill, OperatorHarness } from '../../testing/index.ts';
import type { OperatorSnapshot } from '../../testing/index.ts';
import { createOperator } from '../create-operator.ts';

const SLOW_MS = 180_000;

const KEYS = 60_000;
const MEMORY_BYTES = 4 * 1024 * 1024;
/** As RocksDB would take of them. */
const STORE_BYTES = 1024 * 1024;

const input = rowSchema([
  { name: 'key', type: types.long },
  { name: 'note', type: types.string },
]);

const last = { kind: 'column', index: 1, name: 'note', type: types.string } as const;
const plain = { distinct: false, filter: null } as const;

const operators: Readonly<Record<string, () => Operator>> = {
  dedupe: () =>
    createOperator({ kind: 'dedupe', stepId: 's', keys: [0], keep: 'first', ttlMs: null, input, output: input }),
  aggregate: () =>
    createOperator({
      kind: 'aggregate',
      stepId: 's',
      keys: [0],
      calls: [
        { name: 'count', function: 'count', argument: null, type: types.long, ...plain },
        { name: 'last', function: 'last', argument: last, type: types.string, ...plain },
      ],
      input,
      output: rowSchema([input.fields[0] as (typeof input.fields)[0], { name: 'count', type: types.long }, last]),
    }),
};

/** Calls `look` whenever a store is asked for something: then others of the thread have their turn, too. */
function watched(space: SpillSpace, look: () => void): SpillSpace {
  return {
    ...space,
    storeBytes: STORE_BYTES,
    open: async () => {
      const store = await space.open();
      return {
        ...methodsOf(store),
        write: (entries) => {
          look();
          return store.write(entries);
        },
        read: (keys) => {
          look();
          return store.read(keys);
        },
      };
    },
  };
}

function methodsOf(store: SpillStore): SpillStore {
  return {
    read: (keys) => store.read(keys),
    write: (entries) => store.write(entries),
    remove: (keys) => store.remove(keys),
    removeRanges: (ranges) => store.removeRanges(ranges),
    scan: (from, below, limit) => store.scan(from, below, limit),
    freeze: () => store.freeze(),
    createLog: () => store.createLog(),
    close: () => store.close(),
  };
}

const rowsOf = (keys: readonly number[], note: string) => keys.map((key) => ({ values: [BigInt(key), note] }));
const all = Array.from({ length: KEYS }, (_, key) => key);

/** One chunk of each key group, however large. */
async function written(create: () => Operator, groups: number, note: string): Promise<OperatorSnapshot> {
  const harness = await OperatorHarness.open({ create, input, maxParallelism: groups });
  await harness.process(rowsOf(all, note));
  const { chunks, ...rest } = harness.snapshot();
  await harness.close();
  const byGroup = Map.groupBy(chunks, ({ keyGroup }) => keyGroup);
  const joined = [...byGroup].map(([keyGroup, chunksOf]) => {
    return { keyGroup, bytes: Buffer.concat(chunksOf.map(({ bytes }) => bytes)) };
  });
  return { ...rest, chunks: joined };
}

describe('a restore into less memory than its entries take', () => {
  it.each([
    { kind: 'dedupe', groups: 1, note: '' },
    { kind: 'dedupe', groups: 128, note: 'a note '.repeat(40) },
    { kind: 'aggregate', groups: 128, note: '' },
    { kind: 'aggregate', groups: 1, note: 'a note '.repeat(40) },
  ])('never takes more: $kind, $groups groups', async ({ kind, groups, note }) => {
    const create = operators[kind] as () => Operator;
    const restore = [await written(create, groups, note)];
    let state: OperatorState | undefined;
    let largest = 0;
    const look = () => {
      largest = Math.max(largest, state?.sizeBytes ?? 0);
    };
    const watchedOperator = () => {
      const operator = create();
      ({ state } = operator);
      return operator;
    };
    const macrotasks = {
      yield: () => {
        look();
        return nodePorts.macrotasks.yield();
      },
    };
    const memory = memorySpill(MEMORY_BYTES, true);
    const harness = await OperatorHarness.open({
      create: watchedOperator,
      input,
      maxParallelism: groups,
      restore,
      spill: watched(memory, look),
      ports: { ...nodePorts, macrotasks },
    });
    look();
    // Then keys come again that are in memory no more.
    for (const at of [0, KEYS / 2]) await harness.process(rowsOf(all.slice(at, at + 10_000), note), look);
    const again = harness.takeRows().map(({ values }) => values[1]);
    expect(again).toEqual(kind === 'dedupe' ? [] : Array.from({ length: 20_000 }, () => 2n));
    expect(memory.stored()).toBeGreaterThan(KEYS / 4);
    expect(largest).toBeGreaterThan(MEMORY_BYTES / 4);
    expect(largest).toBeLessThan(MEMORY_BYTES);
    await harness.close();
  }, SLOW_MS);
});
