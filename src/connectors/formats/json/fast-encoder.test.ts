import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, EncodedBlock, rowSchema, types } from '../../../core/index.ts';
import type { Column, ColumnBatch, Field, Value } from '../../../core/index.ts';
import { EncodeState } from './encode-state.ts';
import { generateEncoder, type EncoderShape } from './encoder-source.ts';
import { CHUNK_ROWS, CHUNK_TEXT_BYTES } from './fast-encoder-memory.ts';
import { FastEncoder } from './fast-encoder.ts';

const FIELDS: readonly Field[] = [
  { name: 'id', type: types.long },
  { name: 'a', type: types.int },
  { name: 'a longer name, "quoted"', type: types.decimal(12, 3) },
  { name: 'whole', type: types.decimal(15, 0) },
  { name: 'größe', type: types.double },
  { name: 'ok', type: types.boolean },
  { name: 'name', type: types.string },
  { name: 'other', type: types.string },
  { name: 'at', type: types.timestamp },
];
const PLAIN: EncoderShape = { epochMillis: false, omitNulls: false };
const HEADROOM = 11;

/** The records that a function writes into blocks of a few rows and bytes, by row; those that it leaves are null. */
function recordsOf(
  batch: ColumnBatch,
  blockRows: number,
  encode: (from: number, block: EncodedBlock, maxBytes: number) => number,
): (string | null)[] {
  const records: (string | null)[] = [];
  for (let row = 0; row < batch.rowCount; ) {
    // Now and then so small that it has to grow.
    const block = new EncodedBlock(blockRows, row % 2 === 0 ? 64 : 4096);
    const { data } = block;
    block.headroom = HEADROOM;
    block.used = 3;
    data.fill(0xfe);
    const next = encode(row, block, 700);
    // What the headroom of the first record covers is the owner's.
    if (block.data === data) expect(data.subarray(0, 3 + HEADROOM).every((byte) => byte === 0xfe)).toBe(true);
    expect(block.count).toBe(next - row);
    for (let i = 0; i < block.count; i++) {
      const before = i === 0 ? 3 : (block.ends[i - 1] as number);
      expect(block.starts[i]).toBe(before + HEADROOM);
      records.push(new TextDecoder().decode(block.data.subarray(block.starts[i], block.ends[i])));
    }
    if (next === row) records.push(null);
    row = Math.max(next, row + 1);
  }
  return records;
}

/** How many rows the fast encoder writes; fails where they differ from what the generated JavaScript writes. */
function compare(
  fields: readonly Field[],
  rows: readonly (readonly Value[])[],
  shape: EncoderShape,
  blockRows: number,
): number {
  const batch = batchOf(rowSchema(fields), rows);
  const columns: readonly Column[] = batch.columns;
  const state = new EncodeState(fields, shape);
  const generated = generateEncoder(fields, shape);
  const expected = recordsOf(batch, blockRows, (row, block, maxBytes) => {
    state.setBlock(block);
    return generated(state, columns, row, batch.rowCount, block, maxBytes);
  });
  const fast = FastEncoder.create(fields, shape, new EncodeState(fields, shape));
  if (fast === null) throw new Error('no WebAssembly');
  const written = recordsOf(batch, blockRows, (row, block, maxBytes) => {
    const next = fast.encode(columns, row, batch.rowCount, block, maxBytes);
    return next < 0 ? row : next;
  });
  expect(written.map((record, row) => record ?? expected[row])).toEqual(expected);
  return written.filter((record) => record !== null).length;
}

const safe = Number.MAX_SAFE_INTEGER;
const anyLong = fc.oneof(
  fc.bigInt({ min: -BigInt(safe), max: BigInt(safe) }),
  fc.tuple(fc.constantFrom(1n, -1n), fc.nat(15), fc.nat(2)).map(([s, e, d]) => s * (10n ** BigInt(e) + BigInt(d) - 1n)),
  fc.integer().map(BigInt),
);
const text = fc.oneof(
  { weight: 20, arbitrary: fc.stringMatching(/^[ -!#-[\]-~]{0,70}$/) },
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom('"', '\\', '\n', 'aaaaaaaaaaaaaaa"', 'aaaaaaaaaaaaaaaa"', '\u007f') },
);
const double = fc.oneof(
  fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((n) => n / 100),
  fc.integer({ min: -(10 ** 7), max: 10 ** 7 }).map((n) => n / 1e6),
  fc.integer().map(Number),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e15, 1e15 - 1, 999999999999999.5, 1e-6, 1e-7, 0.1, 0.3, 1e21, 4.35, 99999999.999999),
);
const values = [
  anyLong,
  fc.integer(),
  fc.bigInt({ min: -(10n ** 12n) + 1n, max: 10n ** 12n - 1n }),
  fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n }),
  double,
  fc.boolean(),
  text,
  text,
  fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0, max: 253_402_300_799_999 }) },
    { weight: 20, arbitrary: fc.nat(5000) },
    { weight: 1, arbitrary: fc.constantFrom(-1, -62_167_219_200_001, 253_402_300_800_000, 8.64e15, -8.64e15) },
  ),
] as readonly fc.Arbitrary<Value>[];
const row = fc.tuple(
  ...values.map((value) => fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) })),
);

describe('FastEncoder', () => {
  it('writes the bytes that the generated JavaScript writes', () => {
    const tally = { all: 0, written: 0 };
    const shapes = fc.record({ epochMillis: fc.boolean(), omitNulls: fc.boolean() });
    const picks = fc.subarray([...FIELDS.keys()], { minLength: 1 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), shapes, picks, fc.integer({ min: 1, max: 9 }),
        (rows, shape, picked, blockRows) => {
          const fields = picked.map((index) => FIELDS[index] as Field);
          const some = rows.map((each) => picked.map((index) => each[index] as Value));
          tally.all += rows.length;
          tally.written += compare(fields, some, shape, blockRows);
        }),
      { numRuns: Number(process.env['JSON_RUNS'] ?? 300) },
    );
    expect(tally.written).toBeGreaterThan(tally.all / 3);
  });

  it('writes every number of up to nine digits around the powers of ten, and their decimals', () => {
    const powers = Array.from({ length: 10 }, (_, exponent) => 10n ** BigInt(exponent));
    const numbers = powers.flatMap((power) => [-2n, -1n, 0n, 1n, 9n].map((more) => power + more));
    const fields = [types.long, types.decimal(15, 1), types.decimal(15, 7), types.decimal(15, 8)].map((type, index) => {
      return { name: `n${index}`, type };
    });
    const rows = numbers.flatMap((n) => [n, -n]).map((n) => fields.map(() => n));
    expect(compare(fields, rows, PLAIN, 16)).toBe(rows.length);
  });

  it('writes every row of the usual shape, over many chunks', () => {
    const rows = Array.from({ length: CHUNK_ROWS * 2 + 7 }, (_, i): Value[] => [
      BigInt(i) ** 4n, -i, BigInt(i * 7), i % 5 === 0 ? null : BigInt(i), i / 4, i % 2 === 0, 'x'.repeat(i % 90),
      i % 3 === 0 ? null : `é${i}`, 1_767_225_600_000 + i * 331,
    ]);
    expect(compare(FIELDS, rows, PLAIN, 3)).toBe(rows.length);
    expect(compare(FIELDS, rows, { epochMillis: true, omitNulls: true }, 100)).toBe(rows.length);
  });

  it('reads no text where all of a column is NULL, or empty wherever it stands', () => {
    const fields = [{ name: 'a', type: types.string }, { name: 'b', type: types.string }];
    const batch = batchOf(rowSchema(fields), [['xyz', 'x'], ['', 'y'], ['abc', 'z']]);
    const [a, b] = batch.columns as [Column, Column];
    if (a.kind !== 'bytes' || b.kind !== 'bytes') throw new Error('no text');
    // Far behind the other rows, and the whole of the second column NULL and pointing nowhere.
    a.data = Uint8Array.from([...a.data, ...new Array<number>(3000).fill(0x62)]);
    a.starts[1] = a.ends[1] = 3000;
    b.data = a.data;
    b.hasNulls = true;
    b.nulls.fill(1);
    b.starts.fill(2 ** 31 - 1);
    const fast = FastEncoder.create(fields, PLAIN, new EncodeState(fields, PLAIN));
    const block = new EncodedBlock(8, 400);
    expect(fast?.encode(batch.columns, 0, 3, block, Infinity)).toBe(3);
    expect(Buffer.from(block.data.subarray(0, block.used)).toString()).toBe(
      '{"a":"xyz","b":null}{"a":"","b":null}{"a":"abc","b":null}',
    );
  });

  it('leaves rows that are larger than its memory, and columns that are wide', () => {
    const name = [{ name: 'name', type: types.string }, { name: 'id', type: types.long }];
    const long = 'y'.repeat(CHUNK_TEXT_BYTES + 1);
    expect(compare(name, [['a', 1n], [long, 2n], ['b', 3n]], PLAIN, 2)).toBeLessThan(3);
    expect(compare(name, [['a', 2n ** 62n], ['b', 1n]], PLAIN, 2)).toBe(0);
  });
});
