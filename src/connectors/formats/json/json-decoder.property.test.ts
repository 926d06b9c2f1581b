import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { types } from '../../../core/index.ts';
import type { Field, Value } from '../../../core/index.ts';
import { blockOf, decodeBlock, noMetadata, specOf, type Outcome } from '../format-harness.ts';
import { jsonFormat } from './json-format.ts';
import { oracleRow } from './json-oracle.ts';

const FIELDS: Field[] = [
  { name: 'id', type: types.long },
  { name: 'count', type: types.int },
  { name: 'price', type: types.decimal(12, 3) },
  { name: 'big', type: types.decimal(38, 0) },
  { name: 'ratio', type: types.double },
  { name: 'ok', type: types.boolean },
  { name: 'name', type: types.string },
  { name: 'größe', type: types.string },
  { name: 'at', type: types.timestamp },
  { name: 'tags', type: types.array(types.long) },
  { name: 'attributes', type: types.map(types.string, types.double) },
  { name: 'nested', type: types.row([{ name: 'a', type: types.string }, { name: 'b', type: types.int }]) },
];

const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));
const numberText = fc.oneof(
  { weight: 6, arbitrary: fc.integer().map(String) },
  { weight: 3, arbitrary: fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String) },
  { weight: 3, arbitrary: fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), digits(6)).map(([a, b]) => `${a}.${b}`) },
  { weight: 2, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('', '-'), digits(20), fc.constantFrom('', '.0', '.50', '.000'),
        fc.integer({ min: -30, max: 30 }))
      .map(([sign, a, b, e]) => `${sign}${BigInt(a)}${b}e${e}`),
  },
  fc.constantFrom(
    '0', '-0', '00', '01', '-', '+1', '.5', '1.', '1e', '1e+', '0.0', '-0.0', '9007199254740993', '1e400', '-1e-400',
    '9223372036854775807', '9223372036854775808', '-9223372036854775808', '2147483648', '-2147483648', '1e999999999999',
    '123456789012.345', '0.0005', '8640000000000000', '8640000000000001', 'NaN', 'Infinity', '1_000', '0x10',
  ),
);
const isoText = fc
  .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
  .map((date) => `"${date.toISOString()}"`);
const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
const stringText = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
  fc.string({ maxLength: 40 }).map((text) => JSON.stringify(text)),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  // Everything escaped that can be.
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => `"${text.split('').map(escaped).join('')}"`),
  fc.constantFrom('"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\ud83dx"'),
  fc.constantFrom('"a\tb"', '"\\x"', '"\\u12"', '"/\\/"'),
  isoText,
  numberText.map((text) => `"${text}"`),
);
const space = fc.oneof({ weight: 8, arbitrary: fc.constant('') }, fc.stringMatching(/^[ \t\r\n]{1,3}$/));

const { value, object } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 4, arbitrary: numberText },
    { weight: 4, arbitrary: stringText },
    { weight: 2, arbitrary: fc.constantFrom('true', 'false', 'null') },
    tie('array'),
    tie('object'),
  ),
  array: fc
    .tuple(fc.array(tie('value'), { maxLength: 4 }), space)
    .map(([all, gap]) => `[${gap}${all.join(`${gap},`)}${gap}]`),
  object: fc
    .tuple(
      fc.uniqueArray(fc.tuple(key(), tie('value')), { maxLength: 8, selector: ([k]) => JSON.parse(k) as string }),
      fc.array(space, { minLength: 5, maxLength: 5 }),
    )
    .map(([all, [a, b, c, d, e]]) => `{${a}${all.map(([k, v]) => `${k}${b}:${c}${v}`).join(`${d},${a}`)}${e}}`),
}));

function key(): fc.Arbitrary<string> {
  const names = [...FIELDS.map(({ name }) => name), 'a', 'b', 'other', 'idd', 'i', ''];
  return fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...names).map((name) => JSON.stringify(name)) },
    { weight: 1, arbitrary: fc.constantFrom('"\\u0069d"', '"n\\u0061me"', '"\\ud800"') },
    { weight: 1, arbitrary: fc.string().map((text) => JSON.stringify(text)) },
  );
}

/** A record as a serialiser would write it: fields in order, values that mostly fit. */
const fitting = fc
  .record({
    id: fc.oneof(fc.integer().map(String), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
    count: fc.integer().map(String),
    price: fc.tuple(fc.integer({ min: -999_999, max: 999_999 }), digits(3)).map(([a, b]) => `${a}.${b}`),
    big: fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }).map(String),
    ratio: fc
      .oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer().map((n) => n / 100))
      .map((double) => JSON.stringify(double)),
    ok: fc.boolean().map(String),
    name: fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
    größe: fc.string().map((text) => JSON.stringify(text)),
    at: isoText,
  })
  .chain((texts) =>
    fc.array(fc.constantFrom(...Object.keys(texts)), { maxLength: 3 }).map((nulls) => {
      const entries = Object.entries(texts).map(([name, text]) => {
        return `${JSON.stringify(name)}:${nulls.includes(name) ? 'null' : text}`;
      });
      return `{${entries.join(',')}}`;
    }),
  );

/** Damages bytes: what a broken producer, disk or network would leave. */
const edits = fc.array(
  fc.tuple(
    fc.constantFrom('delete', 'insert', 'replace', 'cut', 'copy'),
    fc.nat(),
    fc.oneof(fc.constantFrom(...Buffer.from('{}[]",:\\0-+.eE nulltrue\u0000\u001f')), fc.nat(255)),
  ),
  { minLength: 1, maxLength: 4 },
);

function damaged(text: string, changes: readonly (readonly [string, number, number])[]): Uint8Array {
  let bytes = [...Buffer.from(text)];
  for (const [change, where, byte] of changes) {
    const at = bytes.length === 0 ? 0 : where % bytes.length;
    if (change === 'delete') bytes.splice(at, 1);
    else if (change === 'insert') bytes.splice(at, 0, byte);
    else if (change === 'replace') bytes[at] = byte;
    else if (change === 'cut') bytes = bytes.slice(0, at);
    else bytes.splice(at, 0, ...bytes.slice(at, at + 5));
  }
  return Uint8Array.from(bytes);
}

/** The outcome in the oracle's terms; failures must be of the format's own kinds. */
function judged(outcome: Outcome): Value[] | null {
  if (outcome === 'dropped') throw new Error('a record was lost');
  if ('row' in outcome) return outcome.row;
  const isGood = /^MR-FORMAT-(SYNTAX|TYPE|RANGE|UTF8) .* at byte \d+/s.test(outcome.error);
  if (!isGood) throw new Error(outcome.error);
  return null;
}

function compare(records: readonly Uint8Array[], projection: readonly number[], passes: number): void {
  const spec = specOf(FIELDS, { projection });
  const decoder = jsonFormat.createDecoder(spec, noMetadata);
  const wanted = projection.map((index) => FIELDS[index] as Field);
  const expected = records.map((record) => oracleRow(record, wanted));
  // Again and again with one decoder, so that what it has learned of the layout is put to the test.
  for (let pass = 0; pass < passes; pass++) {
    const outcomes = decodeBlock(decoder, spec, blockOf(records), 5).map(judged);
    // Of several equal keys JSON.parse shows the last alone; the decoder wants all of them to fit.
    const isOpen = (row: Value[] | null, i: number): boolean =>
      expected[i] === 'unsure' || (row === null && repeatsKeys(records[i]));
    expect(outcomes.map((row, i) => (isOpen(row, i) ? expected[i] : row))).toEqual(expected);
  }
}

/** Of each property; more for a thorough look. */
const RUNS = Number(process.env['JSON_RUNS'] ?? 250);

function repeatsKeys(record: Uint8Array | undefined): boolean {
  const keys = Buffer.from(record ?? []).toString().match(/"[^"]*"(?=\s*:)/g) ?? [];
  return new Set(keys).size < keys.length;
}

const projection = fc.subarray([...FIELDS.keys()]);
/** Ends at the first failure: every smaller one would generate code again, for minutes. */
function check(records: fc.Arbitrary<Uint8Array[]>, numRuns: number): void {
  const property = fc.property(records, projection, (all, wanted) => {
    compare(all, wanted, 2);
  });
  fc.assert(property, { numRuns, endOnFailure: true });
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('JsonDecoder against JSON.parse', () => {
  it('agrees on records of any shape', () => {
    const records = fc.array(fc.oneof(object, value).map(bytesOf), { minLength: 1, maxLength: 6 });
    check(records, RUNS);
  });

  it('agrees on records of a serialiser', () => {
    const records = fc.array(fitting.map(bytesOf), { minLength: 1, maxLength: 20 });
    check(records, Math.ceil(RUNS / 4));
  });

  it('agrees on damaged records', () => {
    const record = fc.tuple(fc.oneof(fitting, object), edits).map(([text, changes]) => damaged(text, changes));
    const records = fc.array(fc.oneof(record, fitting.map(bytesOf)), { minLength: 1, maxLength: 6 });
    check(records, RUNS * 2);
  });

  it('survives noise', () => {
    check(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), RUNS);
  });
});
