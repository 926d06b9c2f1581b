import { describe, expect, it } from '@jest/globals';
import { codeOf, countingRandomness, inVirtualTime, ManualClock, SimulatedDisk } from '../testing/index.ts';
import type { ClusterRecords, JobOutcome, JobSubmission } from './cluster-records.ts';
import { openEmbeddedHighAvailability } from './embedded/index.ts';
import type { FencedStore, Leadership } from './high-availability.ts';
import { clusterRecords } from './stored-cluster-records.ts';

const randomness = countingRandomness();

class World {
  readonly clock = new ManualClock(1_000);
  readonly disk = new SimulatedDisk();

  /** A new leader, which ends the one before. */
  async lead(): Promise<FencedStore> {
    for (const path of this.disk.paths()) {
      if (path.endsWith('/leader.lock')) await this.disk.mount().files.remove(path);
    }
    const ports = { clock: this.clock, randomness, files: this.disk.mount().files };
    const ha = openEmbeddedHighAvailability({ directory: '/cluster', ports });
    const candidate = { dispatcherId: randomness.hex(4), rpcAddress: '', restUrl: '' };
    return (await new Promise<Leadership>((resolve) => ha.contend(candidate, resolve))).store;
  }
}

function withLeader(act: (records: ClusterRecords, store: FencedStore, world: World) => Promise<void>): Promise<void> {
  const world = new World();
  return inVirtualTime(world.clock, async () => {
    const store = await world.lead();
    await act(clusterRecords(store), store, world);
  });
}

function submission(jobId: string, submittedAtMs = 1): JobSubmission {
  return {
    version: 1,
    jobId,
    jobName: `job ${jobId}`,
    graph: '{"vertices":[]}',
    start: '{"kind":"fresh"}',
    allowDroppedState: false,
    submittedAtMs,
  };
}

function outcome(endedAtMs: number): JobOutcome {
  return { version: 1, state: 'FAILED', error: '{}', startedAtMs: 1, endedAtMs };
}

describe('the jobs of a cluster', () => {
  it('are there for the next leader, in the order in which they were submitted', async () => {
    await withLeader(async (records, _, world) => {
      const [late, early] = [submission('a', 2), submission('b/…', 1)];
      expect([await records.addJob(late), await records.addJob(early)]).toEqual([true, true]);
      expect(await records.addJob({ ...late, jobName: 'other' })).toBe(false);
      const plan = { version: 1, jobId: 'a', attempt: 3, slots: [{ taskManagerId: 't', slotId: 's' }] } as const;
      await records.writePlan({ ...plan, attempt: 2 });
      await records.writePlan(plan);
      const next = clusterRecords(await world.lead());
      expect(await next.jobs()).toEqual([early, late]);
      expect(await next.plan('a')).toEqual(plan);
      expect(await next.plan('b/…')).toBeNull();
      expect(await codeOf(records.writePlan(plan))).toBe('MR-HA-FENCED');
      await next.endJob('a', outcome(9));
      expect(await next.jobs()).toEqual([early]);
      expect(await next.plan('a')).toBeNull();
      expect(await next.endedJobs()).toEqual([{ submission: late, outcome: outcome(9) }]);
      expect(await next.addJob(late)).toBe(false);
    });
  });

  it('may have a graph of some megabytes, and are refused where it has more', async () => {
    await withLeader(async (records, _, world) => {
      const large = { ...submission('large'), graph: 'é'.repeat(2_000_000), source: 'x'.repeat(500_000) };
      expect(await records.addJob(large)).toBe(true);
      const next = clusterRecords(await world.lead());
      expect(await next.jobs()).toEqual([large]);
      const replaced = { ...large, graph: '€'.repeat(1_000_000), firstAttempt: 4 };
      await next.replaceJob(replaced);
      expect(await next.jobs()).toEqual([replaced]);
      await next.replaceJob(submission('large'));
      expect(await next.jobs()).toEqual([submission('large')]);
      expect(world.disk.paths().filter((path) => path.includes('.submission.'))).toEqual([]);
      const code = await codeOf(next.addJob({ ...submission('huge'), graph: 'x'.repeat(9_000_000) }));
      expect(code).toBe('MR-HA-TOO-LARGE');
      expect(await next.jobs()).toEqual([submission('large')]);
    });
  });

  it('keep the code that came with them until they have ended, whoever leads', async () => {
    await withLeader(async (records, store, world) => {
      const code = { hash: 'a'.repeat(64), text: 'é'.repeat(900_000) };
      expect(await records.addJob(submission('coded'), code)).toBe(true);
      expect(await records.addJob(submission('coded'), { ...code, text: 'other' })).toBe(false);
      expect(await records.addJob(submission('plain'))).toBe(true);
      await store.write('jobs/half/code/0', Buffer.from('x'), null);
      const next = clusterRecords(await world.lead());
      expect(await next.jobs()).toHaveLength(2);
      expect(world.disk.paths().filter((path) => path.includes('half'))).toEqual([]);
      expect([await next.code('coded'), await next.code('plain')]).toEqual([code, null]);
      await next.endJob('coded', outcome(9));
      expect(await next.code('coded')).toBeNull();
      expect(world.disk.paths().filter((path) => path.includes('.code.'))).toEqual([]);
    });
  });

  it('are whole or not there, whichever write of them is the last', async () => {
    const before = { ...submission('job'), graph: 'a'.repeat(1_000_000) };
    const after = { ...submission('job'), graph: 'b'.repeat(900_000) };
    const seen = new Set<string>();
    for (let last = 0; last < 8; last++) {
      await withLeader(async (records, store, world) => {
        await records.addJob(before);
        let writes = 0;
        const dying: FencedStore = {
          ...bound(store),
          write: (key, value, expected) =>
            ++writes > last ? Promise.reject(new Error('died')) : store.write(key, value, expected),
        };
        await clusterRecords(dying).replaceJob(after).catch(() => undefined);
        const next = clusterRecords(await world.lead());
        const [found] = await next.jobs();
        expect([before.graph, after.graph]).toContain(found?.graph);
        seen.add(found?.graph[0] ?? '');
        await next.replaceJob(after);
        expect(await next.jobs()).toEqual([after]);
      });
    }
    expect([...seen].sort()).toEqual(['a', 'b']);
  });

  it('are forgotten once a hundred others have ended since', async () => {
    await withLeader(async (records, store) => {
      await records.addJob(submission('running'));
      for (let i = 0; i < 103; i++) {
        await records.addJob(submission(`job-${i}`));
        await records.endJob(`job-${i}`, outcome(1_000 - i));
      }
      const ended = (await records.endedJobs()).map(({ submission: { jobId } }) => jobId);
      // The one that ended first is the one that was named last.
      expect(ended).toHaveLength(100);
      expect(ended[0]).toBe('job-99');
      expect(ended.at(-1)).toBe('job-0');
      expect((await store.list('jobs')).length).toBe(101);
      expect(await records.jobs()).toEqual([submission('running')]);
    });
  });

  it.each([
    ['is not JSON', '{', 'MR-HA-DAMAGED'],
    ['lacks a field', '{"version":1}', 'MR-HA-DAMAGED'],
    ['lacks parts', JSON.stringify({ ...submission('job'), bulk: null, bulkBytes: 9, bulkParts: 1, revision: 0 }),
      'MR-HA-DAMAGED'],
    ['is of a later format', '{"version":2}', 'MR-HA-NEWER-VERSION'],
  ])('are refused where what is stored %s', async (_, stored, code) => {
    await withLeader(async (records, store) => {
      await store.write('jobs/job/submission', Buffer.from(stored), null);
      expect(await codeOf(records.jobs())).toBe(code);
      expect(await records.addJob(submission('job'))).toBe(false);
    });
  });
});

describe('drain marks', () => {
  it('stay until they are taken back, whatever the TaskManager is called', async () => {
    await withLeader(async (records, _, world) => {
      const mark = { version: 1, taskManagerId: 'rack/1 ', reason: 'disk', expiresAtMs: null } as const;
      await records.markDrain({ ...mark, reason: 'first' });
      await records.markDrain(mark);
      await records.markDrain({ ...mark, taskManagerId: '', expiresAtMs: 5 });
      const next = clusterRecords(await world.lead());
      expect((await next.drains()).map(({ reason }) => reason)).toEqual(['disk', 'disk']);
      await next.clearDrain('');
      await next.clearDrain('unknown');
      expect(await next.drains()).toEqual([mark]);
    });
  });
});

function bound(store: FencedStore): FencedStore {
  return {
    read: (key) => store.read(key),
    list: (key) => store.list(key),
    write: (key, value, expected) => store.write(key, value, expected),
    remove: (key) => store.remove(key),
  };
}
