import { describe, expect, it } from '@jest/globals';
import {
  codeOf,
  countingRandomness,
  damages,
  highAvailabilityContract,
  inVirtualTime,
  jobStoreContract,
  ledJobStore,
  ManualClock,
  SimulatedDisk,
  systemError,
  type HighAvailabilityProcess,
  type HighAvailabilitySubject,
  type JobStoreSubject,
  type MountedDisk,
} from '../../testing/index.ts';
import type { HighAvailability, Leadership } from '../high-availability.ts';
import type { JobStore } from '../job-store.ts';
import { openEmbeddedHighAvailability } from './embedded-high-availability.ts';

const DIRECTORY = '/home/user/.millrace/cluster';
const randomness = countingRandomness();

function open(mounted: MountedDisk, clock: ManualClock): HighAvailability {
  return openEmbeddedHighAvailability({ directory: DIRECTORY, ports: { clock, randomness, files: mounted.files } });
}

async function lead(ha: HighAvailability): Promise<Leadership> {
  const candidate = { dispatcherId: randomness.hex(4), rpcAddress: '', restUrl: '' };
  return new Promise((resolve) => ha.contend(candidate, resolve));
}

function loseAnswer(disk: SimulatedDisk, isCarriedOut: boolean): void {
  disk.hook = ({ name, path }, phase) => {
    if (name !== 'rename' || !path.startsWith(`${DIRECTORY}/store/`)) return;
    if (phase !== (isCarriedOut ? 'after' : 'before')) return;
    disk.hook = null;
    throw systemError('EIO', path);
  };
}

class SimulatedSubject implements HighAvailabilitySubject {
  readonly isVirtual = true;
  readonly clock = new ManualClock(1_000);
  readonly #disk = new SimulatedDisk();

  start(): HighAvailabilityProcess {
    const mounted = this.#disk.mount();
    return {
      ha: open(mounted, this.clock),
      kill: () => mounted.kill(),
      depose: () => this.#disk.mount().files.remove(`${DIRECTORY}/leader.lock`),
      loseAnswer: (isCarriedOut) => loseAnswer(this.#disk, isCarriedOut),
      loseSession: null,
    };
  }
}

describe('the contract of high availability', () => {
  it.each(highAvailabilityContract)('embedded: $title', async ({ run }) => {
    const subject = new SimulatedSubject();
    await inVirtualTime(subject.clock, () => run(subject));
  });
});

class LeadingSubject implements JobStoreSubject {
  readonly clock = new ManualClock(1_000);
  readonly #disk = new SimulatedDisk();
  #leader = this.#disk.mount();

  open(): Promise<JobStore> {
    this.#leader = this.#disk.mount();
    return ledJobStore(open(this.#leader, this.clock), randomness.hex(4));
  }

  kill(): Promise<void> {
    this.#leader.kill();
    return Promise.resolve();
  }

  depose(): Promise<void> {
    return this.#disk.mount().files.remove(`${DIRECTORY}/leader.lock`);
  }

  loseAnswer(isCarriedOut: boolean): void {
    loseAnswer(this.#disk, isCarriedOut);
  }
}

describe('the contract of job stores', () => {
  it.each(jobStoreContract)('embedded cluster: $title', async ({ run }) => {
    const subject = new LeadingSubject();
    await inVirtualTime(subject.clock, () => run(subject));
  });
});

describe('a value in the directory of a cluster', () => {
  it('is damaged by any flipped bit and any missing byte, and then never taken for a missing one', async () => {
    const clock = new ManualClock();
    const disk = new SimulatedDisk();
    await inVirtualTime(clock, async () => {
      const { store } = await lead(open(disk.mount(), clock));
      await store.write('jobs/1', Uint8Array.of(1, 2), null);
      const path = disk.paths().find((each) => each.includes('/store/')) ?? '';
      const sound = disk.peek(path);
      for (const [what, bytes] of damages(sound)) {
        disk.poke(path, bytes);
        expect([what, await codeOf(store.read('jobs/1'))]).toEqual([what, 'MR-HA-DAMAGED']);
        expect([what, await codeOf(store.write('jobs/1', bytes, 0))]).toEqual([what, 'MR-HA-DAMAGED']);
        expect([what, await codeOf(store.list('jobs'))]).toEqual([what, 'MR-HA-DAMAGED']);
      }
      disk.poke(path, sound);
      expect(await store.write('jobs/1', Uint8Array.of(3), 0)).toBe(1);
    });
  });

  it('and the epoch survive a loss of power at any operation once they are acknowledged', async () => {
    for (let last = 0; last < 60; last++) {
      const clock = new ManualClock();
      const disk = new SimulatedDisk();
      await inVirtualTime(clock, async () => {
        const first = await lead(open(disk.mount(), clock));
        await first.store.write('key', Uint8Array.of(1), null);
        const mounted = disk.mount();
        await disk.mount().files.remove(`${DIRECTORY}/leader.lock`);
        const from = disk.operations;
        disk.hook = ({ index }) => {
          if (index >= from + last) mounted.kill();
        };
        const acknowledged = { epoch: first.epoch, version: 0 };
        const ha = open(mounted, clock);
        const attempt = (async () => {
          const second = await lead(ha);
          acknowledged.epoch = second.epoch;
          acknowledged.version = await second.store.write('key', Uint8Array.of(2), 0);
        })();
        await Promise.race([attempt.catch(() => undefined), clock.sleep(5_000)]);
        disk.losePower(last);
        const third = await lead(open(disk.mount(), clock));
        expect(third.epoch).toBeGreaterThan(acknowledged.epoch);
        expect((await third.store.read('key'))?.version).toBeGreaterThanOrEqual(acknowledged.version);
      });
    }
  });
});
