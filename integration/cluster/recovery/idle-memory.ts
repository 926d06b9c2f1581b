import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { ClusterProcess } from '../cluster-process.ts';
import { TestCluster } from '../test-cluster.ts';
import { NOT_MEASURED, spread, type RecoveryOptions, type RecoveryResult } from './recovery.ts';

/** What a process takes at its start is given back by then. */
const IDLE_MS = 10_000;
const KIB_PER_MIB = 1024;

/** What a Dispatcher and a TaskManager that have nothing to do hold in memory, together. */
export async function measureIdleMemory({ folder, times, tell }: RecoveryOptions): Promise<RecoveryResult> {
  const samples: number[] = [];
  for (let i = 0; i < times; i++) {
    const own = join(folder, `idle-memory-${i}`);
    mkdirSync(own);
    const processes = { dispatchers: 1, taskManagers: 1, slots: 2, zookeeper: null };
    const cluster = await TestCluster.start({ folder: own, ...processes });
    try {
      await delay(IDLE_MS);
      const each = [...cluster.dispatchers, ...cluster.taskManagers].map(memoryOf);
      tell(each.map(({ name, own, shared }) => `${name}: ${Math.round(own + shared)} MiB`).join(', '));
      // The pages of the program itself are there once, however many processes run it.
      samples.push(each.reduce((sum, { own }) => sum + own, Math.max(...each.map(({ shared }) => shared))));
    } finally {
      await cluster.close();
    }
  }
  return {
    ...NOT_MEASURED,
    row: 'idle-memory',
    times,
    memoryMiB: spread(samples),
    lost: 0,
    duplicated: 0,
    tasksRestarted: 0,
  };
}

/** In MiB, as Linux counts what is resident: its own pages, and those of files. */
function memoryOf({ name, pid }: ClusterProcess) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (key: string): number =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) / KIB_PER_MIB;
  return { name, own: field('RssAnon'), shared: field('RssFile') };
}
