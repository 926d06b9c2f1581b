import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { nodePorts } from '../../core/node-ports.ts';
import { ManualClock } from '../../testing/index.ts';
import { Peer } from './peer.ts';
import { protocolVersions } from './protocol-versions.ts';

const call = (size = 1) => ({
  gateway: 'job-master',
  name: 'j',
  method: 'taskEnded',
  epoch: 1,
  body: new Uint8Array(size),
});

describe('a peer', () => {
  const ends: (() => unknown)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  function open(port: number, clock: ManualClock): Peer {
    const options = {
      processId: 'me',
      token: null,
      versions: protocolVersions,
      tls: null,
      ports: { clock, network: nodePorts.network },
      callTimeoutMs: 10_000,
      nextConnection: () => 1,
    };
    const peer = new Peer(`127.0.0.1:${port}`, options, { opened: () => undefined, closed: () => undefined });
    ends.push(() => peer.close('the test ends'));
    return peer;
  }

  /** A port where connections are accepted, and ended at once or left without a word. */
  async function port(isSilent: boolean): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      if (isSilent) ends.push(() => socket.destroy());
      else socket.destroy();
    });
    ends.push(() => server.close());
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return (server.address() as AddressInfo).port;
  }

  it('that cannot be reached is tried again at once, then after pauses that grow', async () => {
    const clock = new ManualClock();
    const peer = open(await port(false), clock);
    for (const pauseMs of [0, 0, 50, 100, 200, 400, 800, 1000, 1000]) {
      let isSettled = false;
      const refused = expect(peer.call(call())).rejects.toMatchObject({ fields: { outcome: 'none' } });
      void refused.then(() => {
        isSettled = true;
      });
      if (pauseMs > 0) {
        // Nothing has been tried: only time will help.
        clock.advanceTo(clock.nowMs() + pauseMs - 1);
        await nodePorts.macrotasks.yield();
        expect(isSettled).toBe(false);
        clock.advanceTo(clock.nowMs() + 1);
      }
      await refused;
    }
  });

  it('holds a limited amount of messages for a process that does not answer', async () => {
    const clock = new ManualClock();
    const peer = open(await port(true), clock);
    const calls = [64, 64, 64, 63].map((mebibytes) => peer.call(call(mebibytes * 1024 * 1024)));
    const waiting = calls.map((each) => expect(each).rejects.toMatchObject({ fields: { outcome: 'none' } }));
    await expect(peer.call(call(1024 * 1024 + 1))).rejects.toMatchObject({
      code: 'MR-RPC-UNREACHABLE',
      fields: { reason: expect.stringContaining('wait for its answers') as unknown },
    });
    expect(peer.isUnused).toBe(false);
    clock.advanceTo(10_000);
    await Promise.all(waiting);
    // There is room again.
    const next = expect(peer.call(call(64 * 1024 * 1024))).rejects.toMatchObject({ code: 'MR-RPC-UNREACHABLE' });
    clock.advanceTo(20_000);
    await next;
  });
});
