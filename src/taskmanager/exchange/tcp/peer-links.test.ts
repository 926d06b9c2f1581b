import { afterEach, describe, expect, it } from '@jest/globals';
import { createConnection } from 'node:net';
import type { Socket as NetSocket } from 'node:net';
import { nodePorts } from '../../../core/node-ports.ts';
import { slotId } from '../../../core/index.ts';
import type { Network, SlotId } from '../../../core/index.ts';
import { seededRandom, strangersCertificate, testCertificate } from '../../../testing/index.ts';
import type { ControlElement } from '../channel.ts';
import type { LinkEvents, LinkPort } from '../link-port.ts';
import { freePort, peerOptions, tcpPair } from '../fixtures/tcp-pair.ts';
import { encodeHello } from './hello.ts';
import { PeerLinks } from './peer-links.ts';
import type { PeerLinksOptions } from './peer-links.ts';
import { HEADER_BYTES, messageKinds } from './wire.ts';

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** One end of a link that notes what arrives. */
class Noting implements LinkEvents {
  readonly arrived: string[] = [];

  hasReceiver(channel: number): boolean {
    return channel < 10;
  }

  frame(channel: number, frame: ArrayBuffer): void {
    this.arrived.push(`frame ${channel} ${frame.byteLength > 0}`);
  }

  control(channel: number, element: ControlElement): void {
    this.arrived.push(`${element.kind} ${channel}`);
  }

  credit(channel: number): void {
    this.arrived.push(`credit ${channel}`);
  }

  lost(error: Error): void {
    this.arrived.push(`lost: ${'code' in error ? String(error.code) : ''}: ${error.message}`);
  }
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`waited 30 s until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const marker: ControlElement = { kind: 'watermark', timestampMs: 5, idle: false };

function opened(port: LinkPort): Noting {
  const events = new Noting();
  port.open(events);
  ends.push(() => port.close());
  return events;
}

/** Opens one of the two slots; resolves to its port, rejects with why it has none. */
function openEnd(options: Omit<PeerLinksOptions<SlotId>, 'connected' | 'failed'>): Promise<LinkPort> {
  return new Promise((resolve, reject) => {
    const links = new PeerLinks<SlotId>({
      ...options,
      connected: (_, port) => {
        ends.push(() => port.close());
        resolve(port);
      },
      failed: (_, error) => {
        reject(error);
      },
    });
    ends.push(() => links.close());
    links.open();
  });
}

/** Somebody from outside; tells when the other side has closed. */
async function stranger(port: number): Promise<{ readonly socket: NetSocket; readonly gone: () => boolean }> {
  let isGone = false;
  for (;;) {
    const socket = createConnection({ host: '127.0.0.1', port });
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      isGone = true;
    });
    if (!isOpen) continue;
    ends.push(() => socket.destroy());
    socket.resume();
    return { socket, gone: () => isGone };
  }
}

describe('two slots of different processes', () => {
  it.each([false, true])('find each other, whoever is there first (the one that accepts: %s)', async (isLast) => {
    const ports = [await freePort(nodePorts), await freePort(nodePorts)] as const;
    const first = openEnd(peerOptions(nodePorts, isLast ? 1 : 0, ports));
    const both = await Promise.all([first, openEnd(peerOptions(nodePorts, isLast ? 0 : 1, ports))]);
    const [one, other] = both.map(opened);
    both[0].sendControl(3, marker, false);
    both[1].sendControl(4, marker, false);
    await until('both have heard', () => one?.arrived.length === 1 && other?.arrived.length === 1);
    expect([one?.arrived, other?.arrived]).toEqual([['watermark 4'], ['watermark 3']]);
  });

  it('do not connect where one is not who the other one waits for, and say why', async () => {
    const limits = { linkConnectTimeoutMs: 3000 };
    const right = peerOptions(nodePorts, 0, [0, 0], { limits });
    const cases: readonly (readonly [Partial<typeof right>, string])[] = [
      [{ jobId: 'other' }, 'runs another execution'],
      [{ attempt: 4 }, 'runs another execution'],
      [{ slotId: slotId('a-9') }, 'waits for nobody of this name'],
      [{ settings: { ...right.settings, token: 'guess' } }, 'token of the cluster'],
      [{ peers: [{ slotId: slotId('b-1'), address: { host: '', port: 0 } }] }, 'this is slot b-0'],
    ];
    const judged = cases.map(async ([changes, reason]) => {
      const ports = [await freePort(nodePorts), await freePort(nodePorts)] as const;
      const accepting = openEnd(peerOptions(nodePorts, 1, ports));
      const wrong = { ...peerOptions(nodePorts, 0, ports, { limits }), ...changes };
      const address = { host: '127.0.0.1', port: ports[1] };
      const peers = wrong.peers.map((peer) => ({ ...peer, address }));
      await expect(openEnd({ ...wrong, peers })).rejects.toMatchObject({
        code: 'MR-TASK-LINK-UNREACHABLE',
        message: expect.stringContaining(reason),
      });
      // The right one still can.
      await Promise.all([accepting, openEnd(peerOptions(nodePorts, 0, ports))]);
    });
    await Promise.all(judged);
  });

  it('say after a while that the other one is not there, on either side', async () => {
    const limits = { linkConnectTimeoutMs: 200 };
    const ports = [await freePort(nodePorts), await freePort(nodePorts)] as const;
    const error = { code: 'MR-TASK-LINK-UNREACHABLE', retry: 'backoff', domain: 'external' };
    await expect(openEnd(peerOptions(nodePorts, 0, ports, { limits }))).rejects.toMatchObject(error);
    await expect(openEnd(peerOptions(nodePorts, 1, ports, { limits }))).rejects.toMatchObject(error);
  });

  it('speak a version that both know, and refuse others', async () => {
    const ports = [await freePort(nodePorts), await freePort(nodePorts)] as const;
    const accepting = openEnd(peerOptions(nodePorts, 1, ports));
    const greet = async (oldest: number, newest: number): Promise<number> => {
      const { socket, gone } = await stranger(ports[1]);
      let answer = Buffer.alloc(0);
      socket.on('data', (bytes: Uint8Array) => {
        answer = Buffer.concat([answer, bytes]);
      });
      const hello = { jobId: 'job', attempt: 3, from: 'a-0', to: 'b-0', credits: 4, nonce: 'n' };
      const body = encodeHello(hello, { oldest, newest });
      const header = new Uint8Array(HEADER_BYTES);
      new DataView(header.buffer).setUint32(0, body.length, true);
      header[4] = messageKinds.hello;
      socket.write(Buffer.concat([header, body]));
      await until('there is an answer', () => answer.length >= HEADER_BYTES || gone());
      return answer[4] ?? 0;
    };
    expect(await greet(2, 3)).toBe(messageKinds.refused);
    expect(await greet(1, 2)).toBe(messageKinds.welcome);
    await Promise.all([accepting, openEnd(peerOptions(nodePorts, 0, ports))]);
  });

  it('are told once when the connection breaks, and when the other side has closed it', async () => {
    const sockets: { close(): void }[] = [];
    const network: Network = {
      ...nodePorts.network,
      connectDirect: async (address, handler) => {
        const socket = await nodePorts.network.connectDirect?.(address, handler);
        if (socket === undefined) throw new Error('there are direct sockets');
        sockets.push(socket);
        return socket;
      },
    };
    const broken = await tcpPair(nodePorts, { network });
    const [, other] = broken.map(opened);
    sockets[0]?.close();
    await until('it is lost', () => other?.arrived.length === 1);
    expect(other?.arrived[0]).toMatch(/^lost: MR-TASK-LINK-LOST: the connection with slot a-0 broke/);
    const closed = await tcpPair(nodePorts);
    const [one] = closed.map(opened);
    closed[1].sendControl(1, marker, false);
    await closed[1].close();
    await until('it is closed', () => one?.arrived.length === 2);
    expect(one?.arrived).toEqual(['watermark 1', expect.stringMatching(/^lost: MR-TASK-LINK-LOST.*has closed it/)]);
  });

  it('take silence for the end of the other one', async () => {
    const muted: Network = {
      ...nodePorts.network,
      connectDirect: async (address, handler) => {
        const socket = await nodePorts.network.connectDirect?.(address, handler);
        if (socket === undefined) throw new Error('there are direct sockets');
        let writes = 0;
        // The greeting and the proof arrive, then nothing does.
        return { ...socket, queuedBytes: 0, write: (parts) => (writes++ < 2 ? socket.write(parts) : undefined) };
      },
    };
    const pair = await tcpPair(nodePorts, { network: muted, limits: { linkTimeoutMs: 2000 } });
    const [, other] = pair.map(opened);
    await until('it is lost', () => other?.arrived.length === 1);
    expect(other?.arrived[0]).toMatch(/nothing was heard of it for 2 s/);
  });

  it.each([
    [
      'more than there is credit for',
      (port: LinkPort): void => {
        for (let sent = 0; sent < 5; sent++) port.sendControl(1, marker, false);
      },
    ],
    ['a channel that nobody has', (port: LinkPort): void => port.sendControl(11, marker, false)],
    ['a credit that was not spent', (port: LinkPort): void => port.sendCredit(1, null)],
    ['what takes no credit, and is no barrier', (port: LinkPort): void => port.sendControl(1, marker, true)],
    [
      'a frame that is none',
      (port: LinkPort): void => port.sendFrame(1, new Int32Array([1, 1, 16, 0, 0, 0, 0, 0]).buffer),
    ],
  ])('end the link that brings %s', async (_what, send) => {
    const pair = await tcpPair(nodePorts);
    const [, other] = pair.map(opened);
    send(pair[0]);
    await until('it is refused', () => other?.arrived.some((each) => each.startsWith('lost')) === true);
    expect(other?.arrived.at(-1)).toMatch(/^lost: MR-TASK-BAD-FRAME/);
    expect(other?.arrived.length).toBeLessThanOrEqual(5);
  });
});

describe('slots that speak TLS', () => {
  const tls = { ...testCertificate, passphrase: null, serverName: null, verify: true };

  it('refuse those who show a certificate of another authority, or none', async () => {
    const limits = { linkConnectTimeoutMs: 1500 };
    const { ca } = testCertificate;
    const wrong = [{ ...tls, ...strangersCertificate, ca }, { ...tls, cert: null, key: null }, null];
    const judged = wrong.map(async (each) => {
      const ports = [await freePort(nodePorts), await freePort(nodePorts)] as const;
      const accepting = openEnd(peerOptions(nodePorts, 1, ports, { tls }));
      const refusal = openEnd(peerOptions(nodePorts, 0, ports, { tls: each, limits }));
      await expect(refusal).rejects.toMatchObject({ code: 'MR-TASK-LINK-UNREACHABLE' });
      await Promise.all([accepting, openEnd(peerOptions(nodePorts, 0, ports, { tls }))]);
    });
    await Promise.all(judged);
  });
});

describe('strangers at the port of a slot', () => {
  it('are closed when they talk nonsense, and after a while when they do not talk; the slot goes on', async () => {
    const seed = 20_261_123;
    const random = seededRandom(seed);
    const ports = [await freePort(nodePorts), await freePort(nodePorts)] as const;
    const accepting = openEnd(peerOptions(nodePorts, 1, ports, { limits: { linkHandshakeTimeoutMs: 300 } }));
    const silent = await stranger(ports[1]);
    for (let each = 0; each < 30; each++) {
      const { socket, gone } = await stranger(ports[1]);
      const length = 1 + Math.floor(random() * 3000);
      socket.write(Buffer.from(Array.from({ length }, () => Math.floor(random() * 256))));
      await until(`stranger ${each} of seed ${seed} is closed`, gone);
    }
    await until('who says nothing is closed', silent.gone);
    await Promise.all([accepting, openEnd(peerOptions(nodePorts, 0, ports))]);
  });

  it('find nobody listening once all peers are connected', async () => {
    const ports = [await freePort(nodePorts), await freePort(nodePorts)] as const;
    await Promise.all([openEnd(peerOptions(nodePorts, 1, ports)), openEnd(peerOptions(nodePorts, 0, ports))]);
    const refused = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ host: '127.0.0.1', port: ports[1] });
      socket.once('error', () => resolve(true));
      socket.once('connect', () => {
        socket.destroy();
        resolve(false);
      });
    });
    expect(refused).toBe(true);
  });

  it('are too many at some point: the rest is closed at once', async () => {
    const ports = [await freePort(nodePorts), await freePort(nodePorts)] as const;
    void openEnd(peerOptions(nodePorts, 1, ports)).catch(() => undefined);
    const all: Awaited<ReturnType<typeof stranger>>[] = [];
    for (let each = 0; each < 40; each++) all.push(await stranger(ports[1]));
    await until('some are closed', () => all.filter(({ gone }) => gone()).length >= 8);
    expect(all.filter(({ gone }) => !gone()).length).toBeLessThanOrEqual(32);
  });
});
