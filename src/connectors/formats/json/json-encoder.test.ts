import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, EncodedBlock, formatDecimal, rowSchema, types } from '../../../core/index.ts';
import type { Field, SinkSpec, Value } from '../../../core/index.ts';
import { jsonFormat } from './json-format.ts';

const FIELDS: Field[] = [
  { name: 'flag', type: types.boolean },
  { name: 'count', type: types.int },
  { name: 'i d"', type: types.long },
  { name: 'price', type: types.decimal(38, 5) },
  { name: 'größe', type: types.double },
  { name: 'name', type: types.string },
  { name: 'blob', type: types.bytes },
  { name: 'at', type: types.timestamp },
  { name: 'tags', type: types.array(types.string) },
  { name: 'more', type: types.map(types.string, types.row([{ name: 'x', type: types.long }])) },
];

function encodeAll(fields: readonly Field[], rows: readonly (readonly Value[])[], options = {}): string[] {
  const input = rowSchema(fields);
  const spec: SinkSpec = {
    stepId: 'out', connector: 'test', options: {}, format: { name: 'json', options }, input, changelog: 'append',
    uniqueKey: [],
  };
  const encoder = jsonFormat.createEncoder(spec, fields.map((_, index) => index));
  const batch = batchOf(input, rows);
  // Small, so that it has to grow in the middle of rows.
  const block = new EncodedBlock(3, 16);
  const texts: string[] = [];
  for (let row = 0; row < batch.rowCount; ) {
    block.reset();
    row = encoder.encode(batch, row, block, 1000);
    for (let i = 0; i < block.count; i++) {
      texts.push(new TextDecoder('utf-8', { fatal: true }).decode(block.data.subarray(block.starts[i], block.ends[i])));
    }
  }
  return texts;
}

/** What JSON.parse must give; longs and decimals as text, because JSON.parse rounds them. */
function expected(row: readonly Value[]): unknown {
  const [flag, count, id, price, size, name, blob, at, tags, more] = row;
  return {
    flag, count,
    'i d"': id === null ? null : String(id),
    price: price === null ? null : formatDecimal(price as bigint, 5),
    größe: Object.is(size, -0) ? 0 : size,
    name,
    blob: blob === null ? null : Buffer.from(blob as Uint8Array).toString('base64'),
    at: at === null ? null : new Date(at as number).toISOString(),
    tags,
    more: more === null ? null : Object.fromEntries(
      [...(more as Map<string, [bigint]>)].map(([key, [x]]) => [key, { x: String(x) }]),
    ),
  };
}

/** JSON.parse with the text of integers and of `price` instead of doubles. */
function parse(text: string): unknown {
  return JSON.parse(text, (key: string, value: unknown, context?: { source?: string }) =>
    ['i d"', 'price', 'x'].includes(key) && typeof value === 'number' ? context?.source : value,
  );
}

const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.tuple(fc.integer(), fc.nat(9)).map(([digits, places]) => digits / 10 ** places),
);
const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary', maxLength: 60 }));
const rows = fc.array(
  fc.tuple(
    nullable(fc.boolean()),
    nullable(fc.integer()),
    nullable(fc.oneof(long, fc.bigInt({ min: -1000n, max: 1000n }))),
    nullable(fc.oneof(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
      fc.bigInt(-(2n ** 53n), 2n ** 53n))),
    nullable(double),
    nullable(text.filter((s) => s.isWellFormed())),
    nullable(fc.uint8Array()),
    nullable(fc.oneof(fc.integer({ min: -8.64e15, max: 8.64e15 }), fc.integer({ min: 0, max: 4e12 }))),
    nullable(fc.array(fc.string())),
    nullable(
      fc.array(fc.tuple(fc.string().filter((k) => k !== '__proto__'), fc.tuple(long))).map((all) => new Map(all)),
    ),
  ),
  { maxLength: 10 },
);

describe('JsonEncoder', () => {
  it('writes JSON that reads back as the row', () => {
    fc.assert(
      fc.property(rows, (values) => {
        expect(encodeAll(FIELDS, values as Value[][]).map(parse)).toEqual((values as Value[][]).map(expected));
      }),
      { numRuns: 300 },
    );
  });

  it('leaves NULL fields out where told to', () => {
    const fields = FIELDS.slice(0, 3);
    expect(encodeAll(fields, [[null, 1, null], [null, null, null], [true, null, 2n]], { nulls: 'omit' })).toEqual([
      '{"count":1}',
      '{}',
      '{"flag":true,"i d\\"":2}',
    ]);
  });

  it('writes timestamps as milliseconds where told to, dates and times', () => {
    const fields = [
      { name: 't', type: types.timestamp },
      { name: 'd', type: types.date },
      { name: 'c', type: types.time },
    ];
    const row = [Date.UTC(2026, 0, 2, 3, 4, 5, 6), 20_455, 3_723_004];
    expect(encodeAll(fields, [row])).toEqual(['{"t":"2026-01-02T03:04:05.006Z","d":"2026-01-02","c":"01:02:03.004"}']);
    expect(encodeAll(fields, [row], { timestamps: 'epoch-millis' })[0]).toBe(
      '{"t":1767323045006,"d":"2026-01-02","c":"01:02:03.004"}',
    );
  });

  it('puts JSON in as it is, on one line', () => {
    expect(encodeAll([{ name: 'j', type: types.json }], [['{"a":\n [1.50, "\\n"]}']])).toEqual([
      '{"j":{"a":  [1.50, "\\n"]}}',
    ]);
  });

  it('keeps the rows before one that has no spelling, and names its field', () => {
    const input = rowSchema([{ name: 'x', type: types.double }, { name: 'y', type: types.array(types.double) }]);
    const spec: SinkSpec = {
      stepId: 'out', connector: 'test', options: {}, format: { name: 'json', options: {} }, input, changelog: 'append',
      uniqueKey: [],
    };
    const encoder = jsonFormat.createEncoder(spec, [0, 1]);
    const block = new EncodedBlock(10, 100);
    const batch = batchOf(input, [[1, []], [NaN, []], [2, [Infinity]], [3, [0.5]]]);
    expect(() => encoder.encode(batch, 0, block, 1000)).toThrow('`x` (double) cannot be written as JSON: NaN');
    expect([block.count, encoder.failedRow]).toEqual([1, 1]);
    expect(() => encoder.encode(batch, 2, block, 1000)).toThrow('`y` (array<double>)');
    expect([block.count, encoder.failedRow]).toEqual([1, 2]);
    expect(encoder.encode(batch, 3, block, 1000)).toBe(4);
    expect(new TextDecoder().decode(block.data.subarray(0, block.used))).toBe('{"x":1,"y":[]}{"x":3,"y":[0.5]}');
  });

  it('writes doubles as ECMAScript does', () => {
    fc.assert(
      fc.property(double, (value) => {
        const [encoded] = encodeAll([{ name: 'x', type: types.double }], [[value]]);
        expect(encoded).toBe(`{"x":${JSON.stringify(value)}}`);
      }),
      { numRuns: 2000 },
    );
  });
});
