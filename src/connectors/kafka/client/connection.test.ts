import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { nodePorts } from '../../../core/node-ports.ts';
import { BODY_START, Connection, type ConnectionConfig } from './connection.ts';
import { decodeFetch } from './fetch-protocol.ts';
import { decodeProduce } from './produce-protocol.ts';
import { requiredApis } from './required-apis.ts';

const API_VERSIONS = 18;
const all = requiredApis.map(({ apiKey, version }) => [apiKey, 0, version] as const);

/** Greets as a broker does, then answers as the test says. */
function greeting(answer: Answer): Answer {
  return (request, socket) =>
    request.apiKey === API_VERSIONS ? frame(request.correlationId, versions(all)) : answer(request, socket);
}

async function withBroker(
  answer: Answer,
  work: (config: ConnectionConfig) => Promise<void>,
  more: Partial<ConnectionConfig> = {},
): Promise<void> {
  const broker = await startFakeBroker(answer);
  try {
    await work({
      host: '127.0.0.1',
      port: broker.port,
      clientId: 'test',
      tls: null,
      sasl: null,
      connectTimeoutMs: 500,
      requestTimeoutMs: 300,
      ...more,
    });
  } finally {
    await broker.close();
  }
}

const request = { apiKey: 3, apiVersion: 5, body: [Buffer.from('question')] };

interface ReceivedRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
}

/** What to send for a request; null for nothing. */
type Answer = (request: ReceivedRequest, socket: Socket) => Buffer | null;

interface FakeBroker {
  readonly port: number;
  close(): Promise<void>;
}

async function startFakeBroker(answer: Answer): Promise<FakeBroker> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
        const size = pending.readInt32BE(0);
        const request = {
          apiKey: pending.readInt16BE(4),
          apiVersion: pending.readInt16BE(6),
          correlationId: pending.readInt32BE(8),
        };
        pending = pending.subarray(4 + size);
        const bytes = answer(request, socket);
        if (bytes !== null) socket.write(bytes);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** A framed answer. */
function frame(correlationId: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 4, 0);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, body]);
}

/** The body of an answer to ApiVersions 0. */
function versions(ranges: readonly (readonly [number, number, number])[], errorCode = 0): Buffer {
  const body = Buffer.alloc(6 + ranges.length * 6);
  body.writeInt16BE(errorCode, 0);
  body.writeInt32BE(ranges.length, 2);
  ranges.forEach(
    (range, index) => range.forEach((value, field) => body.writeInt16BE(value, 6 + index * 6 + field * 2)),
  );
  return body;
}

describe('a connection', () => {
  it('puts answers of any size, cut anywhere, where the request wants them', async () => {
    const bodies = [0, 1, 3, 100, 70_000, 3_000_000, 5].map((size) => randomBytes(size));
    let next = 0;
    const answer: Answer = ({ correlationId }, socket) => {
      const bytes = frame(correlationId, bodies[next++] ?? Buffer.alloc(0));
      for (let at = 0; at < bytes.length; ) {
        const step = bytes.length > 1000 ? 50_001 : 3;
        socket.write(bytes.subarray(at, at + step));
        at += step;
      }
      return null;
    };
    await withBroker(greeting(answer), async (config) => {
      const connection = await Connection.open({ ...config, requestTimeoutMs: 10_000 }, nodePorts);
      const answers = await Promise.all(
        bodies.map((body) =>
          connection.send({
            ...request,
            allocate: (sizeBytes) => {
              expect(sizeBytes).toBe(body.length + BODY_START);
              return Buffer.alloc(sizeBytes + 10);
            },
          }),
        ),
      );
      answers.forEach(({ data, sizeBytes }, index) => {
        expect(Buffer.from(data.subarray(BODY_START, sizeBytes)).equals(bodies[index] as Buffer)).toBe(true);
      });
      connection.close();
      await expect(connection.send(request)).rejects.toMatchObject({ code: 'MR-KAFKA-CLOSED' });
    });
  });

  it('refuses a broker that is too old, naming what it lacks', async () => {
    const old = all.map(([key, low, high]) => [key, low, key === 1 ? 10 : high] as const);
    await withBroker(
      ({ correlationId }) => frame(correlationId, versions(old)),
      async (config) => {
        await expect(Connection.open(config, nodePorts)).rejects.toMatchObject({
          code: 'MR-KAFKA-VERSION',
          message: expect.stringContaining('does not support Fetch version 11 (it has 0 to 10)'),
        });
      },
    );
  });

  it.each([
    ['says nothing', () => null, 'MR-KAFKA-UNREACHABLE', 'no answer within 300 ms'],
    [
      'speaks HTTP',
      () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'MR-KAFKA-PROTOCOL',
      'an answer of 1213486160 bytes',
    ],
    ['speaks TLS', () => Buffer.from([0x15, 3, 3, 0, 2, 2, 80]), 'MR-KAFKA-PROTOCOL', 'does it want TLS'],
    ['announces less than nothing', () => Buffer.from([255, 255, 255, 255]), 'MR-KAFKA-PROTOCOL', 'an answer of'],
    [
      'answers another request',
      () => frame(77, versions(all)),
      'MR-KAFKA-PROTOCOL',
      'answer to request 77 instead of 0',
    ],
    ['cuts its answer short', () => frame(0, Buffer.alloc(3)), 'MR-KAFKA-PROTOCOL', 'answer to ApiVersions'],
  ])('gives up a broker that %s', async (_what, bytes, code, message) => {
    await withBroker(bytes, async (config) => {
      const opened = Connection.open(config, nodePorts);
      await expect(opened).rejects.toMatchObject({ code });
      await expect(opened).rejects.toThrow(message);
    });
  });

  it('asks whether the listener wants TLS or a login where it closes without a word', async () => {
    const close: Answer = (_request, socket) => {
      socket.end();
      return null;
    };
    await withBroker(close, async (config) => {
      await expect(Connection.open(config, nodePorts)).rejects.toThrow('does its listener want `tls`?');
    });
    await withBroker(greeting(close), async (config) => {
      const connection = await Connection.open(config, nodePorts);
      await expect(connection.send(request)).rejects.toThrow('does its listener want `sasl`?');
      expect(connection.isOpen).toBe(false);
    });
  });

  it('fails all requests when one is not answered in time', async () => {
    await withBroker(greeting(() => null), async (config) => {
      const connection = await Connection.open(config, nodePorts);
      const sent = [connection.send(request), connection.send(request)];
      for (const each of sent) await expect(each).rejects.toThrow('no answer within 300 ms');
    });
  });

  it('gives a request longer when the broker itself is to wait', async () => {
    const late: Answer = ({ correlationId }, socket) => {
      setTimeout(() => socket.write(frame(correlationId, Buffer.from('late'))), 500);
      return null;
    };
    await withBroker(greeting(late), async (config) => {
      const connection = await Connection.open(config, nodePorts);
      const { sizeBytes } = await connection.send({ ...request, waitMs: 5000 });
      expect(sizeBytes).toBe(8);
      connection.close();
    });
  });
});

describe('answers to Fetch and Produce', () => {
  it('that are not such are RangeErrors, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        const response = { data: noise, sizeBytes: noise.length };
        for (const decode of [decodeFetch, decodeProduce]) {
          try {
            decode(response);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
