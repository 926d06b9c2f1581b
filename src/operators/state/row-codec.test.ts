import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ColumnBatch, batchOf, rowSchema, rowsOf, types } from '../../core/index.ts';
import type { DataType, RowSchema, Value } from '../../core/index.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { decodeRow, encodeRow } from './row-codec.ts';
import { createSlotColumn } from './slot-column.ts';

const nested = types.row([
  { name: 'xs', type: types.array(types.long) },
  { name: 'm', type: types.map(types.string, types.bytes) },
]);
const TYPES: readonly (readonly [DataType, fc.Arbitrary<Value>])[] = [
  [types.boolean, fc.boolean()],
  [types.int, fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1))],
  [types.long, fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -9n, max: 9n }))],
  [types.long, fc.constantFrom(2n ** 51n, -(2n ** 51n) - 1n, 2n ** 53n - 1n, 1n - 2n ** 53n, 2n ** 53n)],
  [types.double, fc.double()],
  [types.timestamp, fc.integer({ min: -8_640_000_000, max: 8_640_000_000 })],
  [types.decimal(38, 2), fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })],
  [types.decimal(10, 2), fc.bigInt({ min: -999n, max: 999n })],
  [types.string, fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 130, maxLength: 20_000 }))],
  [types.bytes, fc.uint8Array()],
  [types.date, fc.integer({ min: -1000, max: 1000 })],
  [
    nested,
    fc.tuple(
      fc.option(fc.array(fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))), { nil: null }),
      fc.option(fc.array(fc.tuple(fc.string(), fc.uint8Array())).map((entries) => new Map<Value, Value>(entries)), {
        nil: null,
      }),
    ) as fc.Arbitrary<Value>,
  ],
];
const SCHEMA: RowSchema = rowSchema(TYPES.map(([type], index) => ({ name: `f${index}`, type })));
const FIELDS = SCHEMA.fields.map(({ type }) => type);
const rowArbitrary = fc.tuple(...TYPES.map(([, value]) => fc.option(value, { nil: null, freq: 4 })));

const editsArbitrary = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 });

function decodeAll(bytes: Uint8Array): Value[][] {
  const from = new ByteReader(bytes, 'step');
  const batch = new ColumnBatch(SCHEMA, 64);
  while (!from.atEnd) decodeRow(from, FIELDS, batch.columns, batch.rowCount++);
  return rowsOf(batch);
}

describe('rows as bytes', () => {
  it('come back as they were, from batches and from slots', () => {
    fc.assert(
      fc.property(fc.array(rowArbitrary, { maxLength: 20 }), (rows) => {
        const batch = batchOf(SCHEMA, rows);
        const to = new ByteWriter();
        for (let row = 0; row < rows.length; row++) encodeRow(batch.columns, row, to);
        expect(decodeAll(to.written)).toEqual(rows);
        const slots = FIELDS.map(createSlotColumn);
        slots.forEach((column, index) => {
          const [from] = batch.columns.slice(index, index + 1);
          column.reserve(rows.length + 1);
          if (from !== undefined) column.bind(from);
          for (let row = 0; row < rows.length; row++) {
            column.set(rows.length, row);
            column.copy(row, rows.length);
            column.clear(rows.length);
          }
        });
        const out = new ColumnBatch(SCHEMA, 64);
        rows.forEach((_, row) => {
          slots.forEach((column, index) => {
            const [target] = out.columns.slice(index, index + 1);
            if (target !== undefined) column.write(row, target, row);
          });
        });
        out.rowCount = rows.length;
        expect(rowsOf(out)).toEqual(rows);
      }),
      { numRuns: 60 },
    );
  });

  it('that are anyone’s are values, or a known error', () => {
    fc.assert(
      fc.property(rowArbitrary, editsArbitrary, fc.nat(), (row, edits, cut) => {
        const to = new ByteWriter();
        encodeRow(batchOf(SCHEMA, [row]).columns, 0, to);
        const bytes = to.written.slice();
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        try {
          decodeAll(bytes.subarray(0, cut % (bytes.length + 1)));
        } catch (error) {
          expect(error).toMatchObject({ code: 'MR-STATE-INCOMPATIBLE' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('do not nest without end', () => {
    const bytes = new Uint8Array(100_000).fill(1);
    for (let i = 2; i < bytes.length; i += 2) bytes[i] = 7;
    bytes[0] = 0xff;
    bytes[1] = 0x07;
    expect(() => decodeAll(bytes)).toThrow('nests too deep');
  });
});
