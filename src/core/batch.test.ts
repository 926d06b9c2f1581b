import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, rowsOf } from './batch.ts';
import { appendBytes, BytesColumn, DecimalColumn, LongColumn, reserveBytes } from './column.ts';
import { hashRows } from './hash.ts';
import { rowSchema, types } from './types.ts';
import type { Value } from './value.ts';

const schema = rowSchema([
  { name: 'flag', type: types.boolean },
  { name: 'count', type: types.int },
  { name: 'id', type: types.long },
  { name: 'price', type: types.decimal(38, 2) },
  { name: 'ratio', type: types.double },
  { name: 'name', type: types.string },
  { name: 'blob', type: types.bytes },
  { name: 'tags', type: types.array(types.string) },
]);

const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const rows = fc.array(
  fc.tuple(
    nullable(fc.boolean()),
    nullable(fc.integer()),
    nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    nullable(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })),
    nullable(fc.double()),
    nullable(fc.string({ unit: 'grapheme' })),
    nullable(fc.uint8Array()),
    nullable(fc.array(fc.string())),
  ),
  { maxLength: 20 },
);

describe('ColumnBatch', () => {
  it('gives back the values written, nulls and wide integers included', () => {
    fc.assert(
      fc.property(rows, (values) => {
        expect(rowsOf(batchOf(schema, values as Value[][]))).toEqual(values);
      }),
    );
  });

  it('forgets everything at reset', () => {
    const batch = batchOf(schema, [[null, null, 2n ** 60n, 2n ** 100n, null, 'x', null, null]]);
    batch.reset();
    expect(batch.rowCount).toBe(0);
    expect(batch.columns.map((column) => column.hasNulls)).toEqual(schema.fields.map(() => false));
    expect(batch.columns.map((column) => ('wide' in column ? column.wide : null))).toEqual(
      schema.fields.map(() => null),
    );
  });
});

describe('BytesColumn', () => {
  it('copies what it borrowed before it appends', () => {
    const column = new BytesColumn(4);
    column.data = new TextEncoder().encode('hello world');
    column.starts[0] = 6;
    column.ends[0] = 11;
    reserveBytes(column, 1, 10);
    appendBytes(column, 1, new TextEncoder().encode('!'));
    column.arena.subarray(0, 5);
    const text = (row: number) =>
      new TextDecoder().decode(column.data.subarray(column.starts[row], column.ends[row]));
    expect([text(0), text(1)]).toEqual(['world', '!']);
  });
});

describe('hashRows', () => {
  const hashOf = (column: LongColumn | DecimalColumn) => {
    const out = new Int32Array(1);
    hashRows([column], 1, out);
    return out[0];
  };

  it('is the same for narrow and wide integers', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const narrow = new LongColumn(1);
        narrow.values[0] = value;
        const wide = new LongColumn(1);
        wide.wide = BigInt64Array.of(BigInt(value));
        expect(hashOf(wide)).toBe(hashOf(narrow));
        const narrowDecimal = new DecimalColumn(1);
        narrowDecimal.values[0] = value;
        const wideDecimal = new DecimalColumn(1);
        wideDecimal.wide = BigInt64Array.of(BigInt(value), value < 0 ? -1n : 0n);
        expect(hashOf(wideDecimal)).toBe(hashOf(narrowDecimal));
      }),
    );
  });

  it('spreads consecutive keys over key groups', () => {
    const column = new LongColumn(12_800);
    column.values.forEach((_, index) => (column.values[index] = index));
    const out = new Int32Array(12_800);
    hashRows([column], 12_800, out);
    const perGroup = new Array<number>(128).fill(0);
    for (const hash of out) {
      const group = (hash >>> 0) % 128;
      perGroup[group] = (perGroup[group] ?? 0) + 1;
    }
    expect(Math.min(...perGroup)).toBeGreaterThan(50);
    expect(Math.max(...perGroup)).toBeLessThan(150);
  });
});
