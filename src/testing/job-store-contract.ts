/**
 * What every JobStore must do, whatever it is made of: `it.each(jobStoreContract)('$title', ({ run }) => run(subject))`
 * with a new subject for each.
 */
import assert from 'node:assert/strict';

import { isMillraceError } from '../core/index.ts';
import type { JobRecord, JobStore } from '../ha/index.ts';
import { refused } from './refusal.ts';

/** One durable place, over which one leader after another opens a store. */
export interface JobStoreSubject {
  /** Called when nobody leads any more: whoever did was closed, killed or deposed. */
  open(): Promise<JobStore>;
  /** The leader's process dies, its store not closed. */
  kill(): Promise<void>;
  /** Somebody else takes the leadership from a leader that does not notice and goes on. */
  depose(): Promise<void>;
  /** The next write is carried out (or not) and no answer to it arrives. */
  loseAnswer(isCarriedOut: boolean): void;
}

export interface JobStoreRequirement {
  readonly title: string;
  readonly run: (subject: JobStoreSubject) => Promise<void>;
}

function recordOf(jobName: string, generation = 1): JobRecord {
  return {
    version: 1,
    jobName,
    clusterId: 'c0ffee',
    generation,
    runs: [{ generation, parallelism: 2, tolerableFailures: 3 }],
    nextCheckpointId: 12,
    checkpoints: [
      {
        checkpointId: 11,
        kind: 'checkpoint',
        metadata: { name: 'chk-11/1-0123456789abcdef.metadata', sizeBytes: 1234, checksum: '0badf00d' },
        completedAtMs: 1_700_000_000_000,
      },
    ],
    maxParallelism: 128,
    isFinished: false,
    tombstones: [{ name: 'chk-10/a-0123456789abcdef.state', afterMs: 1_700_000_060_000 }],
  };
}

async function stored(store: JobStore, jobName: string): Promise<readonly [JobRecord, number] | null> {
  const found = await store.read(jobName);
  // As plain data of this realm, whatever the store keeps it as.
  return found === null ? null : [JSON.parse(JSON.stringify(found.record)) as JobRecord, found.version];
}

/** Reads and writes until a write is taken, as a caller that meets a conflict does. */
async function raiseGeneration(store: JobStore, jobName: string): Promise<void> {
  for (;;) {
    const found = await store.read(jobName);
    assert.ok(found !== null);
    const next = { ...found.record, generation: found.record.generation + 1 };
    try {
      await store.write(next, found.version);
      return;
    } catch (error) {
      if (!isMillraceError(error) || error.code !== 'MR-HA-CONFLICT') throw error;
    }
  }
}

const HOSTILE_NAMES = [
  'a', 'A', '.', '..', '...', '../a', '/etc/passwd', 'a/b', 'a\\b', 'a.', '.a', ' a', 'a ', '', 'con', 'nul.txt', 'a~b',
  'a\0b', 'a\nb', '%2e%2e', 'é', 'e\u0301', '\ud800', '\ud801', '日本', '*', '-rf',
  'x'.repeat(300), `${'x'.repeat(300)}y`,
];

/** Each runs against a subject of its own. */
export const jobStoreContract: readonly JobStoreRequirement[] = [
  {
    title: 'does not know a job that was never written, and forgets it all the same',
    async run(subject) {
      const store = await subject.open();
      assert.equal(await store.read('job'), null);
      await store.remove('job');
      assert.equal(await store.read('job'), null);
    },
  },
  {
    title: 'keeps the last record, counting versions from 0, over leaders that close and leaders that die',
    async run(subject) {
      let store = await subject.open();
      assert.equal(await store.write(recordOf('job', 1), null), 0);
      assert.equal(await store.write(recordOf('job', 2), 0), 1);
      assert.deepEqual(await stored(store, 'job'), [recordOf('job', 2), 1]);
      await store.close();
      store = await subject.open();
      assert.deepEqual(await stored(store, 'job'), [recordOf('job', 2), 1]);
      assert.equal(await store.write(recordOf('job', 3), 1), 2);
      await subject.kill();
      store = await subject.open();
      assert.deepEqual(await stored(store, 'job'), [recordOf('job', 3), 2]);
    },
  },
  {
    title: 'refuses a write whose expectation is wrong, and changes nothing then',
    async run(subject) {
      const store = await subject.open();
      // A version of 0 is a version like any other, not the absence of one.
      await refused('MR-HA-CONFLICT', store.write(recordOf('job', 9), 0));
      assert.equal(await store.read('job'), null);
      await store.write(recordOf('job', 1), null);
      await refused('MR-HA-CONFLICT', store.write(recordOf('job', 9), null));
      await refused('MR-HA-CONFLICT', store.write(recordOf('job', 9), 1));
      await store.write(recordOf('job', 2), 0);
      await refused('MR-HA-CONFLICT', store.write(recordOf('job', 9), 0));
      assert.deepEqual(await stored(store, 'job'), [recordOf('job', 2), 1]);
    },
  },
  {
    title: 'keeps jobs apart, whatever they are called',
    async run(subject) {
      const store = await subject.open();
      for (const name of HOSTILE_NAMES) assert.equal(await store.write(recordOf(name), null), 0, JSON.stringify(name));
      for (const name of HOSTILE_NAMES) assert.deepEqual(await stored(store, name), [recordOf(name), 0]);
      await store.remove('a');
      assert.equal(await store.read('a'), null);
      assert.deepEqual(await stored(store, 'A'), [recordOf('A'), 0]);
    },
  },
  {
    title: 'begins anew with a job that it has forgotten',
    async run(subject) {
      const store = await subject.open();
      await store.write(recordOf('job', 1), null);
      await store.write(recordOf('job', 2), 0);
      await store.remove('job');
      assert.equal(await store.read('job'), null);
      await refused('MR-HA-CONFLICT', store.write(recordOf('job', 3), 1));
      assert.equal(await store.write(recordOf('job', 3), null), 0);
    },
  },
  {
    title: 'takes one of several writes at once that replace the same version',
    async run(subject) {
      const store = await subject.open();
      await store.write(recordOf('job', 1), null);
      const generations = [2, 3, 4, 5, 6];
      const outcomes = await Promise.allSettled(generations.map((each) => store.write(recordOf('job', each), 0)));
      const winners = generations.filter((_, index) => outcomes[index]?.status === 'fulfilled');
      assert.equal(winners.length, 1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') await refused('MR-HA-CONFLICT', Promise.reject(outcome.reason as Error));
      }
      assert.deepEqual(await stored(store, 'job'), [recordOf('job', winners[0]), 1]);
    },
  },
  {
    title: 'loses no update of writers that try again',
    async run(subject) {
      const store = await subject.open();
      await store.write(recordOf('job', 1), null);
      const writer = async (): Promise<void> => {
        for (let i = 0; i < 4; i++) await raiseGeneration(store, 'job');
      };
      await Promise.all([writer(), writer(), writer()]);
      const found = await store.read('job');
      assert.deepEqual([found?.record.generation, found?.version], [13, 12]);
    },
  },
  {
    title: 'takes nothing from a leader that was deposed, and lets the next one go on from what it had written',
    async run(subject) {
      const deposed = await subject.open();
      await deposed.write(recordOf('job', 1), null);
      await subject.depose();
      await refused('MR-HA-FENCED', deposed.write(recordOf('job', 2), 0));
      await refused('MR-HA-FENCED', deposed.remove('job'));
      const store = await subject.open();
      assert.deepEqual(await stored(store, 'job'), [recordOf('job', 1), 0]);
      assert.equal(await store.write(recordOf('job', 3), 0), 1);
      await refused('MR-HA-FENCED', deposed.write(recordOf('job', 4), 1));
      assert.deepEqual(await stored(store, 'job'), [recordOf('job', 3), 1]);
    },
  },
  {
    title: 'answers nothing once it is closed',
    async run(subject) {
      const store = await subject.open();
      await store.write(recordOf('job', 1), null);
      await store.close();
      await store.close();
      await refused('MR-HA-FENCED', store.read('job'));
      await refused('MR-HA-FENCED', store.write(recordOf('job', 2), 0));
      await refused('MR-HA-FENCED', store.remove('job'));
    },
  },
  {
    title: 'has carried out what it acknowledges while it is closed, and nothing else',
    async run(subject) {
      let store = await subject.open();
      await store.write(recordOf('job', 1), null);
      const [written] = await Promise.allSettled([store.write(recordOf('job', 2), 0), store.close()]);
      if (written.status === 'rejected') await refused('MR-HA-FENCED', Promise.reject(written.reason as Error));
      store = await subject.open();
      const expected = written.status === 'fulfilled' ? [recordOf('job', 2), 1] : [recordOf('job', 1), 0];
      assert.deepEqual(await stored(store, 'job'), expected);
    },
  },
  {
    title: 'finds out what became of a write whose answer is lost, where it was carried out',
    async run(subject) {
      const store = await subject.open();
      await store.write(recordOf('job', 1), null);
      subject.loseAnswer(true);
      assert.equal(await store.write(recordOf('job', 2), 0), 1);
      assert.deepEqual(await stored(store, 'job'), [recordOf('job', 2), 1]);
    },
  },
  {
    title: 'finds out what became of a write whose answer is lost, where it was not carried out',
    async run(subject) {
      const store = await subject.open();
      await store.write(recordOf('job', 1), null);
      subject.loseAnswer(false);
      // It may try again by itself or say that it could not; a conflict it must not call it, for there was none.
      const version = await store.write(recordOf('job', 2), 0).catch(async (error: unknown) => {
        await refused('MR-HA-UNAVAILABLE', Promise.reject(error as Error));
        assert.deepEqual(await stored(store, 'job'), [recordOf('job', 1), 0]);
        return store.write(recordOf('job', 2), 0);
      });
      assert.equal(version, 1);
      assert.deepEqual(await stored(store, 'job'), [recordOf('job', 2), 1]);
    },
  },
  {
    title: 'takes records with thousands of files to remove',
    async run(subject) {
      const store = await subject.open();
      const tombstones = Array.from({ length: 5000 }, (_, i) => ({ name: `chk-1/owner-${i}.state`, afterMs: i }));
      const record = { ...recordOf('job'), tombstones };
      await store.write(record, null);
      assert.deepEqual(await stored(store, 'job'), [record, 0]);
    },
  },
];
