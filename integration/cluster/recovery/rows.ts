/** What is done to a cluster, row by row of the table of `npm run recovery`. */
import { setTimeout as delay } from 'node:timers/promises';

import { restartZooKeeper, startMember, stopMember } from '../../../scripts/services/index.ts';
import type { ClusterProcess } from '../cluster-process.ts';
import type { Trial } from '../trial.ts';
import { partitions, type Partition, type ProxiedNetwork } from './proxied-network.ts';

export interface Disturbed {
  /** From when on its times count. */
  readonly atMs: number;
  /** Where it began earlier. */
  readonly beganAtMs?: number;
  /** When the cluster was seen to know of it; null where there is nothing to know. */
  readonly detectedAtMs: Promise<number> | null;
  /** Makes the cluster whole again, once output has come. */
  heal(): Promise<void>;
}

export interface DisturbanceRow {
  readonly name: string;
  /** Whether tasks may be restarted by it. */
  readonly restartsTasks: boolean;
  /** Whether there are proxies between the processes. */
  readonly isProxied?: true;
  disturb(trial: Trial, place: Place): Promise<Disturbed>;
}

export interface Place {
  /** The set that ZooKeeper is of. */
  readonly services: string;
  /** Null where the row is not proxied. */
  readonly network: ProxiedNetwork | null;
  /** From 0 on. */
  readonly round: number;
}

const AWAY_MS = 60_000;
/** Longer than anybody waits for a heartbeat, or for the answer to a call. */
const PARTITION_MS = 15_000;
/** What was on its way is through by then, and before the second of them no task runs anywhere else. */
const [CUT_AFTER_MS, CUT_UNTIL_MS] = [2000, 5000];

/** A TaskManager that runs tasks. */
async function busyTaskManager(trial: Trial): Promise<ClusterProcess> {
  const [task] = await trial.tasks();
  if (task === undefined) throw new Error('the job has no tasks');
  return trial.cluster.taskManagerOf(task);
}

/** When the leader does not list the TaskManager any more. */
function lostAtMs(trial: Trial, { readyLine }: ClusterProcess): Promise<number> {
  return trial.cluster.until('the lost TaskManager to be noticed', async () => {
    const known = await trial.cluster.client().taskManagers();
    return known.some(({ id }) => id === readyLine?.id) ? undefined : Date.now();
  });
}

async function newLeaderAtMs(trial: Trial, old: ClusterProcess): Promise<number> {
  await trial.cluster.leader(old);
  return Date.now();
}

/** Cuts one way, the other, and both, in turn. Rejects where rows were committed as if nothing had been cut. */
async function partition(
  trial: Trial,
  { network, round }: Place,
  cut: (network: ProxiedNetwork, way: Partition) => Promise<void>,
): Promise<Disturbed> {
  if (network === null) throw new Error('there are no proxies');
  const beganAtMs = Date.now();
  await cut(network, partitions[round % partitions.length] ?? 'both');
  // This is the disturbance itself, as above.
  await delay(PARTITION_MS);
  network.restore();
  const passed = trial.seen.some(
    ({ sentAtMs, seenAtMs }) => sentAtMs > beganAtMs + CUT_AFTER_MS && seenAtMs < beganAtMs + CUT_UNTIL_MS,
  );
  if (passed) throw new Error('output went on as if nothing had been cut');
  return { atMs: Date.now(), beganAtMs, detectedAtMs: null, heal: () => Promise.resolve() };
}

export const disturbances: readonly DisturbanceRow[] = [
  {
    name: 'taskmanager-kill',
    restartsTasks: true,
    async disturb(trial) {
      const count = trial.cluster.taskManagers.length;
      const victim = await busyTaskManager(trial);
      const atMs = Date.now();
      await victim.kill();
      return {
        atMs,
        detectedAtMs: lostAtMs(trial, victim),
        async heal() {
          await trial.cluster.addTaskManager().ready;
          await trial.cluster.registered(count);
        },
      };
    },
  },
  {
    name: 'leader-kill',
    restartsTasks: false,
    async disturb(trial) {
      const victim = await trial.cluster.leader();
      const atMs = Date.now();
      await victim.kill();
      return {
        atMs,
        detectedAtMs: newLeaderAtMs(trial, victim),
        async heal() {
          await trial.cluster.addDispatcher().ready;
        },
      };
    },
  },
  {
    name: 'leader-pause',
    restartsTasks: false,
    async disturb(trial) {
      const victim = await trial.cluster.leader();
      const atMs = Date.now();
      victim.signal('SIGSTOP');
      return {
        atMs,
        detectedAtMs: newLeaderAtMs(trial, victim),
        async heal() {
          victim.signal('SIGCONT');
          await trial.cluster.until('the old leader to know the new one', async () => {
            const known = await trial.cluster.clientOf(victim).leader();
            const own = victim.readyLine?.restUrl;
            return known !== null && known['rest-url'] !== own ? true : undefined;
          });
        },
      };
    },
  },
  {
    name: 'taskmanager-pause',
    restartsTasks: true,
    async disturb(trial) {
      const count = trial.cluster.taskManagers.length;
      const victim = await busyTaskManager(trial);
      const atMs = Date.now();
      victim.signal('SIGSTOP');
      return {
        atMs,
        detectedAtMs: lostAtMs(trial, victim),
        async heal() {
          victim.signal('SIGCONT');
          await trial.cluster.registered(count);
        },
      };
    },
  },
  {
    name: 'zookeeper-restart',
    restartsTasks: false,
    async disturb(_trial, { services }) {
      const atMs = Date.now();
      await restartZooKeeper(services, { signal: 'SIGKILL' });
      return { atMs, detectedAtMs: null, heal: () => Promise.resolve() };
    },
  },
  {
    name: 'zookeeper-away',
    restartsTasks: false,
    async disturb(_trial, { services }) {
      const beganAtMs = Date.now();
      await stopMember(services, 'zookeeper', { signal: 'SIGKILL' });
      // This is the disturbance itself; what happens then is awaited.
      await delay(AWAY_MS);
      await startMember(services, 'zookeeper');
      return { atMs: Date.now(), beganAtMs, detectedAtMs: null, heal: () => Promise.resolve() };
    },
  },
  {
    name: 'partition-leader',
    restartsTasks: true,
    isProxied: true,
    disturb: (trial, place) =>
      partition(trial, place, async (network, way) => network.cutDispatcher(await trial.cluster.leader(), way)),
  },
  {
    name: 'partition-workers',
    restartsTasks: true,
    isProxied: true,
    disturb: (trial, place) =>
      partition(trial, place, async (network, way) => network.cutTaskManager(await busyTaskManager(trial), way)),
  },
];
