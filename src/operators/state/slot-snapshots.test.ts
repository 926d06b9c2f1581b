import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, hashRows, keyGroupOf, rowSchema, types } from '../../core/index.ts';
import type { StateSnapshot } from '../../core/index.ts';
import { ByteReader } from './byte-reader.ts';
import { KeyTable } from './key-table.ts';
import { ScratchRow } from './scratch-row.ts';
import { SlotSnapshots } from './slot-snapshots.ts';

const KEY = rowSchema([{ name: 'key', type: types.long }]);

/** A number per key and space, in slots. */
class Numbers {
  readonly table = new KeyTable([types.long]);
  readonly values: number[] = [];
  readonly snapshots: SlotSnapshots;
  /** What the table should hold. */
  readonly model = new Map<string, number>();
  readonly padding: number;
  readonly #row = batchOf(KEY, [[0n]]);
  readonly #hash = new Int32Array(1);

  constructor(padding: number) {
    this.padding = padding;
    const { table } = this;
    this.snapshots = new SlotSnapshots({
      get slotLimit() {
        return table.slotLimit;
      },
      isUsed: (slot) => table.isUsed(slot),
      hashOf: (slot) => table.hashOf(slot),
      encode: (slot, to) => {
        table.encode(slot, to);
        to.integer(table.spaceOf(slot), null);
        to.varint(this.values[slot] as number);
        for (let i = 0; i < this.padding; i++) to.byte(i & 255);
      },
    });
  }

  set(key: number, space: number, value: number): void {
    const [slot, isNew] = this.#slotOf(key, space);
    if (isNew) this.snapshots.added(slot);
    else if (this.snapshots.isTaking) this.snapshots.beforeChange(slot);
    this.values[slot] = value;
    this.model.set(`${key} ${space}`, value);
  }

  remove(key: number, space: number): void {
    const slot = this.find(key, space);
    if (slot < 0) return;
    if (this.snapshots.isTaking) this.snapshots.beforeChange(slot);
    this.table.remove(slot);
    this.model.delete(`${key} ${space}`);
  }

  find(key: number, space: number): number {
    return this.table.find(this.#bind(key), 0, space);
  }

  #slotOf(key: number, space: number): [slot: number, isNew: boolean] {
    const hash = this.#bind(key);
    const known = this.table.find(hash, 0, space);
    return known >= 0 ? [known, false] : [this.table.insert(hash, 0, space), true];
  }

  #bind(key: number): number {
    const [column] = this.#row.columns;
    if (column?.kind === 'long') column.values[0] = key;
    this.table.bind(this.#row.columns);
    hashRows(this.#row.columns, 1, this.#hash);
    return this.#hash[0] as number;
  }
}

/** Reads one chunk of a snapshot into `found`; false at its end. */
function readChunk(snapshot: StateSnapshot, groupCount: number, padding: number, found: Map<string, number>): boolean {
  const chunk = snapshot.next();
  if (chunk === null) return false;
  const from = new ByteReader(chunk.bytes, 'step');
  const key = new ScratchRow(KEY);
  expect(chunk.bytes.length).toBeLessThan(64 * 1024 + padding + 100);
  while (!from.atEnd) {
    const hash = key.readKey(from, chunk.keyGroup, groupCount);
    const [column] = key.columns;
    const number = column?.kind === 'long' ? (column.values[0] as number) : NaN;
    if (keyGroupOf(hash, groupCount) !== chunk.keyGroup) throw new Error(`key ${number} in group ${chunk.keyGroup}`);
    const id = `${number} ${Number(from.integer())}`;
    if (found.has(id)) throw new Error(`key ${number} comes twice`);
    found.set(id, from.varint());
    from.raw(padding);
  }
  return true;
}

interface Taken {
  readonly snapshot: StateSnapshot;
  readonly expected: Map<string, number>;
  readonly found: Map<string, number>;
}

const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ key: fc.nat(40), space: fc.nat(2), value: fc.nat(1000) }) },
  { weight: 3, arbitrary: fc.record({ gone: fc.nat(40), space: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.constant('chunk' as const) },
  { weight: 1, arbitrary: fc.constant('snapshot' as const) },
);

describe('SlotSnapshots', () => {
  it('gives the entries as they were, whatever happens while it is read', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 300 }),
        fc.constantFrom(1, 3, 128),
        fc.constantFrom(0, 0, 30_000),
        (operations, groupCount, padding) => {
          const numbers = new Numbers(padding);
          let taken: Taken | null = null;
          const finish = (): void => {
            if (taken === null) return;
            while (readChunk(taken.snapshot, groupCount, padding, taken.found));
            taken.snapshot.release();
            expect(new Map([...taken.found].sort())).toEqual(new Map([...taken.expected].sort()));
            taken = null;
          };
          for (const each of operations) {
            if (each === 'snapshot') {
              finish();
              const snapshot = numbers.snapshots.take(groupCount);
              taken = { snapshot, expected: new Map(numbers.model), found: new Map() };
            } else if (each === 'chunk') {
              if (taken !== null) readChunk(taken.snapshot, groupCount, padding, taken.found);
            } else if ('gone' in each) numbers.remove(each.gone, each.space);
            else numbers.set(each.key, each.space, each.value);
          }
          finish();
          for (const [id, value] of numbers.model) {
            const [key, space] = id.split(' ').map(Number) as [number, number];
            expect(numbers.values[numbers.find(key, space)]).toBe(value);
          }
          expect(numbers.table.size).toBe(numbers.model.size);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('takes large states in pieces, each of one key group, and most of them large', () => {
    const numbers = new Numbers(0);
    const count = 80_000;
    for (let key = 0; key < count; key++) numbers.set(key, 0, key);
    const expected = new Map(numbers.model);
    const snapshot = numbers.snapshots.take(128);
    const found = new Map<string, number>();
    let chunks = 0;
    // All entries change while the snapshot is read: more than is kept waiting.
    for (let key = 0; ; key += 8000, chunks++) {
      for (let i = 0; i < 8000 && key + i < count; i++) numbers.set(key + i, 0, 7);
      if (!readChunk(snapshot, 128, 0, found)) break;
    }
    snapshot.release();
    // Compared by hand: printing the difference would take minutes.
    expect(found.size).toBe(count);
    for (const [id, value] of expected) if (found.get(id) !== value) throw new Error(`${id} is ${found.get(id)}`);
    expect(chunks).toBeLessThan(300);
    expect(numbers.snapshots.isTaking).toBe(false);
  });
});
