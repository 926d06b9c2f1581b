/**
 * Rows per CPU-second through compiled transforms, on one thread, for chains like the Nexmark queries'.
 *
 *     node bench/micro/transform.ts [seconds per case]
 */
import { ColumnBatch, appendBytes, rowSchema, types } from '../../src/core/index.ts';
import type { Column, Expression, RowSchema, TransformStep, Value } from '../../src/core/index.ts';
import { compileTransform, literalOf, overloadById } from '../../src/expr/index.ts';
import type { DataType } from '../../src/core/index.ts';
import { millionRows, printCases, rowsPerCpuSecond } from './measuring/cpu-rate.ts';

const ROWS = 4096;

const BIDS: RowSchema = rowSchema([
  { name: 'auction', type: types.long },
  { name: 'bidder', type: types.long },
  { name: 'price', type: types.long },
  { name: 'channel', type: types.string },
  { name: 'url', type: types.string },
  { name: 'dateTime', type: types.timestamp },
  { name: 'extra', type: types.string },
]);

function column(index: number): Expression {
  const field = BIDS.fields[index];
  if (field === undefined) throw new RangeError(`no field ${index}`);
  return { kind: 'column', index, name: field.name, type: field.type };
}

function literal(value: Value, type: DataType): Expression {
  const made = literalOf(value, type);
  if (made === null) throw new TypeError('no such literal');
  return made;
}

function call(overload: string, ...args: Expression[]): Expression {
  return {
    kind: 'call',
    overload,
    args,
    type: overloadById(overload).returns(
      args.map((arg) => arg.type),
      [],
    ),
  };
}

function select(...fields: Expression[]): TransformStep {
  return {
    kind: 'select',
    stepId: 'select',
    fields: fields.map((expression, index) => ({ name: `f${index}`, expression })),
  };
}

const decimalPrice = call('multiply(decimal,decimal)', literal(908n, types.decimal(3, 3)), {
  kind: 'cast',
  arg: column(2),
  safe: false,
  type: types.decimal(19, 0),
});

const inAuctions = call(
  'eq(long,long)',
  call('modulo(long,long)', column(0), literal(123n, types.long)),
  literal(0n, types.long),
);

const directory = (index: number) =>
  call('split_index(string,string,int)', column(4), literal('/', types.string), literal(index, types.int));

const channelId = call(
  'regexp_extract(string,string,int)',
  column(4),
  literal('(&|^)channel_id=([^&]*)', types.string),
  literal(2, types.int),
);

const channelIs = (name: string) =>
  call('eq(string,string)', call('lower(string)', column(3)), literal(name, types.string));

const cases: Record<string, () => TransformStep[]> = {
  'q0: pass 5 columns': () => [select(column(0), column(1), column(2), column(5), column(6))],
  'q1: 5 columns, one decimal product': () => [select(column(0), column(1), decimalPrice, column(5), column(6))],
  'q2: filter auction % 123 = 0, 2 columns': () => [
    { kind: 'filter', stepId: 'filter', predicate: inAuctions },
    select(column(0), column(2)),
  ],
  'filter half, 5 columns': () => [
    { kind: 'filter', stepId: 'filter', predicate: call('gt(long,long)', column(2), literal(5000n, types.long)) },
    select(column(0), column(1), column(2), column(5), column(6)),
  ],
  'q21: lower(channel) = … CASE, 4 columns': () => [
    select(column(0), column(1), column(2), {
      kind: 'case',
      branches: ['apple', 'google', 'facebook', 'baidu'].map((name, index) => ({
        when: channelIs(name),
        then: literal(String(index), types.string),
      })),
      otherwise: literal(null, types.string),
      type: types.string,
    }),
  ],
  'q21: REGEXP_EXTRACT(url), 4 columns': () => [select(column(0), column(1), column(2), channelId)],
  'flatMap SPLIT(url), 1 column': () => [
    {
      kind: 'flat-map',
      stepId: 'map',
      fields: [{ name: 'piece', expression: call('split(string,string)', column(4), literal('/', types.string)) }],
      kept: [],
    },
  ],
  'q22: 4 columns, 3 × SPLIT_INDEX(url)': () => [
    select(column(0), column(1), column(2), column(3), directory(3), directory(4), directory(5)),
  ],
};

function append(target: Column, row: number, text: string): void {
  if (target.kind !== 'bytes') throw new TypeError('not a bytes column');
  appendBytes(target, row, new TextEncoder().encode(text));
}

function bids(): ColumnBatch {
  const batch = new ColumnBatch(BIDS, ROWS);
  const [auction, bidder, price, channel, url, dateTime, extra] = batch.columns as [Column, ...Column[]];
  for (let row = 0; row < ROWS; row++) {
    const random = Math.imul(row + 1, 0x9e3779b1) >>> 0;
    for (const [target, value] of [
      [auction, 1000 + (random % 30_000)],
      [bidder, 1000 + (random % 7919)],
      [price, 100 + (random % 10_000)],
      [dateTime, 1.7e12 + row],
    ] as [Column, number][]) {
      if (target.kind === 'long' || target.kind === 'double') target.values[row] = value;
    }
    append(
      channel as Column,
      row,
      (['apple', 'Google', 'Facebook', 'Baidu', `channel-${random % 10_000}`] as const)[random % 5] ?? '',
    );
    append(
      url as Column,
      row,
      `https://www.nexmark.com/abc${random % 97}/def${random % 89}/ghi${random % 83}/` +
        `item.htm?query=1&channel_id=${random % 10_000}`,
    );
    append(extra as Column, row, 'x'.repeat(20 + (random % 40)));
  }
  batch.rowCount = ROWS;
  return batch;
}

function measure(steps: TransformStep[], seconds: number): string {
  const transform = compileTransform(steps, BIDS);
  const batch = bids();
  const out = new ColumnBatch(transform.output, ROWS);
  const rate = rowsPerCpuSecond(seconds, 300, () => {
    for (let i = 0; i < 16; i++) {
      out.reset();
      let row = transform.run(batch, 0, out);
      while (row < ROWS) {
        out.reset();
        row = transform.run(batch, row, out);
      }
    }
    return ROWS * 16;
  });
  return millionRows(rate);
}

printCases(cases, 1, (steps, seconds) => {
  try {
    return measure(steps(), seconds);
  } catch (error) {
    return String(error);
  }
});
