import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { taskManagerId } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { gate, ManualClock, rpcTransportContract, strangersCertificate, testCertificate } from '../../testing/index.ts';
import type { GrpcTransport, GrpcTransportOptions, ResourceManagerGateway } from '../index.ts';
import { openGrpcTransport } from '../index.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

let processes = 0;

async function open(options: Partial<GrpcTransportOptions> = {}): Promise<GrpcTransport> {
  processes++;
  const transport = await openGrpcTransport({
    listen: { host: '127.0.0.1', port: 0 },
    token: null,
    tls: null,
    ports: nodePorts,
    processId: `process-${processes}`,
    ...options,
  });
  ends.push(() => transport.close());
  return transport;
}

const beat = (epoch: number) => ({ epoch, taskManagerId: taskManagerId('tm') });

const echo: ResourceManagerGateway = {
  registerTaskManager: async () => ({ heartbeatIntervalMs: null }),
  heartbeat: async () => ({ isKnown: true }),
  unregisterTaskManager: async () => undefined,
};

function serveEcho(transport: GrpcTransport, gateway: Partial<ResourceManagerGateway> = {}): string {
  return transport.serve('resource-manager', 'rm', { ...echo, ...gateway }).address;
}

/** Something at the other end of a TCP connection, which is not one of us. */
async function listenTcp(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  return `127.0.0.1:${(server.address() as AddressInfo).port}/rm`;
}

const portIn = (address: string): number => Number(new URL(`tcp://${address}`).port);

describe('the gRPC transport', () => {
  it.each(rpcTransportContract)('$title', async ({ run }) => {
    const receiver = await open();
    await run({ receiver, caller: await open({ callTimeoutMs: 60_000 }), endReceiver: () => receiver.close() });
  });
});

describe('the gRPC transport, called from its own process', () => {
  it.each(rpcTransportContract.filter(({ title }) => !title.startsWith('tells every watcher')))(
    '$title',
    async ({ run }) => {
      const transport = await open();
      await run({ receiver: transport, caller: transport, endReceiver: () => transport.close() });
    },
  );
});

describe('who may call', () => {
  it.each([
    ['another token', { token: 'geheim' }, { token: 'secret' }, 'MR-RPC-UNAUTHORIZED', /it has another token/],
    ['no token', { token: 'geheim' }, { token: null }, 'MR-RPC-UNAUTHORIZED', /it wants a token/],
    [
      'a version of long ago',
      { versions: { oldest: 3, newest: 4 } },
      { versions: { oldest: 1, newest: 2 } },
      'MR-RPC-VERSION',
      /it speaks versions 3 to 4/,
    ],
    ['plain text where TLS is spoken', { tls: testCertificate }, {}, 'MR-RPC-UNREACHABLE', /./],
    ['TLS where plain text is spoken', {}, { tls: testCertificate }, 'MR-RPC-UNREACHABLE', /./],
    [
      'a certificate of another authority',
      { tls: testCertificate },
      { tls: { ...strangersCertificate, ca: testCertificate.ca } },
      'MR-RPC-UNREACHABLE',
      /./,
    ],
    [
      'a receiver whose certificate is of another authority',
      { tls: { ...strangersCertificate, ca: testCertificate.ca } },
      { tls: testCertificate },
      'MR-RPC-UNREACHABLE',
      /self[- ]signed|unable to (get|verify)/,
    ],
  ])('is not somebody with %s', async (_what, receiving, calling, code, reason) => {
    const calls: unknown[] = [];
    const receiver = await open(receiving);
    const address = serveEcho(receiver, {
      heartbeat: async (message) => {
        calls.push(message);
        return { isKnown: true };
      },
    });
    const caller = await open({ callTimeoutMs: 60_000, ...calling });
    const call = caller.connect('resource-manager', address).heartbeat(beat(1));
    await expect(call).rejects.toMatchObject({ code, message: expect.stringMatching(reason) as unknown });
    expect(calls).toEqual([]);
  });

  it.each([
    ['the same token', { token: 'gehe ïm' }, { token: 'gehe ïm' }],
    ['a token that nobody asks for', {}, { token: 'secret' }],
    ['the version before', { versions: { oldest: 2, newest: 3 } }, { versions: { oldest: 1, newest: 2 } }],
    ['the version after', { versions: { oldest: 1, newest: 2 } }, { versions: { oldest: 2, newest: 3 } }],
    ['a certificate of the authority', { tls: testCertificate }, { tls: testCertificate }],
  ])('is somebody with %s', async (_what, receiving, calling) => {
    const address = serveEcho(await open(receiving));
    const caller = await open(calling);
    await expect(caller.connect('resource-manager', address).heartbeat(beat(1))).resolves.toEqual({ isKnown: true });
  });

  it('is called by the name that the certificate bears', async () => {
    const listen = { host: '127.0.0.1', port: 0 };
    const receiver = await open({ listen, advertisedHost: 'localhost', tls: testCertificate });
    expect(receiver.address).toMatch(/^localhost:\d+$/);
    const address = serveEcho(receiver);
    const caller = await open({ tls: testCertificate });
    await expect(caller.connect('resource-manager', address).heartbeat(beat(1))).resolves.toEqual({ isKnown: true });
  });

  it('is called by the port that leads to it', async () => {
    const sockets = new Set<Socket>();
    let forward: (socket: Socket) => void = () => undefined;
    const leading = await listenTcp(createServer((socket) => forward(socket)));
    const free = createServer();
    const [advertised, own] = [portIn(leading), portIn(await listenTcp(free))];
    await new Promise((resolve) => free.close(resolve));
    const receiver = await open({ listen: { host: '127.0.0.1', port: own }, advertisedPort: advertised });
    forward = (socket) => {
      const onwards = connect(own, '127.0.0.1');
      for (const each of [socket, onwards]) sockets.add(each.on('error', () => undefined));
      socket.pipe(onwards).pipe(socket);
    };
    ends.push(async () => sockets.forEach((socket) => socket.destroy()));
    expect(receiver.address).toBe(`127.0.0.1:${advertised}`);
    const caller = await open();
    const call = caller.connect('resource-manager', serveEcho(receiver)).heartbeat(beat(1));
    await expect(call).resolves.toEqual({ isKnown: true });
    expect(sockets.size).toBeGreaterThan(0);
  });
});

describe('a call that cannot be answered', () => {
  it('fails at its deadline where the other side accepts and says nothing', async () => {
    const address = await listenTcp(createServer((socket) => ends.push(async () => socket.destroy())));
    const caller = await open({ callTimeoutMs: 150 });
    const stub = caller.connect('resource-manager', address);
    const calls = [stub.heartbeat(beat(1)), stub.heartbeat(beat(1))];
    for (const call of calls) {
      await expect(call).rejects.toMatchObject({
        code: 'MR-RPC-UNREACHABLE',
        fields: { outcome: 'none', kind: 'resource-manager', address },
      });
    }
  });

  it('fails at its deadline where the gateway does not answer, and leaves others alone', async () => {
    const arrived = gate();
    const released = gate();
    const address = serveEcho(await open(), {
      heartbeat: async () => {
        arrived.open();
        await released.opened;
        return { isKnown: true };
      },
    });
    const clock = new ManualClock();
    const caller = await open({ ports: { clock, network: nodePorts.network }, callTimeoutMs: 10_000 });
    const stub = caller.connect('resource-manager', address);
    const call = stub.heartbeat(beat(1));
    await arrived.opened;
    clock.advanceTo(9999);
    const other = stub.unregisterTaskManager(beat(1));
    clock.advanceTo(10_000);
    await expect(call).rejects.toMatchObject({
      code: 'MR-RPC-UNREACHABLE',
      fields: { outcome: 'unknown', reason: 'no answer within 10000 ms' },
    });
    // The late answer is nobody's; the connection goes on.
    released.open();
    await expect(other).resolves.toBeUndefined();
  });

  it.each([
    ['something that speaks no gRPC', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['something that ends the connection', ''],
  ])('fails where %s answers', async (_what, text) => {
    const address = await listenTcp(createServer((socket) => socket.on('error', () => undefined).resume().end(text)));
    const call = (await open()).connect('resource-manager', address).heartbeat(beat(1));
    await expect(call).rejects.toMatchObject({ code: 'MR-RPC-UNREACHABLE', fields: { outcome: 'none' } });
  });

  it.each(['nowhere', 'host:port/rm', ':1/rm', '127.0.0.1:0/rm', 'a b:1/rm', ''])('fails for %j', async (address) => {
    const caller = await open();
    const call = caller.connect('resource-manager', address).heartbeat(beat(1));
    await expect(call).rejects.toMatchObject({ code: 'MR-RPC-UNREACHABLE' });
    caller.watch(address, () => undefined)();
  });

  it('fails at once when either side is closed, and afterwards', async () => {
    const receiver = await open();
    const address = serveEcho(receiver, { heartbeat: () => new Promise(() => undefined) });
    const [first, second] = [await open(), await open()];
    const waiting = [first, second].map((caller) => caller.connect('resource-manager', address).heartbeat(beat(1)));
    // Answered after the call above has arrived.
    await first.connect('resource-manager', address).unregisterTaskManager(beat(1));
    await second.connect('resource-manager', address).unregisterTaskManager(beat(1));
    const rejected = Promise.all(
      waiting.map((call) =>
        expect(call).rejects.toMatchObject({ code: 'MR-RPC-UNREACHABLE', fields: { outcome: 'unknown' } }),
      ),
    );
    await first.close();
    await receiver.close();
    await rejected;
    await first.close();
    for (const transport of [first, second, receiver]) {
      const call = transport.connect('resource-manager', address).heartbeat(beat(1));
      await expect(call).rejects.toMatchObject({ code: 'MR-RPC-UNREACHABLE', fields: { outcome: 'none' } });
    }
  });
});

describe('limits', () => {
  it('refuses a message and an answer of more than 64 MiB', async () => {
    const huge = 'x'.repeat(64 * 1024 * 1024);
    const address = serveEcho(await open(), { heartbeat: async () => ({ isKnown: true, huge }) });
    const stub = (await open({ callTimeoutMs: 60_000 })).connect('resource-manager', address);
    const error = { code: 'MR-RPC-TOO-LARGE', fields: { limitBytes: 64 * 1024 * 1024, method: 'heartbeat' } };
    await expect(stub.heartbeat({ ...beat(1), huge } as never)).rejects.toMatchObject(error);
    await expect(stub.heartbeat(beat(1))).rejects.toMatchObject(error);
    const largest = 'x'.repeat(64 * 1024 * 1024 - 1000);
    await expect(stub.unregisterTaskManager({ ...beat(1), largest } as never)).resolves.toBeUndefined();
  });

  it('refuses to listen where somebody else does, or nobody can', async () => {
    const { address } = await open();
    const port = Number(address.split(':')[1]);
    await expect(open({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({ code: 'MR-RPC-LISTEN' });
    await expect(open({ listen: { host: '192.0.2.1', port: 0 } })).rejects.toMatchObject({ code: 'MR-RPC-LISTEN' });
  });
});
