import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { TcpProxy } from './tcp-proxy.ts';

let server: Server;
let proxy: TcpProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await TcpProxy.open((server.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  await new Promise((resolve) => server.close(resolve));
});

/** Both ends of a connection through it. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect(proxy.port, '127.0.0.1');
  sockets.push(client);
  const [far] = await accepted;
  return [client, far];
}

/** Resolves to what arrives next. */
const next = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0]);

describe('a proxy', () => {
  it('loses what goes one way, carries the other, and brings what was held back', async () => {
    const [client, far] = await pair();
    proxy.block('requests');
    const request = next(far);
    client.write('ask');
    const answers = [next(client)];
    far.write('tell');
    expect(await Promise.race([request, ...answers])).toBe('tell');
    proxy.restore();
    expect(await request).toBe('ask');
  });

  it('blocks connections that are made meanwhile', async () => {
    proxy.block('answers');
    const [client, far] = await pair();
    const answer = next(client);
    const request = next(far);
    far.write('tell');
    client.write('ask');
    expect(await Promise.race([answer, request])).toBe('ask');
    proxy.restore();
    expect(await answer).toBe('tell');
  });

  it('tells no end that the other has gone before it is restored', async () => {
    const [client, far] = await pair();
    const [other, otherFar] = await pair();
    proxy.block('requests');
    let isOver = false;
    const over = once(far, 'close').then(() => (isOver = true));
    client.destroy();
    // The second connection shows that whatever was to come has had its time: its answer goes around the same loop.
    const answer = next(other);
    otherFar.write('tell');
    await answer;
    expect(isOver).toBe(false);
    proxy.restore();
    await over;
  });
});
