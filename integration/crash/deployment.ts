import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createTopic, javaConsume, uniqueName } from '../environment/index.ts';
import { jobFile, type CanonicalRow, type CrashJob, type CrashSink } from './crash-jobs.ts';
import type { OrderStream } from './orders.ts';

export interface DeploymentRequest {
  readonly job: CrashJob;
  readonly brokers: string;
  /** Job file, log and checkpoints go there. */
  readonly folder: string;
  /** Tells deployments of one job in one folder apart. */
  readonly variant: string;
  readonly stream: OrderStream;
  readonly inputTopic: string;
}

/** A job under a name of its own, with output topics and checkpoints of its own. */
export interface Deployment {
  /** Of `millrace`, to run it. */
  args(parallelism: number): readonly string[];
  readonly logFile: string;
  /** What a committed reader finds in the topic of a sink. */
  rows(sink: CrashSink): Promise<readonly CanonicalRow[]>;
}

const OUTPUT_PARTITIONS = 2;
const CHECKPOINT_INTERVAL_MS = 250;
const READ_TIMEOUT_MS = 300_000;

export async function deployJob(request: DeploymentRequest): Promise<Deployment> {
  const { job, brokers, folder, variant, stream, inputTopic } = request;
  const name = `${job.name}-${variant}`;
  const outputTopics = new Map<string, string>();
  for (const { step } of job.sinks) {
    const topic = await createTopic(brokers, { name: uniqueName(`${name}-${step}`), partitions: OUTPUT_PARTITIONS });
    outputTopics.set(step, topic);
  }
  const path = join(folder, `${name}.yaml`);
  const dataFolder = join(folder, 'data');
  mkdirSync(dataFolder, { recursive: true });
  const settings = { name, brokers, inputTopic, outputTopics, stream, checkpointIntervalMs: CHECKPOINT_INTERVAL_MS };
  writeFileSync(path, jobFile(job, settings));
  return {
    args: (parallelism) => ['run', path, '--parallelism', String(parallelism), '--data-dir', dataFolder],
    logFile: join(folder, `${name}.log`),
    async rows({ step, canonical }) {
      const topic = outputTopics.get(step) ?? '';
      const records = await javaConsume({ brokers, topic, timeoutMs: READ_TIMEOUT_MS });
      return records.map(({ value }) =>
        canonical(JSON.parse(value?.toString('utf8') ?? 'null') as Readonly<Record<string, unknown>>),
      );
    },
  };
}
