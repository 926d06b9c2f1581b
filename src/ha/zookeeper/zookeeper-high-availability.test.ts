import { describe, it } from '@jest/globals';
import type { Clock, Ports } from '../../core/index.ts';
import {
  countingRandomness,
  highAvailabilityContract,
  inVirtualTime,
  jobStoreContract,
  ledJobStore,
  ManualClock,
  SimulatedZooKeeper,
  type SimulatedLink,
  type HighAvailabilityProcess,
  type HighAvailabilitySubject,
  type JobStoreSubject,
} from '../../testing/index.ts';
import type { HighAvailability } from '../high-availability.ts';
import type { JobStore } from '../job-store.ts';
import { zooKeeperHighAvailability } from './zookeeper-high-availability.ts';

const randomness = countingRandomness();
const ROOT = '/clusters/one';

interface Opened {
  readonly ha: HighAvailability;
  readonly link: SimulatedLink;
}

function open(zooKeeper: SimulatedZooKeeper, clock: Clock): Opened {
  const link = zooKeeper.link();
  const ports: Pick<Ports, 'clock' | 'randomness'> = { clock, randomness };
  const ha = zooKeeperHighAvailability({ connect: link.connect, address: 'simulated', path: ROOT, ports });
  return { ha, link };
}

/** Removes the node of the leader from the election, as a takeover does. */
function removeLeader(zooKeeper: SimulatedZooKeeper): void {
  const { data } = zooKeeper.node(`${ROOT}/epoch`) ?? { data: new Uint8Array() };
  const epoch = JSON.parse(Buffer.from(data).toString('utf8')) as { readonly epoch: number; electionNode: string };
  const next = Buffer.from(JSON.stringify({ ...epoch, epoch: epoch.epoch + 1, dispatcherId: 'nobody' }));
  zooKeeper.operate([
    { kind: 'set', path: `${ROOT}/epoch`, data: next, version: null },
    { kind: 'delete', path: `${ROOT}/election/${epoch.electionNode}`, version: null },
  ]);
}

class SimulatedSubject implements HighAvailabilitySubject {
  readonly isVirtual = true;
  readonly clock = new ManualClock(1_000);
  readonly zooKeeper = new SimulatedZooKeeper(this.clock);

  start(): HighAvailabilityProcess {
    const { ha, link } = open(this.zooKeeper, this.clock);
    return {
      ha,
      kill: () => link.cut(),
      depose: () => {
        link.deafen();
        removeLeader(this.zooKeeper);
      },
      loseAnswer: (isCarriedOut) => {
        link.lostAnswer = isCarriedOut ? 'carried-out' : 'not-carried-out';
      },
      loseSession: () => link.expire(),
    };
  }
}

describe('the contract of high availability', () => {
  it.each(highAvailabilityContract)('zookeeper: $title', async ({ run }) => {
    const subject = new SimulatedSubject();
    await inVirtualTime(subject.clock, () => run(subject));
  });
});

/** One leader after the other, of which each has a process of its own. */
class LeadingSubject implements JobStoreSubject {
  readonly clock = new ManualClock(1_000);
  readonly #zooKeeper = new SimulatedZooKeeper(this.clock);
  #leader: Opened | null = null;

  open(): Promise<JobStore> {
    this.#leader = open(this.#zooKeeper, this.clock);
    return ledJobStore(this.#leader.ha, randomness.hex(4));
  }

  kill(): Promise<void> {
    this.#leader?.link.cut();
    return Promise.resolve();
  }

  depose(): Promise<void> {
    this.#leader?.link.deafen();
    removeLeader(this.#zooKeeper);
    return Promise.resolve();
  }

  loseAnswer(isCarriedOut: boolean): void {
    if (this.#leader !== null) this.#leader.link.lostAnswer = isCarriedOut ? 'carried-out' : 'not-carried-out';
  }
}

describe('the contract of job stores', () => {
  it.each(jobStoreContract)('zookeeper: $title', async ({ run }) => {
    const subject = new LeadingSubject();
    await inVirtualTime(subject.clock, () => run(subject));
  });
});
