import { describe, expect, it } from '@jest/globals';
import { ColumnBatch, emittedSchema, RecordBlock, rowsOf, types } from '../../../core/index.ts';
import type { DataType, Expression, Field, SourceSpec, Value } from '../../../core/index.ts';
import { blockOf, decodeBlock, decodeWith, encodeWith, noMetadata, specOf } from '../format-harness.ts';
import { jsonFormat } from './json-format.ts';

const FIELDS: Field[] = [
  { name: 'id', type: types.long },
  { name: 'name', type: types.string },
  { name: 'price', type: types.decimal(10, 2) },
  { name: 'ratio', type: types.double },
  { name: 'ok', type: types.boolean },
  { name: 'at', type: types.timestamp },
];
const decode = (records: readonly (string | Uint8Array | null)[], fields = FIELDS, more: Partial<SourceSpec> = {}) =>
  decodeWith(jsonFormat, records, fields, more);

/** The value of a field `v` of this type, or the message. */
function value(type: DataType, text: string): Value | string | undefined {
  const [outcome] = decode([`{"v":${text}}`], [{ name: 'v', type }]);
  return typeof outcome === 'string' ? outcome : outcome?.[0];
}

describe('JsonDecoder', () => {
  it('reads the declared fields', () => {
    const text = '{"id":7,"name":"Ann","price":12.5,"ratio":0.25,"ok":true,"at":"2026-01-02T03:04:05.678Z"}';
    const row = [7n, 'Ann', 1250n, 0.25, true, Date.UTC(2026, 0, 2, 3, 4, 5, 678)];
    expect(decode([text, text])).toEqual([row, row]);
  });

  it('does not mind order, white space, unknown and missing keys, nulls and tombstones', () => {
    expect(
      decode([
        '{"name":"b","id":1}',
        ' {\n"x" : {"y":[1,{"z":"}"}]} , "ok" : false, "id" : -5 }\t',
        '{"id":null,"name":null}',
        null,
        '{}',
        '{"id":1,"id":2,"name":"x","name":null}',
        '{"id":null,"name":null,"id":3,"name":"y"}',
        '{"\\u0069d":3,"na\\u006de":"esc"}',
      ]),
    ).toEqual([
      [1n, 'b', null, null, null, null],
      [-5n, null, null, null, false, null],
      [null, null, null, null, null, null],
      [null, null, null, null, null, null],
      [null, null, null, null, null, null],
      [2n, null, null, null, null, null],
      [3n, 'y', null, null, null, null],
      [3n, 'esc', null, null, null, null],
    ]);
  });

  it('keeps every row right where a column stops borrowing or becomes wide in the middle of a batch', () => {
    const records = ['{"id":1,"name":"a"}', '{"id":9007199254740993,"name":"\\u00e9\\n"}', '{"id":3,"name":"c"}',
      '{"name":null}'];
    expect(decode(records, FIELDS.slice(0, 2))).toEqual([
      [1n, 'a'],
      [9007199254740993n, 'é\n'],
      [3n, 'c'],
      [null, null],
    ]);
  });

  it.each([
    [types.int, '2147483647', 2147483647],
    [types.int, '-2147483648', -2147483648],
    [types.int, '12.0', 12],
    [types.int, '1e3', 1000],
    [types.long, '-0', 0n],
    [types.long, '"9223372036854775807"', 2n ** 63n - 1n],
    [types.decimal(5, 2), '"-1.50"', -150n],
    [types.decimal(5, 2), '1.2300', 123n],
    [types.decimal(38, 2), '123456789012345678901234567890.12', 12345678901234567890123456789012n],
    [types.double, '-0', -0],
    [types.double, '1e-400', 0],
    [types.double, '0.1234567890123456789', 0.12345678901234568],
    [types.float, '0.1', Math.fround(0.1)],
    [types.timestamp, '1767225600123', 1767225600123],
    [types.timestamp, '"2026-01-01"', Date.UTC(2026, 0, 1)],
    [types.timestamp, '"2026-01-01 01:02"', Date.UTC(2026, 0, 1, 1, 2)],
    [types.timestamp, '"2026-01-01T01:02:03"', Date.UTC(2026, 0, 1, 1, 2, 3)],
    [types.timestamp, '"2026-01-01T01:02:03.123456789Z"', Date.UTC(2026, 0, 1, 1, 2, 3, 123)],
    [types.timestamp, '"2026-01-01T01:02:03.5+02:00"', Date.UTC(2025, 11, 31, 23, 2, 3, 500)],
    [types.timestamp, '"2026-01-01T01:02:03-0130"', Date.UTC(2026, 0, 1, 2, 32, 3)],
    [types.timestamp, '"+010000-01-01T00:00:00.000Z"', Date.UTC(10000, 0, 1)],
    [types.timestamp, '"-000001-01-01T00:00:00.000Z"', new Date('-000001-01-01T00:00:00.000Z').getTime()],
    [types.date, '"2024-02-29"', 19782],
    [types.time, '"23:59:59.9"', 86_399_900],
    [types.bytes, '"AQL/"', new Uint8Array([1, 2, 255])],
    [types.bytes, '"AQ"', new Uint8Array([1])],
    [types.string, '"\\ud83d\\ude00\\/"', '😀/'],
    [types.json, ' {"b": [1.50, null] }', '{"b": [1.50, null] }'],
    [types.json, 'null', null],
    [types.array(types.array(types.int)), '[[1],[],null]', [[1], [], null]],
    [types.map(types.int, types.string), '{"1":"x","-2":null}', new Map([[1, 'x'], [-2, null]])],
    [types.row([{ name: 'a', type: types.long }]), '{"b":{"c":[]},"a":1}', [1n]],
  ] as const)('reads %j from %s', (type, text, expected) => {
    expect(value(type, text)).toEqual(expected);
  });

  it.each([
    [types.int, '2147483648', 'MR-FORMAT-RANGE field `v`: 2147483648 at byte 5 does not fit into int without loss'],
    [types.int, '1.5', 'MR-FORMAT-RANGE'],
    [types.long, '9223372036854775808', 'MR-FORMAT-RANGE'],
    [types.long, '"1e99999999999999999999"', 'MR-FORMAT-RANGE'],
    [types.int, '"1"', 'MR-FORMAT-TYPE field `v` is declared int, but the record holds "1" at byte 5'],
    [types.decimal(5, 2), '1.234', 'field `v`: 1.234 at byte 5 does not fit into decimal(5,2) without loss'],
    [types.decimal(5, 2), '1000', 'MR-FORMAT-RANGE'],
    [types.double, '1e400', 'MR-FORMAT-RANGE'],
    [types.float, '1e39', 'MR-FORMAT-RANGE'],
    [types.double, '"1"', 'MR-FORMAT-TYPE'],
    [types.string, '5', 'MR-FORMAT-TYPE field `v` is declared string, but the record holds 5 at byte 5'],
    [types.string, '{"a":1}', 'MR-FORMAT-TYPE field `v` is declared string, but the record holds an object at byte 5'],
    [types.boolean, '"true"', 'MR-FORMAT-TYPE'],
    [types.timestamp, '"2026-13-01T00:00:00Z"', 'MR-FORMAT-TYPE field `v` is declared timestamp (ISO 8601'],
    [types.timestamp, '"2026-01-01T00:00:60.000Z"', 'MR-FORMAT-TYPE'],
    [types.timestamp, '"2026-01-01T24:00:00.000Z"', 'MR-FORMAT-TYPE'],
    [types.timestamp, '8640000000000001', 'MR-FORMAT-RANGE'],
    [types.date, '"2025-02-29"', 'MR-FORMAT-TYPE'],
    [types.date, '20000', 'MR-FORMAT-TYPE'],
    [types.time, '"24:00"', 'MR-FORMAT-TYPE'],
    [types.bytes, '"A"', 'MR-FORMAT-TYPE'],
    [types.bytes, '"A-_="', 'MR-FORMAT-TYPE'],
    [types.string, '"\\ud800"', 'MR-FORMAT-UTF8 the record is no valid UTF-8: a surrogate without its partner'],
    [types.array(types.int), '[1,"2"]', 'MR-FORMAT-TYPE field `v[1]` is declared int'],
    [types.row([{ name: 'a', type: types.int }]), '{"a":{}}', 'MR-FORMAT-TYPE field `v.a` is declared int'],
    [types.map(types.int, types.int), '{"x":1}', 'MR-FORMAT-TYPE field `v (key)` is declared int'],
  ] as const)('refuses for %j the value %s', (type, text, expected) => {
    expect(value(type, text)).toEqual(expect.stringContaining(expected));
  });

  it.each([
    ['', 'an empty record where an object is expected at byte 0'],
    ['  ', 'an empty record where an object is expected at byte 0'],
    ['[1]', 'an array where an object is expected at byte 0'],
    ['null', 'null where an object is expected at byte 0'],
    ['\ufeff{}', 'an object is expected, not \ufeff{ at byte 0'],
    ['{"id":1', 'the object does not end at byte 7'],
    ['{"id":1}}', 'the end of the record is expected, not } at byte 8'],
    ['{"id":1,}', 'a key in quotes is expected, not } at byte 8'],
    ['{"id" 1}', 'a colon is expected, not 1 at byte 6'],
    ['{"x":tru}', 'a value is expected, not tru at byte 5'],
    ['{"x":"a}', 'the string does not end at byte 5'],
    ['{"x":"a\u0001"}', 'the control character 0x01 inside a string at byte 7'],
    ['{"x":"\\q"}', 'an unknown escape at byte 6'],
    ['{"x":01}', 'a number with a leading zero at byte 5'],
    ['{"x":1.}', 'a number without digits at byte 5'],
    ['{"x":[1 2]}', ', or ] is expected, not 2 at byte 8'],
    ["{'id':1}", "a key in quotes is expected, not 'id':1 at byte 1"],
  ])('says what is wrong with %j', (record, problem) => {
    expect(decode([record])).toEqual([`MR-FORMAT-SYNTAX the record is no JSON: ${problem}`]);
  });

  it('checks what it does not decode', () => {
    const more = { projection: [0] };
    expect(decode(['{"name":"\\x","id":1}', '{"name":7,"id":1}'], FIELDS, more)).toEqual([
      expect.stringContaining('an unknown escape'),
      [1n],
    ]);
    const invalid = Uint8Array.of(...Buffer.from('{"x":"'), 0xc3, 0x28, ...Buffer.from('"}'));
    expect(decode([invalid], FIELDS, more)).toEqual([
      'MR-FORMAT-UTF8 the record is no valid UTF-8: 0xc3 begins no character at byte 6',
    ]);
  });

  it('does without any field', () => {
    expect(decode(['{"id":1}', '{"a":', '{}'], FIELDS, { projection: [] })).toEqual([[], expect.any(String), []]);
    expect(decode(['{"id":1}', '{}'], [])).toEqual([[], []]);
  });

  it('takes hundreds of fields', () => {
    const fields = Array.from({ length: 300 },
      (_, i): Field => ({ name: `f${i}`, type: i % 2 === 0 ? types.long : types.string }));
    const record = `{${fields.map(({ name }, i) => `"${name}":${i % 2 === 0 ? i : `"${i}"`}`).join(',')}}`;
    const row = fields.map((_, i) => (i % 2 === 0 ? BigInt(i) : String(i)));
    expect(decode([record, '{"f299":"x"}', record], fields)).toEqual([
      row,
      fields.map((_, i) => (i === 299 ? 'x' : null)),
      row,
    ]);
  });

  it('lets no text of a field name into its code', () => {
    const names = ['"];throw 1//', '`${process.exit(1)}`', "'); throw 2; ('", '\\', '\u2028', '*/ throw 3 /*',
      '{"a":1}', '', '\ud83d\ude00'];
    const fields = names.map((name): Field => ({ name, type: types.int }));
    const record = JSON.stringify(Object.fromEntries(names.map((name, index) => [name, index])));
    expect(decode([record, record], fields)).toEqual(Array(2).fill(names.map((_, index) => index)));
    const encoded = encodeWith(jsonFormat, [names.map((_, index) => index)], fields);
    expect(encoded.map((bytes) => Buffer.from(bytes).toString())).toEqual([record]);
  });

  it('bears what is made to hurt', () => {
    const deep = (levels: number): string => `{"x":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    const digits = '9'.repeat(1_000_000);
    const started = performance.now();
    expect(
      decode([
        deep(1000),
        deep(1002),
        `{"x":${'['.repeat(100_000)}}`,
        `{"id":${digits}}`,
        `{"id":${'1'}.${'0'.repeat(1_000_000)}}`,
        `{"price":1${'0'.repeat(500_000)}1e-500000}`,
        `{"id":1e${digits}}`,
        `{${'"k":1,'.repeat(100_000)}"id":5}`,
      ]).map((outcome) => (typeof outcome === 'string' ? outcome.slice(0, 70) : outcome[0])),
    ).toEqual([
      null,
      expect.stringContaining('more than 1000 levels'),
      expect.stringContaining('more than 1000 levels'),
      expect.stringContaining('MR-FORMAT-RANGE field `id`: 99999'),
      1n,
      expect.stringContaining('MR-FORMAT-RANGE field `price`'),
      expect.stringContaining('MR-FORMAT-RANGE field `id`'),
      5n,
    ]);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('gives a record no bytes of its neighbour', () => {
    // Read as one, the two would be an object; each alone is none.
    expect(decode(['{"id":1', '2}', '{"name":"a', 'b"}', '{"ok":tr', 'ue}'])).toEqual(
      Array(6).fill(expect.any(String)));
  });

  it('writes metadata for the rows that it keeps, and says which records they came from', () => {
    const spec = specOf(FIELDS.slice(0, 1), {
      metadata: [{ name: 'offset', key: 'offset', type: types.long }],
      projection: [1, 0],
    });
    const decoder = jsonFormat.createDecoder(spec, {
      write(block, batch, records, fromRow, toRow) {
        const column = batch.columns[0];
        if (column?.kind !== 'long') throw new Error('not the column asked for');
        for (let row = fromRow; row < toRow; row++) column.values[row] =
          block.offsets[records[row] as number] as number;
      },
    });
    const batch = new ColumnBatch(emittedSchema(spec), 10);
    const records = new Int32Array(10);
    const block = blockOf(['{"id":10}', 'bad', '{"id":30}']);
    expect(decoder.decode(block, 0, batch, records)).toBe(1);
    expect(decoder.decode(block, 2, batch, records)).toBe(3);
    expect(rowsOf(batch)).toEqual([[1n, 10n], [3n, 30n]]);
    expect([...records.subarray(0, 2)]).toEqual([0, 2]);
  });

  it('is not disturbed by what an older batch left', () => {
    const spec = specOf(FIELDS.slice(0, 2));
    const decoder = jsonFormat.createDecoder(spec, noMetadata);
    const batch = new ColumnBatch(emittedSchema(spec), 4);
    const records = new Int32Array(4);
    const rounds = [['{"id":null}', '{"name":"\\n"}'], ['{"id":1,"name":"a"}', '{"id":2,"name":"b"}'], ['{"id":3}']];
    for (const round of rounds) {
      batch.reset();
      decoder.decode(blockOf(round), 0, batch, records);
    }
    expect(rowsOf(batch)).toEqual([[3n, null]]);
  });

  it('works on a Buffer, and up to its last byte', () => {
    const spec = specOf(FIELDS.slice(0, 1));
    const block = new RecordBlock(1);
    const bytes = Buffer.from('xx{"id":123}').subarray(2);
    block.data = bytes;
    block.valueEnds[0] = bytes.length;
    block.count = 1;
    expect(decodeBlock(jsonFormat.createDecoder(spec, noMetadata), spec, block)).toEqual([{ row: [123n] }]);
  });
});

const column = (index: number): Expression => {
  const field = FIELDS[index] as Field;
  return { kind: 'column', index, name: field.name, type: field.type };
};
const long = (text: string): Expression => ({ kind: 'literal', type: types.long, value: text });
const call = (overload: string, type: DataType, ...args: Expression[]): Expression =>
  ({ kind: 'call', overload, args, type });
const greater = (a: Expression, b: Expression): Expression => call('gt(long,long)', types.boolean, a, b);

describe('filters inside the decoder', () => {
  const records = [
    '{"id":1,"name":"a"}',
    '{"name":"no id"}',
    '{"id":5,"name":"b"}',
    '{"id":9007199254740993,"name":"c"}',
    '{"id":7,"name":null}',
  ];

  it('keep rows for which they are TRUE, in narrow and in wide batches', () => {
    const filters = [{ stepId: 'large', predicate: greater(column(0), long('4')) }];
    expect(decode(records, FIELDS.slice(0, 2), { filters })).toEqual([
      'dropped',
      'dropped',
      [5n, 'b'],
      [9007199254740993n, 'c'],
      [7n, null],
    ]);
  });

  it('read fields that nobody else needs', () => {
    const name: Expression = { kind: 'literal', type: types.string, value: 'b' };
    const filters = [{ stepId: 'b', predicate: call('eq(string,string)', types.boolean, column(1), name) }];
    expect(decode(records, FIELDS, { filters, projection: [0] })).toEqual(
      ['dropped', 'dropped', [5n], 'dropped', 'dropped']);
    expect(decode(records, FIELDS, { filters, projection: [] })).toEqual(
      ['dropped', 'dropped', [], 'dropped', 'dropped']);
  });

  it('go on exactly where doubles cannot', () => {
    const product = call('multiply(long,long)', types.long, column(0), long('9007199254740881'));
    const filters = [{ stepId: 'f',
      predicate: call('eq(long,long)', types.boolean, product, long('45035996273704405')) }];
    expect(decode(records.slice(0, 3), FIELDS, { filters, projection: [0] })).toEqual(['dropped', 'dropped', [5n]]);
  });

  it('fail in the name of their step, and the next record is not harmed', () => {
    const predicate = greater(call('divide(long,long)', types.long, long('10'),
      call('subtract(long,long)', types.long, column(0), long('5'))), long('-10'));
    const spec = specOf(FIELDS.slice(0, 2), { filters: [{ stepId: 'ratio', predicate }] });
    const outcomes = decodeBlock(jsonFormat.createDecoder(spec, noMetadata), spec,
      blockOf(['{"id":4,"name":null}', ...records]));
    expect(outcomes).toEqual([
      'dropped',
      { row: [1n, 'a'] },
      'dropped',
      { error: expect.stringContaining('MR-EXPR-DIVISION-BY-ZERO'), stepId: 'ratio' },
      { row: [9007199254740993n, 'c'] },
      { row: [7n, null] },
    ]);
  });
});
