import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jobId, slotId, taskManagerId } from '../core/index.ts';
import { EpochFence, inProcessTransport } from '../rpc/index.ts';
import type { LeaderReference, ResourceManagerGateway, RpcTransport, ServedGateway } from '../rpc/index.ts';
import { ManualClock } from '../testing/index.ts';
import { LeaderSession } from './leader-session.ts';

const ID = taskManagerId('tm');
const ORPHAN_TIMEOUT_MS = 60_000;

/** A leader that writes down what it hears. */
class FakeLeader implements ResourceManagerGateway {
  readonly reference: LeaderReference;
  readonly heard: string[] = [];
  heartbeatIntervalMs: number | null = 1000;
  isKnown = true;
  /** Registrations are answered after this. */
  answer: Promise<unknown> = Promise.resolve();
  readonly #served: ServedGateway;

  constructor(rpc: RpcTransport, epoch: number) {
    this.#served = rpc.serve('resource-manager', `rm-${epoch}`, this);
    this.reference = { epoch, resourceManagerAddress: this.#served.address };
  }

  async registerTaskManager({ epoch, slots }: Parameters<ResourceManagerGateway['registerTaskManager']>[0]) {
    this.heard.push(`register ${epoch} ${slots.map(({ occupant }) => occupant?.jobId ?? 'free').join()}`);
    await this.answer;
    return { heartbeatIntervalMs: this.heartbeatIntervalMs };
  }

  async heartbeat({ epoch, taskManagerId: id }: Parameters<ResourceManagerGateway['heartbeat']>[0]) {
    this.heard.push(`heartbeat ${epoch} ${id}`);
    return { isKnown: this.isKnown };
  }

  async unregisterTaskManager({ epoch }: Parameters<ResourceManagerGateway['unregisterTaskManager']>[0]) {
    this.heard.push(`unregister ${epoch}`);
  }

  die(): void {
    this.#served.withdraw();
  }
}

let rpc: RpcTransport;
let clock: ManualClock;
let fence: EpochFence;
let tell: (leader: LeaderReference | null) => void;
let orphaned: number[];
let occupant: string | null;
let session: LeaderSession;
let isWatched: boolean;

beforeEach(() => {
  rpc = inProcessTransport();
  clock = new ManualClock();
  fence = new EpochFence('the TaskManager');
  orphaned = [];
  occupant = null;
  session = new LeaderSession({
    taskManagerId: ID,
    rpc,
    leaders: (onChange) => {
      tell = onChange;
      isWatched = true;
      return () => {
        isWatched = false;
      };
    },
    // No jitter: pauses are half as long as they may be.
    ports: { clock, randomness: { next: () => 0, hex: () => '' } },
    fence,
    registration: () => {
      const runs = occupant === null ? null : { jobId: jobId(occupant), attempt: 1 };
      const slots = [{ slotId: slotId('tm-0'), memoryBytes: 1, data: null, occupant: runs }];
      return { taskManagerId: ID, address: 'tm', rack: null, host: null, tags: [], slots };
    },
    orphanTimeoutMs: ORPHAN_TIMEOUT_MS,
    onOrphaned: () => {
      orphaned.push(clock.nowMs());
    },
  });
});

afterEach(() => {
  session.close();
  expect(isWatched).toBe(false);
  // Nothing is left that would go on.
  expect(clock.runNext()).toBe(false);
});

/** Lets the messages that are on their way arrive, and answers too. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function pass(durationMs: number): Promise<void> {
  const endMs = clock.nowMs() + durationMs;
  await turn();
  while (clock.runNext(endMs)) await turn();
  clock.advanceTo(endMs);
}

async function follow(epoch: number): Promise<FakeLeader> {
  const leader = new FakeLeader(rpc, epoch);
  tell(leader.reference);
  await turn();
  return leader;
}

describe('a TaskManager and its leader', () => {
  it('registers once, then sends heartbeats as often as the leader wants', async () => {
    const leader = await follow(3);
    await session.registered;
    expect(leader.heard).toEqual(['register 3 free']);
    expect(fence.newest).toBe(3);
    await pass(3500);
    expect(leader.heard.slice(1)).toEqual(['heartbeat 3 tm', 'heartbeat 3 tm', 'heartbeat 3 tm']);
    // The same leader is no change.
    tell({ ...leader.reference });
    await pass(400);
    expect(leader.heard).toHaveLength(4);
  });

  it('sends no heartbeats to a leader that wants none', async () => {
    const leader = new FakeLeader(rpc, 1);
    leader.heartbeatIntervalMs = null;
    tell(leader.reference);
    await pass(ORPHAN_TIMEOUT_MS * 3);
    expect(leader.heard).toEqual(['register 1 free']);
    expect(orphaned).toEqual([]);
  });

  it('registers anew where a heartbeat is not known, with what runs by then', async () => {
    const leader = await follow(1);
    occupant = 'job';
    leader.isKnown = false;
    await pass(1000);
    leader.isKnown = true;
    expect(leader.heard.slice(1)).toEqual(['heartbeat 1 tm', 'register 1 job']);
    await pass(1000);
    expect(leader.heard.at(-1)).toBe('heartbeat 1 tm');
  });

  it('tries again with longer and longer pauses until the leader can be reached', async () => {
    const first = new FakeLeader(rpc, 5);
    first.die();
    tell(first.reference);
    const tries: number[] = [];
    await turn();
    for (let timer = 0; timer < 7; timer++) {
      clock.runNext(ORPHAN_TIMEOUT_MS - 1);
      tries.push(clock.nowMs());
      await turn();
    }
    expect(tries.map((at, index) => at - (tries[index - 1] ?? 0))).toEqual([50, 100, 200, 400, 800, 1000, 1000]);
    const again = new FakeLeader(rpc, 5);
    await pass(1000);
    expect(again.heard).toEqual(['register 5 free']);
  });

  it('goes over to a new leader at once, though a call to the old one is not answered', async () => {
    const old = await follow(1);
    old.heartbeat = () => new Promise(() => undefined);
    await pass(1000);
    const next = await follow(2);
    expect(next.heard).toEqual(['register 2 free']);
    await pass(1000);
    expect(next.heard).toEqual(['register 2 free', 'heartbeat 2 tm']);
    expect(old.heard).toEqual(['register 1 free']);
  });

  it('takes no notice of a leader that is older than one it has heard of', async () => {
    const leader = await follow(4);
    fence.check(6);
    const old = await follow(5);
    expect(old.heard).toEqual([]);
    await pass(1000);
    expect(leader.heard.at(-1)).toBe('heartbeat 4 tm');
  });

  it('registers again when something has changed, be it while it registers', async () => {
    const leader = await follow(1);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    leader.answer = promise;
    occupant = 'a';
    session.registerAgain();
    await turn();
    occupant = 'b';
    session.registerAgain();
    resolve(undefined);
    await turn();
    expect(leader.heard).toEqual(['register 1 free', 'register 1 a', 'register 1 b']);
    await pass(1000);
    expect(leader.heard.at(-1)).toBe('heartbeat 1 tm');
  });
});

describe('a TaskManager without a leader', () => {
  it('gives its tasks up after the orphan timeout, and goes on looking', async () => {
    await follow(1);
    await pass(10_000);
    tell(null);
    await pass(ORPHAN_TIMEOUT_MS - 1);
    expect(orphaned).toEqual([]);
    await pass(1);
    expect(orphaned).toEqual([70_000]);
    const next = await follow(2);
    expect(next.heard).toEqual(['register 2 free']);
    await pass(ORPHAN_TIMEOUT_MS * 2);
    expect(orphaned).toHaveLength(1);
  });

  it('counts from the last answer, where the leader that is published does not answer', async () => {
    const leader = await follow(1);
    await pass(10_000);
    leader.die();
    await pass(1000 + ORPHAN_TIMEOUT_MS - 1);
    expect(orphaned).toEqual([]);
    await pass(1);
    expect(orphaned).toEqual([71_000]);
  });

  it('keeps its tasks where a leader comes in time', async () => {
    await follow(1);
    tell(null);
    await pass(ORPHAN_TIMEOUT_MS - 1);
    await follow(2);
    await pass(ORPHAN_TIMEOUT_MS);
    expect(orphaned).toEqual([]);
  });
});

describe('a TaskManager that leaves', () => {
  it('says so, and that it is still there until the leader has forgotten it', async () => {
    const leader = await follow(1);
    const left = await session.leave();
    if (left === false) throw new Error('the leader was told');
    await pass(2000);
    expect(leader.heard.slice(1)).toEqual(['unregister 1', 'heartbeat 1 tm', 'heartbeat 1 tm']);
    leader.isKnown = false;
    await pass(1000);
    await left.forsaken;
    await pass(5000);
    expect(leader.heard.slice(1)).toEqual(['unregister 1', ...Array.from({ length: 3 }, () => 'heartbeat 1 tm')]);
  });

  it('tells the next leader where it changes, which would wait for it else, and is forsaken', async () => {
    await follow(1);
    const left = await session.leave();
    if (left === false) throw new Error('the leader was told');
    const next = await follow(2);
    await left.forsaken;
    expect(next.heard).toEqual(['unregister 2']);
  });

  it('waits some seconds for the next leader', async () => {
    await follow(1);
    const left = await session.leave();
    if (left === false) throw new Error('the leader was told');
    let isForsaken = false;
    const forsaken = left.forsaken.then(() => {
      isForsaken = true;
    });
    tell(null);
    await pass(2999);
    expect(isForsaken).toBe(false);
    await pass(1);
    await forsaken;
  });

  it('cannot tell anybody where there is no leader, or none that answers', async () => {
    expect(await session.leave()).toBe(false);
    const dead = new FakeLeader(rpc, 1);
    dead.die();
    tell(dead.reference);
    expect(await session.leave()).toBe(false);
  });

  it('tells one that it is about to register with, and does not wait for it', async () => {
    const leader = new FakeLeader(rpc, 1);
    tell(leader.reference);
    leader.answer = new Promise(() => undefined);
    expect(await session.leave()).toBe(false);
    await pass(5000);
    expect(leader.heard).toEqual(['register 1 free', 'unregister 1']);
  });
});
