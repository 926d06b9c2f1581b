/**
 * Rows per CPU-second through joins, dedupe and top-n, on one thread: in order, in batches, the two sides of a join in
 * turn, with a watermark after each pair of batches.
 *
 *     node bench/micro/joins.ts [seconds per case] [name of the cases]
 */
import { ColumnBatch, rowSchema, types } from '../../src/core/index.ts';
import type { Column, OperatorContext, RowSchema } from '../../src/core/index.ts';
import { createOperator } from '../../src/operators/index.ts';
import type { OperatorNode } from '../../src/operators/index.ts';
import { benchContext, millionRows, printCases, rowsPerCpuSecond } from './measuring/cpu-rate.ts';

const ROWS = 4096;
const BATCHES = 128;

const INPUT: RowSchema = rowSchema([
  { name: 'id', type: types.long },
  { name: 'amount', type: types.long },
  { name: 'name', type: types.string },
]);
const BOTH: RowSchema = rowSchema(
  [...INPUT.fields, ...INPUT.fields].map(({ type }, index) => ({ name: `f${index}`, type })),
);

interface Case {
  readonly node: OperatorNode;
  readonly keyCount: number;
  /** Event time between two rows of one side; 0.1 is 10,000 rows a second. */
  readonly msPerRow: number;
}

const interval = { kind: 'interval', beforeMs: 5000, afterMs: 5000 } as const;

function joinNode(type: 'inner' | 'left', bounds: typeof interval | { readonly kind: 'temporal' }): OperatorNode {
  const sides = { leftKeys: [0], rightKeys: [0], left: INPUT, right: INPUT, output: BOTH };
  return { kind: 'join', stepId: 'j', type, condition: null, bounds, ttlMs: null, ...sides };
}

function dedupeNode(keep: 'first' | 'last', ttlMs: number | null): OperatorNode {
  return { kind: 'dedupe', stepId: 'd', keys: [0], keep, ttlMs, input: INPUT, output: INPUT };
}

const top: OperatorNode = {
  kind: 'top-n',
  stepId: 't',
  keys: [0],
  by: [{ column: 1, descending: true }],
  count: 10,
  hasRank: false,
  input: INPUT,
  output: INPUT,
};

const cases: Readonly<Record<string, Case>> = {
  'interval ±5 s, inner, 1 M keys': { node: joinNode('inner', interval), keyCount: 1_000_000, msPerRow: 0.1 },
  'interval ±5 s, inner, 100 k keys': { node: joinNode('inner', interval), keyCount: 100_000, msPerRow: 0.1 },
  'interval ±5 s, left, 100 k keys': { node: joinNode('left', interval), keyCount: 100_000, msPerRow: 0.1 },
  'temporal, 10 k keys': { node: joinNode('inner', { kind: 'temporal' }), keyCount: 10_000, msPerRow: 0.1 },
  'dedupe last, 100 k keys': { node: dedupeNode('last', null), keyCount: 100_000, msPerRow: 0.1 },
  'dedupe first, 100 k keys, ttl 5 s': { node: dedupeNode('first', 5000), keyCount: 100_000, msPerRow: 0.1 },
  'top 10, 10 k keys': { node: top, keyCount: 10_000, msPerRow: 0.1 },
};

function batches(keyCount: number): ColumnBatch[] {
  const encoder = new TextEncoder();
  const data = encoder.encode('a name of twenty-four by');
  return Array.from({ length: BATCHES }, (_, number) => {
    const batch = new ColumnBatch(INPUT, ROWS);
    const [id, amount, name] = batch.columns as [Column, Column, Column];
    for (let row = 0; row < ROWS; row++) {
      const random = Math.imul(number * ROWS + row + 1, 0x9e3779b1) >>> 0;
      if (id.kind === 'long') id.values[row] = random % keyCount;
      if (amount.kind === 'long') amount.values[row] = Math.imul(random, 0x85ebca6b) >>> 8;
      if (name.kind === 'bytes') name.ends[row] = data.length;
    }
    if (name.kind === 'bytes') name.data = data;
    batch.rowCount = ROWS;
    batch.timestamps = new Float64Array(ROWS);
    return batch;
  });
}

/** Not ready once after each batch, as a chain's output is. */
function pausingOutput(emitted: { rows: number }): OperatorContext['output'] {
  let isReady = true;
  return {
    get ready() {
      const was = isReady;
      isReady = true;
      return was;
    },
    emit: (batch) => {
      emitted.rows += batch.rowCount;
      isReady = false;
    },
  };
}

function measure({ node, keyCount, msPerRow }: Case, seconds: number): string {
  const operator = createOperator(node);
  const emitted = { rows: 0 };
  void operator.open(benchContext(pausingOutput(emitted)));
  const given = batches(keyCount);
  const inputs = node.kind === 'join' ? 2 : 1;
  let time = 0;
  let rows = 0;
  const give = (batch: ColumnBatch, input: number): void => {
    const times = batch.timestamps as Float64Array;
    for (let row = 0; row < ROWS; row++) times[row] = Math.floor(time + row * msPerRow);
    for (let row = 0; row < ROWS;) row = operator.process(batch, row, input);
  };
  const rate = rowsPerCpuSecond(seconds, 1500, (index) => {
    for (let input = 0; input < inputs; input++) give(given[(index * inputs + input) % BATCHES] as ColumnBatch, input);
    time += ROWS * msPerRow;
    while (operator.onWatermark?.(Math.floor(time)) === false);
    rows += ROWS * inputs;
    return ROWS * inputs;
  });
  return `${millionRows(rate)}, ${(emitted.rows / rows).toFixed(3)} rows out per row in`;
}

printCases(cases, 1.5, measure);
