/**
 * Rows per CPU-second through code of users, on one thread, with a watermark after each batch.
 *
 *     node bench/micro/process.ts [seconds per case] [name of the cases]
 */
import { ColumnBatch, rowSchema, types } from '../../src/core/index.ts';
import type {
  CodeRole,
  Column,
  Field,
  Operator,
  ProcessContext,
  ProcessFunction,
  ProcessSetup,
  RowSchema,
  UserRow,
  ValueState,
} from '../../src/core/index.ts';
import { createOperator } from '../../src/operators/index.ts';
import { benchContext, millionRows, printCases, rowsPerCpuSecond } from './measuring/cpu-rate.ts';

const ROWS = 4096;
const BATCHES = 256;

const FIELDS: readonly Field[] = [
  { name: 'bidder', type: types.long },
  { name: 'price', type: types.long },
  { name: 'channel', type: types.string },
  { name: 'at', type: types.timestamp },
];

interface Case {
  readonly role?: CodeRole;
  readonly code: unknown;
  readonly keyCount?: number;
  /** Whether rows have the text field. */
  readonly hasText?: boolean;
  readonly snapshots?: boolean;
}

class Counter implements ProcessFunction {
  #count!: ValueState<number>;
  open(setup: ProcessSetup): void {
    this.#count = setup.valueState('count');
  }
  process(row: UserRow, context: ProcessContext): void {
    const count = (this.#count.get() ?? 0) + 1;
    this.#count.set(count);
    if (count % 8 === 0) context.emit(row);
  }
}

class Totals implements ProcessFunction {
  #total!: ValueState<{ count: number; sum: number }>;
  open(setup: ProcessSetup): void {
    this.#total = setup.valueState('total');
  }
  process(row: UserRow, context: ProcessContext): void {
    const total = this.#total.get() ?? { count: 0, sum: 0 };
    total.count++;
    total.sum += row['price'] as number;
    this.#total.set(total);
    if (total.count % 8 === 0) context.emit(row);
  }
}

class Timers implements ProcessFunction {
  #count!: ValueState<number>;
  open(setup: ProcessSetup): void {
    this.#count = setup.valueState('count');
  }
  process(_row: UserRow, context: ProcessContext): void {
    this.#count.set((this.#count.get() ?? 0) + 1);
    context.setEventTimer((Math.floor((context.timestamp ?? 0) / 1000) + 1) * 1000);
  }
  onTimer(_timer: unknown, context: ProcessContext): void {
    context.emit({ bidder: context.key['bidder'], price: this.#count.get() });
    this.#count.clear();
  }
}

const passRow = (row: UserRow, context: ProcessContext): void => {
  context.emit(row);
};

const cases: Readonly<Record<string, Case>> = {
  'pass-through, 3 numbers': { code: passRow },
  'pass-through, 3 numbers, 1 text': { code: passRow, hasText: true },
  'map, 3 numbers': { role: 'map', code: (row: UserRow) => ({ ...row, price: (row['price'] as number) * 2 }) },
  'filter, 3 numbers, half pass': { role: 'filter', code: (row: UserRow) => (row['price'] as number) % 2 === 0 },
  'counter, 10 k keys': { code: Counter, keyCount: 10_000 },
  'counter, 1 M keys': { code: Counter, keyCount: 1_000_000 },
  'object of two totals, 10 k keys': { code: Totals, keyCount: 10_000 },
  'object of two totals, 1 M keys': { code: Totals, keyCount: 1_000_000 },
  'counter and a timer a second, 10 k keys': { code: Timers, keyCount: 10_000 },
  'snapshot of a number, 1 M keys': { code: Counter, keyCount: 1_000_000, snapshots: true },
  'snapshot of an object, 1 M keys': { code: Totals, keyCount: 1_000_000, snapshots: true },
};

const schemaOf = (hasText: boolean): RowSchema => rowSchema(FIELDS.filter(({ name }) => hasText || name !== 'channel'));

function batches(keyCount: number, hasText: boolean): ColumnBatch[] {
  return Array.from({ length: BATCHES }, (_, number) => {
    const batch = new ColumnBatch(schemaOf(hasText), ROWS);
    const columns = new Map(batch.schema.fields.map(({ name }, index) => [name, batch.columns[index] as Column]));
    for (let row = 0; row < ROWS; row++) {
      const random = Math.imul(number * ROWS + row + 1, 0x9e3779b1) >>> 0;
      write(columns.get('bidder'), row, random % keyCount);
      write(columns.get('price'), row, random % 10_007);
      const channel = columns.get('channel');
      if (channel?.kind !== 'bytes') continue;
      channel.data = Buffer.from('channel-0channel-1channel-2channel-3');
      channel.starts[row] = (row % 4) * 9;
      channel.ends[row] = (row % 4) * 9 + 9;
    }
    batch.rowCount = ROWS;
    batch.timestamps = new Float64Array(ROWS);
    return batch;
  });
}

function write(column: Column | undefined, row: number, value: number): void {
  if (column?.kind === 'long' || column?.kind === 'double') column.values[row] = value;
}

interface OpenedCase extends Case {
  readonly operator: Operator;
  /** Rows that were emitted. */
  readonly emitted: { count: number };
}

async function open(one: Case): Promise<OpenedCase> {
  const schema = schemaOf(one.hasText === true);
  const operator = createOperator(
    {
      kind: 'process',
      stepId: 'p',
      code: { module: 'file:///bench.ts', name: 'code', step: null },
      role: one.role ?? 'process',
      keys: one.keyCount === undefined ? [] : [0],
      longs: 'number',
      sides: [],
      hasEventTime: true,
      input: schema,
      output: schema,
    },
    () => Promise.resolve(one.code),
  );
  const emitted = { count: 0 };
  await operator.open(benchContext({ ready: true, emit: (batch) => { emitted.count += batch.rowCount; } }));
  return { ...one, operator, emitted };
}

function measure({ operator, emitted, ...one }: OpenedCase, seconds: number): string {
  const input = batches(one.keyCount ?? 10_000, one.hasText === true);
  let [time, rows] = [0, 0];
  const step = (index: number): number => {
    const batch = input[index % BATCHES] as ColumnBatch;
    const times = batch.timestamps as Float64Array;
    const at = batch.columns.at(-1);
    for (let row = 0; row < ROWS; row++, time += 0.1) {
      times[row] = Math.floor(time);
      write(at, row, Math.floor(time));
    }
    for (let row = 0; row < ROWS;) row = operator.process(batch, row, 0);
    while (operator.onWatermark?.(Math.floor(time)) === false);
    rows += ROWS;
    return ROWS;
  };
  if (one.snapshots !== true) {
    const rate = rowsPerCpuSecond(seconds, 700, step);
    return `${millionRows(rate)}, ${(emitted.count / rows).toFixed(3)} rows out per row in`;
  }
  // Until nearly every key is there.
  for (let index = 0; index < BATCHES; index++) step(index);
  // The code is warm the second time.
  measureSnapshot(operator);
  return measureSnapshot(operator);
}

/** Of this process, garbage collection on other threads included. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function measureSnapshot(operator: Operator): string {
  const start = cpuMs();
  const snapshot = operator.state?.snapshot();
  let [bytes, chunks, longest] = [0, 0, cpuMs() - start];
  for (;;) {
    const before = cpuMs();
    const chunk = snapshot?.next() ?? null;
    longest = Math.max(longest, cpuMs() - before);
    if (chunk === null) break;
    bytes += chunk.bytes.length;
    chunks++;
  }
  const all = cpuMs() - start;
  const size = `${(bytes / 1e6).toFixed(1)} MB, ${chunks} chunks`;
  return `${Math.round(all)} ms, ${size}, longest call ${longest.toFixed(1)} ms`;
}

const opened: Record<string, OpenedCase> = {};
for (const [name, one] of Object.entries(cases)) opened[name] = await open(one);
printCases(opened, 1.5, measure);
