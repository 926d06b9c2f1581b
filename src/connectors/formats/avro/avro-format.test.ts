import { describe, expect, it } from '@jest/globals';
import avsc from 'avsc';
import fc from 'fast-check';
import { formatType, parseOptions, rowSchema, types } from '../../../core/index.ts';
import type { Field, OptionTable, OptionValue, Value } from '../../../core/index.ts';
import { decodeWith, encodeWith } from '../format-harness.ts';
import { avroFormat } from './avro-format.ts';

const SCHEMA = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'name', type: ['null', 'string'], default: null },
    { name: 'count', type: ['int', 'null'] },
    { name: 'ratio', type: 'double' },
    { name: 'part', type: 'float' },
    { name: 'ok', type: 'boolean' },
    { name: 'blob', type: 'bytes' },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 2 } },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 2 } },
    { name: 'tax', type: { type: 'fixed', name: 'Tax', size: 4, logicalType: 'decimal', precision: 9, scale: 1 } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'seen', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'day', type: { type: 'int', logicalType: 'date' } },
    { name: 'hour', type: { type: 'int', logicalType: 'time-millis' } },
    { name: 'tags', type: { type: 'array', items: ['null', 'string'] } },
    { name: 'counts', type: { type: 'map', values: 'long' } },
    { name: 'item', type: { type: 'record', name: 'Item',
      fields: [{ name: 'hash', type: 'Hash' }, { name: 'n', type: 'int' }] } },
    { name: 'next', type: ['null', 'Item'] },
  ],
};

const parsed = (avroSchema: unknown) => parseOptions(avroFormat.options as OptionTable, { avroSchema });
const optionsOf = (avroSchema: unknown) => parsed(avroSchema).values as Record<string, OptionValue>;
const OPTIONS = optionsOf(SCHEMA);
const FIELDS = (avroFormat.fixedSchema(OPTIONS)?.fields ?? []) as readonly Field[];
const decode = (records: readonly Uint8Array[], fields = FIELDS, options = OPTIONS, more = {}) =>
  decodeWith(avroFormat, records, fields, { format: { name: 'avro', options }, ...more });

const bytes2 = fc.uint8Array({ minLength: 2, maxLength: 2 });
const long = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.maxSafeInteger().map(BigInt),
  fc.integer().map(BigInt));
const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const int = fc.integer();
const rows = fc.array(
  fc.tuple(
    long,
    nullable(fc.string({ unit: 'grapheme' })),
    nullable(int),
    fc.double(),
    fc.float(),
    fc.boolean(),
    fc.uint8Array(),
    bytes2,
    fc.constantFrom('A', 'B'),
    fc.bigInt({ min: -(10n ** 30n) + 1n, max: 10n ** 30n - 1n }),
    fc.bigInt({ min: -999_999_999n, max: 999_999_999n }),
    fc.integer({ min: -8.64e15, max: 8.64e15 }),
    fc.integer({ min: -8e12, max: 8e12 }),
    int,
    fc.integer({ min: 0, max: 86_399_999 }),
    fc.array(nullable(fc.string())),
    fc.array(fc.tuple(fc.string(), long)).map((all) => new Map(all)),
    fc.tuple(bytes2, int),
    nullable(fc.tuple(bytes2, int)),
  ) as fc.Arbitrary<Value[]>,
  { minLength: 1, maxLength: 6 },
);

describe('avro', () => {
  it('makes fields of the schema', () => {
    expect(FIELDS.map(({ name, type }) => `${name} ${formatType(type)}`)).toEqual([
      'id long', 'name string', 'count int', 'ratio double', 'part float', 'ok boolean', 'blob bytes', 'hash bytes',
      'kind string', 'price decimal(30,2)', 'tax decimal(9,1)', 'at timestamp', 'seen timestamp', 'day date',
        'hour time',
      'tags array<string>', 'counts map<string, long>', 'item row<hash bytes, n int>', 'next row<hash bytes, n int>',
    ]);
    expect(avroFormat.fixedSchema(optionsOf(JSON.stringify(SCHEMA)))?.fields).toEqual(FIELDS);
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(rows, fc.subarray([...FIELDS.keys()]), (values, projection) => {
        const records = encodeWith(avroFormat, values, FIELDS, OPTIONS);
        expect(decode(records)).toEqual(values);
        expect(decode(records, FIELDS, OPTIONS, { projection })).toEqual(
          values.map((row) => projection.map((i) => row[i])));
      }),
    );
  });

  it('writes what avsc reads, and reads what avsc writes', () => {
    // Without longs beyond the safe integers, which avsc refuses, and without logical types, which it leaves alone.
    const schema = { type: 'record', name: 'R', fields: SCHEMA.fields.slice(1, 9) } as const;
    const type = avsc.Type.forSchema(schema as avsc.Schema);
    const options = optionsOf(schema);
    const fields = FIELDS.slice(1, 9);
    fc.assert(
      fc.property(rows, (values) => {
        const wanted = values.map((row) => row.slice(1, 9));
        const records = encodeWith(avroFormat, wanted, fields, options);
        records.forEach((record, index) => {
          const read = type.fromBuffer(Buffer.from(record)) as Record<string, unknown>;
          expect(fields.map(({ name }) => (Buffer.isBuffer(read[name]) ? new Uint8Array(read[name]) : read[name])))
            .toEqual(
            wanted[index],
          );
          expect(decode([type.toBuffer(read)], fields, options)).toEqual([wanted[index]]);
        });
      }),
    );
  });

  it('refuses damaged records, and never hangs or crashes', () => {
    const [record] = encodeWith(
      avroFormat,
      [[1n, 'a', 2, 0.5, 0.5, true, new Uint8Array(3), new Uint8Array(2), 'A', 5n, 6n, 7, 8, 9, 10, ['x', null],
        new Map([['k', 1n]]), [new Uint8Array(2), 1], null]],
      FIELDS,
      OPTIONS,
    ) as [Uint8Array];
    for (let cut = 0; cut < record.length; cut++) {
      expect(decode([record.subarray(0, cut)])).toEqual([expect.stringMatching(/^MR-FORMAT-AVRO /)]);
    }
    expect(decode([Uint8Array.of(...record, 0)])).toEqual([expect.stringContaining('1 bytes follow its last field')]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(record.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (edits) => {
        const damaged = record.slice();
        for (const [at, byte] of edits) damaged[at] = byte;
        const [outcome] = decode([damaged]);
        if (typeof outcome === 'string') expect(outcome).toMatch(/^MR-FORMAT-(AVRO|UTF8) /);
      }),
      { numRuns: 2000 },
    );
  });

  it('does not believe a count', () => {
    const options = optionsOf({ type: 'record', name: 'R',
      fields: [{ name: 'a', type: { type: 'array', items: 'int' } }] });
    const fields = avroFormat.fixedSchema(options)?.fields ?? [];
    const huge = Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0);
    expect(decode([huge], fields, options)).toEqual([expect.stringMatching(/items in 1 bytes/)]);
  });

  it.each([
    [{ type: 'string' }, 'it must be a record schema'],
    [{ type: 'record', name: 'R', fields: [{ name: 'u', type: ['int', 'string'] }] }, 'u is a union of 2 types'],
    [{ type: 'record', name: 'R', fields: [{ name: 'n', type: 'null' }] }, 'n is always null'],
    [{ type: 'record', name: 'R', fields: [{ name: 'r', type: ['null', 'R'] }] }, 'the record R holds itself'],
    [{ type: 'record', name: 'R', fields: [] }, 'has no fields'],
    [{ type: 'recordd' }, 'unknown'],
    ['{"type":', 'its text is no JSON'],
  ])('says what is wrong with the schema %j', (schema, message) => {
    expect(parsed(schema).problems.map((problem) => problem.message)).toEqual([expect.stringContaining(message)]);
  });

  it('compares a sink with the schema', () => {
    const schema = { type: 'record', name: 'R',
      fields: [{ name: 'a', type: 'int' }, { name: 'b', type: 'long' }, { name: 'c', type: ['null', 'int'] }] };
    const input = rowSchema([{ name: 'a', type: types.long }, { name: 'x', type: types.int }]);
    expect(avroFormat.check(input, optionsOf(schema), 'encode').map(({ message }) => message)).toEqual([
      'the Avro schema has no field `x`',
      '`a` is long, the Avro schema wants int',
      'the rows have no field `b`, which the Avro schema wants',
    ]);
  });

  it('leaves rows that do not fit to the handler', () => {
    const options = optionsOf({ type: 'record', name: 'R',
      fields: [{ name: 'kind', type: { type: 'enum', name: 'K', symbols: ['A'] } }] });
    const fields = [{ name: 'kind', type: types.string }];
    expect(() => encodeWith(avroFormat, [['A'], ['C']], fields, options)).toThrow('the enum has no "C"');
    expect(() => encodeWith(avroFormat, [[null]], fields, options)).toThrow(
      'it is NULL, and the schema has no null there');
  });
});
