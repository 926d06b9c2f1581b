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

/** The first suite starts the cluster. */
export const DEADLINE_MS = 300_000;
