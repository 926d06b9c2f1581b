/** The jobs that are killed: each with its file, and with what a plain program makes of the same orders. */
import type { InputTopics } from './order-feeder.ts';
import { all, DISORDER_MS, orderAt, PAYMENT_DISORDER_MS, paymentAt, type Order, type OrderStream } from './orders.ts';

export interface JobSettings {
  /** Names the job's checkpoints and transactions. */
  readonly name: string;
  readonly brokers: string;
  readonly inputTopics: InputTopics;
  /** By sink. */
  readonly outputTopics: ReadonlyMap<string, string>;
  readonly stream: OrderStream;
  readonly checkpointIntervalMs: number;
  /** As the job file says it; absent for the default. */
  readonly alignmentTimeout?: string | undefined;
}

/** A row in one form, however its numbers and fields are written. */
export type CanonicalRow = string;

export type OutputRow = Readonly<Record<string, unknown>>;

export interface CrashSink {
  readonly step: string;
  readonly canonical: (row: OutputRow) => CanonicalRow;
  /** Every row that belongs into the topic, in any order. */
  expected(stream: OrderStream): Iterable<CanonicalRow>;
  /** Rows of one `series` must stand in the order of `place` in each partition of the topic; absent: in any order. */
  readonly orderOf?: (row: OutputRow, stream: OrderStream) => { readonly series: number; readonly place: number };
}

export interface CrashJob {
  readonly name: string;
  readonly sinks: readonly CrashSink[];
  /** The steps behind the source `orders`, sinks included. */
  steps(settings: JobSettings): string;
}

/** Short ones close between any two kills, long ones stay open over many. */
const SHORT_WINDOW_MS = 500;
const LONG_WINDOW_MS = 10_000;
const PAID_WITHIN_MS = 1000;

const taxed: CrashSink = {
  step: 'taxed-out',
  canonical: ({ id, region, tax, ts }) => JSON.stringify([id, region, tax, ts]),
  orderOf: ({ id }, { partitions }) => ({ series: Number(id) % partitions, place: Number(id) }),
  *expected(stream) {
    for (const { id, region, cents, timestampMs } of all(stream, orderAt)) {
      yield JSON.stringify([id, region, Math.trunc((cents * 908) / 1000) - id, isoTime(timestampMs)]);
    }
  },
};

const counted: CrashSink = {
  step: 'counted-out',
  canonical: canonicalWindow,
  *expected(stream) {
    const windows = new Windows(SHORT_WINDOW_MS);
    for (const { region, cents, timestampMs } of all(stream, orderAt)) windows.add(region, timestampMs, cents);
    yield* windows.rows();
  },
};

const settled: CrashSink = {
  step: 'settled-out',
  canonical: ({ id, region, paid }) => JSON.stringify([id, region, paid]),
  *expected(stream) {
    for (const { order, paid } of settlements(stream)) yield JSON.stringify([order.id, order.region, paid]);
  },
};

const received: CrashSink = {
  step: 'received-out',
  canonical: canonicalWindow,
  *expected(stream) {
    const windows = new Windows(LONG_WINDOW_MS);
    for (const { order, paid, timestampMs } of settlements(stream)) windows.add(order.region, timestampMs, paid);
    yield* windows.rows();
  },
};

interface Settlement {
  readonly order: Order;
  /** 0 for an order that nobody has paid in time. */
  readonly paid: number;
  readonly timestampMs: number;
}

/** Every order with each of its payments that come in time. A pair has happened when both have. */
function* settlements(stream: OrderStream): Generator<Settlement> {
  const unpaid = new Map(Array.from(all(stream, orderAt), (order) => [order.id, order]));
  const orders = new Map(unpaid);
  for (const { orderId, paid, timestampMs } of all(stream, paymentAt)) {
    const order = orders.get(orderId);
    const afterMs = order === undefined ? -1 : timestampMs - order.timestampMs;
    if (order === undefined || afterMs < 0 || afterMs > PAID_WITHIN_MS) continue;
    unpaid.delete(orderId);
    yield { order, paid, timestampMs };
  }
  // That nobody pays is known once nobody can any more.
  for (const order of unpaid.values()) yield { order, paid: 0, timestampMs: order.timestampMs + PAID_WITHIN_MS };
}

function canonicalWindow({ region, orders, cents, opened, until }: OutputRow): CanonicalRow {
  return JSON.stringify([region, orders, cents, opened, until]);
}

/** Counts and sums per region and tumbling window. */
class Windows {
  readonly #sizeMs: number;
  readonly #windows = new Map<string, { region: string; startMs: number; orders: number; cents: number }>();

  constructor(sizeMs: number) {
    this.#sizeMs = sizeMs;
  }

  add(region: string, timestampMs: number, cents: number): void {
    const startMs = Math.floor(timestampMs / this.#sizeMs) * this.#sizeMs;
    const key = `${region}/${startMs}`;
    const window = this.#windows.get(key) ?? { region, startMs, orders: 0, cents: 0 };
    window.orders += 1;
    window.cents += cents;
    this.#windows.set(key, window);
  }

  *rows(): Generator<CanonicalRow> {
    for (const { region, startMs, orders, cents } of this.#windows.values()) {
      yield JSON.stringify([region, orders, cents, isoTime(startMs), isoTime(startMs + this.#sizeMs)]);
    }
  }
}

const TAXED_STEPS = `
  - id: taxed
    from: orders
    select: {id: id, region: region, tax: cents * 908 / 1000 - id, ts: ts}
`;

const COUNTED_STEPS = `
  - id: counted
    from: orders
    key: [region]
    window: {tumble: ${SHORT_WINDOW_MS}ms}
    aggregate:
      orders: COUNT(*)
      cents: SUM(cents)
      opened: WINDOW_START
      until: WINDOW_END
`;

const settledSteps = (settings: JobSettings): string => `
  - id: payments
${sourceSettings(settings, settings.inputTopics.payments)}
    schema: {orderId: long, paid: long, at: timestamp}
    watermark: {field: at, delay: ${PAYMENT_DISORDER_MS}ms}
  - id: settled
    from: [orders, payments]
    join:
      type: left
      on: orders.id = payments.orderId
      within: {before: 0s, after: ${PAID_WITHIN_MS}ms}
      select: {id: id, region: region, paid: "COALESCE(paid, 0)"}
`;

const RECEIVED_STEPS = `
  - id: received
    from: settled
    key: [region]
    window: {tumble: ${LONG_WINDOW_MS}ms}
    aggregate:
      orders: COUNT(*)
      cents: SUM(paid)
      opened: WINDOW_START
      until: WINDOW_END
`;

function sinkSteps(settings: JobSettings, { step }: CrashSink): string {
  return `
  - id: ${step}
    sink: kafka
    with:
      brokers: ${settings.brokers}
      topic: ${settings.outputTopics.get(step) ?? ''}
      format: json
      key: [region]
      delivery: exactly-once
`;
}

export const crashJobs: readonly CrashJob[] = [
  {
    name: 'append',
    sinks: [taxed],
    steps: (settings) => TAXED_STEPS + sinkSteps(settings, taxed),
  },
  {
    name: 'window',
    sinks: [counted],
    steps: (settings) => COUNTED_STEPS + sinkSteps(settings, counted),
  },
  {
    name: 'joined',
    sinks: [counted, settled, received],
    steps: (settings) =>
      COUNTED_STEPS +
      sinkSteps(settings, counted) +
      settledSteps(settings) +
      sinkSteps(settings, settled) +
      RECEIVED_STEPS +
      sinkSteps(settings, received),
  },
];

/** The job file. It ends by itself once every partition has been read to its end, written yet or not. */
export function jobFile(job: CrashJob, settings: JobSettings): string {
  const alignment = settings.alignmentTimeout === undefined ? '' : `, alignmentTimeout: ${settings.alignmentTimeout}`;
  return `name: ${settings.name}
restart: none
checkpoint: {interval: ${settings.checkpointIntervalMs}ms, timeout: 60s${alignment}}
steps:
  - id: orders
${sourceSettings(settings, settings.inputTopics.orders)}
    schema: {id: long, region: string, cents: long, ts: timestamp}
    watermark: {field: ts, delay: ${DISORDER_MS}ms}
${job.steps(settings)}`;
}

function sourceSettings({ brokers, stream }: JobSettings, topic: string): string {
  const { partitions, ordersPerPartition } = stream;
  const ends = Array.from({ length: partitions }, (_, partition) => `"${partition}": ${ordersPerPartition}`);
  return `    source: kafka
    with:
      brokers: ${brokers}
      topic: ${topic}
      format: json
      end: {offsets: {${ends.join(', ')}}}`;
}

function isoTime(timestampMs: number): string {
  return new Date(timestampMs).toISOString();
}
