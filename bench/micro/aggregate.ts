/**
 * Rows per CPU-second through running aggregates, on one thread.
 *
 *     node bench/micro/aggregate.ts [seconds per case]
 */
import { ColumnBatch, appendBytes, rowSchema, types } from '../../src/core/index.ts';
import type {
  AggregateCall,
  Column,
  DataType,
  Expression,
  Field,
  Operator,
  RowSchema,
} from '../../src/core/index.ts';
import { AggregateOperator } from '../../src/operators/index.ts';
import { benchContext, millionRows, printCases, rowsPerCpuSecond } from './measuring/cpu-rate.ts';

const ROWS = 4096;
const BATCHES = 256;

const INPUT: RowSchema = rowSchema([
  { name: 'bidder', type: types.long },
  { name: 'price', type: types.long },
  { name: 'region', type: types.string },
  { name: 'amount', type: types.decimal(10, 2) },
]);

function column(index: number): Expression {
  const { name, type } = INPUT.fields[index] as Field;
  return { kind: 'column', index, name, type };
}

function aggregate(name: AggregateCall['function'], index: number | null, type: DataType): AggregateCall {
  const argument = index === null ? null : column(index);
  return { name: `${name}${String(index)}`, function: name, argument, distinct: false, filter: null, type };
}

const COUNT = aggregate('count', null, types.long);
const SUM = aggregate('sum', 3, types.decimal(38, 2));

const cases: Record<string, { keys: number[]; calls: AggregateCall[]; keyCount: number }> = {
  'COUNT(*) by long, 10 k keys': { keys: [0], calls: [COUNT], keyCount: 10_000 },
  'COUNT(*) by long, 1 M keys': { keys: [0], calls: [COUNT], keyCount: 1_000_000 },
  'COUNT(*), SUM by string, 100 keys': { keys: [2], calls: [COUNT, SUM], keyCount: 100 },
  'COUNT(*), SUM by string, 100 k keys': { keys: [2], calls: [COUNT, SUM], keyCount: 100_000 },
  'all five by long, 10 k keys': {
    keys: [0],
    calls: [
      COUNT,
      SUM,
      aggregate('min', 1, types.long),
      aggregate('max', 1, types.long),
      aggregate('avg', 1, types.long),
    ],
    keyCount: 10_000,
  },
};

function batches(keyCount: number): ColumnBatch[] {
  const encoder = new TextEncoder();
  return Array.from({ length: BATCHES }, (_, number) => {
    const batch = new ColumnBatch(INPUT, ROWS);
    const [bidder, price, region, amount] = batch.columns as [Column, Column, Column, Column];
    for (let row = 0; row < ROWS; row++) {
      const random = Math.imul(number * ROWS + row + 1, 0x9e3779b1) >>> 0;
      const key = random % keyCount;
      if (bidder.kind === 'long') bidder.values[row] = key;
      if (price.kind === 'long') price.values[row] = random % 10_007;
      if (amount.kind === 'decimal') amount.values[row] = random % 1_000_003;
      if (region.kind === 'bytes') appendBytes(region, row, encoder.encode(`region ${key}`));
    }
    batch.rowCount = ROWS;
    return batch;
  });
}

function measure({ keys, calls, keyCount }: (typeof cases)[string], seconds: number): number {
  const output = rowSchema([
    ...keys.map((key) => INPUT.fields[key] as Field),
    ...calls.map(({ type }, index) => ({ name: `a${index}`, type })),
  ]);
  const operator: Operator = new AggregateOperator({ stepId: 'aggregate', keys, calls, input: INPUT, output });
  void operator.open(benchContext({ ready: true, emit: () => undefined }));
  const input = batches(keyCount);
  return rowsPerCpuSecond(seconds, 500, (index) => {
    operator.process(input[index % BATCHES] as ColumnBatch, 0, 0);
    return ROWS;
  });
}

printCases(cases, 1, (one, seconds) => millionRows(measure(one, seconds)));
