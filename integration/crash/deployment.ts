import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createTopic, javaConsume, javaEnds, uniqueName, type JavaRecord } from '../environment/index.ts';
import { jobFile, type CanonicalRow, type CrashJob, type CrashSink, type OutputRow } from './crash-jobs.ts';
import type { InputTopics } from './order-feeder.ts';
import type { OrderStream } from './orders.ts';

export interface DeploymentRequest {
  readonly job: CrashJob;
  readonly brokers: string;
  /** Job file, log and checkpoints go there. */
  readonly folder: string;
  /** Tells deployments of one job in one folder apart. */
  readonly variant: string;
  readonly stream: OrderStream;
  readonly inputTopics: InputTopics;
  /** When barriers overtake, as the job file says it; absent for the default. */
  readonly alignmentTimeout?: string | undefined;
}

/** A job under a name of its own, with output topics and checkpoints of its own. */
export interface Deployment {
  /** Of `millrace`, to run it. */
  args(parallelism: number): readonly string[];
  readonly logFile: string;
  /** What a committed reader finds in the topic of a sink. */
  read(sink: CrashSink): Promise<SinkOutput>;
  /**
   * How many partitions of the output end in a transaction that nobody has ended. To be asked before read(): brokers
   * acknowledge a commit before its markers are written, so that this waits for a while.
   */
  openPartitions(): Promise<number>;
}

export interface SinkOutput {
  readonly rows: readonly CanonicalRow[];
  /** Rows that stand before one that should have come first. */
  readonly outOfOrder: number;
}

const OUTPUT_PARTITIONS = 2;
const CHECKPOINT_INTERVAL_MS = 250;
const READ_TIMEOUT_MS = 300_000;
const MARKERS_TIMEOUT_MS = 30_000;

export async function deployJob(request: DeploymentRequest): Promise<Deployment> {
  const { job, brokers, folder, variant, stream, inputTopics } = request;
  const name = `${job.name}-${variant}`;
  const outputTopics = new Map<string, string>();
  for (const { step } of job.sinks) {
    const topic = await createTopic(brokers, { name: uniqueName(`${name}-${step}`), partitions: OUTPUT_PARTITIONS });
    outputTopics.set(step, topic);
  }
  const path = join(folder, `${name}.yaml`);
  const dataFolder = join(folder, 'data');
  mkdirSync(dataFolder, { recursive: true });
  const checkpoints = { checkpointIntervalMs: CHECKPOINT_INTERVAL_MS, alignmentTimeout: request.alignmentTimeout };
  const settings = { name, brokers, inputTopics, outputTopics, stream, ...checkpoints };
  writeFileSync(path, jobFile(job, settings));
  return {
    args: (parallelism) => ['run', path, '--parallelism', String(parallelism), '--data-dir', dataFolder],
    logFile: join(folder, `${name}.log`),
    async read(sink) {
      const topic = outputTopics.get(sink.step) ?? '';
      const records = await javaConsume({ brokers, topic, timeoutMs: READ_TIMEOUT_MS });
      const rows = records.map(({ value }) => JSON.parse(value?.toString('utf8') ?? 'null') as OutputRow);
      return { rows: rows.map((row) => sink.canonical(row)), outOfOrder: countOutOfOrder(sink, stream, records, rows) };
    },
    async openPartitions() {
      const deadlineMs = performance.now() + MARKERS_TIMEOUT_MS;
      for (;;) {
        const ends = await javaEnds({ brokers, topics: [...outputTopics.values()] });
        const open = ends.filter(({ stable, end }) => stable < end).length;
        if (open === 0 || performance.now() > deadlineMs) return open;
      }
    },
  };
}

function countOutOfOrder(
  { orderOf }: CrashSink,
  stream: OrderStream,
  records: readonly JavaRecord[],
  rows: readonly OutputRow[],
): number {
  if (orderOf === undefined) return 0;
  const last = new Map<string, number>();
  let count = 0;
  rows.forEach((row, index) => {
    const { series, place } = orderOf(row, stream);
    const key = `${records[index]?.partition ?? 0}/${series}`;
    if (place < (last.get(key) ?? place)) count += 1;
    last.set(key, place);
  });
  return count;
}
