/**
 * What every RpcTransport must do: `it.each(rpcTransportContract)('$title', ({ run }) => run(subject))` with a new
 * subject for each.
 */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import { isMillraceError, MillraceError } from '../core/index.ts';
import { EpochFence } from '../rpc/index.ts';
import type { GatewayKind, Gateways, RpcTransport, ServedGateway } from '../rpc/index.ts';
import { gate } from './gate.ts';
import { refused } from './refusal.ts';

export interface RpcTransportSubject {
  /** The process that serves. */
  readonly receiver: RpcTransport;
  /** The process that calls, perhaps the same. */
  readonly caller: RpcTransport;
  /** The receiving process ends; whatever it still serves is withdrawn. */
  endReceiver(): Promise<void>;
}

export interface RpcTransportRequirement {
  readonly title: string;
  readonly run: (subject: RpcTransportSubject) => Promise<void>;
}

/** A message of any form: what is in it is none of a transport's business. */
interface AnyMessage {
  readonly epoch: number;
  readonly [field: string]: unknown;
}
type AnyMethod = (message: AnyMessage) => Promise<unknown>;

/** A gateway of which a requirement needs some methods only. */
function partly<Kind extends GatewayKind>(methods: Readonly<Record<string, AnyMethod>>): Gateways[Kind] {
  return methods as unknown as Gateways[Kind];
}

/** A method of a gateway at an address, for messages of any form. */
function method<Kind extends GatewayKind>(
  { caller }: RpcTransportSubject,
  kind: Kind,
  address: string,
  name: string & keyof Gateways[Kind],
): AnyMethod {
  const stub = caller.connect(kind, address) as unknown as Readonly<Record<string, AnyMethod>>;
  return (message) => (stub[name] as AnyMethod)(message);
}

/** Serves `heartbeat` under a name, and returns how to call it. */
function heartbeats(subject: RpcTransportSubject, receive: AnyMethod, name = 'resource-manager'): ServedMethod {
  const served = subject.receiver.serve('resource-manager', name, partly<'resource-manager'>({ heartbeat: receive }));
  return { served, call: method(subject, 'resource-manager', served.address, 'heartbeat') };
}

interface ServedMethod {
  readonly served: ServedGateway;
  readonly call: AnyMethod;
}

/** Objects of different realms are equal where they look equal. */
function same(found: unknown, expected: unknown): void {
  const shown = (value: unknown): string => inspect(value, { depth: null, sorted: true });
  assert.equal(shown(found), shown(expected));
}

async function rejection(call: Promise<unknown>): Promise<MillraceError> {
  try {
    await call;
  } catch (error) {
    if (isMillraceError(error)) return error;
    throw error;
  }
  throw new Error('the call resolved');
}

const plainData = {
  numbers: [0, -0, Number.NaN, Infinity, -Infinity, Number.MAX_SAFE_INTEGER, 2n ** 70n, -1n],
  texts: ['', 'é', '日本', '\ud800', 'a\0b'],
  nothing: [null, undefined],
  keyed: new Map<unknown, unknown>([
    [1n, new Set(['a'])],
    ['b', new Date(1_700_000_000_000)],
  ]),
  arrays: [new Uint8Array([1, 2, 255]), new Float64Array([0.1, Number.NaN]), new BigInt64Array([-(2n ** 63n)])],
  nested: { deep: [[[{ yes: true }]]] },
};

const ROUNDS = 1000;
const MEGABYTE = 1024 * 1024;

const delivery: readonly RpcTransportRequirement[] = [
  {
    title: 'delivers plain data as it is, both ways',
    async run(subject) {
      const seen: AnyMessage[] = [];
      const { call } = heartbeats(subject, async (message) => {
        seen.push(message);
        return { ...message, echo: true };
      });
      same(await call({ epoch: 1, ...plainData }), { epoch: 1, ...plainData, echo: true });
      same(seen, [{ epoch: 1, ...plainData }]);
    },
  },
  {
    title: 'delivers copies, after the call has returned',
    async run(subject) {
      const seen: AnyMessage[] = [];
      const answer = { list: [1] };
      const { call } = heartbeats(subject, async (message) => {
        seen.push(message);
        return answer;
      });
      const message = { epoch: 1, list: [1] };
      const answered = call(message);
      assert.equal(seen.length, 0);
      message.list.push(2);
      const result = await answered;
      answer.list.push(3);
      same(seen, [{ epoch: 1, list: [1] }]);
      same(result, { list: [1] });
    },
  },
  {
    title: 'delivers typed arrays with memory of their own',
    async run(subject) {
      const lengths: number[] = [];
      const { call } = heartbeats(subject, async ({ part, whole }) => {
        for (const array of [part, whole] as Uint16Array[]) lengths.push(array.byteLength, array.buffer.byteLength);
        return part;
      });
      const part = new Uint16Array([1, 2, 3, 4]);
      const result = (await call({ epoch: 1, filler: 'x', part, whole: Buffer.from('0123456789') })) as Uint16Array;
      assert.deepEqual(lengths.slice(0, 2), [8, 8]);
      assert.deepEqual([...result, result.buffer.byteLength], [1, 2, 3, 4, 8]);
    },
  },
  {
    title: 'refuses what is not plain data when the call is made',
    async run(subject) {
      const { call } = heartbeats(subject, async () => undefined);
      assert.throws(() => void call({ epoch: 1, callback: () => undefined }), /could not be cloned/);
      assert.equal(await call({ epoch: 1 }), undefined);
      const other = heartbeats(subject, async () => () => undefined, 'other');
      assert.match((await rejection(other.call({ epoch: 1 }))).message, /could not be cloned/);
    },
  },
  {
    title: 'keeps the order of calls, however many are under way, and whatever their size',
    async run(subject) {
      const seen: unknown[] = [];
      const receive = async ({ round }: AnyMessage): Promise<unknown> => {
        seen.push(round);
        return round;
      };
      const gateway = partly<'job-master'>({ taskStateChanged: receive, reportProgress: receive });
      const { address } = subject.receiver.serve('job-master', 'jobmaster/1', gateway);
      const calls = (['taskStateChanged', 'reportProgress'] as const).map((name) =>
        method(subject, 'job-master', address, name),
      );
      const rounds = Array.from({ length: ROUNDS }, (_, round) => round);
      const filler = 'x'.repeat(MEGABYTE / 4);
      const answers = rounds.map((round) =>
        (calls[round % 2] as AnyMethod)({ epoch: 1, round, ...(round % 100 === 7 ? { filler } : {}) }),
      );
      assert.deepEqual(await Promise.all(answers), rounds);
      assert.deepEqual(seen, rounds);
    },
  },
  {
    title: 'answers in the order in which things are done: who waits holds nobody up',
    async run(subject) {
      const released = gate();
      const stuck = heartbeats(subject, async ({ waits }) => (waits === true ? released.opened : undefined), 'stuck');
      const other = heartbeats(subject, async () => 'done', 'other');
      const waiting = stuck.call({ epoch: 1, waits: true });
      await stuck.call({ epoch: 1, waits: false });
      assert.equal(await other.call({ epoch: 1 }), 'done');
      released.open();
      await waiting;
    },
  },
  {
    title: 'carries large messages both ways',
    async run(subject) {
      const bytes = new Uint8Array(8 * MEGABYTE).fill(7);
      const { call } = heartbeats(subject, async ({ sent }) => (sent as Uint8Array).map((byte) => byte + 1));
      const answer = (await call({ epoch: 1, sent: bytes })) as Uint8Array;
      assert.equal(answer.byteLength, bytes.byteLength);
      assert.ok(answer.every((byte) => byte === 8));
    },
  },
];

const failures: readonly RpcTransportRequirement[] = [
  {
    title: 'rejects with what the receiver threw: code, fields and message',
    async run(subject) {
      const known = new MillraceError(
        'MR-TEST-ERROR',
        { domain: 'user', scope: 'record', retry: 'backoff', message: 'no {what} {braces}' },
        { what: 'luck', times: 3, isFinal: true },
      );
      const { call } = heartbeats(subject, async ({ isKnown }) => {
        throw isKnown === true ? known : new TypeError('x is undefined');
      });
      const { code, message, fields, domain, scope, retry } = await rejection(call({ epoch: 1, isKnown: true }));
      same([code, message, domain, scope, retry], ['MR-TEST-ERROR', 'no luck {braces}', 'user', 'record', 'backoff']);
      same(fields, { what: 'luck', times: 3, isFinal: true });
      const unknown = await rejection(call({ epoch: 1, isKnown: false }));
      same([unknown.code, unknown.fields], ['MR-INTERNAL', { message: 'x is undefined' }]);
      assert.match(unknown.stack ?? '', /TypeError: x is undefined/);
    },
  },
  {
    title: 'takes what a method throws before it returns for a rejection, and keeps its `this`',
    async run(subject) {
      class Counter {
        #calls = 0;
        heartbeat(): Promise<unknown> {
          this.#calls++;
          if (this.#calls === 1) throw new Error('not yet');
          return Promise.resolve(this.#calls);
        }
      }
      const gateway = new Counter() as unknown as Gateways['resource-manager'];
      const { address } = subject.receiver.serve('resource-manager', 'counter', gateway);
      const call = method(subject, 'resource-manager', address, 'heartbeat');
      await refused('MR-INTERNAL', call({ epoch: 1 }));
      assert.equal(await call({ epoch: 1 }), 2);
    },
  },
  {
    title: 'refuses messages of leaders that were replaced, as the receiver does',
    async run(subject) {
      const fence = new EpochFence('the receiver');
      const { call } = heartbeats(subject, async ({ epoch }) => {
        fence.check(epoch);
        return epoch;
      });
      assert.equal(await call({ epoch: 3 }), 3);
      await refused('MR-RPC-STALE-EPOCH', call({ epoch: 2 }));
      assert.equal(await call({ epoch: 3 }), 3);
      assert.equal(await call({ epoch: 4 }), 4);
      const other = heartbeats(subject, async ({ epoch }) => epoch, 'other');
      assert.equal(await other.call({ epoch: 1 }), 1, 'each gateway has seen its own');
    },
  },
  {
    title: 'reaches the gateway of that kind and name, as long as it is served',
    async run(subject) {
      const first = heartbeats(subject, async () => 'first', 'name/with/parts');
      const gateway = partly<'job-master'>({ taskEnded: async () => 'other' });
      const other = subject.receiver.serve('job-master', 'name/with/parts', gateway);
      assert.equal(other.address, first.served.address);
      assert.equal(await first.call({ epoch: 9 }), 'first');
      assert.equal(await method(subject, 'job-master', other.address, 'taskEnded')({ epoch: 1 }), 'other');

      const second = heartbeats(subject, async () => 'second', 'name/with/parts');
      first.served.withdraw();
      assert.equal(await first.call({ epoch: 1 }), 'second', 'withdrawing what was replaced has no effect');
      second.served.withdraw();
      second.served.withdraw();
      const error = await rejection(first.call({ epoch: 1 }));
      same([error.code, error.fields['outcome']], ['MR-RPC-UNREACHABLE', 'none']);
      assert.equal(await method(subject, 'job-master', other.address, 'taskEnded')({ epoch: 1 }), 'other');
    },
  },
  {
    title: 'finds what is served after somebody has connected',
    async run(subject) {
      const { served, call } = heartbeats(subject, async () => 'first', 'late');
      served.withdraw();
      await refused('MR-RPC-UNREACHABLE', call({ epoch: 1 }));
      heartbeats(subject, async () => 'again', 'late');
      assert.equal(await call({ epoch: 1 }), 'again');
    },
  },
];

const watching: readonly RpcTransportRequirement[] = [
  {
    title: 'tells every watcher once that the process is gone, and rejects calls from then on',
    async run(subject) {
      const { served, call } = heartbeats(subject, async () => 'here');
      const told = [0, 0, 0];
      const gone = [gate(), gate()];
      const [stop] = [2, 0, 1].map((watcher) =>
        subject.caller.watch(served.address, () => {
          told[watcher] = (told[watcher] ?? 0) + 1;
          gone[watcher]?.open();
        }),
      );
      assert.equal(await call({ epoch: 1 }), 'here');
      stop?.();
      stop?.();
      assert.deepEqual(told, [0, 0, 0]);
      await subject.endReceiver();
      await Promise.all(gone.map(({ opened }) => opened));
      assert.deepEqual(told, [1, 1, 0]);
      await refused('MR-RPC-UNREACHABLE', call({ epoch: 1 }));
      assert.deepEqual(told, [1, 1, 0]);
    },
  },
];

/** Each runs against a subject of its own. */
export const rpcTransportContract: readonly RpcTransportRequirement[] = [...delivery, ...failures, ...watching];
