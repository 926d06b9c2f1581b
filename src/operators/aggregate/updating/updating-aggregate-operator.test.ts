import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RowKind, rowSchema, types } from '../../../core/index.ts';
import type { AggregateCall, Field, Value } from '../../../core/index.ts';
import { OperatorHarness, driveOperatorAllWays, newestRows } from '../../../testing/index.ts';
import type { InputRow } from '../../fixtures/driven.ts';
import {
  RETRACTABLE_CALLS as CALLS,
  aggregate,
  input,
  reference,
  rowArbitrary,
} from '../../fixtures/reference-aggregates.ts';
import { UpdatingAggregateOperator } from './updating-aggregate-operator.ts';

type Row = readonly Value[];

const spec = (keys: readonly number[], calls: readonly AggregateCall[] = CALLS) => ({
  stepId: 'agg',
  keys,
  calls: calls.map((call, index) => ({ ...call, name: `o${index}` })),
  input,
  output: rowSchema([
    ...keys.map((key) => input.fields[key] as Field),
    ...calls.map((call, index) => ({ name: `o${index}`, type: call.type })),
  ]),
});

const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 6 });
/** As rowArbitrary, but for sums that do not fit; and with doubles whose sums are not exact. */
const smallRowArbitrary = fc
  .tuple(
    rowArbitrary,
    nullable(fc.constantFrom(-9n, 3n, 2n ** 53n, 2n ** 56n, -(2n ** 56n))),
    nullable(fc.constantFrom(-99n, 5n, 10n ** 20n, -(10n ** 33n))),
    nullable(fc.constantFrom(0.1, -0.3, 7, 1e300, -1e300, 5e-324, 1e-310, NaN, Infinity, -Infinity, 1.7e308)),
  )
  .map(([[k, , i, , , s, b], n, d, x]): Row => [k, n, i, d, x, s, b]);

/** Rows are added, taken back (one that is there), and replaced. */
const changesArbitrary = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.nat(), smallRowArbitrary), {
  maxLength: 50,
});

function changesOf(steps: readonly (readonly [number, number, Row])[]): InputRow[] {
  const there: Row[] = [];
  return steps.flatMap(([what, which, values]): InputRow[] => {
    const at = there.length === 0 ? 0 : which % there.length;
    const old = there[at];
    if (old === undefined || what < 2) {
      there.push(values);
      return [{ values, rowKind: RowKind.insert }];
    }
    if (what === 2) {
      there[at] = values;
      return [{ values: old, rowKind: RowKind.updateBefore }, { values, rowKind: RowKind.updateAfter }];
    }
    there.splice(at, 1);
    return [{ values: old, rowKind: RowKind.delete }];
  });
}

const text = (values: unknown): string =>
  JSON.stringify(values, (_key, value: unknown) => (typeof value === 'bigint' || typeof value === 'number')
    ? `${typeof value} ${String(value)}`
    : value,
  );

/** What a call reads of a row; undefined where its filter leaves the row out. */
function argumentOf({ argument, filter }: AggregateCall, row: Row): Value | undefined {
  if (filter !== null && row[6] !== true) return undefined;
  return argument === null ? true : (row[(argument as { index: number }).index] as Value);
}

/** Of the rows of one group, those that are left for a call: a row that is taken back takes the earliest like it. */
function leftFor(call: AggregateCall, changes: readonly InputRow[]): Row[] {
  const left: Row[] = [];
  for (const { values, rowKind } of changes) {
    const value = argumentOf(call, values);
    if (value === undefined) continue;
    if (rowKind === RowKind.insert || rowKind === RowKind.updateAfter) left.push(values);
    else left.splice(left.findIndex((row) => text(argumentOf(call, row)) === text(value)), 1);
  }
  return left;
}

/** The sum of finite doubles, rounded once: its digits are written down, and read as a number. */
function exactSum(values: readonly number[]): number {
  const special = values.filter((value) => !Number.isFinite(value));
  if (special.length > 0) return special.reduce((a, b) => a + b);
  let sum = 0n;
  for (const value of values) {
    let [whole, shift] = [value, 1074n];
    while (!Number.isInteger(whole)) [whole, shift] = [whole * 2, shift - 1n];
    sum += BigInt(whole) << shift;
  }
  return Number(`${sum * 5n ** 1074n}e-1074`);
}

/** Distinct values in the order in which the last stretch of each began. */
function expectedOf(call: AggregateCall, changes: readonly InputRow[]): Value {
  const left = leftFor(call, changes);
  if (call.type.kind === 'double' && (call.function === 'sum' || call.function === 'avg')) {
    const values = left.map((row) => row[4]).filter((value) => value !== null) as number[];
    if (values.length === 0) return null;
    return call.function === 'sum' ? exactSum(values) : exactSum(values) / values.length;
  }
  if (call.distinct && call.function === 'array-agg') {
    const order: string[] = [];
    const found = new Map<string, Value>();
    changes.forEach((_, end) => {
      const there = leftFor(call, changes.slice(0, end + 1)).map((row) => argumentOf(call, row) as Value);
      for (const value of there) found.set(text(value), value);
      const texts = new Set(there.map(text));
      for (const one of order.filter((each) => !texts.has(each))) order.splice(order.indexOf(one), 1);
      order.push(...[...texts].filter((each) => !order.includes(each)));
    });
    return order.length === 0 ? null : order.map((one) => found.get(one) as Value);
  }
  return (reference(left, [call]) ?? [])[0] as Value;
}

function expectedRows(changes: readonly InputRow[], keys: readonly number[]): Row[] {
  const keyOf = (row: Row) => keys.map((key) => row[key] as Value);
  const groups = Map.groupBy(changes, ({ values }) => text(keyOf(values)));
  return [...groups.values()].flatMap((group) => {
    const rows = group.reduce((n, { rowKind }) => n + (rowKind === 0 || rowKind === 2 ? 1 : -1), 0);
    const [first] = group;
    return rows === 0 || first === undefined
      ? []
      : [[...keyOf(first.values), ...CALLS.map((call) => expectedOf(call, group))]];
  });
}

/** Far above what it takes on a machine that does nothing else. */
const SLOW_MS = 180_000;

describe('UpdatingAggregateOperator', () => {
  it('says what the rows that are left say, in all ways, and deletes groups without rows', async () => {
    await fc.assert(
      fc.asyncProperty(changesArbitrary, fc.constantFrom([0], [], [6, 0], [3]), async (steps, keys) => {
        const rows = changesOf(steps);
        const newestBy = keys.map((_, position) => position);
        const create = () => new UpdatingAggregateOperator(spec(keys));
        const result = await driveOperatorAllWays({ create, input, rows, keys: [keys], compare: { newestBy } });
        const left = newestRows(result.rows, newestBy);
        expect(left.map(text).sort()).toEqual(expectedRows(rows, keys).map(text).sort());
        expect(result.failures).toEqual([]);
      }),
      { numRuns: 20 },
    );
  }, SLOW_MS);

  const count = aggregate('count', null, types.long);
  const sum = aggregate('sum', 1, types.long);
  const row = (key: string, n: bigint | null): Value[] => [key, n, null, null, null, null, null];
  const [insert, before, after, gone] = [RowKind.insert, RowKind.updateBefore, RowKind.updateAfter, RowKind.delete];

  it('says once per batch what became of each group, and nothing of one that came and went', async () => {
    const create = () => new UpdatingAggregateOperator(spec([0], [count, sum]));
    const harness = await OperatorHarness.open({ create, input });
    const process = async (...changes: readonly [RowKind, string, bigint][]) => {
      await harness.process(changes.map(([rowKind, key, n]) => ({ values: row(key, n), rowKind })));
      return harness.takeRows().map(({ rowKind, values }) => [rowKind, ...values]);
    };
    expect(await process([insert, 'a', 1n], [insert, 'b', 2n], [insert, 'a', 3n])).toEqual([
      [insert, 'a', 2n, 4n],
      [insert, 'b', 1n, 2n],
    ]);
    expect(await process([before, 'b', 2n], [after, 'a', 7n], [insert, 'c', 1n], [gone, 'c', 1n])).toEqual([
      [gone, 'b', null, null],
      [after, 'a', 3n, 11n],
    ]);
    expect(await process([gone, 'nobody', 1n], [insert, 'b', 5n])).toEqual([[insert, 'b', 1n, 5n]]);
    await harness.close();
  });

  it('goes on behind a result that does not fit', async () => {
    const create = () => new UpdatingAggregateOperator(spec([0], [sum]));
    const harness = await OperatorHarness.open({ create, input });
    const most = 2n ** 63n - 1n;
    await harness.process([{ values: row('a', most) }]);
    await harness.process([{ values: row('a', 1n) }]);
    expect(harness.failures).toMatchObject([{ stepId: 'agg', code: 'MR-EXPR-OVERFLOW', origin: 'row 1' }]);
    await harness.process([{ values: row('a', most), rowKind: RowKind.delete }]);
    expect(harness.rows.map(({ rowKind, values }) => [rowKind, ...values])).toEqual([
      [insert, 'a', most],
      [after, 'a', 1n],
    ]);
    await harness.close();
  });

  it('holds nothing of groups that are gone', async () => {
    const create = () => new UpdatingAggregateOperator(spec([0]));
    const harness = await OperatorHarness.open({ create, input });
    let stateBytes = 0;
    for (let round = 0; round < 20; round++) {
      const rows = Array.from({ length: 500 }, (_, i) => row(`key ${round} ${i}`, BigInt(i)));
      await harness.process(rows.map((values) => ({ values })));
      await harness.process(rows.map((values) => ({ values, rowKind: RowKind.delete })));
      if (round === 0) ({ stateBytes } = harness);
      expect(harness.stateBytes).toBeLessThanOrEqual(stateBytes * 2);
    }
    expect(harness.snapshot().chunks).toEqual([]);
    await harness.close();
  });

  it('refuses the state of a step with other calls, which has not seen all rows', async () => {
    const fewer = () => new UpdatingAggregateOperator(spec([0], [count]));
    const harness = await OperatorHarness.open({ create: fewer, input });
    await harness.process([{ values: row('a', 1n) }]);
    const snapshot = harness.snapshot();
    await harness.close();
    const create = () => new UpdatingAggregateOperator(spec([0], [count, sum]));
    await expect(OperatorHarness.open({ create, input, restore: [snapshot] })).rejects.toMatchObject({
      code: 'MR-STATE-INCOMPATIBLE',
    });
  });
});
