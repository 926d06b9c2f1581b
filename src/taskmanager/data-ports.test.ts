import { beforeEach, describe, expect, it } from '@jest/globals';
import { slotId } from '../core/index.ts';
import type { Network } from '../core/index.ts';
import { nodePorts } from '../core/node-ports.ts';
import { DataPorts } from './data-ports.ts';

const [A, B] = [slotId('a'), slotId('b')];
const FIRST_FREE_PORT = 40_000;

/** Ports that are held, by whomever. */
let taken: Set<number>;
let network: Network;

beforeEach(() => {
  taken = new Set();
  network = {
    ...nodePorts.network,
    async reservePort(_host, wanted) {
      let port = wanted === 0 ? FIRST_FREE_PORT : wanted;
      while (wanted === 0 && taken.has(port)) port++;
      if (taken.has(port)) throw new Error('EADDRINUSE');
      taken.add(port);
      return { port, release: () => taken.delete(port) };
    },
  };
});

const open = (firstPort: number): Promise<DataPorts> =>
  DataPorts.open({ bindHost: '0.0.0.0', host: 'me', firstPort, token: 't', tls: null }, [A, B], network);

describe('the ports of slots', () => {
  it('are held while no thread listens', async () => {
    const ports = await open(6200);
    expect([ports.addressOf(A), ports.addressOf(B)]).toEqual([
      { host: 'me', port: 6200 },
      { host: 'me', port: 6201 },
    ]);
    expect(ports.handOver(B)).toEqual({ host: '0.0.0.0', port: 6201, token: 't', tls: null });
    expect([...taken]).toEqual([6200]);
    await ports.takeBack(B);
    expect([...taken]).toEqual([6200, 6201]);
    ports.handOver(A);
    ports.close();
    await ports.takeBack(A);
    expect(taken.size).toBe(0);
  });

  it('are told as whatever forwards to them has them', async () => {
    const options = { bindHost: '0.0.0.0', host: 'me', firstPort: 6200, firstAdvertisedPort: 31_000 };
    const ports = await DataPorts.open({ ...options, token: null, tls: null }, [A, B], network);
    expect([ports.addressOf(A).port, ports.addressOf(B).port]).toEqual([31_000, 31_001]);
    expect(ports.handOver(B).port).toBe(6201);
    ports.close();
  });

  it('say which of them is not to be had, and let the others go', async () => {
    taken.add(6201);
    await expect(open(6200)).rejects.toMatchObject({ code: 'MR-TASK-DATA-PORT', fields: { port: 6201 } });
    expect([...taken]).toEqual([6201]);
  });

  it('move where somebody else has taken one meanwhile, if they may', async () => {
    let moves = 0;
    const ports = await open(0);
    ports.onMoved = () => {
      moves++;
    };
    ports.handOver(A);
    await ports.takeBack(A);
    expect([ports.addressOf(A).port, moves]).toEqual([FIRST_FREE_PORT, 0]);
    ports.handOver(A);
    taken.add(FIRST_FREE_PORT);
    await ports.takeBack(A);
    expect([ports.addressOf(A).port, moves]).toEqual([FIRST_FREE_PORT + 2, 1]);
    expect(ports.handOver(A).port).toBe(FIRST_FREE_PORT + 2);
  });

  it('stay where they are told to be, though somebody else is there', async () => {
    const ports = await open(6200);
    ports.handOver(A);
    taken.add(6200);
    await ports.takeBack(A);
    expect(ports.handOver(A).port).toBe(6200);
    expect(taken.has(6200)).toBe(true);
  });
});
