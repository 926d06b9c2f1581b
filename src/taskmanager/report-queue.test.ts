import { beforeEach, describe, expect, it } from '@jest/globals';
import type { JobMasterGateway } from '../rpc/index.ts';
import { rpcErrors } from '../rpc/index.ts';
import { ManualClock } from '../testing/index.ts';
import { ReportQueue } from './report-queue.ts';

const UNREACHABLE = rpcErrors.create('MR-RPC-UNREACHABLE', { kind: 'job-master', address: 'jm' });
const REFUSED = rpcErrors.create('MR-RPC-STALE-EPOCH', { receiver: 'jm', epoch: 1, newest: 2 });

let clock: ManualClock;
let queue: ReportQueue;
let tries: string[];
/** What calls fail with. */
let failure: Error | null;

beforeEach(() => {
  clock = new ManualClock();
  tries = [];
  failure = null;
  // No jitter: pauses are as long as they may be.
  queue = new ReportQueue({} as JobMasterGateway, { clock, randomness: { next: () => 1, hex: () => '' } });
});

const report = (name: string) => async (): Promise<void> => {
  tries.push(name);
  if (failure !== null) throw failure;
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function pass(durationMs: number): Promise<void> {
  const endMs = clock.nowMs() + durationMs;
  await turn();
  while (clock.runNext(endMs)) await turn();
  clock.advanceTo(endMs);
}

describe('the reports of a slot', () => {
  it('are repeated in order, with longer and longer pauses, until they have arrived', async () => {
    failure = UNREACHABLE;
    queue.send(report('a'));
    queue.send(report('b'));
    await pass(100 + 200 + 400 - 1);
    expect(tries).toEqual(['a', 'a', 'a']);
    await pass(1);
    expect(tries).toHaveLength(4);
    failure = null;
    await pass(800);
    expect(tries.slice(4)).toEqual(['a', 'b']);
    expect(clock.runNext()).toBe(false);
  });

  it('are not repeated where they were heard and refused', async () => {
    failure = REFUSED;
    queue.send(report('a'));
    queue.send(report('b'));
    await pass(10_000);
    expect(tries).toEqual(['a', 'b']);
  });

  it('of progress replace each other while they wait, but never overtake, and are not repeated', async () => {
    failure = UNREACHABLE;
    queue.send(report('a'));
    await turn();
    for (const name of ['1', '2', '3']) queue.sendLatest(report(name));
    queue.send(report('b'));
    queue.sendLatest(report('4'));
    failure = null;
    await pass(100);
    expect(tries).toEqual(['a', 'a', '3', 'b', '4']);
    failure = UNREACHABLE;
    queue.sendLatest(report('5'));
    await pass(10_000);
    expect(tries.slice(5)).toEqual(['5']);
  });

  it('come to nothing once it is closed, whatever they wait for', async () => {
    failure = UNREACHABLE;
    queue.send(report('a'));
    queue.send(report('b'));
    await turn();
    queue.close();
    failure = null;
    queue.send(report('c'));
    await pass(10_000);
    expect(tries).toEqual(['a']);
  });

  it('come to nothing where it is closed while one is on its way', async () => {
    const { promise, reject } = Promise.withResolvers<undefined>();
    queue.send(async () => {
      tries.push('a');
      await promise;
    });
    queue.close();
    reject(UNREACHABLE);
    await pass(10_000);
    expect(tries).toEqual(['a']);
  });

  it('say something else where no connection takes so large a message', async () => {
    const fields = { kind: 'job-master', address: 'jm', method: 'acknowledgeCheckpoint', sizeBytes: 2, limitBytes: 1 };
    failure = rpcErrors.create('MR-RPC-TOO-LARGE', fields);
    queue.send(report('a'), ({ code }) => {
      failure = null;
      queue.send(report(`instead: ${code}`));
    });
    queue.send(report('b'));
    await pass(0);
    expect(tries).toEqual(['a', 'b', 'instead: MR-RPC-TOO-LARGE']);
  });
});
