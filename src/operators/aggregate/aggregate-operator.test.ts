import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RowKind, rowSchema, types } from '../../core/index.ts';
import type { AggregateCall, DataType, Expression, Field, Value } from '../../core/index.ts';
import { compareBytes, divideRounded } from '../../expr/index.ts';
import { driveOperator, driveOperatorAllWays } from '../../testing/index.ts';
import { AggregateOperator } from './aggregate-operator.ts';

const input = rowSchema([
  { name: 'k', type: types.string },
  { name: 'n', type: types.long },
  { name: 'i', type: types.int },
  { name: 'd', type: types.decimal(38, 2) },
  { name: 'x', type: types.double },
  { name: 's', type: types.string },
  { name: 'b', type: types.boolean },
]);

const column = (index: number): Expression => {
  const { name, type } = input.fields[index] as Field;
  return { kind: 'column', index, name, type };
};

type Parts = Partial<Pick<AggregateCall, 'distinct' | 'filter'>>;

const aggregate = (
  fn: AggregateCall['function'],
  index: number | null,
  type: DataType,
  parts: Parts = {},
): AggregateCall => ({
  name: `${fn}${index}`,
  function: fn,
  argument: index === null ? null : column(index),
  distinct: parts.distinct ?? false,
  filter: parts.filter ?? null,
  type,
});

const CALLS: readonly AggregateCall[] = [
  aggregate('count', null, types.long),
  aggregate('count', 5, types.long),
  aggregate('count', 5, types.long, { distinct: true }),
  aggregate('count', null, types.long, { filter: column(6) }),
  aggregate('sum', 1, types.long),
  aggregate('sum', 2, types.long, { filter: column(6) }),
  aggregate('sum', 3, types.decimal(38, 2)),
  aggregate('sum', 4, types.double),
  aggregate('avg', 1, types.long),
  aggregate('avg', 2, types.int),
  aggregate('avg', 3, types.decimal(38, 6)),
  aggregate('avg', 4, types.double),
  ...[0, 1, 2, 3, 4, 5, 6].flatMap((index) => {
    const { type } = input.fields[index] as Field;
    return [aggregate('min', index, type), aggregate('max', index, type)];
  }),
  aggregate('sum', 1, types.long, { distinct: true }),
  aggregate('avg', 3, types.decimal(38, 6), { distinct: true, filter: column(6) }),
  ...[0, 1, 2, 3, 4, 5, 6].flatMap((index) => {
    const { type } = input.fields[index] as Field;
    const parts = index % 2 === 0 ? {} : { filter: column(6) };
    return [
      aggregate('first', index, type, parts),
      aggregate('last', index, type, parts),
      aggregate('array-agg', index, types.array(type), parts),
    ];
  }),
  aggregate('array-agg', 5, types.array(types.string), { distinct: true }),
];

const spec = (keys: readonly number[], calls = CALLS) => ({
  stepId: 'agg',
  keys,
  calls: calls.map((call, index) => ({ ...call, name: `o${index}` })),
  input,
  output: rowSchema([
    ...keys.map((key) => input.fields[key] as Field),
    ...calls.map((call, index) => ({ name: `o${index}`, type: call.type })),
  ]),
});

/** The aggregates of a list of rows by definition; null where a sum does not fit. */
function reference(rows: readonly (readonly Value[])[]): Value[] | null {
  try {
    return CALLS.map((call) => referenceCall(call, rows));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function referenceCall(call: AggregateCall, rows: readonly (readonly Value[])[]): Value {
  const counted = rows.filter((row) => call.filter === null || row[6] === true);
  if (call.argument === null) return BigInt(counted.length);
  const index = (call.argument as { index: number }).index;
  let values = counted.map((row) => row[index] as Value);
  if (call.distinct) values = values.filter((value, i) => values.indexOf(value) === i);
  if (call.function === 'first') return values[0] ?? null;
  if (call.function === 'last') return values.at(-1) ?? null;
  if (call.function === 'array-agg') return values.length === 0 ? null : values;
  values = values.filter((value) => value !== null);
  if (call.function === 'count') return BigInt(values.length);
  if (values.length === 0) return null;
  switch (call.function) {
    case 'sum':
      if (call.type.kind === 'double') return (values as number[]).reduce((a, b) => a + b);
      return checked(total(values), call.type);
    case 'avg':
      return average(values, call.type);
    case 'min':
      return values.reduce((a, b) => (order(b, a) < 0 ? b : a));
    case 'max':
      return values.reduce((a, b) => (order(b, a) > 0 ? b : a));
  }
}

const total = (values: Value[]): bigint => values.reduce((sum: bigint, value) => sum + BigInt(value as number), 0n);

function checked(sum: bigint, type: DataType): bigint {
  const limit = type.kind === 'decimal' ? 10n ** 38n : 2n ** 63n;
  if (sum >= limit || sum <= -limit) {
    if (!(type.kind === 'long' && sum === -limit)) throw new RangeError('overflow');
  }
  return sum;
}

function average(values: Value[], type: DataType): Value {
  const count = BigInt(values.length);
  if (type.kind === 'double') return (values as number[]).reduce((a, b) => a + b, 0) / values.length;
  if (type.kind === 'int') return Number(total(values) / count);
  if (type.kind === 'long') return total(values) / count;
  const result = divideRounded(total(values) * 10n ** 4n, count);
  if (result >= 10n ** 38n || result <= -(10n ** 38n)) throw new RangeError('overflow');
  return result;
}

function order(a: Value, b: Value): number {
  if (typeof a === 'string') return compareBytes(Buffer.from(a), Buffer.from(b as string));
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 6 });
const rowArbitrary = fc.tuple(
  nullable(fc.constantFrom('', 'a', 'b', 'ä', '😀')),
  nullable(
    fc.oneof(
      fc.bigInt({ min: -9n, max: 9n }),
      fc.constantFrom(2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)),
    ),
  ),
  nullable(fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(2 ** 31 - 1, -(2 ** 31)))),
  nullable(
    fc.oneof(
      fc.bigInt({ min: -999n, max: 999n }),
      fc.constantFrom(2n ** 53n, 10n ** 38n - 1n, 1n - 10n ** 38n, 10n ** 33n),
    ),
  ),
  nullable(fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(NaN, Infinity, 0.5))),
  nullable(fc.constantFrom('', 'x', 'y', 'z'.repeat(50), '\uffff', '😀')),
  nullable(fc.boolean()),
);

describe('AggregateOperator', () => {
  it('gives every row the aggregates by definition of its key so far', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rowArbitrary, { maxLength: 40 }),
        fc.constantFrom([0], [], [1, 6], [3], [4, 2]),
        async (rows, keys) => {
          const result = await driveOperatorAllWays({
            create: () => new AggregateOperator(spec(keys)),
            input,
            rows: rows.map((values, i) => ({ values, timestamp: i })),
            keys: [keys],
          });
          const taken = new Map<string, Value[][]>();
          const expected = rows.flatMap((row, number) => {
            const key = keys.map((k) => row[k] as Value);
            const id = key.map((value) => `${typeof value} ${String(value)}`).join('|');
            const before = taken.get(id) ?? [];
            const values = reference([...before, row]);
            if (values === null) return [];
            taken.set(id, [...before, row as Value[]]);
            const rowKind = before.length === 0 ? RowKind.insert : RowKind.updateAfter;
            return [{ values: [...key, ...values], timestamp: number, rowKind, origin: `row ${number}` }];
          });
          expect(result.rows).toEqual(expected);
          expect(result.failures).toHaveLength(rows.length - expected.length);
          for (const failure of result.failures)
            expect(failure).toMatchObject({ stepId: 'agg', code: 'MR-EXPR-OVERFLOW' });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('keeps many keys apart, of every representation', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => {
      const n = BigInt((i * 7919) % 700) * (i % 3 === 0 ? 1n : 2n ** 50n);
      return { values: [`key ${i % 300}`, n, i, null, null, null, null] as Value[] };
    });
    const calls = [aggregate('count', null, types.long)];
    const { rows: out } = await driveOperatorAllWays({
      create: () => new AggregateOperator(spec([0, 1], calls)),
      input,
      rows,
    });
    const counts = new Map<string, bigint>();
    const expected = rows.map(({ values }) => {
      const id = `${String(values[0])} ${String(values[1])}`;
      counts.set(id, (counts.get(id) ?? 0n) + 1n);
      return counts.get(id);
    });
    expect(out.map((row) => row.values[2])).toEqual(expected);
  });

  it('emits nothing without rows, and refuses rows that take others back', async () => {
    const create = () => new AggregateOperator(spec([]));
    expect((await driveOperatorAllWays({ create, input, rows: [] })).rows).toEqual([]);
    const row = { values: input.fields.map(() => null), rowKind: RowKind.delete };
    await expect(driveOperator({ create, input, rows: [row] }, { batchSize: 1, pauses: 0 })).rejects.toMatchObject({
      code: 'MR-OPERATOR-CHANGELOG',
    });
  });
});
