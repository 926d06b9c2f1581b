import { describe, expect, it } from '@jest/globals';
import type { CheckpointPlace } from '../../core/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import type { FencedStore } from '../../ha/index.ts';
import { countingRandomness, MemoryElection, sourceNode, testGraph } from '../../testing/index.ts';
import { CheckpointPlaces } from './checkpoint-places.ts';

function jobOf(name: string, location: string | null = null): JobGraph {
  const graph = testGraph(name, [{ name: 'v', parallelism: 1, chain: [sourceNode('in', {})] }]);
  const times = { intervalMs: 10, timeoutMs: 10, minPauseMs: 0, tolerableFailures: 0, retained: 1 };
  const storage: CheckpointPlace | null = location === null ? null : { location, s3: { region: 'north' } };
  return { ...graph, checkpoint: { ...times, mode: 'exactly-once', ...(storage === null ? {} : { storage }) } };
}

async function storeOf(): Promise<FencedStore> {
  const ha = new MemoryElection().open();
  const candidate = { dispatcherId: 'd', rpcAddress: 'd', restUrl: 'd' };
  return new Promise((resolve) => {
    ha.contend(candidate, ({ store }) => {
      resolve(store);
    });
  });
}

const places = (store: FencedStore, location: string | null) =>
  new CheckpointPlaces(store, countingRandomness(), location === null ? null : { location, s3: {} });

describe('the checkpoints of a job', () => {
  it('are below the place of the cluster, where they stay under every leader', async () => {
    const store = await storeOf();
    const first = await places(store, '/shared').keep(jobOf('spend per/region'));
    expect(first).toMatchObject({ kind: 'directory', s3: {}, older: [] });
    expect(first).toMatchObject({ path: expect.stringMatching(/^\/shared\/spend-per-region\/[0-9a-f]{16}$/) });
    expect(await places(store, '/shared').keep(jobOf('spend per/region'))).toEqual(first);
  });

  it('are not those of another job, or of another cluster with the same place', async () => {
    const store = await storeOf();
    const all = places(store, '/shared');
    const mine = [await all.keep(jobOf('a b')), await all.keep(jobOf('a-b'))];
    expect(new Set(mine.map((config) => (config.kind === 'directory' ? config.path : ''))).size).toBe(2);
  });

  it('are where its file says; earlier places are still looked into', async () => {
    const store = await storeOf();
    const all = places(store, '/shared');
    const before = await all.keep(jobOf('job'));
    const moved = await all.keep(jobOf('job', 's3://bucket/deep'));
    expect(moved).toMatchObject({
      kind: 's3',
      bucket: 'bucket',
      prefix: expect.stringMatching(/^deep\/job\/[0-9a-f]{16}$/),
      s3: { region: 'north' },
      older: [{ kind: 'directory', path: before.kind === 'directory' ? before.path : '' }],
    });
    const back = await all.keep(jobOf('job'));
    expect(back).toMatchObject({ path: before.kind === 'directory' ? before.path : '' });
    expect(back.older).toHaveLength(1);
    const { location } = all.savepoint(moved, 'job', null);
    expect(location).toMatch(/^s3:\/\/bucket\/deep\/job\/savepoints\/savepoint-job-[0-9a-f]{16}$/);
    const { config } = all.savepoint(moved, 'job', '/elsewhere');
    expect(config).toMatchObject({ kind: 'directory', s3: { region: 'north' } });
  });

  it.each([
    ['there is no place', null, null, 'MR-JOB-NO-CHECKPOINT-STORE'],
    ['a path is relative', '/shared', 'checkpoints', 'MR-CLUSTER-PLACE'],
    ['a URL is of another kind', 'ftp://host/x', null, 'MR-CLUSTER-PLACE'],
  ])('are refused where %s', async (_, cluster, own, code) => {
    await expect(places(await storeOf(), cluster).keep(jobOf('job', own))).rejects.toMatchObject({ code });
  });

  it('are not begun anew where nobody knows any more where they are', async () => {
    const store = await storeOf();
    await store.write('places/job', Buffer.from('{"version":1,"places":[7]}'), null);
    await expect(places(store, '/shared').keep(jobOf('job'))).rejects.toMatchObject({
      code: 'MR-CLUSTER-PLACES-DAMAGED',
    });
  });
});
