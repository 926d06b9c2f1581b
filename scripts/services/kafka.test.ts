import { describe, expect, it } from '@jest/globals';

import { brokerSettings, renderProperties } from './kafka.ts';
import { findPorts, isPortFree } from './ports.ts';
import { checkName, type BrokerState, type ServicesState } from './state.ts';

function stateOf(count: 1 | 3): ServicesState {
  return {
    format: 1,
    name: 'unit',
    runtime: 'java',
    kafka: '3.9',
    clusterId: 'AAAAAAAAAAAAAAAAAAAAAA',
    settings: { 'num.io.threads': '9' },
    brokers: Array.from({ length: count }, (_, index): BrokerState => ({
      id: index + 1,
      rack: 'abc'.charAt(index),
      ports: { plaintext: 1000 + index, controller: 2000 + index },
    })),
  };
}

function settingsOf(count: 1 | 3, index: number): Record<string, string> {
  const state = stateOf(count);
  const broker = state.brokers[index];
  if (broker === undefined) throw new Error('no such broker');
  return brokerSettings(state, broker, undefined);
}

describe('broker settings', () => {
  it('replicate internal topics as far as there are brokers', () => {
    expect(settingsOf(1, 0)).toMatchObject({
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
    });
    expect(settingsOf(3, 2)).toMatchObject({
      'broker.rack': 'c',
      'controller.quorum.voters': '1@127.0.0.1:2000,2@127.0.0.1:2001,3@127.0.0.1:2002',
      'transaction.state.log.replication.factor': '3',
      'transaction.state.log.min.isr': '2',
    });
  });

  it('do not advertise the controller', () => {
    expect(settingsOf(1, 0)['advertised.listeners']).toBe('PLAINTEXT://127.0.0.1:1000');
  });

  it("give way to the caller's", () => {
    expect(settingsOf(1, 0)['num.io.threads']).toBe('9');
  });

  it('survive backslashes in paths', () => {
    expect(renderProperties({ a: String.raw`C:\x` })).toBe('a=C:\\\\x\n');
  });
});

describe('ports', () => {
  it('are distinct, free and not those of others', async () => {
    const first = await findPorts(5, new Set());
    const second = await findPorts(5, new Set(first));
    expect(new Set([...first, ...second]).size).toBe(10);
    expect(await isPortFree(first[0] ?? 0)).toBe(true);
  });
});

describe('names', () => {
  it.each(['', '../x', 'a b', '-a', 'x'.repeat(65)])('refuse %j', (name) => {
    expect(() => {
      checkName(name);
    }).toThrow('letters, digits');
  });
});
