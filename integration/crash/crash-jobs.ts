/** The jobs that are killed: each with its file, and with what a plain program makes of the same orders. */
import type { InputTopics } from './order-feeder.ts';
import { all, DISORDER_MS, orderAt, type OrderStream } from './orders.ts';

export interface JobSettings {
  /** Names the job's checkpoints and transactions. */
  readonly name: string;
  readonly brokers: string;
  readonly inputTopics: InputTopics;
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

/** Short enough for some to close between any two kills. */
const SHORT_WINDOW_MS = 500;

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
  return `name: ${settings.name}
restart: none
checkpoint: {interval: ${settings.checkpointIntervalMs}ms, timeout: 60s}
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
