import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, describeOrigin, MAX_LONG, MIN_LONG, rowsOf, types } from '../../core/index.ts';
import type { BytesColumn, ColumnBatch, DataType, Field, Value } from '../../core/index.ts';
import { BatchBuilder } from './batch-builder.ts';
import { BatchDecoder, BatchEncoder } from './batch-codec.ts';

/** Types, each with values that include its extremes. */
const typed: readonly (readonly [DataType, fc.Arbitrary<Value>])[] = [
  [types.boolean, fc.boolean()],
  [types.int, fc.integer()],
  [types.date, fc.integer()],
  [types.long, fc.oneof(fc.maxSafeInteger().map(BigInt), fc.bigInt({ min: MIN_LONG, max: MAX_LONG }))],
  [types.double, fc.double()],
  [types.timestamp, fc.integer({ min: -8.64e15, max: 8.64e15 })],
  [
    types.decimal(38, 2),
    fc.oneof(fc.maxSafeInteger().map(BigInt), fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })),
  ],
  [types.string, fc.string({ unit: 'grapheme' })],
  [types.bytes, fc.uint8Array({ maxLength: 200 })],
  [types.array(types.long), fc.array(fc.option(fc.bigInt({ min: MIN_LONG, max: MAX_LONG })), { maxLength: 4 })],
  [
    types.map(types.string, types.double),
    fc.array(fc.tuple(fc.string(), fc.double()), { maxLength: 3 }).map((entries) => new Map<Value, Value>(entries)),
  ],
  [
    types.row([
      { name: 'a', type: types.boolean },
      { name: 'b', type: types.bytes },
    ]),
    fc.tuple(fc.boolean(), fc.uint8Array()),
  ],
];

interface Drawn {
  readonly batch: ColumnBatch;
  readonly rows: readonly (readonly Value[])[];
}

const drawnBatch: fc.Arbitrary<Drawn> = fc
  .array(fc.nat(typed.length - 1), { minLength: 1, maxLength: 6 })
  .chain((chosen) => {
    const fields = chosen.map((index, at): Field => ({ name: `f${at}`, type: (typed[index] as (typeof typed)[0])[0] }));
    const row = fc.tuple(...chosen.map((index) => fc.option((typed[index] as (typeof typed)[0])[1], { freq: 4 })));
    return fc.tuple(fc.array(row, { maxLength: 40 }), fc.boolean(), fc.boolean(), fc.nat(3)).map(
      ([rows, hasTimes, hasKinds, origin]): Drawn => {
        const batch = batchOf({ fields }, rows);
        if (hasTimes) batch.timestamps = Float64Array.from(rows, (_, index) => index * 1.5e12);
        if (hasKinds) batch.rowKinds = Uint8Array.from(rows, (_, index) => index % 4);
        if (origin > 0) giveOrigin(batch, origin);
        return { batch, rows };
      },
    );
  });

const drawnPicks = fc.array(fc.nat(1000), { maxLength: 60 });

/** Positions: 1 of one split, 2 of one split through originRows, 3 of a split per row. */
function giveOrigin(batch: ColumnBatch, kind: number): void {
  const offsets = Float64Array.from({ length: batch.rowCount + 5 }, (_, index) => 1000 + index * 3);
  const prefix =
    kind === 3 ? (row: number) => `topic t, partition ${row % 3}, offset ` : 'topic t, partition 9, offset ';
  const nameOf = (row: number) => (typeof prefix === 'string' ? prefix : prefix(row));
  batch.origin = { describe: (row) => `${nameOf(row)}${offsets[row] as number}`, parts: { prefix, offsets } };
  const last = batch.rowCount + 4;
  if (kind === 2) batch.originRows = Int32Array.from({ length: batch.rowCount }, (_, index) => last - index);
}

function encode(batch: ColumnBatch): ArrayBuffer {
  const encoder = new BatchEncoder(batch.schema);
  const size = encoder.measure(batch);
  // Buffers that come back from a receiver hold old data and are larger than needed.
  const frame = new ArrayBuffer(size + 24);
  new Uint8Array(frame).fill(0xaa);
  encoder.encode(batch, frame, size);
  return frame;
}

function positionsOf(batch: ColumnBatch): (string | null)[] {
  return Array.from({ length: batch.rowCount }, (_, row) => describeOrigin(batch, row));
}

describe('a frame', () => {
  it('gives back the rows of any batch, with their times, kinds and positions', () => {
    fc.assert(
      fc.property(drawnBatch, ({ batch, rows }) => {
        const decoded = new BatchDecoder(batch.schema).decode(encode(batch));
        expect(rowsOf(decoded)).toEqual(rows);
        expect(decoded.timestamps && [...decoded.timestamps]).toEqual(batch.timestamps && [...batch.timestamps]);
        expect(decoded.rowKinds && [...decoded.rowKinds]).toEqual(batch.rowKinds && [...batch.rowKinds]);
        expect(positionsOf(decoded)).toEqual(positionsOf(batch));
        expect(decoded.columns.map((column) => 'wide' in column && column.wide !== null)).toEqual(
          batch.columns.map((column) => 'wide' in column && column.wide !== null),
        );
      }),
      { numRuns: 400 },
    );
  });

  it('gives back gathered rows of several batches', () => {
    fc.assert(
      fc.property(drawnBatch, drawnPicks, fc.nat(60), ({ batch, rows }, picks, dense) => {
        if (rows.length === 0) return;
        const builder = new BatchBuilder(batch.schema, 1 << 20);
        const list = Int32Array.from(picks, (pick) => pick % rows.length);
        const end = Math.min(dense, rows.length);
        expect(builder.append(batch, list, 0, list.length)).toBe(list.length);
        expect(builder.append(batch, null, 0, end)).toBe(end);
        const expected = [...[...list].map((row) => rows[row]), ...rows.slice(0, end)];
        const positions = positionsOf(batch);
        const expectedPositions = [...[...list].map((row) => positions[row]), ...positions.slice(0, end)];
        for (const gathered of [builder.batch, new BatchDecoder(batch.schema).decode(encode(builder.batch))]) {
          expect(rowsOf(gathered)).toEqual(expected);
          expect(positionsOf(gathered)).toEqual(expectedPositions);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('holds only the bytes of its own rows of a large shared buffer', () => {
    const batch = batchOf({ fields: [{ name: 's', type: types.string }] }, [['a'], ['b'], [null]]);
    const column = batch.columns[0] as BytesColumn;
    column.data = new Uint8Array(1 << 20).fill(65);
    column.starts.set([5000, 100, -1]);
    column.ends.set([5003, 101, -9]);
    const frame = encode(batch);
    expect(frame.byteLength).toBeLessThan(200);
    expect(rowsOf(new BatchDecoder(batch.schema).decode(frame))).toEqual([['AAA'], ['A'], [null]]);
  });
});

describe('a builder', () => {
  const schema = { fields: [{ name: 's', type: types.string }] };
  const strings = (count: number, size: number): ColumnBatch =>
    batchOf(schema, Array.from({ length: count }, () => ['x'.repeat(size)]));

  it('is full at a number of bytes, but takes a row of any size', () => {
    const builder = new BatchBuilder(schema, 32_768);
    const batch = strings(1000, 100);
    const taken = builder.append(batch, null, 0, 1000);
    expect(builder.isFull).toBe(true);
    expect(taken).toBeGreaterThan(100);
    expect(taken).toBeLessThan(400);
    builder.reset();
    expect(builder.isFull).toBe(false);
    expect(builder.append(strings(2, 1_000_000), null, 0, 2)).toBe(1);
    expect(builder.isFull).toBe(true);
    builder.reset();
    expect((builder.batch.columns[0] as BytesColumn).arena).toHaveLength(0);
  });

  it('does not mix rows with and without event times', () => {
    const builder = new BatchBuilder(schema, 32_768);
    const timed = strings(2, 1);
    timed.timestamps = Float64Array.of(1, 2);
    builder.append(strings(2, 1), null, 0, 2);
    expect(builder.append(timed, null, 0, 2)).toBe(0);
    expect(builder.isFull).toBe(true);
    builder.reset();
    expect(builder.append(timed, null, 0, 2)).toBe(2);
    expect(builder.batch.timestamps?.[1]).toBe(2);
  });
});

describe('a damaged frame', () => {
  const batch = batchOf(
    {
      fields: [
        { name: 's', type: types.string },
        { name: 'a', type: types.array(types.int) },
      ],
    },
    [
      ['one', [1, 2]],
      [null, [3]],
    ],
  );

  it.each<[string, (words: Int32Array) => void]>([
    ['does not start as a frame does', (words) => (words[0] = 1)],
    ['version 7, not 1', (words) => (words[1] = 7)],
    ['it says', (words) => (words[2] = 9)],
    ['a negative size', (words) => (words[3] = -1)],
    ['it says', (words) => (words[3] = 1 << 28)],
    ['3 columns, not the 2 of its schema', (words) => (words[5] = 3)],
    ['field s is of kind int, not bytes', (words) => (words[8] = 1)],
    ['field s is of kind unknown, not bytes', (words) => (words[8] = 77)],
    ['a negative size', (words) => (words[9] = -8)],
    ['do not end where its offsets say', (words) => (words[9] = 6)],
  ])('is refused: %s', (message, damage) => {
    const frame = encode(batch);
    damage(new Int32Array(frame, 0, 12));
    expect(() => new BatchDecoder(batch.schema).decode(frame)).toThrow(message);
  });

  it('is refused where a value is cut short or a buffer ends early', () => {
    const frame = encode(batch);
    expect(() => new BatchDecoder(batch.schema).decode(frame.slice(0, 20))).toThrow('less than its header');
    expect(() => new BatchDecoder(batch.schema).decode(frame.slice(0, 80))).toThrow('80 are there');
    const bytes = new Uint8Array(frame);
    // The count of the last list, which is followed by its one value.
    const list = bytes.lastIndexOf(7);
    bytes[list + 1] = 200;
    expect(() => new BatchDecoder(batch.schema).decode(frame)).toThrow('cut short');
    bytes[list] = 99;
    expect(() => new BatchDecoder(batch.schema).decode(frame)).toThrow('unknown value tag 99');
  });
});
