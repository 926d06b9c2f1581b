import { afterEach, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { SpillSpace, SpillStore } from '../core/index.ts';

const aKey = fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 });
const anAct = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), key: aKey, value: fc.uint8Array({ maxLength: 5 }) }),
  fc.record({ kind: fc.constant('remove' as const), key: aKey }),
  fc.record({ kind: fc.constant('remove-range' as const), from: aKey, below: aKey }),
  fc.record({ kind: fc.constant('read' as const), keys: fc.array(aKey, { maxLength: 5 }) }),
  fc.record({ kind: fc.constant('scan' as const), from: aKey, below: aKey, limit: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('freeze' as const) }),
);
type Act = typeof anAct extends fc.Arbitrary<infer A> ? A : never;

/** What every store of spilled entries has to do. `space` gives a new one; what is opened is closed here. */
export function itIsASpillStore(space: () => SpillSpace): void {
  const opened: SpillStore[] = [];
  const open = async (): Promise<SpillStore> => {
    const store = await space().open();
    opened.push(store);
    return store;
  };
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });

  it('answers as a map does, whatever is written, removed and frozen in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anAct, { maxLength: 30 }), async (acts) => {
        await compareWithMap(await open(), acts);
      }),
      { numRuns: 20 },
    );
  });

  it('gives back what a log was given', async () => {
    const store = await open();
    const [first, second] = [await store.createLog(), await store.createLog()];
    await first.append(new Uint8Array([1, 2, 3]));
    await second.append(new Uint8Array([9]));
    await first.append(new Uint8Array([4, 5]));
    expect([...(await first.read(1, 3))]).toEqual([2, 3, 4]);
    expect([...(await first.read(4, 1))]).toEqual([5]);
    expect([...(await second.read(0, 1))]).toEqual([9]);
    await first.remove();
    expect([...(await second.read(0, 1))]).toEqual([9]);
  });
}

/** Does the same to a store and to a map, and closes the store. */
async function compareWithMap(store: SpillStore, acts: readonly Act[]): Promise<void> {
  const model = new Map<string, string>();
  const frozen: { readonly model: Map<string, string>; readonly store: ReturnType<SpillStore['freeze']> }[] = [];
  for (const each of acts) {
    switch (each.kind) {
      case 'write':
        await store.write([{ key: each.key, value: each.value }]);
        model.set(hex(each.key), hex(each.value));
        break;
      case 'remove':
        await store.remove([each.key]);
        model.delete(hex(each.key));
        break;
      case 'remove-range':
        // RocksDB refuses a range that ends before it begins; nobody has one.
        if (hex(each.from) > hex(each.below)) break;
        await store.removeRanges([{ from: each.from, below: each.below }]);
        for (const one of [...model.keys()]) if (one >= hex(each.from) && one < hex(each.below)) model.delete(one);
        break;
      case 'read': {
        const values = await store.read(each.keys);
        expect(values.map((value) => (value === null ? null : hex(value)))).toEqual(
          each.keys.map((one) => model.get(hex(one)) ?? null),
        );
        break;
      }
      case 'scan':
        for (const view of [{ model, store }, ...frozen]) {
          const found = await view.store.scan(each.from, each.below, each.limit);
          expect(found.map((entry) => [hex(entry.key), hex(entry.value)])).toEqual(
            [...view.model]
              .filter(([one]) => one >= hex(each.from) && one < hex(each.below))
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .slice(0, each.limit),
          );
        }
        break;
      case 'freeze':
        frozen.push({ model: new Map(model), store: store.freeze() });
    }
  }
  for (const view of frozen) view.store.close();
  await store.close();
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
