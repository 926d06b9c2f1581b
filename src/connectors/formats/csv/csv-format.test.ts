import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { parseOptions, types } from '../../../core/index.ts';
import type { Field, OptionTable, OptionValue, Value } from '../../../core/index.ts';
import { blockOf, decodeBlock, decodeWith, encodeWith, specOf } from '../format-harness.ts';
import { csvFormat } from './csv-format.ts';

const optionsOf = (given: Record<string, unknown> = {}) =>
  parseOptions(csvFormat.options as OptionTable, given).values as Record<string, OptionValue>;

const FIELDS: Field[] = [
  { name: 'id', type: types.long },
  { name: 'name', type: types.string },
  { name: 'price', type: types.decimal(8, 2) },
  { name: 'at', type: types.timestamp },
];
const decode = (records: readonly string[], given: Record<string, unknown> = {}, more = {}) =>
  decodeWith(csvFormat, records, FIELDS, { format: { name: 'csv', options: optionsOf(given) }, ...more });

describe('csv', () => {
  it('reads columns in the order of the fields', () => {
    expect(
      decode(['7,"a ""b"", c",1.50,2026-01-02T03:04:05Z', ',,,', '"8","","2",1767225600000', '9,ä']),
    ).toEqual([
      [7n, 'a "b", c', 150n, Date.UTC(2026, 0, 2, 3, 4, 5)],
      [null, null, null, null],
      [8n, '', 200n, 1767225600000],
      'MR-FORMAT-COLUMNS the record has 2 columns, the schema 4',
    ]);
  });

  it('follows its options', () => {
    const given = { delimiter: 'tab', quote: "'", nullLiteral: 'NULL', missingColumns: 'null' };
    expect(decode(["1\t'it''s'\tNULL\tNULL", "2\t'NULL'", '3\t'], given)).toEqual([
      [1n, "it's", null, null],
      [2n, 'NULL', null, null],
      [3n, '', null, null],
    ]);
  });

  it.each([
    ['x,a,1,2026-01-01', 'MR-FORMAT-TYPE field `id` is declared long, but the record holds "x" at byte 0'],
    ['1,a,1.234,2026-01-01', 'MR-FORMAT-RANGE field `price`: "1.234" at byte 4 does not fit into decimal(8,2)'],
    ['1,a,1,yesterday', 'MR-FORMAT-TYPE field `at` is declared timestamp'],
    ['1,"a,1,2026-01-01', 'MR-FORMAT-SYNTAX the record is no CSV: a quoted column does not end at byte 2'],
    ['1,"a"b,1,2026-01-01', 'MR-FORMAT-SYNTAX the record is no CSV: text behind a quoted column at byte 5'],
    ['1,a,1,2026-01-01,more', 'MR-FORMAT-COLUMNS the record has 5 columns'],
  ])('refuses %s', (record, message) => {
    expect(decode([record])).toEqual([expect.stringContaining(message)]);
  });

  it('refuses bytes that are no UTF-8', () => {
    const record = Uint8Array.of(0x31, 0x2c, 0xff, 0x2c, 0x2c);
    expect(decodeWith(csvFormat, [record], FIELDS, { format: { name: 'csv', options: optionsOf() } })).toEqual([
      'MR-FORMAT-UTF8 the record is no valid UTF-8: 0xff begins no character at byte 2',
    ]);
  });

  it('matches columns with a header by name', () => {
    const block = blockOf(['\ufeffname,x,id,price,at', 'a,1,2,3,']);
    block.offsets[0] = 0;
    const format = { name: 'csv', options: optionsOf({ header: true }) };
    const spec = specOf(FIELDS, { format, projection: [0, 1] });
    const decoder = csvFormat.createDecoder(spec, { write: () => undefined });
    expect(decodeBlock(decoder, spec, block)).toEqual(['dropped', { row: [2n, 'a'] }]);
    const lacking = blockOf(['name,id']);
    lacking.offsets[0] = 0;
    expect(decodeBlock(csvFormat.createDecoder(spec, { write: () => undefined }), spec, lacking)).toEqual([
      { error: 'MR-FORMAT-HEADER the header of the CSV lacks the columns price, at; it has name, id', stepId: 'in' },
    ]);
  });

  it('says which options do not go together', () => {
    const problems = (given: Record<string, unknown>) =>
      csvFormat.check(specOf(FIELDS).schema, optionsOf(given), 'decode').map(({ message }) => message);
    expect(problems({ delimiter: '"' })).toEqual(['`quote` and `delimiter` must differ']);
    expect(problems({ nullLiteral: 'a,b' })).toEqual([expect.stringContaining('`nullLiteral` must hold no delimiter')]);
    expect(problems({})).toEqual([]);
  });

  const cell = fc.option(
    fc.oneof(fc.string(), fc.stringMatching(/^[a",\n\r ]{0,6}$/), fc.string({ unit: 'grapheme' })),
    { nil: null },
  );
  const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 8 });
  const texts: Field[] = ['a', 'b', 'c'].map((name) => ({ name, type: types.string }));

  it('reads what it writes, whatever the text', () => {
    const dialects = fc.constantFrom({}, { delimiter: ';', quote: "'" }, { nullLiteral: 'null' });
    fc.assert(
      fc.property(table, dialects, (rows, given) => {
        const format = { name: 'csv', options: optionsOf(given) };
        const records = encodeWith(csvFormat, rows, texts, format.options);
        expect(decodeWith(csvFormat, records, texts, { format })).toEqual(rows);
      }),
    );
  });

  it('writes what csv-parse reads', () => {
    fc.assert(
      fc.property(table, (rows) => {
        const records = encodeWith(csvFormat, rows, texts, optionsOf());
        const text = records.map((record) => `${Buffer.from(record).toString()}\n`).join('');
        expect(parse(text, { record_delimiter: '\n' })).toEqual(rows.map((row) => row.map((value) => value ?? '')));
      }),
    );
  });

  it('reads the numbers and times that it writes', () => {
    const fields: Field[] = [
      { name: 'a', type: types.int }, { name: 'b', type: types.long }, { name: 'c', type: types.decimal(30, 4) },
      { name: 'd', type: types.double }, { name: 'e', type: types.timestamp },
    ];
    const numbers = fc.tuple(
      fc.integer(),
      fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.integer().map(BigInt)),
      fc.oneof(fc.bigInt({ min: -(10n ** 30n) + 1n, max: 10n ** 30n - 1n }), fc.integer().map(BigInt)),
      fc.oneof(fc.double(), fc.integer().map((n) => n / 1000)).map((d) => d + 0),
      fc.integer({ min: -8.64e15, max: 8.64e15 }),
    );
    const format = { name: 'csv', options: optionsOf() };
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1, maxLength: 8 }), (rows) => {
        const records = encodeWith(csvFormat, rows, fields, format.options);
        expect(decodeWith(csvFormat, records, fields, { format })).toEqual(rows);
      }),
      { numRuns: 500 },
    );
  });

  it('writes and reads every type', () => {
    const all: Field[] = [
      { name: 'a', type: types.boolean }, { name: 'b', type: types.int }, { name: 'c', type: types.double },
      { name: 'd', type: types.float }, { name: 'e', type: types.date }, { name: 'f', type: types.time },
      { name: 'g', type: types.bytes }, { name: 'h', type: types.json }, { name: 'i', type: types.array(types.long) },
      { name: 'j', type: types.map(types.string, types.int) },
    ];
    const row: Value[] = [
      true, -5, NaN, Math.fround(0.1), 20_455, 3_723_004, new Uint8Array([1, 255]), '{"x": [1]}', [2n ** 60n, null],
      new Map([['k', 1]]),
    ];
    const format = { name: 'csv', options: optionsOf() };
    const records = encodeWith(csvFormat, [row], all, format.options);
    expect(decodeWith(csvFormat, records, all, { format })).toEqual([row]);
  });
});
