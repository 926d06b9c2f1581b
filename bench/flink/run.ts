/*
 * Apache Flink in one JVM: as a peer of benchmarks (`runFlinkQuery`) and as the oracle of SQL (`flinkAnswers`).
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Progress } from '../../scripts/services/index.ts';
import { buildFlinkJob } from './build.ts';

export { buildFlinkJob, type FlinkJob } from './build.ts';

export const FLINK_QUERIES = ['q0', 'q1', 'q2', 'q5', 'q7', 'q8', 'q12e', 'q18', 'q21', 'q22'] as const;
export type FlinkQuery = (typeof FLINK_QUERIES)[number];
export type FlinkGuarantee = 'none' | 'at-least-once' | 'exactly-once';

export interface FlinkQueryOptions {
  query: FlinkQuery;
  brokers: string;
  /** Of JSON; read from the earliest offset to the end found at the start. q8 reads persons and auctions. */
  inputTopics: Readonly<Partial<Record<'bid' | 'person' | 'auction', string>>>;
  /** Exists already. */
  outputTopic: string;
  /** Default: 1. */
  parallelism?: number;
  /** Default: at-least-once. */
  guarantee?: FlinkGuarantee;
  /** Default: 0, none; 1 s with exactly-once, which commits at checkpoints only. */
  checkpointIntervalMs?: number;
  /** A directory for checkpoints, so that they outlive the process. Default: the heap. */
  checkpointDirectory?: string;
  /** How dateTime is written: with a trailing Z, or without a zone. Default: with. */
  timestampType?: 'TIMESTAMP_LTZ(3)' | 'TIMESTAMP(3)';
  /** Heap, initial and maximal. Default: 2048. */
  heapMegabytes?: number;
  /** In place of the default flags. */
  jvmFlags?: readonly string[];
  /** Of the Kafka consumer and producer; they win over the defaults. */
  sourceProperties?: Readonly<Record<string, string>>;
  sinkProperties?: Readonly<Record<string, string>>;
  /** More of Flink's own configuration. */
  configuration?: Readonly<Record<string, string>>;
  /** Default: 30 min. */
  timeoutMs?: number;
  progress?: Progress;
}

export interface FlinkFigures {
  readonly records: number;
  readonly wallSeconds: number;
  /** User and system time of the whole JVM. */
  readonly cpuSeconds: number;
}

export interface FlinkRun {
  readonly query: FlinkQuery;
  readonly records: number;
  /** From the start of the JVM to the end of the job. */
  readonly cold: FlinkFigures;
  /** From the moment a fifth of the records is read to the end of the job. */
  readonly warm: FlinkFigures;
  readonly flinkVersion: string;
  readonly javaVersion: string;
  readonly parallelism: number;
  readonly guarantee: FlinkGuarantee;
  readonly checkpointIntervalMs: number;
  readonly objectReuse: boolean;
  readonly heapMaxBytes: number;
  readonly heapUsedBytes: number;
  readonly collectors: readonly string[];
  readonly collectionSeconds: number;
  /** As given to java, class path and heap aside. */
  readonly jvmFlags: readonly string[];
  readonly sourceProperties: Readonly<Record<string, string>>;
  readonly sinkProperties: Readonly<Record<string, string>>;
}

const DEFAULT_JVM_FLAGS: readonly string[] = ['-XX:+UseParallelGC'];
/** Larger batches than the producer's own defaults: they give Flink 10 to 70 % more records per CPU-second. */
const DEFAULT_SINK_PROPERTIES: Readonly<Record<string, string>> = { 'batch.size': '262144', 'linger.ms': '20' };
const DEFAULT_HEAP_MEGABYTES = 2048;
const DEFAULT_TIMEOUT_MS = 30 * 60_000;

/** As Flink's own scripts open them for Java 17. */
const OPENED_PACKAGES = [
  'java.lang', 'java.net', 'java.io', 'java.nio', 'sun.nio.ch', 'java.lang.reflect', 'java.text', 'java.time',
  'java.util', 'java.util.concurrent', 'java.util.concurrent.atomic', 'java.util.concurrent.locks',
].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);

const ERROR_TAIL_LINES = 40;

function runJava(
  args: readonly string[],
  timeoutMs: number,
  onError?: (line: string) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs, env: process.env });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => {
      const text = chunk.toString('utf8');
      errors += text;
      for (const line of text.split('\n')) if (line !== '') onError?.(line);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output);
      else {
        const tail = errors.trimEnd().split('\n').slice(-ERROR_TAIL_LINES).join('\n');
        reject(new Error(`Flink ended with ${String(code ?? signal)}:\n${tail}`));
      }
    });
  });
}

function checkpointIntervalOf(options: Partial<FlinkQueryOptions>): number {
  return options.checkpointIntervalMs ?? (options.guarantee === 'exactly-once' ? 1000 : 0);
}

function checkpointStorage({ checkpointDirectory: directory }: FlinkQueryOptions): Readonly<Record<string, string>> {
  if (directory === undefined) return {};
  return {
    'execution.checkpointing.storage': 'filesystem',
    'execution.checkpointing.dir': pathToFileURL(directory).href,
  };
}

/** Runs a Nexmark query over its topics to their ends. */
export async function runFlinkQuery(options: FlinkQueryOptions): Promise<FlinkRun> {
  const job = await buildFlinkJob(options.progress);
  const { guarantee = 'at-least-once', jvmFlags = DEFAULT_JVM_FLAGS } = options;
  const heap = String(options.heapMegabytes ?? DEFAULT_HEAP_MEGABYTES);
  const sourceProperties = options.sourceProperties ?? {};
  const sinkProperties = { ...DEFAULT_SINK_PROPERTIES, ...options.sinkProperties };
  const request = {
    query: options.query,
    brokers: options.brokers,
    inputTopics: options.inputTopics,
    outputTopic: options.outputTopic,
    parallelism: options.parallelism ?? 1,
    guarantee,
    checkpointIntervalMs: checkpointIntervalOf(options),
    timestampType: options.timestampType ?? 'TIMESTAMP_LTZ(3)',
    sourceProperties,
    sinkProperties,
    configuration: { ...checkpointStorage(options), ...options.configuration },
  };
  const output = await runJava(
    [
      `-Xms${heap}m`, `-Xmx${heap}m`, ...jvmFlags, ...OPENED_PACKAGES, '-cp', job.classPath,
      'millrace.bench.FlinkNexmark', JSON.stringify(request),
    ],
    options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  );
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  const report = JSON.parse(line) as Omit<FlinkRun, 'jvmFlags' | 'sourceProperties' | 'sinkProperties'>;
  return { ...report, jvmFlags, sourceProperties, sinkProperties };
}

export interface FlinkAnswersInput {
  /** Statements carried out first, such as CREATE TEMPORARY VIEW. A failing one fails the call. */
  ddl?: readonly string[];
  /** Flink's configuration, such as table.local-time-zone (default: UTC). */
  configuration?: Readonly<Record<string, string>>;
  queries: readonly { id: string; sql: string }[];
}

/** A scalar as text; arrays and rows as arrays; a map as an array of pairs; bytes in hexadecimal. */
export type FlinkValue = string | null | readonly FlinkValue[];

export type FlinkAnswer =
  | {
      readonly id: string;
      readonly sql: string;
      readonly columns: readonly { readonly name: string; readonly type: string }[];
      readonly rows: readonly (readonly FlinkValue[])[];
    }
  | { readonly id: string; readonly sql: string; readonly error: string };

export interface FlinkAnswers {
  readonly flinkVersion: string;
  readonly answers: readonly FlinkAnswer[];
}

/**
 * What Flink SQL answers to each query in batch mode; a query that fails is answered by its error. Rows come in no
 * particular order, even those of VALUES, unless the query orders them.
 */
export async function flinkAnswers(
  input: FlinkAnswersInput,
  options: { progress?: Progress; timeoutMs?: number } = {},
): Promise<FlinkAnswers> {
  const job = await buildFlinkJob(options.progress);
  const directory = mkdtempSync(join(tmpdir(), 'millrace-flink-'));
  try {
    const inputFile = join(directory, 'input.json');
    const outputFile = join(directory, 'output.json');
    writeFileSync(inputFile, JSON.stringify(input));
    await runJava(
      [
        '-Xmx2g', '-XX:+UseSerialGC', ...OPENED_PACKAGES, '-Dorg.slf4j.simpleLogger.defaultLogLevel=off',
        '-cp', job.classPath, 'millrace.bench.FlinkAnswers', inputFile, outputFile,
      ],
      options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      options.progress,
    );
    return JSON.parse(readFileSync(outputFile, 'utf8')) as FlinkAnswers;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
