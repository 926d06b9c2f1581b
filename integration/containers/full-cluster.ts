import { expect } from '@jest/globals';

import { Trial } from '../cluster/trial.ts';
import { cluster, type ContainerCluster } from './container-cluster.ts';
import type { ClusterOptions } from './topology.ts';

/** The shape that all suites share, so that it starts once: of everything as much as outlives the loss of one. */
export const FULL: ClusterOptions = {
  zookeepers: 3,
  brokers: 3,
  dispatchers: 2,
  taskManagers: 3,
  racks: ['a', 'b', 'c'],
};

/** Of a verdict on what a topic holds. */
export const CLEAN = { lost: 0, duplicated: 0, unexpected: 0, examples: [] };

/** Of one test, with the start of the cluster in the first. */
export const DEADLINE_MS = 600_000;

const LOAD = { recordsPerSecond: 300, checkpointIntervalMs: 500 };

/**
 * Disturbs the cluster while a job runs on it, then lets the job process all its input. Whatever has happened, a
 * committed reader that shares no code with the engine finds every row once.
 */
export async function underLoad(disturb: (trial: Trial<ContainerCluster>) => Promise<void>): Promise<void> {
  const full = await cluster(FULL);
  const { brokers, innerBrokers } = full;
  const trial = await Trial.on(full, { brokers, innerBrokers, ...LOAD });
  try {
    await disturb(trial);
    const { verdict } = await trial.finish();
    expect(verdict).toMatchObject(CLEAN);
    expect(verdict.found).toBeGreaterThan(0);
  } finally {
    await trial.close();
  }
}

/** What tells whether any task was started anew. */
export async function attemptsOf(trial: Trial<ContainerCluster>): Promise<readonly string[]> {
  return (await trial.tasks()).map(({ attempt }) => attempt);
}
