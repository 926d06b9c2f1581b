/** Disturbs a cluster again and again, and measures what an independent reader sees of it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { TaskView } from '../rest-client.ts';
import { Trial } from '../trial.ts';
import { longestPauseMs, recoveryTimes, type RecoveryTimes } from './recovery-times.ts';
import { ProxiedNetwork } from './proxied-network.ts';
import type { Disturbed, DisturbanceRow, Place } from './rows.ts';

export interface RecoveryOptions {
  readonly brokers: string;
  /** `HOST:PORT` */
  readonly zookeeper: string;
  /** The set that both are of. */
  readonly services: string;
  readonly times: number;
  /** It exists. */
  readonly folder: string;
  readonly tell: (line: string) => void;
}

export interface Spread {
  readonly median: number;
  readonly max: number;
}

export interface RecoveryResult {
  readonly row: string;
  readonly times: number;
  /** Null where there is nothing of the kind to measure. */
  readonly detectMs: Spread | null;
  readonly firstOutputMs: Spread | null;
  readonly caughtUpMs: Spread | null;
  /** The longest time in which no task appended anything. */
  readonly pauseMs: Spread | null;
  readonly memoryMiB: Spread | null;
  readonly throughput: readonly QueryThroughput[] | null;
  readonly lost: number;
  readonly duplicated: number;
  readonly tasksRestarted: number;
}

/** Records per CPU-second, in the median. */
export interface QueryThroughput {
  readonly query: string;
  readonly cluster: number;
  readonly singleProcess: number;
  /** The first by the second. */
  readonly ratio: number;
}

/** What most rows leave out. */
export const NOT_MEASURED = {
  detectMs: null,
  firstOutputMs: null,
  caughtUpMs: null,
  pauseMs: null,
  memoryMiB: null,
  throughput: null,
} as const;

const DISPATCHERS = 2;
const TASK_MANAGERS = 3;
const RECORDS_PER_SECOND = 2000;
const CHECKPOINT_INTERVAL_MS = 1000;

interface Round extends RecoveryTimes {
  readonly atMs: number;
  readonly detectMs: number | null;
  readonly restarted: number;
}

export async function measureRow(row: DisturbanceRow, options: RecoveryOptions): Promise<RecoveryResult> {
  const { brokers, zookeeper, services, times, tell } = options;
  const folder = join(options.folder, row.name);
  mkdirSync(folder);
  const place = `${zookeeper}/${row.name}-${process.pid}`;
  const network = row.isProxied === true ? await ProxiedNetwork.open(DISPATCHERS, TASK_MANAGERS) : null;
  const own = network === null ? { slots: 2 } : { slots: 1, ownFlags: network.ownFlags };
  const cluster = { folder, dispatchers: DISPATCHERS, taskManagers: TASK_MANAGERS, zookeeper: place, ...own };
  const settings = { recordsPerSecond: RECORDS_PER_SECOND, checkpointIntervalMs: CHECKPOINT_INTERVAL_MS };
  let trial: Trial | null = null;
  try {
    trial = await Trial.start({ brokers, cluster, ...settings });
    const rounds: Round[] = [];
    for (let i = 0; i < times; i++) {
      const round = await disturbOnce(trial, row, { services, network, round: i });
      rounds.push(round);
      const { detectMs, firstOutputMs, caughtUpMs, restarted } = round;
      const noticed = detectMs === null ? '' : `noticed after ${detectMs} ms, `;
      tell(`${row.name} ${i + 1}: ${noticed}output after ${firstOutputMs} ms, ${caughtUpMs} ms until all as before, ` +
        `${restarted} tasks restarted`);
    }
    const { verdict, appendedAtMs } = await trial.finish();
    const { lost, duplicated, unexpected, examples } = verdict;
    for (const example of examples) tell(example);
    const pauses = rounds.map(({ atMs, caughtUpMs }) => longestPauseMs(appendedAtMs, atMs, atMs + caughtUpMs));
    const detected = rounds.flatMap(({ detectMs }) => (detectMs === null ? [] : [detectMs]));
    return {
      ...NOT_MEASURED,
      row: row.name,
      times,
      detectMs: spread(detected),
      firstOutputMs: spread(rounds.map(({ firstOutputMs }) => firstOutputMs)),
      caughtUpMs: spread(rounds.map(({ caughtUpMs }) => caughtUpMs)),
      pauseMs: spread(pauses),
      lost,
      // A row that should not be there at all is of records that were counted twice, or into the wrong row.
      duplicated: duplicated + unexpected,
      tasksRestarted: rounds.reduce((sum, { restarted }) => sum + restarted, 0),
    };
  } finally {
    await trial?.close();
    await network?.close();
  }
}

async function disturbOnce(trial: Trial, row: DisturbanceRow, place: Place): Promise<Round> {
  // What is usual is measured first.
  await trial.steady();
  const before = await trial.tasks();
  const disturbed: Disturbed = await row.disturb(trial, place);
  const { atMs, beganAtMs } = disturbed;
  const recovered = (): Promise<RecoveryTimes | undefined> =>
    Promise.resolve(recoveryTimes(trial.seen, atMs, beganAtMs) ?? undefined);
  const [detectedAtMs, times] = await Promise.all([
    disturbed.detectedAtMs,
    trial.cluster.until('output to come as before', recovered),
  ]);
  await disturbed.heal();
  const restarted = restartedTasks(before, await trial.tasks());
  return { ...times, atMs, detectMs: detectedAtMs === null ? null : detectedAtMs - atMs, restarted };
}

function restartedTasks(before: readonly TaskView[], after: readonly TaskView[]): number {
  const known = new Set(before.map(({ attempt }) => attempt));
  return after.filter(({ attempt }) => !known.has(attempt)).length;
}

export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
  return { median: Math.round(median), max: Math.round(sorted.at(-1) ?? 0) };
}
