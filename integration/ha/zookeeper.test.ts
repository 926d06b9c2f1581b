/* The contract of high availability over a real ZooKeeper, and what only a real one and its client can do. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from 'node-zookeeper-client';

import { restartZooKeeper, signalMember, type Services } from '../../scripts/services/index.ts';
import type { MillraceError } from '../../src/core/index.ts';
import { nodePorts } from '../../src/core/node-ports.ts';
import { openZooKeeperHighAvailability, type HighAvailability, type Leadership } from '../../src/ha/index.ts';
import {
  codeOf,
  highAvailabilityContract,
  type HighAvailabilityProcess,
  type HighAvailabilitySubject,
} from '../../src/testing/index.ts';
import { getBroker, uniqueName } from '../environment/index.ts';
import { ZooKeeperProxy } from './zookeeper-proxy.ts';

const STARTING_MS = 180_000;
const TEST_MS = 90_000;
const SESSION_MS = 3_000;
const { clock } = nodePorts;

let services: Services;
const endings: (() => Promise<void>)[] = [];

beforeAll(async () => {
  services = await getBroker({ brokers: 0, zookeeper: true, private: 'ha' });
}, STARTING_MS);

afterEach(async () => {
  await Promise.all(endings.splice(0).map((end) => end()));
}, TEST_MS);

function port(): number {
  return Number(services.zookeeper?.split(':')[1]);
}

interface Options {
  readonly root: string;
  readonly address?: string;
  readonly acl?: 'world' | 'creator-all';
  readonly password?: string;
  readonly onProblem?: (error: MillraceError) => void;
}

function open({ root, address, acl, password, onProblem }: Options): HighAvailability {
  const ha = openZooKeeperHighAvailability({
    connect: `${address ?? `127.0.0.1:${port()}`}${root}`,
    sessionTimeoutMs: SESSION_MS,
    ports: nodePorts,
    ...(acl === undefined ? {} : { acl }),
    ...(password === undefined ? {} : { auth: { scheme: 'digest', user: 'millrace', password } }),
    ...(onProblem === undefined ? {} : { onProblem }),
  });
  endings.push(() => ha.close());
  return ha;
}

function newRoot(): string {
  return `/test/${uniqueName('ha')}`;
}

interface Contending {
  readonly granted: readonly Leadership[];
}

function contend(ha: HighAvailability, dispatcherId: string, onGranted?: () => void): Contending {
  const granted: Leadership[] = [];
  ha.contend({ dispatcherId, rpcAddress: '', restUrl: '' }, (leadership) => {
    onGranted?.();
    granted.push(leadership);
  });
  return { granted };
}

async function until<T>(
  what: string,
  look: () => T | null | undefined | Promise<T | null>,
): Promise<NonNullable<T>> {
  const endMs = clock.monotonicMs() + TEST_MS / 2;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined) return found;
    if (clock.monotonicMs() > endMs) throw new Error(`waited in vain for ${what}`);
    await clock.sleep(20);
  }
}

/** Takes the leadership away, as somebody with the tools of ZooKeeper can. */
async function depose(root: string): Promise<void> {
  const client = createClient(`127.0.0.1:${port()}`);
  client.connect();
  try {
    const held = await new Promise<string>((resolve, reject) => {
      client.getData(`${root}/epoch`, (error, data) => {
        if (error as unknown) reject(error as Error);
        else resolve(data.toString('utf8'));
      });
    });
    const epoch = JSON.parse(held) as { readonly epoch: number; readonly electionNode: string };
    const next = Buffer.from(JSON.stringify({ ...epoch, epoch: epoch.epoch + 1, dispatcherId: 'nobody' }));
    await new Promise<void>((resolve, reject) => {
      client
        .transaction()
        .setData(`${root}/epoch`, next)
        .remove(`${root}/election/${epoch.electionNode}`)
        .commit((error) => {
          if (error === null || (error as unknown) === undefined) resolve();
          else reject(error as Error);
        });
    });
  } finally {
    client.close();
  }
}

class RealSubject implements HighAvailabilitySubject {
  readonly isVirtual = false;
  readonly clock = clock;
  readonly #root = newRoot();
  readonly #proxies: ZooKeeperProxy[];

  constructor(proxies: ZooKeeperProxy[]) {
    this.#proxies = proxies;
  }

  start(): HighAvailabilityProcess {
    const proxy = this.#proxies.pop();
    if (proxy === undefined) throw new Error('more processes than proxies');
    return {
      ha: open({ root: this.#root, address: proxy.address }),
      kill: () => proxy.cut(),
      depose: () => depose(this.#root),
      loseAnswer: (isCarriedOut) => proxy.loseAnswer(isCarriedOut),
      loseSession: () => proxy.loseSession(),
    };
  }
}

const MAX_PROCESSES = 6;

describe('the contract of high availability', () => {
  let proxies: ZooKeeperProxy[] = [];
  afterAll(() => Promise.all(proxies.map((proxy) => proxy.close())));

  it.each(highAvailabilityContract)(
    'a real ZooKeeper: $title',
    async ({ run }) => {
      const made = await Promise.all(Array.from({ length: MAX_PROCESSES }, () => ZooKeeperProxy.open(port())));
      proxies = [...proxies, ...made];
      await run(new RealSubject([...made]));
    },
    TEST_MS,
  );
});

describe('a real ZooKeeper', () => {
  it(
    'whose process stops is noticed: the leader steps down within two thirds of its session, and leads again after',
    async () => {
      const root = newRoot();
      const { granted } = contend(open({ root }), 'a');
      const first = await until('a leader', () => granted[0]);
      await first.store.write('key', Uint8Array.of(1), null);
      const stoppedMs = clock.monotonicMs();
      await signalMember(services.name, 'zookeeper', 'SIGSTOP');
      try {
        await until('the leader to step down', () => (first.lost.aborted ? true : null));
      } finally {
        await signalMember(services.name, 'zookeeper', 'SIGCONT');
      }
      // The heartbeat before it was stopped may have been answered at once, or at the last moment.
      expect(clock.monotonicMs() - stoppedMs).toBeGreaterThan(SESSION_MS / 3);
      expect(await codeOf(first.store.write('key', Uint8Array.of(2), 0))).toBe('MR-HA-FENCED');
      const second = await until('the next term', () => granted[1]);
      expect(second.epoch).toBeGreaterThan(first.epoch);
      expect((await second.store.read('key'))?.version).toBe(0);
    },
    TEST_MS,
  );

  it(
    'that is killed and comes back has kept everything, and those who watch it see what comes then',
    async () => {
      const root = newRoot();
      const ha = open({ root });
      const seen: (number | null)[] = [];
      open({ root }).watchLeader((leader) => seen.push(leader?.epoch ?? null));
      const { granted } = contend(ha, 'a');
      const first = await until('a leader', () => granted[0]);
      await first.store.write('key', Uint8Array.of(1), null);
      await first.publish();
      await until('the leader to be seen', () => (seen.at(-1) === first.epoch ? true : null));
      await restartZooKeeper(services.name, { signal: 'SIGKILL' });
      const { granted: next } = contend(open({ root }), 'b');
      // A server that comes back slowly costs a session its leadership, perhaps in the middle of this.
      const current = await until('a leader that writes and is published', async () => {
        const leader = [...granted, ...next].find(({ lost }) => !lost.aborted);
        const version = (await leader?.store.read('key').catch(() => null))?.version;
        if (leader === undefined || version === undefined) return null;
        if (version === 0) await leader.store.write('key', Uint8Array.of(2), 0).catch(() => undefined);
        const isPublished = await leader.publish().then(() => true, () => false);
        return isPublished && version === 1 ? leader : null;
      });
      await until('the leader to be seen', () => (seen.at(-1) === current.epoch ? true : null));
    },
    TEST_MS,
  );

  it(
    'over a link that is half open is not waited for',
    async () => {
      const root = newRoot();
      const proxy = await ZooKeeperProxy.open(port());
      endings.push(() => proxy.close());
      const { granted } = contend(open({ root, address: proxy.address }), 'a');
      const first = await until('a leader', () => granted[0]);
      let wasLost = false;
      const { granted: others } = contend(open({ root }), 'b', () => {
        wasLost = first.lost.aborted;
      });
      proxy.silence();
      const second = await until('the other to lead', () => others[0]);
      expect(wasLost).toBe(true);
      expect(second.epoch).toBe(first.epoch + 1);
      proxy.restore();
    },
    TEST_MS,
  );

  it(
    'shows a cluster to those who have its password only',
    async () => {
      const root = newRoot();
      const { granted } = contend(open({ root, acl: 'creator-all', password: 'right' }), 'a');
      const leadership = await until('a leader', () => granted[0]);
      await leadership.store.write('key', Uint8Array.of(1), null);
      const problems: MillraceError[] = [];
      const onProblem = (error: MillraceError): void => void problems.push(error);
      const wrong = contend(open({ root, acl: 'creator-all', password: 'wrong', onProblem }), 'b');
      await until('the refusal', () => problems.find(({ code }) => code === 'MR-HA-REFUSED'));
      expect(wrong.granted).toEqual([]);
      expect((await leadership.store.read('key'))?.version).toBe(0);
    },
    TEST_MS,
  );
});
