import { connect } from 'node:net';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { taskManagerId } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import type { GrpcTransport } from '../index.ts';
import { openGrpcTransport } from '../index.ts';
import { Connection } from './connection.ts';
import type { AnswerFrame, CallFrame } from './control-plane.ts';
import { decodePlainData, encodePlainData } from './plain-data.ts';

const TOKEN = 'secret';
const PATH = '/millrace.rpc.ControlPlane/Connect';

function openTransport(processId: string): Promise<GrpcTransport> {
  const listen = { host: '127.0.0.1', port: 0 };
  return openGrpcTransport({ listen, token: TOKEN, tls: null, ports: nodePorts, processId });
}

let receiver: GrpcTransport;
let received: unknown[];
beforeEach(async () => {
  receiver = await openTransport('receiver');
  received = [];
  receiver.serve('resource-manager', 'rm', {
    registerTaskManager: async () => ({ heartbeatIntervalMs: null }),
    heartbeat: async (message) => {
      received.push(message);
      return { isKnown: true };
    },
    unregisterTaskManager: async () => undefined,
  });
});
afterEach(() => receiver.close());

/** What arrives last is answered still. */
async function expectAlive(): Promise<void> {
  const caller = await openTransport('caller');
  const call = caller.connect('resource-manager', `${receiver.address}/rm`);
  await expect(call.heartbeat({ epoch: 1000, taskManagerId: taskManagerId('tm') })).resolves.toEqual({ isKnown: true });
  await caller.close();
}

/** Resolves once the other side has closed the connection. */
function sendRaw(parts: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve) => {
    const [host = '', port] = receiver.address.split(':');
    const socket = connect(Number(port), host);
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
    for (const part of parts) socket.write(part);
    socket.end();
  });
}

/** Opens a stream and sends messages that may be anything; resolves to how it ends. */
function sendMessages(metadata: Metadata, messages: readonly Uint8Array[]): Promise<number> {
  const client = new Client(receiver.address, credentials.createInsecure());
  const bytes = (message: Uint8Array): Buffer => Buffer.from(message);
  const stream = client.makeBidiStreamRequest<Uint8Array, Uint8Array>(PATH, bytes, (read) => read, metadata);
  return new Promise((resolve) => {
    stream.on('error', () => undefined);
    stream.on('data', () => undefined);
    stream.on('status', ({ code }) => {
      client.close();
      resolve(code);
    });
    for (const message of messages) stream.write(message);
    stream.end();
  });
}

function greeting(fields: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  const all = {
    'millrace-versions': '1-1',
    'millrace-process': 'stranger',
    'millrace-connection': '1',
    'millrace-address': receiver.address,
    authorization: `Bearer ${Buffer.from(TOKEN).toString('base64url')}`,
    ...fields,
  };
  for (const [key, value] of Object.entries(all)) metadata.set(key, value);
  return metadata;
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

describe('what arrives at the port', () => {
  it('ends nothing, whatever bytes it is', async () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 3 }), fc.boolean(), async (parts, isHttp2) => {
        await sendRaw(isHttp2 ? [PREFACE, ...parts] : parts);
      }),
      { numRuns: 30 },
    );
    await sendRaw([Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')]);
    await expectAlive();
  });

  it('ends nothing, whatever messages it holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 4 }), async (messages) => {
        expect(typeof (await sendMessages(greeting(), messages))).toBe('number');
      }),
      { numRuns: 30 },
    );
    expect(received).toEqual([]);
    await expectAlive();
  });

  it.each<readonly [string, Readonly<Record<string, string>>, number]>([
    ['no versions', { 'millrace-versions': 'all' }, 3],
    ['no process', { 'millrace-process': '' }, 3],
    ['no number', { 'millrace-connection': '-1' }, 3],
    ['a token in another form', { authorization: TOKEN }, 16],
    ['a version that is not there yet', { 'millrace-versions': '7-9' }, 9],
  ])('is refused with %s', async (_what, fields, code) => {
    expect(await sendMessages(greeting(fields), [])).toBe(code);
  });
});

/** A connection of a caller, by hand. */
class Caller {
  readonly #connection: Connection;
  readonly #answers = new Map<number, (answer: AnswerFrame) => void>();
  readonly opened: Promise<void>;
  readonly closed: Promise<string>;
  #lastId = 0;

  constructor(connection: number) {
    const opened = Promise.withResolvers<undefined>();
    const closed = Promise.withResolvers<string>();
    this.opened = opened.promise;
    this.closed = closed.promise;
    const versions = { oldest: 1, newest: 1 };
    this.#connection = new Connection(
      {
        greeting: { versions, processId: 'caller', connection, address: receiver.address, token: TOKEN },
        tls: null,
        clock: nodePorts.clock,
        timeoutMs: 60_000,
      },
      {
        opened: () => opened.resolve(undefined),
        answered: (answer) => this.#answers.get(answer.callId)?.(answer),
        closed: ({ reason }) => closed.resolve(reason),
      },
    );
  }

  async call(fields: Partial<CallFrame>): Promise<unknown> {
    await this.opened;
    this.#lastId++;
    const id = this.#lastId;
    const body = encodePlainData({ epoch: 1 });
    const frame = { id, gateway: 'resource-manager', name: 'rm', method: 'heartbeat', epoch: 1, body, ...fields };
    const answered = new Promise<AnswerFrame>((resolve) => this.#answers.set(id, resolve));
    this.#connection.send(frame);
    const { result, failure } = await answered;
    return failure === undefined ? decodePlainData(result as Uint8Array) : decodePlainData(failure);
  }

  close(): void {
    this.#connection.close('by hand');
  }
}

describe('a call', () => {
  it('that the receiver does not understand is answered, and the next one is carried out', async () => {
    const caller = new Caller(1);
    const body = encodePlainData({ epoch: 1 });
    for (const [fields, code] of [
      [{ method: 'explode' }, 'MR-RPC-NO-METHOD'],
      [{ method: 'constructor' }, 'MR-RPC-NO-METHOD'],
      [{ gateway: 'toString', method: 'call' }, 'MR-RPC-UNREACHABLE'],
      [{ name: 'nobody' }, 'MR-RPC-UNREACHABLE'],
      [{ body: new Uint8Array() }, 'MR-RPC-BAD-MESSAGE'],
      [{ body: body.subarray(0, body.length - 2) }, 'MR-RPC-BAD-MESSAGE'],
      [{ body: new TextEncoder().encode('{"epoch": 1}') }, 'MR-RPC-BAD-MESSAGE'],
    ] as const) {
      expect(await caller.call(fields)).toMatchObject({ code });
    }
    expect(received).toEqual([]);
    expect(await caller.call({})).toEqual({ isKnown: true });
    caller.close();
  });

  it('of an older epoch is refused before its body is read', async () => {
    const caller = new Caller(1);
    await caller.call({ epoch: 5 });
    expect(await caller.call({ epoch: 4, body: new Uint8Array(9) })).toMatchObject({
      code: 'MR-RPC-STALE-EPOCH',
      message: expect.stringContaining('refused a message of epoch 4: it has seen epoch 5') as unknown,
    });
    caller.close();
  });

  it('is never carried out after one of a newer connection', async () => {
    const first = new Caller(1);
    await first.call({ body: encodePlainData('first') });
    const second = new Caller(2);
    await second.call({ body: encodePlainData('second') });
    void first.call({ body: encodePlainData('late') });
    await expect(first.closed).resolves.toContain('newer connection');
    const again = new Caller(1);
    await expect(again.closed).resolves.toContain('newer connection');
    second.close();
    const stillOlder = new Caller(1);
    await expect(stillOlder.closed).resolves.toContain('newer connection');
    const third = new Caller(3);
    await third.call({ body: encodePlainData('third') });
    expect(received).toEqual(['first', 'second', 'third']);
    third.close();
  });
});
