import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ColumnBatch, batchOf, formatType, keyGroupOf, rowSchema, rowsOf, types } from '../../core/index.ts';
import type { Column, DataType, Field, RowSchema, Value } from '../../core/index.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { encodeRow } from './row-codec.ts';
import { keptRows, keptRowsSchema, migrationOf } from './row-migration.ts';
import { ScratchRow } from './scratch-row.ts';

const KEY: Field = { name: 'key', type: types.string };

/** A type, one that holds all of its values, its values, and what they are as values of the other. */
type Widening = readonly [DataType, DataType, fc.Arbitrary<Value>, (value: never) => Value];
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const long = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -9n, max: 9n }));
const WIDENINGS: readonly Widening[] = [
  [types.int, types.long, int, (value: number) => BigInt(value)],
  [types.int, types.double, int, (value: number) => value],
  [types.int, types.decimal(12, 2), int, (value: number) => BigInt(value) * 100n],
  [types.long, types.decimal(38, 19), long, (value: bigint) => value * 10n ** 19n],
  [types.float, types.double, fc.float().map(Math.fround), (value: number) => value],
  [
    types.decimal(9, 2),
    types.decimal(30, 12),
    fc.bigInt({ min: -999_999_999n, max: 999_999_999n }),
    (value: bigint) => value * 10n ** 10n,
  ],
  [types.string, types.string, fc.string(), (value: string) => value],
];

const field = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  sort: fc.nat(WIDENINGS.length - 1),
  /** What becomes of it. */
  fate: fc.constantFrom('stays', 'widens', 'goes', 'comes'),
  /** Where it stands afterwards. */
  place: fc.nat(9),
});
const changeArbitrary = fc.uniqueArray(field, { selector: ({ name }) => name });

const wideningOf = ({ sort }: { readonly sort: number }): Widening => WIDENINGS[sort] as Widening;

function read(written: RowSchema, current: RowSchema, values: readonly Value[]): readonly Value[] {
  const batch = batchOf(written, [values]);
  const to = new ByteWriter();
  encodeRow(batch.columns, 0, to);
  const key = rowSchema([KEY]);
  const [before, now] = [written, current].map((row) => keptRowsSchema('test', key, [keptRows(row)], {}));
  if (before === undefined || now === undefined) throw new Error('there are two');
  const keys = [current.fields.findIndex(({ name }) => name === KEY.name)];
  const scratch = new ScratchRow(current, keys, migrationOf(before, now, keptRows(current), 'step'));
  const own = new ScratchRow(rowSchema([KEY]));
  const plain = new ByteWriter();
  encodeRow([batch.columns[0] as Column], 0, plain);
  const hash = own.read(new ByteReader(plain.written, 'step'));
  // Twice, so that what the first leaves is seen.
  for (let time = 0; time < 2; time++) {
    const from = new ByteReader(to.written, 'step');
    expect(scratch.readKey(from, keyGroupOf(hash, 128), 128)).toBe(hash);
    expect(from.atEnd).toBe(true);
  }
  const out = new ColumnBatch(current, 1);
  out.columns.splice(0, out.columns.length, ...scratch.columns);
  out.rowCount = 1;
  return rowsOf(out)[0] as readonly Value[];
}

describe('kept rows of which fields came, went and became wider', () => {
  it('have NULL for what is new, and what they had for the rest', () => {
    const change = changeArbitrary.chain((fields) =>
      fc.record({
        fields: fc.constant(fields),
        values: fc.tuple(...fields.map((each) => fc.option(wideningOf(each)[2], { nil: null }))),
        key: fc.string(),
      }),
    );
    fc.assert(
      fc.property(change, ({ fields, values, key }) => {
        const before = fields.filter(({ fate }) => fate !== 'comes');
        const now = fields.filter(({ fate }) => fate !== 'goes').toSorted((a, b) => a.place - b.place);
        const written = rowSchema([KEY, ...before.map((each) => ({ name: each.name, type: wideningOf(each)[0] }))]);
        const typeNow = (each: (typeof fields)[number]): DataType => wideningOf(each)[each.fate === 'widens' ? 1 : 0];
        const current = rowSchema([...now.map((each) => ({ name: each.name, type: typeNow(each) })), KEY]);
        const valueOf = (each: (typeof fields)[number]): Value => values[fields.indexOf(each)] ?? null;
        const expected = now.map((each) => {
          const value = valueOf(each);
          if (each.fate === 'comes' || value === null) return null;
          return each.fate === 'widens' ? wideningOf(each)[3](value as never) : value;
        });
        expect(read(written, current, [key, ...before.map(valueOf)])).toEqual([...expected, key]);
      }),
      { numRuns: 300 },
    );
  });

  it.each<[DataType, DataType]>([
    [types.long, types.int],
    [types.long, types.double],
    [types.double, types.float],
    [types.string, types.bytes],
    [types.decimal(10, 2), types.decimal(10, 3)],
    [types.row([{ name: 'x', type: types.int }]), types.row([{ name: 'x', type: types.long }])],
  ])('are refused where a %j became %j', (before, now) => {
    const schemas = [before, now].map((type) => rowSchema([KEY, { name: 'v', type }]));
    const [written, current] = schemas as [RowSchema, RowSchema];
    expect(() => read(written, current, ['k', null])).toThrow(`${formatType(now)} does not hold all of its values`);
  });
});
