/** What TypeScript knows of rows: this file is checked by the compiler; running it only shows that it is there. */
import { describe, expect, it } from '@jest/globals';

import type { ProcessContext, ProcessFunction } from '../core/index.ts';
import {
  array,
  boolean,
  bytes,
  decimal,
  double,
  int,
  job,
  json,
  long,
  map,
  row,
  string,
  timestamp,
  typed,
} from './index.ts';
import { Stream } from './stream.ts';
import type { EmittedRow, RowOf, Schema } from './index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Does not compile where the two types differ. */
const same = <A, B>(isSame: Equal<A, B>): void => {
  expect(isSame).toBe(true);
};
/** Does not compile where the rows of a stream are others. */
const rowsAre =
  <Expected>() =>
  <F extends Schema, S extends object>(
    stream: Stream<F, Sides<S>>,
    isSame: Equal<{ [Name in keyof F]: RowOf<F>[Name] }, Expected>,
  ): void => {
    expect(isSame).toBe(stream instanceof Stream);
  };
/** Does not compile where a field of a stream is of another type. */
const fieldIs =
  <Expected>() =>
  <F extends Schema, S extends object, Name extends keyof F>(
    stream: Stream<F, Sides<S>>,
    _name: Name,
    isSame: Equal<RowOf<F>[Name], Expected>,
  ): void => {
    expect(isSame).toBe(stream instanceof Stream);
  };
type Sides<S> = { readonly [Name in keyof S]: Schema };

const ORDER = {
  id: long,
  region: string,
  amount: decimal(10, 2),
  tags: array(string),
  where: row({ x: double, y: double }),
  more: map(string, long),
  raw: bytes,
  any: json,
  ok: boolean,
  at: timestamp,
} as const;

const orders = () => job('test').source('orders', { connector: 'datagen', schema: ORDER, watermark: 'at' });

describe('types of rows', () => {
  it('come from schemas', () => {
    type Row = RowOf<typeof ORDER>;
    same<Row['id'], number | null>(true);
    same<RowOf<typeof ORDER, 'bigint'>['id'], bigint | null>(true);
    same<RowOf<typeof ORDER, 'bigint'>['more'], ReadonlyMap<string, bigint | null> | null>(true);
    same<Row['amount'], string | null>(true);
    same<Row['tags'], readonly (string | null)[] | null>(true);
    same<Row['where'], { readonly x: number | null; readonly y: number | null } | null>(true);
    same<Row['any'], unknown>(true);
    same<EmittedRow<typeof ORDER>['id'], number | bigint | null>(true);
    same<EmittedRow<typeof ORDER>['at'], number | Date | null>(true);
  });

  it('follow what is known of SQL', () => {
    const twice = typed('amount * 2', decimal(12, 2));
    const selected = orders().select('s', { id: 'id', twice, other: 'UPPER(region)' });
    rowsAre<{ readonly id: number | null; readonly twice: string | null; readonly other: unknown }>()(selected, true);
    const totals = orders()
      .keyBy('region')
      .window({ tumble: '1m' })
      .aggregate('t', { n: 'COUNT(*)', most: 'MAX(at)', until: 'WINDOW_END', sum: 'SUM(amount)' });
    fieldIs<string | null>()(totals, 'region', true);
    fieldIs<number | null>()(totals, 'n', true);
    fieldIs<number | null>()(totals, 'most', true);
    fieldIs<unknown>()(totals, 'sum', true);
    const tags = orders().flatMap('tag', { tags: 'tags' });
    fieldIs<string | null>()(tags, 'tags', true);
    const top = orders().keyBy('region').topN('best', { by: 'amount desc', n: 3, rank: 'place' });
    fieldIs<number | null>()(top, 'place', true);
    const late = orders().window({ session: '5m', late: 'late' }).aggregate('w', { n: 'COUNT(*)' }).side('late');
    fieldIs<number | null>()(late, 'id', true);
  });

  it('reach lambdas, and hold what they return', () => {
    const mapped = orders()
      .filter('f', (order) => {
        same<typeof order.region, string | null>(true);
        return order.region !== null;
      })
      .map('m', ({ id }) => ({ next: (id ?? 0) + 1 }), { next: long });
    rowsAre<{ readonly next: number | null }>()(mapped, true);
    orders().map('big', ({ id }) => ({ next: (id ?? 0n) + 1n }), { next: long }, { longs: 'bigint' });
    orders().flatMap('fm', ({ tags }) => (tags ?? []).map((tag) => ({ tag })), { tag: string });
    // @ts-expect-error the schema wants a number
    orders().map('m', () => ({ next: 'x' }), { next: int });
    // @ts-expect-error a field is missing
    orders().map('m', () => ({}), { next: int });
    // @ts-expect-error there is no such field
    orders().filter('f', (order) => order.regoin !== null);
    // @ts-expect-error rows cannot be changed
    orders().filter('f', (order) => (order.ok = true));
  });

  it('bind process functions to their step', () => {
    type Alert = { readonly why: string | null };
    class Rules implements ProcessFunction<RowOf<typeof ORDER>, Alert> {
      process(order: RowOf<typeof ORDER>, context: ProcessContext<Alert>): void {
        if ((order.id ?? 0) > 3) context.emit({ why: order.region });
      }
    }
    const alerts = orders()
      .keyBy('region')
      .process('rules', Rules, { schema: { why: string }, sides: { audit: { id: long } } });
    rowsAre<{ readonly why: string | null }>()(alerts, true);
    const audit = alerts.side('audit');
    rowsAre<{ readonly id: number | null }>()(audit, true);
    orders().process('each', (order, context) => context.emit({ n: order.id }), { schema: { n: long } });
    // @ts-expect-error there is no such side
    expect(alerts.side('audits')).toBeDefined();
    // @ts-expect-error its rows are not those of the schema
    orders().process('each', (order, context) => context.emit({ n: order.region }), { schema: { n: long } });
  });

  it('join two sides', () => {
    const test = job('test');
    const left = test.source('left', { connector: 'datagen', schema: { id: long, name: string } });
    const right = test.source('right', { connector: 'datagen', schema: { id: long, price: double } });
    const both = left.join('both', right, { on: 'left.id = right.id' });
    rowsAre<{ readonly name: string | null; readonly price: number | null }>()(both, true);
    const chosen = left.join('chosen', right, { on: 'left.id = right.id', select: { price: 'price', id: 'left.id' } });
    rowsAre<{ readonly price: number | null; readonly id: unknown }>()(chosen, true);
    const semi = left.join('semi', right, { type: 'semi', on: 'left.id = right.id' });
    rowsAre<{ readonly id: number | null; readonly name: string | null }>()(semi, true);
    // @ts-expect-error the rows of a union have the same fields
    left.union('all', [right]);
  });

  it('know the settings', () => {
    // @ts-expect-error not a field
    orders().keyBy('regoin');
    // @ts-expect-error not a strategy
    job('test', { restart: 'never' });
    // @ts-expect-error a hop needs its slide
    orders().window({ hop: { size: '1m' } });
    // @ts-expect-error `every` is no setting of checkpoints
    job('test', { checkpoint: { interval: '1s', every: '2s' } });
    // @ts-expect-error the watermark is no field
    job('test').source('s', { connector: 'datagen', schema: { at: timestamp }, watermark: 'when' });
    const metadata = job('test').source('s', {
      connector: 'kafka',
      schema: { id: long },
      metadata: { at: typed('timestamp', timestamp), part: 'partition' },
      watermark: 'at',
    });
    fieldIs<number | null>()(metadata, 'at', true);
    const open: Stream<Schema> = job('test').source('s', { connector: 'nexmark' });
    expect(open).toBeDefined();
  });
});
