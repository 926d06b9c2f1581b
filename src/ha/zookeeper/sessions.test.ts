import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MillraceError } from '../../core/index.ts';
import {
  codeOf,
  countingRandomness,
  inVirtualTime,
  ManualClock,
  seededRandom,
  SimulatedZooKeeper,
  type SimulatedLink,
} from '../../testing/index.ts';
import type { Contender, HighAvailability, LeaderInfo, Leadership } from '../high-availability.ts';
import { zooKeeperHighAvailability } from './zookeeper-high-availability.ts';

const SESSION_MS = 9_000;

class Process {
  readonly id: string;
  readonly link: SimulatedLink;
  readonly ha: HighAvailability;
  readonly contender: Contender;
  readonly granted: Leadership[] = [];
  readonly problems: MillraceError[] = [];

  constructor(world: World, id: string) {
    this.id = id;
    this.link = world.zooKeeper.link(SESSION_MS);
    this.ha = zooKeeperHighAvailability({
      connect: this.link.connect,
      address: 'simulated',
      path: '/cluster',
      ports: world,
      onProblem: (error) => this.problems.push(error),
    });
    this.contender = this.ha.contend({ dispatcherId: id, rpcAddress: `${id}:1`, restUrl: '' }, (leadership) => {
      this.granted.push(leadership);
      world.onGranted?.(this, leadership);
    });
  }

  get leadership(): Leadership | null {
    return this.granted.find(({ lost }) => !lost.aborted) ?? null;
  }

  info(epoch: number): LeaderInfo {
    return { dispatcherId: this.id, rpcAddress: `${this.id}:1`, restUrl: '', epoch };
  }
}

class World {
  readonly clock = new ManualClock(1_000);
  readonly randomness = countingRandomness();
  readonly zooKeeper = new SimulatedZooKeeper(this.clock);
  onGranted: ((process: Process, leadership: Leadership) => void) | null = null;

  run<T>(task: () => Promise<T>): Promise<T> {
    return inVirtualTime(this.clock, task);
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    const endMs = this.clock.nowMs() + 120_000;
    while (!condition()) {
      if (this.clock.nowMs() > endMs) throw new Error(`waited in vain for ${what}`);
      await this.clock.sleep(10);
    }
  }

  async leading(process: Process): Promise<Leadership> {
    await this.until(`${process.id} to lead`, () => process.leadership !== null);
    return process.leadership as Leadership;
  }

  lostAfter(leadership: Leadership): Promise<number> {
    const fromMs = this.clock.nowMs();
    return new Promise((resolve) => {
      leadership.lost.addEventListener('abort', () => resolve(this.clock.nowMs() - fromMs));
    });
  }
}

describe('a leader whose link falls silent', () => {
  it('steps down before the server ends its session, and contends again once the link is back', async () => {
    const world = new World();
    await world.run(async () => {
      const [a, b] = [new Process(world, 'a'), new Process(world, 'b')];
      const first = await world.leading(a);
      await world.clock.sleep(20_000);
      expect(first.lost.aborted).toBe(false);
      a.link.silence();
      const pending = codeOf(first.store.write('key', Uint8Array.of(1), null));
      const silentMs = await world.lostAfter(first);
      expect(silentMs).toBeGreaterThan(SESSION_MS / 3);
      expect(silentMs).toBeLessThanOrEqual((SESSION_MS * 2) / 3);
      expect(b.granted).toHaveLength(0);
      expect(await pending).toBe('MR-HA-UNAVAILABLE');
      const second = await world.leading(b);
      expect(await second.store.read('key')).toBeNull();
      a.link.restore();
      await b.contender.close();
      expect((await world.leading(a)).epoch).toBeGreaterThan(second.epoch);
    });
  });

  it('goes on where that lasts no longer than half of the session', async () => {
    const world = new World();
    await world.run(async () => {
      const a = new Process(world, 'a');
      const leadership = await world.leading(a);
      for (let i = 0; i < 3; i++) {
        a.link.silence();
        await world.clock.sleep(SESSION_MS / 2 - 100);
        a.link.restore();
        expect(await leadership.store.write('key', Uint8Array.of(i), i === 0 ? null : i - 1)).toBe(i);
      }
      expect(a.granted).toHaveLength(1);
    });
  });
});

describe('a ZooKeeper', () => {
  it('that is away for a minute has no leader meanwhile, and one soon after', async () => {
    const world = new World();
    await world.run(async () => {
      const [a, b] = [new Process(world, 'a'), new Process(world, 'b')];
      const seen: (number | null)[] = [];
      b.ha.watchLeader((leader) => seen.push(leader?.epoch ?? null));
      const first = await world.leading(a);
      await first.store.write('key', Uint8Array.of(1), null);
      await first.publish();
      await world.until('the leader to be seen', () => seen.at(-1) === first.epoch);
      world.zooKeeper.stop();
      expect(await codeOf(first.store.write('key', Uint8Array.of(2), 0))).toBe('MR-HA-FENCED');
      await world.clock.sleep(60_000);
      expect(first.lost.aborted).toBe(true);
      expect([a.granted.length, b.granted.length]).toEqual([1, 0]);
      expect(seen).toEqual([null, first.epoch]);
      world.zooKeeper.start();
      await world.until('a leader', () => a.leadership !== null || b.leadership !== null);
      const second = (a.leadership ?? b.leadership) as Leadership;
      expect(second.epoch).toBeGreaterThan(first.epoch);
      expect((await second.store.read('key'))?.version).toBe(0);
    });
  });

  it('that stops for less than two thirds of the session changes nobody', async () => {
    const world = new World();
    await world.run(async () => {
      const a = new Process(world, 'a');
      const leadership = await world.leading(a);
      world.zooKeeper.freeze();
      await world.clock.sleep(SESSION_MS / 2);
      world.zooKeeper.thaw();
      await world.clock.sleep(60_000);
      expect(leadership.lost.aborted).toBe(false);
      expect(a.granted).toHaveLength(1);
    });
  });

  it('that is restarted is told nothing twice, and what changed meanwhile is seen', async () => {
    const world = new World();
    await world.run(async () => {
      const [a, b] = [new Process(world, 'a'), new Process(world, 'b')];
      let seen: readonly string[] = [];
      a.ha.watchTaskManagers((found) => (seen = found.map(({ taskManagerId }) => taskManagerId)));
      await world.leading(a);
      const one = { taskManagerId: 'one', address: '', slotCount: 1, rack: null, host: null };
      b.ha.announceTaskManager(one);
      await world.until('one to be seen', () => seen.includes('one'));
      a.link.cut();
      b.ha.announceTaskManager({ ...one, taskManagerId: 'two' });
      await world.until('two to be announced', () => world.zooKeeper.paths().some((path) => path.includes('two')));
      a.link.restore();
      await world.until('two to be seen', () => seen.includes('two'));
      world.zooKeeper.stop();
      await world.clock.sleep(1_000);
      world.zooKeeper.start();
      await world.clock.sleep(SESSION_MS * 2);
      expect([...seen].sort()).toEqual(['one', 'two']);
      expect(a.granted).toHaveLength(1);
      expect(world.zooKeeper.paths().filter((path) => path.includes('/election/'))).toHaveLength(2);
    });
  });
});

describe('whoever only asks for a leader', () => {
  it('makes nothing where no cluster is, and sees the one that comes', async () => {
    const world = new World();
    await world.run(async () => {
      const options = { connect: world.zooKeeper.link(SESSION_MS).connect, address: 'simulated', path: '/cluster' };
      const seen: (string | null)[] = [];
      zooKeeperHighAvailability({ ...options, ports: world }).watchLeader((leader) => {
        seen.push(leader?.dispatcherId ?? null);
      });
      await world.until('an answer', () => seen.length > 0);
      expect(world.zooKeeper.paths()).toEqual(['/']);
      await (await world.leading(new Process(world, 'a'))).publish();
      await world.until('the leader to be seen', () => seen.at(-1) === 'a');
      expect(seen).toEqual([null, 'a']);
    });
  });
});

/** What a leader appends to the log of all leaders, and what became of it. */
interface Appended {
  readonly entry: string;
  outcome: string;
}

/** Appends to one value for as long as it leads, as leaders do with the records of jobs. */
async function appendWhileLeading(world: World, { epoch, store, lost }: Leadership, log: Appended[]): Promise<void> {
  for (let count = 0; !lost.aborted; count++) {
    const appended: Appended = { entry: `${epoch}.${count}`, outcome: 'unknown' };
    try {
      const found = await store.read('log');
      const entries = found === null ? [] : (JSON.parse(Buffer.from(found.value).toString()) as string[]);
      log.push(appended);
      await store.write('log', Buffer.from(JSON.stringify([...entries, appended.entry])), found?.version ?? null);
      appended.outcome = 'acknowledged';
    } catch (error) {
      appended.outcome = (error as MillraceError).code;
      if (appended.outcome === 'MR-HA-CONFLICT') throw error;
    }
    await world.clock.sleep(150);
  }
}

const EVENTS: readonly ((world: World, process: Process, others: readonly Process[]) => void)[] = [
  (_, { link }) => link.silence(),
  (_, { link }) => link.restore(),
  (_, { link }) => link.restore(),
  (_, { link }) => link.drop(),
  (_, { link }) => link.cut(),
  (_, { link }) => link.expire(),
  (_, { link }) => link.deafen(),
  (_, { link }) => link.hear(),
  (_, { link }) => (link.lostAnswer = 'carried-out'),
  (_, { link }) => (link.lostAnswer = 'not-carried-out'),
  ({ zooKeeper }) => zooKeeper.freeze(),
  ({ zooKeeper }) => zooKeeper.thaw(),
  ({ zooKeeper }) => zooKeeper.thaw(),
  ({ zooKeeper }) => {
    zooKeeper.stop();
    zooKeeper.start();
  },
  (_, { contender }, others) => {
    for (const other of others) {
      const leadership = other.granted.at(-1);
      if (leadership !== undefined) contender.takeOver(other.info(leadership.epoch)).catch(() => undefined);
    }
  },
];

async function checkHistory(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const world = new World();
  await world.run(async () => {
    const log: Appended[] = [];
    const epochs: number[] = [];
    const broken: unknown[] = [];
    world.onGranted = (_, leadership) => {
      epochs.push(leadership.epoch);
      appendWhileLeading(world, leadership, log).catch((error: unknown) => broken.push(error));
    };
    const processes = ['a', 'b', 'c'].map((id) => new Process(world, id));
    for (let step = 0; step < 60; step++) {
      await world.clock.sleep(random() * 2_500);
      const process = processes[Math.floor(random() * processes.length)] as Process;
      EVENTS[Math.floor(random() * EVENTS.length)]?.(world, process, processes.filter((each) => each !== process));
    }
    world.zooKeeper.thaw();
    for (const { link } of processes) {
      link.lostAnswer = 'none';
      link.restore();
      link.hear();
    }
    await world.until('one leader', () => processes.filter(({ leadership }) => leadership !== null).length === 1);
    await world.clock.sleep(30_000);
    const last = processes.map(({ leadership }) => leadership).find((each) => each !== null) as Leadership;
    const found = await last.store.read('log');
    const entries = JSON.parse(Buffer.from(found?.value ?? []).toString()) as string[];
    expect(broken).toEqual([]);
    expect(epochs).toEqual([...new Set(epochs)].sort((x, y) => x - y));
    const known = new Map(log.map(({ entry, outcome }) => [entry, outcome]));
    const acknowledged = [...known].filter(([, outcome]) => outcome === 'acknowledged').map(([entry]) => entry);
    expect(acknowledged.filter((entry) => !entries.includes(entry))).toEqual([]);
    expect(new Set(entries).size).toBe(entries.length);
    const writers = entries.map((entry) => Number(entry.split('.')[0]));
    expect(writers).toEqual(writers.toSorted((x, y) => x - y));
    // What was refused has no effect.
    expect(entries.filter((entry) => known.get(entry) === 'MR-HA-FENCED')).toEqual([]);
  });
}

describe('leaders over a ZooKeeper and links that fail by chance', () => {
  it('lose nothing that was acknowledged, and write in the order of their epochs', async () => {
    await fc.assert(fc.asyncProperty(fc.integer(), checkHistory), { numRuns: 25 });
  });
});
