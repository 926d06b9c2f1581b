import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, rowSchema, types } from '../../core/index.ts';
import { KeyTable } from './key-table.ts';

const KEY = rowSchema([{ name: 'key', type: types.int }]);

/** The inverse of the table's factor: a hash times the factor is the product that is wanted. */
const INVERSE = 0x0e8b2f51;

/** Hashes that crowd together, most of them where the table ends and begins again. */
function hashOf(key: number, spread: number): number {
  const product = (((key * 2654435761) % spread) - Math.floor(spread / 2)) * (2 ** 32 / 65536);
  return Math.imul(product | 0, INVERSE);
}

/** A table, and what should be in it. */
class Checked {
  readonly #table = new KeyTable([types.int]);
  readonly #model = new Map<number, number>();
  readonly #row = batchOf(KEY, [[0]]);
  readonly #spread: number;

  constructor(spread: number) {
    this.#spread = spread;
  }

  add(key: number): void {
    if (this.find(key) >= 0) return;
    this.#model.set(key, this.#table.insert(hashOf(key, this.#spread), 0, 0));
  }

  remove(key: number): void {
    const slot = this.find(key);
    if (slot < 0) return;
    this.#table.remove(slot);
    this.#model.delete(key);
  }

  find(key: number): number {
    const [column] = this.#row.columns;
    if (column?.kind === 'int') column.values[0] = key;
    this.#table.bind(this.#row.columns);
    const slot = this.#table.find(hashOf(key, this.#spread), 0, 0);
    if (slot !== (this.#model.get(key) ?? -1)) throw new Error(`key ${key} is in slot ${slot}`);
    return slot;
  }

  check(keyCount: number): void {
    for (let key = 0; key < keyCount; key++) this.find(key);
    expect(this.#table.size).toBe(this.#model.size);
  }
}

describe('KeyTable', () => {
  it('has the inverse of its factor', () => {
    expect(Math.imul(0x9e3779b1, INVERSE)).toBe(1);
  });

  it('finds what is there, and nothing else, while it grows and keys come and go', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ from: fc.nat(80), count: fc.nat(20), every: fc.nat(3) }), { maxLength: 12 }),
        // Keys that share few hashes take steps by the square of their number.
        fc.constantFrom([40, 2] as const, [700, 12] as const, [65_536, 60] as const),
        (runs, [spread, unit]) => {
          const table = new Checked(spread);
          const keyCount = 100 * unit;
          for (const { from, count, every } of runs) {
            for (let key = from * unit; key < (from + count) * unit; key++) {
              table.add(key);
              if (every > 0 && key % 4 === every) table.remove(key - 2 * unit);
            }
            table.check(keyCount);
          }
          for (let key = 0; key < keyCount; key++) table.remove(key);
          table.check(keyCount);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('finds all keys at every step of moving to a larger table', () => {
    const table = new Checked(65_536);
    // Beyond the size that is moved at once.
    for (let key = 0; key < 8190; key++) table.add(key);
    for (let key = 8190; key < 9300; key++) {
      table.add(key);
      if (key % 7 === 0) table.remove(key - 5000);
      if (key % 20 === 0) table.check(key + 100);
    }
  });
});
