/** Stands between the engine and a server of HTTP, and spoils every third request, the first among them, in one way. */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ProxyFault =
  | 'error-500'
  | 'slow-down'
  | 'cut-request'
  | 'cut-response'
  | 'lose-response'
  | 'stall'
  /** Of every answer with a body, and in every one. */
  | 'change-bytes';

export interface FaultyProxy {
  readonly url: string;
  /** So many requests were spoilt. */
  readonly faults: number;
  close(): Promise<void>;
}

const EVERY = 3;

export async function startFaultyProxy(target: string, fault: ProxyFault): Promise<FaultyProxy> {
  let count = 0;
  let faults = 0;
  const server = createServer((incoming, outgoing) => {
    const isSpoilt = fault === 'change-bytes' || count++ % EVERY === 0;
    if (isSpoilt) faults++;
    serve(target, { incoming, outgoing }, isSpoilt ? fault : null);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get faults() {
      return faults;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

function serve(target: string, { incoming, outgoing }: Exchange, fault: ProxyFault | null): void {
  const chunks: Buffer[] = [];
  const cut = (): void => void incoming.socket.destroy();
  outgoing.on('error', () => undefined);
  incoming.on('error', () => undefined);
  if (fault === 'cut-request') {
    // In the middle of the body where there is one.
    incoming.once('data', cut);
    incoming.once('end', cut);
    return;
  }
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    if (fault === 'stall') return;
    if (fault === 'error-500') answer(outgoing, 500, 'InternalError');
    else if (fault === 'slow-down') answer(outgoing, 503, 'SlowDown');
    else pass(target, { incoming, outgoing }, Buffer.concat(chunks), fault);
  });
}

function answer(outgoing: ServerResponse, status: number, code: string): void {
  outgoing.writeHead(status, { 'content-type': 'application/xml' });
  outgoing.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test wants it</Message></Error>`);
}

function pass(target: string, { incoming, outgoing }: Exchange, body: Buffer, fault: ProxyFault | null): void {
  const { method, url, headers } = incoming;
  // Signatures cover the host's name, which stays what the client has sent.
  const passed = request(new URL(url ?? '/', target), { method, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      if (fault === 'lose-response') {
        incoming.socket.destroy();
        return;
      }
      const bytes = Buffer.concat(chunks);
      outgoing.writeHead(response.statusCode ?? 500, response.headers);
      if (fault === 'cut-response') {
        outgoing.write(bytes.subarray(0, bytes.length >> 1), () => incoming.socket.destroy());
        return;
      }
      const middle = bytes.length >> 1;
      const isObject = response.headers['content-type'] === 'application/octet-stream';
      if (fault === 'change-bytes' && isObject && bytes.length > 0) bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      outgoing.end(bytes);
    });
  });
  passed.on('error', () => incoming.socket.destroy());
  passed.end(body);
}
