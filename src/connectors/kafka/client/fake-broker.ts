/** A TCP server for tests of connections: answers as a script says. */
import { createServer, type Server, type Socket } from 'node:net';

export interface ReceivedRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
}

/** What to send for a request; null for nothing. */
export type Answer = (request: ReceivedRequest, socket: Socket) => Buffer | null;

export interface FakeBroker {
  readonly port: number;
  close(): Promise<void>;
}

export async function startFakeBroker(answer: Answer): Promise<FakeBroker> {
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
export function frame(correlationId: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 4, 0);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, body]);
}

/** The body of an answer to ApiVersions 0. */
export function versions(ranges: readonly (readonly [number, number, number])[], errorCode = 0): Buffer {
  const body = Buffer.alloc(6 + ranges.length * 6);
  body.writeInt16BE(errorCode, 0);
  body.writeInt32BE(ranges.length, 2);
  ranges.forEach(
    (range, index) => range.forEach((value, field) => body.writeInt16BE(value, 6 + index * 6 + field * 2)),
  );
  return body;
}
