import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { nodePorts } from '../../core/node-ports.ts';
import { connectByClient } from './client-connection.ts';
import { failureOf, type ZooKeeperConnection, type ZooKeeperState } from './connection.ts';

const SESSION_MS = 4_000;
const UNKNOWN_CODE = -125;
const CLOSE_SESSION = -11;

/** Speaks as much of ZooKeeper's protocol as it takes to say something wrong. */
class WrongServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** What is sent in place of an answer to each call, or null to answer that there is no such node. */
  answer: ((transactionId: number) => Buffer) | null = null;
  /** Whether the connection ends after that. */
  endsAfterAnswer = false;
  connections = 0;

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    let isFirst = true;
    let pending: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
        const body = pending.subarray(4, 4 + pending.readInt32BE(0));
        pending = pending.subarray(4 + body.length);
        if (isFirst) socket.write(connected());
        else if (body.readInt32BE(4) === CLOSE_SESSION) socket.end();
        else if (body.readInt32BE(0) >= 0) this.#answer(socket, body.readInt32BE(0));
        isFirst = false;
      }
    });
  }

  #answer(socket: Socket, transactionId: number): void {
    socket.write((this.answer ?? ((id: number) => reply(id, -101)))(transactionId));
    if (this.endsAfterAnswer) socket.end();
  }
}

function packet(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** The answer to the first packet: session 1, as long as was asked for. */
function connected(): Buffer {
  const body = Buffer.alloc(36);
  body.writeInt32BE(SESSION_MS, 4);
  body.writeInt32BE(1, 12);
  body.writeInt32BE(16, 16);
  return packet(body);
}

function reply(transactionId: number, code: number): Buffer {
  const body = Buffer.alloc(16);
  body.writeInt32BE(transactionId, 0);
  body.writeInt32BE(code, 12);
  return packet(body);
}

let server: WrongServer;
let port = 0;
let connection: ZooKeeperConnection | null = null;
let states: ZooKeeperState[] = [];

beforeEach(async () => {
  server = new WrongServer();
  port = await server.start();
  states = [];
});

afterEach(async () => {
  await connection?.close();
  await server.stop();
});

function open(at = port): ZooKeeperConnection {
  const connect = connectByClient({
    address: { servers: [{ host: '127.0.0.1', port: at }], chroot: '/c' },
    sessionTimeoutMs: SESSION_MS,
    auth: null,
    acl: 'world',
    ports: nodePorts,
  });
  connection = connect((state) => states.push(state));
  return connection;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = nodePorts.clock.monotonicMs() + 20_000;
  while (!condition()) {
    if (nodePorts.clock.monotonicMs() > endMs) throw new Error(`waited in vain for ${what}: ${states.join()}`);
    await nodePorts.clock.sleep(5);
  }
}

function failed(call: Promise<unknown>): Promise<string | null> {
  return call.then(
    () => null,
    (error: unknown) => failureOf(error),
  );
}

describe('a session by the client', () => {
  it('refuses calls before there is a connection and after its end, and can be closed at any time', async () => {
    const early = open(1);
    expect(await failed(early.getData('/a'))).toBe('connection-loss');
    await early.close();
    expect(await failed(early.getData('/a'))).toBe('session-ended');
    await early.close();
    const late = open();
    await until('the connection', () => late.state === 'connected');
    expect(await late.getData('/a')).toBeNull();
    await late.close();
    expect(await failed(late.exists('/a'))).toBe('session-ended');
    expect(late.state).toBe('ended');
    expect(states).toEqual(['connected']);
  });

  it.each([
    ['an error of a code that is unknown', (id: number) => reply(id, UNKNOWN_CODE)],
    ['an answer to something else', (id: number) => reply(id + 7, 0)],
    ['an answer that ends early', (id: number) => reply(id, 0)],
    ['noise', () => packet(Buffer.from('no packet of ZooKeeper'))],
  ])('loses the connection over %s, and makes another', async (_, answer) => {
    const session = open();
    await until('the connection', () => session.state === 'connected');
    server.answer = answer;
    expect(await failed(session.getData('/a'))).toBe('connection-loss');
    server.answer = null;
    await until('another connection', () => session.state === 'connected');
    expect(await session.getData('/a')).toBeNull();
    expect(states.slice(0, 3)).toEqual(['connected', 'disconnected', 'connected']);
  });

  it('takes nothing of a connection that has broken for the beginning of the next', async () => {
    const session = open();
    await until('the connection', () => session.state === 'connected');
    server.answer = (id) => reply(id, 0).subarray(0, 11);
    server.endsAfterAnswer = true;
    expect(await failed(session.getData('/a'))).toBe('connection-loss');
    server.answer = null;
    server.endsAfterAnswer = false;
    await until('another connection', () => session.state === 'connected');
    expect(await session.exists('/a')).toBe(false);
  });

  it('makes another connection when told to, and calls without an answer end with the one before', async () => {
    const session = open();
    await until('the connection', () => session.state === 'connected');
    server.answer = () => Buffer.alloc(0);
    const calls = [failed(session.getData('/a')), failed(session.multi([{ kind: 'check', path: '/a', version: 0 }]))];
    session.reconnect();
    expect(await Promise.all(calls)).toEqual(['connection-loss', 'connection-loss']);
    await until('another connection', () => session.state === 'connected');
    expect(server.connections).toBeGreaterThanOrEqual(2);
  });
});
