import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from '@jest/globals';
import { taskManagerId } from '../../core/index.ts';
import type { Clock, Network, Socket as PortSocket } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { gate, ManualClock, systemError } from '../../testing/index.ts';
import type { GrpcTransport } from '../index.ts';
import { openGrpcTransport } from '../index.ts';
import { ProcessWatch } from './process-watch.ts';

type TcpOutcome = 'ECONNREFUSED' | 'ETIMEDOUT' | 'accepted';

const acceptedSocket: PortSocket = { read: async () => null, write: async () => undefined, close: () => undefined };

/** Lets everything happen that waits for nothing but promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** A watch of a peer that does what a test says. */
class Scene {
  readonly clock = new ManualClock();
  readonly gone: string[] = [];
  /** When TCP was tried. */
  readonly triedAtMs: number[] = [];
  connects = 0;
  tcp: TcpOutcome = 'ECONNREFUSED';
  readonly peer = { address: '127.0.0.1:1', isConnected: false, connect: () => this.#connect() };
  readonly watch: ProcessWatch;

  constructor() {
    const network: Network = {
      connect: async () => {
        this.triedAtMs.push(this.clock.nowMs());
        if (this.tcp !== 'accepted') throw systemError(this.tcp, 'connect');
        return acceptedSocket;
      },
    };
    this.watch = new ProcessWatch(this.peer, { clock: this.clock, network });
  }

  add(): () => void {
    return this.watch.add((reason) => this.gone.push(reason));
  }

  #connect(): void {
    this.connects++;
  }

  opened(processId: string): void {
    this.peer.isConnected = true;
    this.watch.opened(processId);
  }

  closed(): void {
    this.peer.isConnected = false;
    this.watch.closed();
  }

  async advance(durationMs: number): Promise<void> {
    const untilMs = this.clock.nowMs() + durationMs;
    await settle();
    while (this.clock.runNext(untilMs)) await settle();
    this.clock.advanceTo(untilMs);
  }
}

describe('a watched process', () => {
  it('is gone where its connection closes and three new ones in a row are refused', async () => {
    const scene = new Scene();
    scene.opened('p1');
    scene.add();
    scene.add();
    expect(scene.triedAtMs).toEqual([]);
    scene.closed();
    await scene.advance(99);
    expect(scene.gone).toEqual([]);
    await scene.advance(1);
    expect(scene.gone).toEqual(Array(2).fill('the connection to 127.0.0.1:1 has closed, and new ones are refused'));
    expect(scene.triedAtMs).toEqual([0, 50, 100]);
    await scene.advance(10_000);
    expect(scene.triedAtMs.length).toBe(3);
  });

  it('is gone where it has never been there', async () => {
    const scene = new Scene();
    scene.add();
    await scene.advance(300);
    expect(scene.gone.length).toBe(1);
  });

  it('is gone where another process answers, but for those who knew no other', async () => {
    const scene = new Scene();
    scene.opened('p1');
    scene.add();
    scene.tcp = 'accepted';
    scene.closed();
    await scene.advance(0);
    scene.add();
    expect(scene.connects).toBe(1);
    scene.opened('p2');
    expect(scene.gone).toEqual(['another process answers at 127.0.0.1:1']);
    scene.closed();
    await scene.advance(0);
    scene.opened('p2');
    await scene.advance(10_000);
    expect(scene.gone.length).toBe(1);
  });

  it('is not gone where it is silent, for however long', async () => {
    const scene = new Scene();
    scene.opened('p1');
    scene.add();
    scene.tcp = 'ETIMEDOUT';
    scene.closed();
    await scene.advance(60_000);
    expect(scene.triedAtMs.length).toBe(61);
    scene.tcp = 'ECONNREFUSED';
    await scene.advance(1060);
    scene.tcp = 'ETIMEDOUT';
    await scene.advance(5000);
    scene.tcp = 'accepted';
    await scene.advance(1000);
    scene.opened('p1');
    await scene.advance(60_000);
    expect(scene.gone).toEqual([]);
  });

  it('is tried again where it accepts and then does not greet', async () => {
    const scene = new Scene();
    scene.opened('p1');
    scene.add();
    scene.tcp = 'accepted';
    scene.closed();
    await scene.advance(5000);
    expect([scene.connects, scene.triedAtMs.length]).toEqual([1, 1]);
    scene.closed();
    await scene.advance(100);
    expect([scene.connects, scene.triedAtMs.length]).toEqual([2, 2]);
    scene.tcp = 'ECONNREFUSED';
    scene.closed();
    await scene.advance(300);
    expect(scene.gone.length).toBe(1);
  });

  it('is nobody\u2019s concern once all have stopped watching', async () => {
    const scene = new Scene();
    scene.opened('p1');
    const stop = scene.add();
    scene.closed();
    await scene.advance(20);
    stop();
    await scene.advance(10_000);
    expect(scene.triedAtMs.length).toBe(2);
    scene.closed();
    await scene.advance(10_000);
    expect([scene.triedAtMs.length, scene.gone.length]).toEqual([2, 0]);
    scene.add();
    await scene.advance(200);
    expect(scene.gone.length).toBe(1);
  });
});

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

/** Serves a gateway whose `heartbeat` is never answered for epoch 2, and says where. */
const SERVING = `
  import { nodePorts } from '${new URL('../../core/node-ports.ts', import.meta.url).href}';
  import { openGrpcTransport } from '${new URL('../index.ts', import.meta.url).href}';
  const listen = { host: '127.0.0.1', port: 0 };
  const processId = 'process-' + process.pid;
  const transport = await openGrpcTransport({ listen, token: null, tls: null, ports: nodePorts, processId });
  const { address } = transport.serve('resource-manager', 'resource-manager', {
    heartbeat: ({ epoch }) => (epoch === 2 ? new Promise(() => {}) : Promise.resolve({ isKnown: true })),
  });
  process.stdout.write(address + '\\n');
`;

async function startProcess(): Promise<{ readonly child: ChildProcess; readonly address: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SERVING], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  ends.push(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const [address] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, address };
}

async function openProcess(processId: string, callTimeoutMs = 60_000, clock?: Clock): Promise<GrpcTransport> {
  const transport = await openGrpcTransport({
    listen: { host: '127.0.0.1', port: 0 },
    token: null,
    tls: null,
    ports: { network: nodePorts.network, clock: clock ?? nodePorts.clock },
    callTimeoutMs,
    processId,
  });
  ends.push(() => transport.close());
  return transport;
}

const beat = (epoch: number) => ({ epoch, taskManagerId: taskManagerId('tm') });

/** Passes connections on to another address, until they are cut. */
async function openProxy(target: string) {
  let [host = '', port] = target.split(/[:/]/);
  const open = new Set<Socket>();
  const server = createServer((inner) => {
    const outer = connect(Number(port), host);
    for (const socket of [inner, outer]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
    inner.pipe(outer).pipe(inner);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  ends.push(async () => {
    server.close();
    cut();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}/rm`,
    cut,
    passOnTo(other: string): void {
      [host = '', port] = other.split(/[:/]/);
    },
  };
}

/** Serves a `heartbeat` that is answered where the epoch is odd. */
async function serve(processId: string): Promise<string> {
  const transport = await openProcess(processId);
  return transport.serve('resource-manager', 'rm', {
    registerTaskManager: async () => ({ heartbeatIntervalMs: null }),
    heartbeat: ({ epoch }) => (epoch % 2 === 1 ? Promise.resolve({ isKnown: true }) : new Promise(() => undefined)),
    unregisterTaskManager: async () => undefined,
  }).address;
}

describe('a connection that is cut', () => {
  it('fails the calls on it at once; the next is made anew; the process is gone only where it is another', async () => {
    const proxy = await openProxy(await serve('first'));
    const caller = await openProcess('caller');
    const stub = caller.connect('resource-manager', proxy.address);
    const told: string[] = [];
    const gone = gate();
    caller.watch(proxy.address, (reason) => {
      told.push(reason);
      gone.open();
    });
    for (let round = 1; round <= 3; round++) {
      await expect(stub.heartbeat(beat(2 * round - 1))).resolves.toEqual({ isKnown: true });
      const waiting = expect(stub.heartbeat(beat(2 * round))).rejects.toMatchObject({ fields: { outcome: 'unknown' } });
      await stub.unregisterTaskManager(beat(2 * round));
      proxy.cut();
      await waiting;
    }
    await expect(stub.heartbeat(beat(7))).resolves.toEqual({ isKnown: true });
    expect(told).toEqual([]);
    proxy.passOnTo(await serve('second'));
    proxy.cut();
    await gone.opened;
    expect(told).toEqual([expect.stringContaining('another process answers')]);
    await expect(stub.heartbeat(beat(1))).resolves.toEqual({ isKnown: true });
  });
});

describe('a process that was forgotten', () => {
  it('is reached again, and is not taken for the caller\u2019s past', async () => {
    const clock = new ManualClock();
    const proxy = await openProxy(await serve('first'));
    const other = await serve('second');
    const caller = await openProcess('caller', 60_000, clock);
    const stub = caller.connect('resource-manager', proxy.address);
    // The second of the connections to it is the last that it knows.
    for (const epoch of [2, 4]) {
      const cut = expect(stub.heartbeat(beat(epoch))).rejects.toMatchObject({ code: 'MR-RPC-UNREACHABLE' });
      await stub.unregisterTaskManager(beat(epoch));
      proxy.cut();
      await cut;
    }
    // Whatever is unused is forgotten when somebody new is called.
    clock.advanceTo(10_000);
    await caller.connect('resource-manager', other).heartbeat(beat(1));
    await expect(stub.heartbeat(beat(5))).resolves.toEqual({ isKnown: true });
  });
});

describe('another process', () => {
  it('is known to be gone when it is killed; its callers are told at once', async () => {
    const { child, address } = await startProcess();
    const caller = await openProcess('caller');
    const stub = caller.connect('resource-manager', address);
    const gone = gate();
    caller.watch(address, gone.open);
    await stub.heartbeat(beat(1));
    const waiting = stub.heartbeat(beat(2));
    await stub.heartbeat(beat(3));
    child.kill('SIGKILL');
    await expect(waiting).rejects.toMatchObject({ code: 'MR-RPC-UNREACHABLE', fields: { outcome: 'unknown' } });
    await gone.opened;
    await expect(stub.heartbeat(beat(3))).rejects.toMatchObject({ fields: { outcome: 'none' } });
  });

  it('is not taken for gone while it is stopped; it costs its callers a deadline and others nothing', async () => {
    const [stopped, other] = await Promise.all([startProcess(), startProcess()]);
    const caller = await openProcess('caller', 400);
    const told: string[] = [];
    caller.watch(stopped.address, (reason) => told.push(reason));
    const stub = caller.connect('resource-manager', stopped.address);
    const patient = await openProcess('patient');
    await patient.connect('resource-manager', stopped.address).heartbeat(beat(1));
    stopped.child.kill('SIGSTOP');
    const late = patient.connect('resource-manager', stopped.address).heartbeat(beat(1));
    await expect(stub.heartbeat(beat(1))).rejects.toMatchObject({ code: 'MR-RPC-UNREACHABLE' });
    await patient.connect('resource-manager', other.address).heartbeat(beat(1));
    await expect(stub.heartbeat(beat(1))).rejects.toMatchObject({ code: 'MR-RPC-UNREACHABLE' });
    stopped.child.kill('SIGCONT');
    await expect(late).resolves.toEqual({ isKnown: true });
    expect(told).toEqual([]);
  });
});
