/** The jobs that are killed: each with its file, and with what a plain program makes of the same orders. */
import { allOrders, DISORDER_MS, type OrderStream } from './orders.ts';

export interface JobSettings {
  /** Names the job's checkpoints and transactions. */
  readonly name: string;
  readonly brokers: string;
  readonly inputTopic: string;
  /** By sink. */
  readonly outputTopics: ReadonlyMap<string, string>;
  readonly stream: OrderStream;
  readonly checkpointIntervalMs: number;
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

const WINDOW_MS = 5000;

const taxed: CrashSink = {
  step: 'taxed-out',
  canonical: ({ id, region, tax, ts }) => JSON.stringify([id, region, tax, ts]),
  orderOf: ({ id }, { partitions }) => ({ series: Number(id) % partitions, place: Number(id) }),
  *expected(stream) {
    for (const { id, region, cents, timestampMs } of allOrders(stream)) {
      yield JSON.stringify([id, region, Math.trunc((cents * 908) / 1000) - id, isoTime(timestampMs)]);
    }
  },
};

const counted: CrashSink = {
  step: 'counted-out',
  canonical: ({ region, orders, cents, opened, until }) => JSON.stringify([region, orders, cents, opened, until]),
  *expected(stream) {
    const windows = new Map<string, { region: string; startMs: number; orders: number; cents: number }>();
    for (const { region, cents, timestampMs } of allOrders(stream)) {
      const startMs = Math.floor(timestampMs / WINDOW_MS) * WINDOW_MS;
      const key = `${region}/${startMs}`;
      const window = windows.get(key) ?? { region, startMs, orders: 0, cents: 0 };
      window.orders += 1;
      window.cents += cents;
      windows.set(key, window);
    }
    for (const { region, startMs, orders, cents } of windows.values()) {
      yield JSON.stringify([region, orders, cents, isoTime(startMs), isoTime(startMs + WINDOW_MS)]);
    }
  },
};

const TAXED_STEPS = `
  - id: taxed
    from: orders
    select: {id: id, region: region, tax: cents * 908 / 1000 - id, ts: ts}
`;

const COUNTED_STEPS = `
  - id: counted
    from: orders
    key: [region]
    window: {tumble: ${WINDOW_MS}ms}
    aggregate:
      orders: COUNT(*)
      cents: SUM(cents)
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
    name: 'both',
    sinks: [taxed, counted],
    steps: (settings) =>
      TAXED_STEPS + sinkSteps(settings, taxed) + COUNTED_STEPS + sinkSteps(settings, counted),
  },
];

/** The job file. It ends by itself once every partition has been read to its end, written yet or not. */
export function jobFile(job: CrashJob, settings: JobSettings): string {
  const { partitions, ordersPerPartition } = settings.stream;
  const ends = Array.from({ length: partitions }, (_, partition) => `"${partition}": ${ordersPerPartition}`);
  return `name: ${settings.name}
restart: none
checkpoint: {interval: ${settings.checkpointIntervalMs}ms, timeout: 60s}
steps:
  - id: orders
    source: kafka
    with:
      brokers: ${settings.brokers}
      topic: ${settings.inputTopic}
      format: json
      end: {offsets: {${ends.join(', ')}}}
    schema: {id: long, region: string, cents: long, ts: timestamp}
    watermark: {field: ts, delay: ${DISORDER_MS}ms}
${job.steps(settings)}`;
}

function isoTime(timestampMs: number): string {
  return new Date(timestampMs).toISOString();
}
