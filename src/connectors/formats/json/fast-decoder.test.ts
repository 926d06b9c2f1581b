import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ColumnBatch, rowSchema, rowsOf, types } from '../../../core/index.ts';
import type { Field, Value } from '../../../core/index.ts';
import { blockOf } from '../format-harness.ts';
import { TargetColumns } from '../target-columns.ts';
import { DecodeState } from './decode-state.ts';
import { FastDecoder } from './fast-decoder.ts';
import { CHUNK_BYTES, CHUNK_RECORDS } from './fast-memory.ts';
import { oracleRow } from './json-oracle.ts';
import { declaredLayout } from './record-layout.ts';

const FIELDS: readonly Field[] = [
  { name: 'id', type: types.long },
  { name: 'count', type: types.int },
  { name: 'price', type: types.decimal(12, 3) },
  { name: 'ratio', type: types.double },
  { name: 'weight', type: types.float },
  { name: 'ok', type: types.boolean },
  { name: 'name', type: types.string },
  { name: 'at', type: types.timestamp },
];
const NAMES = FIELDS.map(({ name }) => name);

/** Everything that the fast decoder takes of these records, by record; null where it left one. */
function takenOf(fields: readonly Field[], texts: readonly (string | Uint8Array | null)[]): (Value[] | null)[] {
  const layout = declaredLayout(NAMES, new Map(fields.map(({ name }, index) => [name, index])));
  const fast = FastDecoder.create(fields, layout, []);
  if (fast === null) throw new Error('no WebAssembly');
  const block = blockOf(texts);
  const batch = new ColumnBatch(rowSchema(fields), texts.length + 1);
  const wanted = { targets: fields.map((field, index) => ({ field, index, output: index })), aliases: [] };
  const state = new DecodeState(fields);
  state.setBlock(block.data);
  const columns = new TargetColumns({ ...wanted, targetOf: (index) => index }).bind(batch, block.data);
  const records = new Int32Array(texts.length + 1);
  for (let next = 0; next < block.count; ) {
    const before = next;
    next = fast.decode(state, block, next, columns, records, batch.capacity);
    if (next === before) next++;
  }
  batch.rowCount = state.row;
  const taken: (Value[] | null)[] = texts.map(() => null);
  rowsOf(batch).forEach((row, index) => (taken[records[index] as number] = row));
  return taken;
}

const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));
const whole = (limit: number) => fc.integer({ min: -limit, max: limit }).map(String);
const fraction = (limit: number, places: number) =>
  fc.tuple(whole(limit), digits(places)).map(([n, f]) => `${n}.${f}`);
const odd = fc.constantFrom('0', '-0', '0.0', '-0.0', '00', '01', '-', '1.', '.5', '1e3', '12345678', '123456789012345',
  '1234567890123456', '2147483647', '2147483648', '-2147483648', '-2147483649', '999999999.999', '1000000000',
  '12345.6789', '0.1', '100000000', '9007199254740993', '1E5', '+1', '0x1', '12 ', '1,', '12345678.12345678', '-.5');
const numbers = [whole(10 ** 12), whole(2 ** 31), fraction(10 ** 6, 3), fraction(10 ** 5, 9), fraction(99, 4)] as const;
const text = fc.oneof(
  { weight: 20, arbitrary: fc.stringMatching(/^[ -!#-[\]-~]{0,70}$/).map((s) => `"${s}"`) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }).map((s) => JSON.stringify(s)) },
  fc.constantFrom('""', '"', '"a\u001fb"', '"a\u007f"', '"\\n"', '"é"', '"aaaaaaaaaaaaaaa"', '"aaaaaaaaaaaaaaaa"'),
);
const time = fc.oneof(
  { weight: 20, arbitrary: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
    .map((date) => `"${date.toISOString()}"`) },
  { weight: 5, arbitrary: fc.nat(59).map((s) => `"2026-01-02T03:04:${String(s).padStart(2, '0')}Z"`) },
  fc.constantFrom('"2026-02-30T00:00:00.000Z"', '"2026-01-02T03:04:60.000Z"', '"2026-01-02T03:04:61Z"', '1767225600000',
    '"2026-01-02T24:00:00.000Z"', '"2026-01-02T03:04:05.6789Z"', '"2026-01-02"', '"2026-01-02T03:04:0:.000Z"',
    '"2026-01-02T03:04:05.00:Z"', '"2026-01-02T03:04:05+01:00"'),
);
const truth = fc.constantFrom('true', 'false');
const strange = fc.oneof(odd, text, time, fc.constantFrom('true', 'nul', 'tru', 'truex', 'False', 'fals'));

/** Mostly values that fit, keys in order, some left out. */
const record = fc
  .tuple(...[...numbers, truth, text, time].map((usual) =>
    fc.oneof(
      { weight: 60, arbitrary: usual },
      { weight: 4, arbitrary: fc.constant('null') },
      { weight: 2, arbitrary: strange },
      { weight: 2, arbitrary: fc.constant(null) },
    )))
  .map((values) => {
    const entries = values.flatMap((value, index) => (value === null ? [] : [`"${NAMES[index]}":${value}`]));
    return new TextEncoder().encode(`{${entries.join(',')}}`);
  });

const damage = fc.array(
  fc.tuple(fc.nat(), fc.constantFrom(...Buffer.from('{}[]",:\\0-+.eE nZT\u0000\u001f\u0080\u00ff')), fc.boolean()),
  { minLength: 1, maxLength: 3 },
);

describe('FastDecoder', () => {
  it('takes what JSON.parse and the rules of the formats take, and nothing else', () => {
    const tally = { taken: 0, left: 0 };
    const damaged = fc.tuple(record, damage).map(([bytes, changes]) => {
      const copy = bytes.slice();
      for (const [where, byte, cuts] of changes) copy[where % copy.length] = cuts ? 0x7d : byte;
      return copy;
    });
    const records = fc.array(fc.oneof({ weight: 3, arbitrary: record }, damaged), { minLength: 10, maxLength: 60 });
    fc.assert(
      fc.property(records, fc.subarray([...FIELDS]), (all, wanted) => {
        takenOf(wanted, all).forEach((row, index) => {
          tally[row === null ? 'left' : 'taken']++;
          const expected = oracleRow(all[index] as Uint8Array, wanted);
          if (row !== null && expected !== 'unsure') expect(row).toEqual(expected);
        });
      }),
      { numRuns: Number(process.env['JSON_RUNS'] ?? 300) },
    );
    expect(tally.taken).toBeGreaterThan(tally.left / 3);
  });

  it('takes every record of the usual shape, over many chunks', () => {
    const texts = Array.from({ length: CHUNK_RECORDS * 2 + 7 }, (_, i) => {
      const name = i % 3 === 0 ? 'null' : `"${'x'.repeat(i % 90)}"`;
      const at = new Date(1_767_225_600_000 + i * 7919).toISOString();
      return `{"id":${i * 7 ** (i % 9)},"count":${-i},"price":${i}.25,"ratio":0.${i},"ok":${i % 2 === 0},` +
        `"name":${name},"at":"${at}"}`;
    });
    const expected = texts.map((each) => oracleRow(new TextEncoder().encode(each), FIELDS));
    expect(takenOf(FIELDS, texts)).toEqual(expected);
  });

  it('leaves tombstones, and records that are larger than its memory', () => {
    const small = '{"id":1,"name":"a"}';
    const large = `{"id":2,"name":"${'b'.repeat(CHUNK_BYTES)}"}`;
    const fields = FIELDS.filter(({ name }) => name === 'id' || name === 'name');
    expect(takenOf(fields, [null, small, null, large, small, large])).toEqual(
      [null, [1n, 'a'], null, null, [1n, 'a'], null],
    );
  });

  it('gives a record no bytes of what follows it', () => {
    const fields = FIELDS.filter(({ name }) => name === 'id');
    expect(takenOf(fields, ['{"id":1', '}', '{"id":12', '34}', '{"id":5,"name":"a', '"}'])).toEqual(
      [null, null, null, null, null, null],
    );
  });
});
