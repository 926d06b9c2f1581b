import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { types } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { openReader, readRows, readStep, sourceSpec } from '../source-harness.ts';
import { testContext } from '../test-context.ts';
import { socketSource } from './socket-source.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function serve(talk: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    talk(socket);
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

const real = () => testContext({ network: nodePorts.network });
const step = (port: number, format = 'raw', more: object = {}) => ({
  with: { host: '127.0.0.1', port, format, ...more },
  schema: [{ name: 'line', type: types.string }],
});

describe('socket source', () => {
  it('reads lines until the other side closes', async () => {
    const port = await serve((socket) => {
      socket.write('one\ntw');
      setImmediate(() => socket.end('o\r\n\nlast'));
    });
    expect(await readStep(socketSource, step(port), real())).toEqual([['one'], ['two'], [''], ['last']]);
  });

  it('ends where nothing was sent', async () => {
    const port = await serve((socket) => socket.end());
    expect(await readStep(socketSource, step(port), real())).toEqual([]);
  });

  it('gives a line as soon as it is there', async () => {
    let peer: Socket | undefined;
    const port = await serve((socket) => {
      peer = socket;
      socket.write('{"line":"first"}\n');
    });
    const reader = await openReader(socketSource, sourceSpec(socketSource, step(port, 'json')), real());
    expect(await readRows(reader, 1)).toEqual([['first']]);
    peer?.end('{"line":"second"}');
    expect(await readRows(reader)).toEqual([['second']]);
    expect(reader.isFinished).toBe(true);
    await reader.close();
  });

  it('takes megabytes without holding them all', async () => {
    const line = `${'x'.repeat(999)}\n`;
    const port = await serve((socket) => socket.end(line.repeat(20_000)));
    expect(await readStep(socketSource, step(port), real())).toHaveLength(20_000);
  });

  it('says that nobody listens', async () => {
    const port = await serve(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    await expect(readStep(socketSource, step(port), real())).rejects.toMatchObject({
      code: 'MR-SOCKET-CONNECT',
      message: expect.stringMatching(/^cannot connect to 127\.0\.0\.1:\d+: .*ECONNREFUSED/),
    });
  });

  it('says that the connection broke', async () => {
    const port = await serve((socket) => {
      socket.write('one\n', () => setImmediate(() => socket.resetAndDestroy()));
    });
    const reader = await openReader(socketSource, sourceSpec(socketSource, step(port)), real());
    await expect(readRows(reader)).rejects.toMatchObject({ code: 'MR-SOCKET-BROKEN' });
    await reader.close();
  });

  it('can be closed while it waits', async () => {
    const port = await serve(() => undefined);
    const reader = await openReader(socketSource, sourceSpec(socketSource, step(port)), real());
    const waiting = reader.available();
    await reader.close();
    await waiting;
    expect(reader.poll()).toBeNull();
  });

  it('refuses lines that do not end', async () => {
    const port = await serve((socket) => socket.end('x'.repeat(5000)));
    await expect(readStep(socketSource, step(port, 'raw', { maxRecord: '1KiB' }), real())).rejects.toMatchObject({
      code: 'MR-LINES-TOO-LONG',
    });
  });
});
