import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sealEnvelope } from '../../core/index.ts';
import {
  codeOf,
  countingRandomness,
  damages,
  jobStoreContract,
  SimulatedDisk,
  systemError,
  type JobStoreSubject,
  type MountedDisk,
} from '../../testing/index.ts';
import type { JobRecord, JobStore } from '../job-store.ts';
import { openEmbeddedStore } from './embedded-store.ts';

const DIRECTORY = '/home/user/.millrace';
const RECORD = `${DIRECTORY}/job/job`;

const randomness = countingRandomness();

function storeOn(mounted: MountedDisk): JobStore {
  return openEmbeddedStore({ directory: DIRECTORY, ports: { files: mounted.files, randomness } });
}

function recordOf(generation: number): JobRecord {
  return {
    version: 1,
    jobName: 'job',
    clusterId: 'c',
    generation,
    runs: [],
    nextCheckpointId: 0,
    checkpoints: [],
    maxParallelism: 128,
    isFinished: false,
    tombstones: [],
  };
}

class SimulatedSubject implements JobStoreSubject {
  readonly #disk = new SimulatedDisk();
  #leader = this.#disk.mount();

  open(): Promise<JobStore> {
    this.#leader = this.#disk.mount();
    return Promise.resolve(storeOn(this.#leader));
  }

  kill(): Promise<void> {
    this.#leader.kill();
    return Promise.resolve();
  }

  async depose(): Promise<void> {
    const { files } = this.#disk.mount();
    for (const path of this.#disk.paths()) {
      if (path.endsWith('/lock')) await files.remove(path);
    }
  }

  loseAnswer(isCarriedOut: boolean): void {
    this.#disk.hook = ({ name, path }, phase) => {
      if (name !== 'rename' || phase !== (isCarriedOut ? 'after' : 'before')) return;
      this.#disk.hook = null;
      throw systemError('EIO', path);
    };
  }
}

describe('the contract of job stores', () => {
  it.each(jobStoreContract)('embedded: $title', async ({ run }) => {
    await run(new SimulatedSubject());
  });
});

/** A disk on which a record of generation 1 stands, written by a process that has ended. */
async function diskWithRecord(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const store = storeOn(disk.mount());
  await store.write(recordOf(1), null);
  await store.close();
  return disk;
}

describe('the record of a job in a directory', () => {
  it('is for one process, which the others are told', async () => {
    const disk = await diskWithRecord();
    const first = disk.mount();
    await storeOn(first).read('job');
    const second = storeOn(disk.mount());
    await expect(second.read('job')).rejects.toMatchObject({
      code: 'MR-HA-LOCKED',
      fields: { owner: `process ${first.processId}`, directory: `${DIRECTORY}/job` },
    });
    expect(await second.read('other')).toBeNull();
    first.kill();
    expect((await second.read('job'))?.record.generation).toBe(1);
  });

  it('is damaged by any flipped bit and any missing byte, and then never taken for a missing one', async () => {
    const disk = await diskWithRecord();
    const sound = disk.peek(RECORD);
    const store = storeOn(disk.mount());
    for (const [what, bytes] of damages(sound)) {
      disk.poke(RECORD, bytes);
      expect([what, await codeOf(store.read('job'))]).toEqual([what, 'MR-HA-DAMAGED']);
      expect([what, await codeOf(store.write(recordOf(2), 0))]).toEqual([what, 'MR-HA-DAMAGED']);
    }
    disk.poke(RECORD, sound);
    expect(await store.write(recordOf(2), 0)).toBe(1);
  });

  const body = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
  const stored = { version: 0, writeId: 'w', record: recordOf(1) };
  it.each([
    ['is of a newer version', 2, body(stored), 'MR-HA-NEWER-VERSION'],
    ['is not JSON', 1, Buffer.from('{"version":'), 'MR-HA-DAMAGED'],
    ['lacks a field', 1, body({ ...stored, record: { ...recordOf(1), clusterId: undefined } }), 'MR-HA-DAMAGED'],
    ['has a number as text', 1, body({ ...stored, record: { ...recordOf(1), generation: '1' } }), 'MR-HA-DAMAGED'],
    ['belongs to another job', 1, body({ ...stored, record: { ...recordOf(1), jobName: 'else' } }), 'MR-HA-DAMAGED'],
    ['is that of a job whose name differs in case', 1, body({ ...stored, record: { ...recordOf(1), jobName: 'Job' } }),
      'MR-HA-NAME-TAKEN'],
  ])('is refused where it %s', async (_what, version, content, code) => {
    const disk = await diskWithRecord();
    disk.poke(RECORD, sealEnvelope({ magic: 'MRJB', version }, content));
    const store = storeOn(disk.mount());
    expect(await codeOf(store.read('job'))).toBe(code);
    expect(await codeOf(store.write(recordOf(2), 0))).toBe(code);
  });

  it('keeps what a later version of the same format has added', async () => {
    const disk = await diskWithRecord();
    const record = { ...recordOf(1), notes: ['from later'] };
    disk.poke(RECORD, sealEnvelope({ magic: 'MRJB', version: 1 }, body({ ...stored, record })));
    expect((await storeOn(disk.mount()).read('job'))?.record).toEqual(record);
  });

  it('is the old one or the new one after a loss of power between any two operations', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(30), fc.nat(), async (offset, seed) => {
        const disk = await diskWithRecord();
        const mounted = disk.mount();
        const store = storeOn(mounted);
        const last = disk.operations + offset;
        disk.hook = ({ index }) => {
          if (index >= last) mounted.kill();
        };
        const isAcknowledged = (await codeOf(store.write(recordOf(2), 0))) === 'resolved';
        disk.losePower(seed);
        const found = await storeOn(disk.mount()).read('job');
        expect(found?.record).toEqual(recordOf(found?.version === 1 ? 2 : 1));
        if (isAcknowledged) expect(found?.version).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  it('is there after a loss of power once the first write is acknowledged, directories and all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const disk = await diskWithRecord();
        disk.losePower(seed);
        expect((await storeOn(disk.mount()).read('job'))?.record).toEqual(recordOf(1));
      }),
    );
  });

  it('stays as it was where the disk is full, wherever in the new one that is', async () => {
    const disk = await diskWithRecord();
    const before = disk.peek(RECORD);
    const store = storeOn(disk.mount());
    for (let free = 0; free < before.length; free++) {
      disk.capacityBytes = before.length + free;
      expect([free, await codeOf(store.write(recordOf(2), 0))]).toEqual([free, 'MR-HA-UNAVAILABLE']);
      expect(disk.peek(RECORD)).toEqual(before);
      await disk.mount().files.remove(`${RECORD}.tmp`);
    }
    disk.capacityBytes = Infinity;
    expect(await store.write(recordOf(2), 0)).toBe(1);
  });

  it('stays as it was where the disk stores something else than it was given', async () => {
    const disk = await diskWithRecord();
    const before = disk.peek(RECORD);
    disk.hook = ({ name, path }, phase) => {
      if (name === 'append' && phase === 'after') disk.poke(path, Uint8Array.of(...disk.peek(path), 0));
    };
    await expect(storeOn(disk.mount()).write(recordOf(2), 0)).rejects.toMatchObject({ code: 'MR-HA-UNAVAILABLE' });
    expect(disk.peek(RECORD)).toEqual(before);
  });

  it('does not count as written where its directory was removed meanwhile', async () => {
    const disk = await diskWithRecord();
    const store = storeOn(disk.mount());
    await store.read('job');
    await disk.mount().files.remove(`${DIRECTORY}/job`);
    await expect(store.write(recordOf(2), 0)).rejects.toMatchObject({ code: 'MR-HA-FENCED' });
    expect(disk.paths()).toEqual([]);
  });
});
