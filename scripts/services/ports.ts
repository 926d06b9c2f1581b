import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

import { ServicesError } from './errors.ts';

/*
 * Ports are taken from below the system's ephemeral range: from inside it, an outgoing connection of anybody could sit
 * on a broker's port while that broker is being restarted.
 */
const FIRST_PORT = 20_000;
const DEFAULT_EPHEMERAL_START = 32_768;
const LOOPBACK = '127.0.0.1';

function ephemeralStart(): number {
  try {
    const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1');
    const first = Number(range.trim().split(/\s+/)[0]);
    return first > FIRST_PORT + 1000 ? Math.min(first, DEFAULT_EPHEMERAL_START) : DEFAULT_EPHEMERAL_START;
  } catch {
    return DEFAULT_EPHEMERAL_START;
  }
}

/** Whether a server could listen on the port now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** Finds free ports that are not in `taken` either. The caller holds a lock until its claim is written down. */
export async function findPorts(count: number, taken: ReadonlySet<number>): Promise<number[]> {
  const span = ephemeralStart() - FIRST_PORT;
  let port = FIRST_PORT + Math.floor(Math.random() * span);
  const found: number[] = [];
  for (let tried = 0; tried < span && found.length < count; tried++) {
    port = port + 1 >= FIRST_PORT + span ? FIRST_PORT : port + 1;
    if (!taken.has(port) && (await isPortFree(port))) found.push(port);
  }
  if (found.length < count) throw new ServicesError(`no ${String(count)} free ports from ${String(FIRST_PORT)} up`);
  return found;
}
