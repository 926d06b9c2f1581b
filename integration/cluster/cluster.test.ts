import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { getBroker, uniqueName } from '../environment/index.ts';
import { Trial } from './trial.ts';

jest.setTimeout(300_000);

const SETTINGS = { recordsPerSecond: 500, checkpointIntervalMs: 500 };
const CLEAN = { lost: 0, duplicated: 0, unexpected: 0, examples: [] };

describe('a cluster of processes', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-cluster-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('runs a job across TaskManagers, and goes on in the slots that are left when one is killed', async () => {
    const { brokers } = await getBroker();
    const cluster = { folder, dispatchers: 1, taskManagers: 3, slots: 1, zookeeper: null };
    const trial = await Trial.start({ brokers, cluster, ...SETTINGS });
    try {
      const before = await trial.tasks();
      expect(new Set(before.map((task) => task['taskmanager-id'])).size).toBe(2);
      const [task] = before;
      if (task === undefined) throw new Error('the job has no tasks');
      const killedAtMs = Date.now();
      await trial.cluster.taskManagerOf(task).kill();
      await trial.firstOutputAfter(killedAtMs);
      const after = await trial.tasks();
      expect(after.map((each) => each['taskmanager-id'])).not.toContain(task['taskmanager-id']);
      expect(after.map(({ attempt }) => attempt)).not.toEqual(before.map(({ attempt }) => attempt));
      const { verdict } = await trial.finish();
      expect(verdict).toMatchObject(CLEAN);
    } finally {
      await trial.close();
    }
  });

  it('takes the slots that come, and goes on with fewer when they go, where the job says so', async () => {
    const { brokers } = await getBroker();
    const cluster = { folder, dispatchers: 1, taskManagers: 1, slots: 1, zookeeper: null };
    const times = 'stabilization: 100ms, interval: 100ms, wait: 100ms';
    const jobSettings = `rescale: {mode: reactive, max: 2, ${times}}`;
    const trial = await Trial.start({ brokers, cluster, ...SETTINGS, jobSettings });
    const runsOn = (count: number) =>
      trial.cluster.job(trial.jobId, `to run on ${count} TaskManagers`, ({ millrace: { tasks } }) => {
        const places = new Set(tasks.map((task) => task['taskmanager-id']));
        return tasks.every(({ state }) => state === 'RUNNING') && places.size === count && !places.has(null);
      });
    try {
      await runsOn(1);
      const added = trial.cluster.addTaskManager();
      await runsOn(2);
      await trial.firstOutputAfter(Date.now());
      await added.kill();
      const shrunk = await runsOn(1);
      // Nothing is exchanged in one slot.
      expect(shrunk.millrace.tasks).toHaveLength(1);
      await trial.firstOutputAfter(Date.now());
      const { verdict } = await trial.finish();
      expect(verdict).toMatchObject(CLEAN);
    } finally {
      await trial.close();
    }
  });

  it('runs on without a stop when its leader hands over, and when the next one is killed', async () => {
    const { brokers, zookeeper = '' } = await getBroker({ zookeeper: true });
    const place = `${zookeeper}/${uniqueName('cluster')}`;
    const cluster = { folder, dispatchers: 3, taskManagers: 2, slots: 2, zookeeper: place };
    const trial = await Trial.start({ brokers, cluster, ...SETTINGS });
    try {
      const before = await trial.tasks();
      const first = await trial.cluster.leader();
      first.signal('SIGTERM');
      expect(await first.ended).toBe(0);
      await trial.firstOutputAfter(Date.now());
      const second = await trial.cluster.leader();
      const killedAtMs = Date.now();
      await second.kill();
      const other = `
name: ${uniqueName('other')}
steps:
  - {id: rows, source: datagen, with: {count: 10}, schema: {n: long}}
  - {id: gone, sink: blackhole}
`;
      const submitted = await trial.cluster.submit(other);
      await trial.cluster.job(submitted, 'to finish', ({ state }) => state === 'FINISHED');
      await trial.firstOutputAfter(killedAtMs);
      const after = await trial.tasks();
      expect(after.map(({ attempt }) => attempt)).toEqual(before.map(({ attempt }) => attempt));
      const { verdict } = await trial.finish();
      expect(verdict).toMatchObject(CLEAN);
    } finally {
      await trial.close();
    }
  });
});
