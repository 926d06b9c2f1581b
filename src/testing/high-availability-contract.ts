/**
 * What every HighAvailability must do, whatever it is made of:
 * `it.each(highAvailabilityContract)('$title', ({ run }) => run(subject))` with a new subject for each.
 */
import assert from 'node:assert/strict';

import type { Clock } from '../core/index.ts';
import type {
  Candidate,
  Contender,
  HighAvailability,
  LeaderInfo,
  Leadership,
  TaskManagerAnnouncement,
} from '../ha/index.ts';
import { codeOf, refused } from './refusal.ts';

/** One durable place, which any number of processes use. */
export interface HighAvailabilitySubject {
  /** By which the suite waits. */
  readonly clock: Clock;
  /** Whether nothing takes time but waiting by the clock: only then do durations say anything. */
  readonly isVirtual: boolean;
  start(): HighAvailabilityProcess;
}

export interface HighAvailabilityProcess {
  readonly ha: HighAvailability;
  /** It dies, nothing closed. */
  kill(): void | Promise<void>;
  /** It leads; now another process may, and it does not learn that before it writes. */
  depose(): void | Promise<void>;
  /** Its next write of a value is carried out (or not) and no answer to it arrives. */
  loseAnswer(isCarriedOut: boolean): void;
  /** What lasts as long as its session is gone, although it lives; null where there is no such thing. */
  readonly loseSession: (() => void | Promise<void>) | null;
}

export interface HighAvailabilityRequirement {
  readonly title: string;
  readonly run: (subject: HighAvailabilitySubject) => Promise<void>;
}

const POLL_MS = 20;
const PATIENCE_MS = 60_000;

/** Waits until there is something other than null. */
async function eventually<T>(clock: Clock, what: string, look: () => T | null | Promise<T | null>): Promise<T> {
  const endMs = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (clock.monotonicMs() > endMs) throw new Error(`waited in vain for ${what}`);
    await clock.sleep(POLL_MS);
  }
}

/** A process that takes part in the election, and what it was granted. */
class Dispatcher {
  readonly process: HighAvailabilityProcess;
  readonly candidate: Candidate;
  readonly contender: Contender;
  readonly granted: Leadership[] = [];
  readonly #clock: Clock;

  constructor(subject: HighAvailabilitySubject, dispatcherId: string) {
    this.process = subject.start();
    this.#clock = subject.clock;
    this.candidate = { dispatcherId, rpcAddress: `${dispatcherId}:1`, restUrl: `http://${dispatcherId}:2` };
    this.contender = this.process.ha.contend(this.candidate, (leadership) => this.granted.push(leadership));
  }

  /** The leadership that it has; null where it has none. */
  get leadership(): Leadership | null {
    const last = this.granted.at(-1);
    return last === undefined || last.lost.aborted ? null : last;
  }

  leads(): Promise<Leadership> {
    return eventually(this.#clock, `${this.candidate.dispatcherId} to lead`, () => this.leadership);
  }

  info(leadership: Leadership): LeaderInfo {
    return { ...this.candidate, epoch: leadership.epoch };
  }
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

async function stored({ store }: Leadership, key: string): Promise<readonly [string, number] | null> {
  const found = await store.read(key);
  return found === null ? null : [Buffer.from(found.value).toString('utf8'), found.version];
}

async function listed({ store }: Leadership, key: string): Promise<readonly string[]> {
  return [...(await store.list(key))].sort();
}

function taskManager(taskManagerId: string): TaskManagerAnnouncement {
  return { taskManagerId, address: `${taskManagerId}:1`, slotCount: 2, rack: 'r1', host: null };
}

/** What a process sees of the leader and of the TaskManagers, each state once. */
class Observer {
  readonly leaders: (LeaderInfo | null)[] = [];
  taskManagers: readonly string[] | null = null;
  readonly #clock: Clock;

  constructor(subject: HighAvailabilitySubject) {
    const { ha } = subject.start();
    this.#clock = subject.clock;
    ha.watchLeader((leader) => this.leaders.push(leader));
    ha.watchTaskManagers((found) => {
      this.taskManagers = found.map(({ taskManagerId }) => taskManagerId).sort();
    });
  }

  async seesLeader(expected: LeaderInfo | null): Promise<void> {
    await eventually(this.#clock, `leader ${JSON.stringify(expected)} to be seen`, () => {
      const last = this.leaders.at(-1);
      return last !== undefined && JSON.stringify(last) === JSON.stringify(expected) ? true : null;
    });
  }

  async seesTaskManagers(...expected: readonly string[]): Promise<void> {
    const wanted = JSON.stringify([...expected].sort());
    await eventually(this.#clock, `TaskManagers ${wanted} to be seen`, () =>
      JSON.stringify(this.taskManagers) === wanted ? true : null,
    );
  }
}

const HOSTILE_PARTS = [
  'a', 'A', '.', '..', '...', 'a\\b', 'a.', '.a', ' a', 'a ', 'con', 'nul.txt', 'a~b', 'a:b', 'a\0b', 'a\nb', '%2e%2e',
  'é', 'e\u0301', '\ud800', '\ud801', '日本', '*', '-rf', 'zookeeper', '__proto__', 'x.tmp', 'x'.repeat(300),
  `${'x'.repeat(300)}y`,
];

/** Each runs against a subject of its own. */
export const highAvailabilityContract: readonly HighAvailabilityRequirement[] = [
  {
    title: 'lets one lead at a time, each with a larger epoch than all before, however the last one went',
    async run(subject) {
      const waiting = ['a', 'b', 'c', 'd'].map((id) => new Dispatcher(subject, id));
      let last: Leadership | null = null;
      for (const round of ['close the contender', 'kill', 'close all', 'end']) {
        const [leader] = await eventually(subject.clock, 'a leader', () => {
          const leading = waiting.filter(({ leadership }) => leadership !== null);
          return leading.length === 0 ? null : leading;
        });
        assert.equal(waiting.filter(({ leadership }) => leadership !== null).length, 1);
        const leadership = leader?.leadership;
        assert.ok(leader !== undefined && leadership !== null && leadership !== undefined);
        assert.ok(leadership.epoch > (last?.epoch ?? 0));
        last = leadership;
        waiting.splice(waiting.indexOf(leader), 1);
        if (round === 'close the contender') await leader.contender.close();
        if (round === 'kill') await leader.process.kill();
        if (round === 'close all') await leader.process.ha.close();
      }
    },
  },
  {
    title: 'has everything that earlier leaders have written, and counts versions from 0',
    async run(subject) {
      const a = new Dispatcher(subject, 'a');
      const first = await a.leads();
      assert.equal(await stored(first, 'jobs/1'), null);
      assert.equal(await first.store.write('jobs/1', bytes('one'), null), 0);
      assert.equal(await first.store.write('jobs/1', bytes('two'), 0), 1);
      assert.equal(await first.store.write('jobs/1/plan', bytes(''), null), 0);
      await a.process.kill();
      const second = await new Dispatcher(subject, 'b').leads();
      assert.deepEqual(await stored(second, 'jobs/1'), ['two', 1]);
      assert.deepEqual(await stored(second, 'jobs/1/plan'), ['', 0]);
      assert.equal(await second.store.write('jobs/1', bytes('three'), 1), 2);
    },
  },
  {
    title: 'refuses a write whose expectation is wrong, and changes nothing then',
    async run(subject) {
      const leadership = await new Dispatcher(subject, 'a').leads();
      const { store } = leadership;
      // A version of 0 is a version like any other, not the absence of one, and not any.
      await refused('MR-HA-CONFLICT', store.write('key', bytes('wrong'), 0));
      await store.write('key', bytes('first'), null);
      await refused('MR-HA-CONFLICT', store.write('key', bytes('wrong'), null));
      await refused('MR-HA-CONFLICT', store.write('key', bytes('wrong'), 1));
      await store.write('key', bytes('second'), 0);
      await refused('MR-HA-CONFLICT', store.write('key', bytes('wrong'), 0));
      assert.deepEqual(await stored(leadership, 'key'), ['second', 1]);
    },
  },
  {
    title: 'takes one of several writes at once that replace the same version',
    async run(subject) {
      const leadership = await new Dispatcher(subject, 'a').leads();
      await leadership.store.write('key', bytes('0'), null);
      const writes = ['1', '2', '3', '4'].map((value) => codeOf(leadership.store.write('key', bytes(value), 0)));
      const outcomes = await Promise.all(writes);
      assert.deepEqual(outcomes.toSorted(), ['MR-HA-CONFLICT', 'MR-HA-CONFLICT', 'MR-HA-CONFLICT', 'resolved']);
      assert.deepEqual(await stored(leadership, 'key'), [String(outcomes.indexOf('resolved') + 1), 1]);
    },
  },
  {
    title: 'keeps keys apart, whatever their parts are, lists what is directly below, and removes all that is below',
    async run(subject) {
      const leadership = await new Dispatcher(subject, 'a').leads();
      const { store } = leadership;
      for (const part of HOSTILE_PARTS) {
        assert.equal(await store.write(`names/${part}`, bytes(part), null), 0);
        assert.equal(await store.write(`deep/${part}/below/it`, bytes(`${part}!`), null), 0);
      }
      for (const part of HOSTILE_PARTS) {
        const value = Buffer.from(part).toString('utf8');
        assert.deepEqual(await stored(leadership, `names/${part}`), [value, 0], JSON.stringify(part));
      }
      assert.deepEqual(await listed(leadership, 'names'), [...HOSTILE_PARTS].sort());
      assert.deepEqual(await listed(leadership, 'deep'), [...HOSTILE_PARTS].sort());
      assert.deepEqual(await listed(leadership, 'deep/..'), ['below']);
      assert.deepEqual(await listed(leadership, 'dee'), []);
      await store.remove('names/a');
      await store.remove('deep/..');
      await store.remove('nothing');
      assert.equal(await stored(leadership, 'names/a'), null);
      assert.deepEqual(await stored(leadership, 'names/A'), ['A', 0]);
      assert.equal(await stored(leadership, 'deep/../below/it'), null);
      assert.deepEqual(await listed(leadership, 'deep'), HOSTILE_PARTS.filter((part) => part !== '..').sort());
      assert.equal(await store.write('names/a', bytes('anew'), null), 0);
    },
  },
  {
    title: 'takes values of 512 KiB and says so where one is larger',
    async run(subject) {
      const leadership = await new Dispatcher(subject, 'a').leads();
      const largest = new Uint8Array(512 * 1024).fill(7);
      assert.equal(await leadership.store.write('large', largest, null), 0);
      const found = await leadership.store.read('large');
      assert.equal(Buffer.compare(found?.value ?? new Uint8Array(), largest), 0);
      await refused('MR-HA-TOO-LARGE', leadership.store.write('larger', new Uint8Array(largest.length + 1), null));
    },
  },
  {
    title: 'takes nothing from a leader that was deposed, which learns it then and contends again',
    async run(subject) {
      const a = new Dispatcher(subject, 'a');
      const deposed = await a.leads();
      await deposed.store.write('key', bytes('before'), null);
      const b = new Dispatcher(subject, 'b');
      await a.process.depose();
      await refused('MR-HA-FENCED', deposed.store.write('key', bytes('zombie'), 0));
      await refused('MR-HA-FENCED', deposed.store.write('other', bytes('zombie'), null));
      await refused('MR-HA-FENCED', deposed.store.remove('key'));
      await refused('MR-HA-FENCED', deposed.publish());
      assert.equal((deposed.lost.reason as { readonly code?: string }).code, 'MR-HA-FENCED');
      const next = await b.leads();
      assert.ok(next.epoch > deposed.epoch);
      assert.deepEqual(await stored(next, 'key'), ['before', 0]);
      assert.equal(await stored(next, 'other'), null);
      await refused('MR-HA-FENCED', deposed.store.read('key'));
      assert.equal(a.granted.length, 1);
      await b.contender.close();
      const again = await a.leads();
      assert.ok(again.epoch > next.epoch);
    },
  },
  ...[true, false].map((isCarriedOut): HighAvailabilityRequirement => ({
    title: `finds out what became of a write without an answer that was ${isCarriedOut ? '' : 'not '}carried out`,
    async run(subject) {
      const a = new Dispatcher(subject, 'a');
      const leadership = await a.leads();
      const { store } = leadership;
      for (const expected of [null, 0, 1]) {
        a.process.loseAnswer(isCarriedOut);
        // Where it was not carried out it may say so; a conflict it must not call it, for there was none.
        const code = await codeOf(store.write('key', bytes(`after ${expected}`), expected));
        assert.ok(code === 'resolved' || (code === 'MR-HA-UNAVAILABLE' && !isCarriedOut), code);
        if (code !== 'resolved') await store.write('key', bytes(`after ${expected}`), expected);
        assert.deepEqual(await stored(leadership, 'key'), [`after ${expected}`, (expected ?? -1) + 1]);
      }
    },
  })),
  {
    title: 'is taken over from a leader that is dead before its session ends, and not from another one',
    async run(subject) {
      const a = new Dispatcher(subject, 'a');
      const first = await a.leads();
      await first.publish();
      const b = new Dispatcher(subject, 'b');
      const c = new Dispatcher(subject, 'c');
      const observer = new Observer(subject);
      await observer.seesLeader(a.info(first));
      await c.contender.takeOver({ ...a.info(first), epoch: first.epoch - 1 });
      await c.contender.takeOver({ ...a.info(first), dispatcherId: 'else' });
      assert.equal(a.leadership, first);
      const killedMs = subject.clock.monotonicMs();
      await a.process.kill();
      const next = await eventually(subject.clock, 'a takeover', async () => {
        await c.contender.takeOver(a.info(first));
        return b.leadership ?? c.leadership;
      });
      const tookMs = subject.clock.monotonicMs() - killedMs;
      assert.ok(!subject.isVirtual || tookMs < 1_000, `it took ${tookMs} ms`);
      assert.ok(next.epoch > first.epoch);
      await next.store.write('key', bytes('new'), null);
      await c.contender.takeOver(a.info(first));
      assert.equal(b.leadership ?? c.leadership, next);
      assert.equal(b.granted.length + c.granted.length, 1);
    },
  },
  {
    title: 'shows everybody the leader that is published last, sooner or later',
    async run(subject) {
      const early = new Observer(subject);
      await early.seesLeader(null);
      const a = new Dispatcher(subject, 'a');
      const first = await a.leads();
      assert.deepEqual([...early.leaders], [null]);
      await first.publish();
      await first.publish();
      await early.seesLeader(a.info(first));
      const b = new Dispatcher(subject, 'b');
      await a.contender.close();
      const second = await b.leads();
      await second.publish();
      const late = new Observer(subject);
      await early.seesLeader(b.info(second));
      await late.seesLeader(b.info(second));
      assert.deepEqual(late.leaders, [b.info(second)]);
      const epochs = early.leaders.filter((each) => each !== null).map(({ epoch }) => epoch);
      assert.deepEqual(epochs, [...new Set(epochs)].sort((x, y) => x - y));
      await b.process.ha.close();
      await early.seesLeader(null);
      await refused('MR-HA-FENCED', second.publish());
      await refused('MR-HA-FENCED', second.store.read('key'));
      await refused('MR-HA-FENCED', second.store.write('key', bytes(''), null));
    },
  },
  {
    title: 'shows the TaskManagers that live',
    async run(subject) {
      const observer = new Observer(subject);
      await observer.seesTaskManagers();
      const [a, b] = [subject.start(), subject.start()];
      const withdraw = a.ha.announceTaskManager(taskManager('tm-1'));
      a.ha.announceTaskManager(taskManager('tm/2 …'));
      b.ha.announceTaskManager(taskManager('tm-3'));
      await observer.seesTaskManagers('tm-1', 'tm-3', 'tm/2 …');
      await withdraw();
      await withdraw();
      await observer.seesTaskManagers('tm-3', 'tm/2 …');
      await b.kill();
      await observer.seesTaskManagers('tm/2 …');
      const late = new Observer(subject);
      await late.seesTaskManagers('tm/2 …');
      await a.ha.close();
      await observer.seesTaskManagers();
    },
  },
  {
    title: 'announces a TaskManager again, and contends again, after a session that was lost',
    async run(subject) {
      const observer = new Observer(subject);
      const process = subject.start();
      if (process.loseSession === null) return;
      process.ha.announceTaskManager(taskManager('tm'));
      await observer.seesTaskManagers('tm');
      const a = new Dispatcher(subject, 'a');
      const first = await a.leads();
      await first.publish();
      await observer.seesLeader(a.info(first));
      await process.loseSession();
      await observer.seesTaskManagers('tm');
      await a.process.loseSession?.();
      const second = await eventually(subject.clock, 'another term', () => a.granted[1] ?? null);
      assert.ok(first.lost.aborted && second.epoch > first.epoch);
      await refused('MR-HA-FENCED', first.store.write('key', bytes('zombie'), null));
      await second.publish();
      await observer.seesLeader(a.info(second));
      await observer.seesTaskManagers('tm');
    },
  },
  {
    title: 'lets nobody wait for a process that has closed, and calls back nothing any more',
    async run(subject) {
      const a = new Dispatcher(subject, 'a');
      const first = await a.leads();
      const b = new Dispatcher(subject, 'b');
      const observer = new Observer(subject);
      let calls = 0;
      a.process.ha.watchLeader(() => calls++);
      const stop = b.process.ha.watchLeader(() => calls++);
      await observer.seesLeader(null);
      await eventually(subject.clock, 'the watches', () => (calls === 2 ? true : null));
      stop();
      const closedMs = subject.clock.monotonicMs();
      await a.process.ha.close();
      await a.process.ha.close();
      const second = await b.leads();
      assert.ok(!subject.isVirtual || subject.clock.monotonicMs() - closedMs < 1_000);
      assert.ok(first.lost.aborted);
      await second.publish();
      await observer.seesLeader(b.info(second));
      assert.equal(calls, 2);
      assert.equal(a.granted.length, 1);
    },
  },
];
