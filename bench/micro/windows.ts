/**
 * Rows per CPU-second through windows, on one thread: in order, in batches, with a watermark after each.
 *
 *     node bench/micro/windows.ts [seconds per case] [name of the cases]
 */
import { ColumnBatch, rowSchema, types } from '../../src/core/index.ts';
import type { AggregateCall, Column, Field, RowSchema } from '../../src/core/index.ts';
import { createOperator } from '../../src/operators/index.ts';
import type { OperatorNode } from '../../src/operators/index.ts';
import { benchContext, millionRows, printCases, rowsPerCpuSecond } from './measuring/cpu-rate.ts';

const ROWS = 4096;
const BATCHES = 256;

const INPUT: RowSchema = rowSchema([
  { name: 'bidder', type: types.long },
  { name: 'price', type: types.long },
]);

type WindowNode = Extract<OperatorNode, { readonly kind: 'window' }>;
type Window = WindowNode['window'];

const COUNT: AggregateCall = {
  name: 'n',
  function: 'count',
  argument: null,
  distinct: false,
  filter: null,
  type: types.long,
};
const SUM: AggregateCall = {
  ...COUNT,
  name: 'total',
  function: 'sum',
  argument: { kind: 'column', index: 1, name: 'price', type: types.long },
};

interface Case {
  readonly window: Window;
  readonly keyCount: number;
  /** Event time between two rows; 0.1 is 10,000 rows a second. */
  readonly msPerRow: number;
  readonly calls?: readonly AggregateCall[];
  /** How far rows are out of order. */
  readonly disorderMs?: number;
}

const TUMBLE: Window = { kind: 'tumble', sizeMs: 10_000, offsetMs: 0 };
const HOP: Window = { kind: 'hop', sizeMs: 10_000, slideMs: 2000, offsetMs: 0 };

const cases: Readonly<Record<string, Case>> = {
  'tumble 10 s, COUNT, 10 k keys': { window: TUMBLE, keyCount: 10_000, msPerRow: 0.1 },
  'tumble 10 s, COUNT, 10 k keys, 4 s disorder': { window: TUMBLE, keyCount: 10_000, msPerRow: 0.1, disorderMs: 4000 },
  'tumble 10 s, COUNT, SUM, 10 k keys': { window: TUMBLE, keyCount: 10_000, msPerRow: 0.1, calls: [COUNT, SUM] },
  'tumble 10 s, COUNT, 1 M keys, 1 M rows/s': { window: TUMBLE, keyCount: 1_000_000, msPerRow: 0.001 },
  'hop 10 s by 2 s, COUNT, 1 k keys': { window: HOP, keyCount: 1000, msPerRow: 0.1 },
  'hop 10 s by 2 s, COUNT, 10 k keys, dense': { window: HOP, keyCount: 10_000, msPerRow: 0.1 },
  'hop 10 s by 2 s, COUNT, 10 k keys, 100 k rows/s': { window: HOP, keyCount: 10_000, msPerRow: 0.01 },
  'session 1 s, COUNT, 10 k keys': { window: { kind: 'session', gapMs: 1000 }, keyCount: 10_000, msPerRow: 0.1 },
  'count of 100, COUNT, 10 k keys': { window: { kind: 'count', size: 100 }, keyCount: 10_000, msPerRow: 0.1 },
};

function nodeOf({ window, calls = [COUNT] }: Case): WindowNode {
  const fields = [
    { kind: 'key' as const, key: 0 },
    ...calls.map((_, call) => ({ kind: 'call' as const, call })),
    { kind: 'window-end' as const },
  ];
  const output = rowSchema([
    INPUT.fields[0] as Field,
    ...calls.map(({ name, type }) => ({ name, type })),
    { name: 'until', type: types.timestamp },
  ]);
  const common = { stepId: 'w', keys: [0], calls, latenessMs: 0, earlyMs: null, fields, input: INPUT, output };
  return { kind: 'window', window, ...common };
}

function batches(keyCount: number): ColumnBatch[] {
  return Array.from({ length: BATCHES }, (_, number) => {
    const batch = new ColumnBatch(INPUT, ROWS);
    const [bidder, price] = batch.columns as [Column, Column];
    for (let row = 0; row < ROWS; row++) {
      const random = Math.imul(number * ROWS + row + 1, 0x9e3779b1) >>> 0;
      if (bidder.kind === 'long') bidder.values[row] = random % keyCount;
      if (price.kind === 'long') price.values[row] = random % 10_007;
    }
    batch.rowCount = ROWS;
    batch.timestamps = new Float64Array(ROWS);
    return batch;
  });
}

function measure(one: Case, seconds: number): string {
  const operator = createOperator(nodeOf(one));
  let emitted = 0;
  void operator.open(benchContext({ ready: true, emit: (batch) => { emitted += batch.rowCount; } }));
  const input = batches(one.keyCount);
  const disorderMs = one.disorderMs ?? 0;
  let time = 0;
  let rows = 0;
  const rate = rowsPerCpuSecond(seconds, 700, (index) => {
    const batch = input[index % BATCHES] as ColumnBatch;
    const times = batch.timestamps as Float64Array;
    for (let row = 0; row < ROWS; row++, time += one.msPerRow) {
      const behind = disorderMs === 0 ? 0 : (Math.imul(row, 0x9e3779b1) >>> 0) % disorderMs;
      times[row] = Math.floor(time) - behind;
    }
    operator.process(batch, 0, 0);
    operator.onWatermark?.(Math.floor(time) - disorderMs);
    rows += ROWS;
    return ROWS;
  });
  return `${millionRows(rate)}, ${(emitted / rows).toFixed(3)} rows out per row in`;
}

printCases(cases, 1.5, measure);
