/** What a cluster costs: records per CPU-second of its processes, against `millrace run` of the same job. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { queries, type Query } from '../../../bench/nexmark/queries.ts';
import { createTopic, deleteTopic, preload } from '../../../bench/nexmark/topics.ts';
import { logTail } from '../../../scripts/services/index.ts';
import { projectRoot } from '../../cli/run-millrace.ts';
import { withAdmin } from '../../environment/index.ts';
import { TestCluster } from '../test-cluster.ts';
import { cpuSecondsOf, recordsPerCpuSecond, type CpuSample } from './cpu-per-record.ts';
import { NOT_MEASURED, spread, type QueryThroughput, type RecoveryOptions, type RecoveryResult } from './recovery.ts';

const QUERIES = ['q1', 'q12e'];
/** Enough that compiling, which each process does for itself, is done long before the end. */
const EVENTS = 10_000_000;
const PARALLELISM = 2;
const SAMPLE_MS = 100;
const LOG_LINES = 20;

/**
 * Both run with parallelism 2, without checkpoints, in turn: one process, and a Dispatcher with two TaskManagers of one
 * slot. What counts is user and system time of that one process, or of all three (not of the command that submits), as
 * Linux has it, from a fifth of the output to its end: start and warm-up of neither are in it. Rows are counted to tell
 * lost and repeated ones.
 */
export async function measureThroughput(options: RecoveryOptions): Promise<RecoveryResult> {
  const { brokers, times, tell } = options;
  const folder = join(options.folder, 'throughput');
  mkdirSync(folder);
  const totals = { lost: 0, duplicated: 0 };
  const throughput: QueryThroughput[] = [];
  for (const name of QUERIES) {
    const query = knownQuery(name);
    const inputTopics = await preload(brokers, query.dataset, EVENTS, tell);
    const jobFile = join(folder, `${name}.yaml`);
    writeFileSync(jobFile, `parallelism: ${PARALLELISM}\n${readFileSync(join(projectRoot, query.jobFile), 'utf8')}`);
    const measured: Measured = { name, brokers, jobFile, inputTopic: inputTopics.bid ?? '' };
    const single: number[] = [];
    const cluster: number[] = [];
    for (let round = 1; round <= times; round++) {
      const place = join(folder, `${name}-${round}`);
      mkdirSync(place);
      const inOne = await runAlone(measured, place);
      const inAll = await runInCluster(measured, place);
      single.push(inOne.perCpuSecond);
      cluster.push(inAll.perCpuSecond);
      totals.lost += Math.max(0, inOne.rows - inAll.rows);
      totals.duplicated += Math.max(0, inAll.rows - inOne.rows);
      tell(`throughput ${round}: ${name}: ${Math.round(inAll.perCpuSecond)} records per CPU-second in a cluster, ` +
        `${Math.round(inOne.perCpuSecond)} in one process`);
    }
    throughput.push(summary(name, cluster, single));
  }
  return { ...NOT_MEASURED, ...totals, row: 'throughput', times, throughput, tasksRestarted: 0 };
}

function knownQuery(name: string): Query {
  const query = queries.get(name);
  if (query === undefined) throw new Error(`there is no query ${name}`);
  return query;
}

function summary(query: string, cluster: readonly number[], single: readonly number[]): QueryThroughput {
  const [inAll, inOne] = [cluster, single].map((values) => spread(values)?.median ?? 0) as [number, number];
  return { query, cluster: inAll, singleProcess: inOne, ratio: Math.round((inAll / inOne) * 1000) / 1000 };
}

interface Measured {
  readonly name: string;
  readonly brokers: string;
  readonly jobFile: string;
  readonly inputTopic: string;
}

interface Figures {
  readonly rows: number;
  readonly perCpuSecond: number;
}

function runAlone(measured: Measured, folder: string): Promise<Figures> {
  const command = ['run', measured.jobFile, '--fresh', '--data-dir', join(folder, 'data')];
  return watch(measured, { label: 'alone', folder, command, engine: null });
}

async function runInCluster(measured: Measured, folder: string): Promise<Figures> {
  const processes = { dispatchers: 1, taskManagers: PARALLELISM, slots: 1, zookeeper: null };
  const cluster = await TestCluster.start({ folder, ...processes });
  try {
    const command = ['submit', measured.jobFile, '--fresh', '--wait', '--dispatcher', cluster.client().url];
    const engine = [...cluster.dispatchers, ...cluster.taskManagers].map(({ pid }) => pid);
    return await watch(measured, { label: 'cluster', folder, command, engine });
  } finally {
    await cluster.close();
  }
}

interface Watched {
  readonly label: string;
  readonly folder: string;
  readonly command: readonly string[];
  /** The processes that count; null for that of the command itself. */
  readonly engine: readonly number[] | null;
}

/** Runs a command that ends with the job, and takes samples meanwhile. */
async function watch({ name, brokers, jobFile, inputTopic }: Measured, watched: Watched): Promise<Figures> {
  const { label, folder, command, engine } = watched;
  const topic = `throughput-${name}-${label}-${process.pid}-${Date.now()}`;
  await createTopic(brokers, topic);
  const variables = { KAFKA_BROKERS: brokers, INPUT_TOPIC: inputTopic, OUTPUT_TOPIC: topic, END: 'latest' };
  const settings = Object.entries(variables).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const logFile = join(folder, `${label}.log`);
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [join(projectRoot, 'bin', 'millrace.mjs'), ...command, ...settings], {
    cwd: folder,
    stdio: ['ignore', log, log],
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const samples: CpuSample[] = [];
  const sampled = withAdmin(brokers, async (admin) => {
    const count = async (): Promise<number> =>
      (await admin.fetchTopicOffsets(topic)).reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
    for (;;) {
      const exitCode = await Promise.race([exit, delay(SAMPLE_MS, 'running' as const)]);
      if (exitCode === 0) return count();
      if (exitCode !== 'running') throw new Error(`${jobFile} has failed\n${logTail(logFile, LOG_LINES)}`);
      const written = await count();
      const cpuSeconds = totalCpuSeconds(engine ?? [child.pid ?? 0]);
      if (cpuSeconds !== null) samples.push({ rows: written, cpuSeconds });
    }
  });
  // Where it is not known how far the job is, nobody waits for it.
  const rows = await sampled.finally(() => child.kill());
  await deleteTopic(brokers, topic);
  return { rows, perCpuSecond: recordsPerCpuSecond(samples, rows, EVENTS) };
}

/** Null where one of them is gone. */
function totalCpuSeconds(pids: readonly number[]): number | null {
  return pids.reduce<number | null>((sum, pid) => {
    const own = cpuSecondsOf(pid);
    return sum === null || own === null ? null : sum + own;
  }, 0);
}
