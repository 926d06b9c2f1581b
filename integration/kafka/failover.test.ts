/*
 * Brokers that die while records flow: nothing is lost, and what the sink writes is not duplicated by its retries as
 * long as a broker remembers it.
 */
import { describe, expect, it } from '@jest/globals';
import { splitId } from '../../src/core/index.ts';
import type { Network, Ports } from '../../src/core/index.ts';
import { nodePorts } from '../../src/core/node-ports.ts';
import { restartBroker, startMember, stopMember, type Services } from '../../scripts/services/index.ts';
import { createTopic, getBroker, javaConsume, produceRecords, uniqueName, withAdmin } from '../environment/index.ts';
import { bytes, sourceSpec, startSource, writeAll } from './connector-harness.ts';

const ROWS = 60_000;
/** Batches of 4 KiB that may be under way, and records of this size in one of them. */
const MAX_IN_FLIGHT = 5;
const MAX_BATCH_RECORDS = 300;
const rows = Array.from({ length: ROWS }, (_, i) => [bytes(`value ${i}`)]);
const numbers = (values: readonly (string | null)[]) => values.map((value) => Number(value?.slice('value '.length)));
const all = Array.from({ length: ROWS }, (_, i) => i);

/** Runs `event` when about half of the rows are written, without waiting for it; the writing must go on meanwhile. */
async function writeThrough(services: Services, topic: string, event: () => Promise<void>): Promise<void> {
  const happened: Promise<void>[] = [];
  await writeAll({ brokers: services.brokers, topic, batchBytes: '4KiB', requestTimeout: '5s' }, rows, {
    batchRows: 500,
    between(done) {
      if (done >= ROWS / 2 && happened.length === 0) happened.push(event());
    },
  });
  expect(happened).toHaveLength(1);
  await Promise.all(happened);
}

describe('the restart of a broker', () => {
  it('loses nothing that is written, and repeats no more than was in flight', async () => {
    const services = await getBroker({ private: 'failover' });
    const topic = await createTopic(services.brokers, { name: uniqueName('restart') });
    await writeThrough(services, topic, () => restartBroker(services.name, 1, { signal: 'SIGKILL' }));
    const records = await javaConsume({ brokers: services.brokers, topic });
    const written = numbers(records.map(({ value }) => String(value)));
    expect([...new Set(written)]).toEqual(all);
    // Of each producer a broker that was killed knows the last batch again, not the last five: where it had written
    // several that it had not acknowledged, the retry of the first looks out of order, and they are written anew.
    expect(written.length - ROWS).toBeLessThan(MAX_IN_FLIGHT * MAX_BATCH_RECORDS);
  }, 120_000);

  it('loses and repeats nothing that is read', async () => {
    const services = await getBroker({ private: 'failover' });
    const topic = await createTopic(services.brokers, { name: uniqueName('restart'), partitions: 2 });
    await writeAll({ brokers: services.brokers, topic, batchBytes: '4KiB' }, rows);
    const running = await startSource(
      sourceSpec({ brokers: services.brokers, topic, partitionBytes: '4KiB', end: 'latest' }),
    );
    await running.until(() => running.records.length > ROWS / 4);
    const restarted = restartBroker(services.name, 1, { signal: 'SIGKILL' });
    await running.until(() => false);
    await restarted;
    await running.close();
    expect(numbers(running.records.map(({ value }) => value)).sort((a, b) => a - b)).toEqual(all);
  }, 120_000);

  it('is waited for by a source that has nothing to do', async () => {
    const services = await getBroker({ private: 'failover' });
    const topic = await createTopic(services.brokers, { name: uniqueName('idle') });
    const running = await startSource(sourceSpec({ brokers: services.brokers, topic }));
    await restartBroker(services.name, 1);
    await produceRecords(services.brokers, topic, [{ value: 'after' }]);
    await running.until(() => running.records.length > 0);
    expect(running.records.map(({ value }) => value)).toEqual(['after']);
    await running.close();
  }, 120_000);

  it('that does not come back fails the task in time, and says why', async () => {
    const services = await getBroker({ private: 'failover' });
    const topic = await createTopic(services.brokers, { name: uniqueName('gone') });
    const running = await startSource(sourceSpec({ brokers: services.brokers, topic, unavailableTimeout: '2s' }));
    await running.until(() => true);
    await stopMember(services.name, 'broker-1', { signal: 'SIGKILL' });
    try {
      await expect(running.until(() => false)).rejects.toMatchObject({
        code: 'MR-KAFKA-UNAVAILABLE',
        retry: 'backoff',
      });
      await running.close();
    } finally {
      await startMember(services.name, 'broker-1');
    }
  }, 120_000);
});

describe('three brokers', () => {
  const cluster = () => getBroker({ brokers: 3, private: 'leaders' });

  async function leaderOf(brokers: string, topic: string): Promise<number> {
    const { topics } = await withAdmin(brokers, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    return topics[0]?.partitions[0]?.leader ?? -1;
  }

  it('lose and repeat nothing that is written while the leader dies', async () => {
    const services = await cluster();
    const config = { 'min.insync.replicas': '2' };
    const topic = await createTopic(services.brokers, { name: uniqueName('leader'), config });
    const leader = await leaderOf(services.brokers, topic);
    await writeThrough(services, topic, () => stopMember(services.name, `broker-${leader}`, { signal: 'SIGKILL' }));
    await startMember(services.name, `broker-${leader}`);
    const records = await javaConsume({ brokers: services.brokers, topic });
    expect(numbers(records.map(({ value }) => String(value)))).toEqual(all);
  }, 180_000);

  it('lose and repeat nothing that is read while the leader dies', async () => {
    const services = await cluster();
    const config = { 'min.insync.replicas': '2' };
    const topic = await createTopic(services.brokers, { name: uniqueName('leader'), config });
    await writeAll({ brokers: services.brokers, topic, batchBytes: '4KiB' }, rows);
    const leader = await leaderOf(services.brokers, topic);
    const sizes = { partitionBytes: '4KiB', requestTimeout: '5s' };
    const spec = sourceSpec({ brokers: services.brokers, topic, end: 'latest', ...sizes });
    const running = await startSource(spec);
    await running.until(() => running.records.length > ROWS / 4);
    await stopMember(services.name, `broker-${leader}`, { signal: 'SIGKILL' });
    try {
      await running.until(() => false);
      expect(await leaderOf(services.brokers, topic)).not.toBe(leader);
    } finally {
      await startMember(services.name, `broker-${leader}`);
    }
    await running.close();
    expect(numbers(running.records.map(({ value }) => value))).toEqual(all);
  }, 180_000);

  it('let a reader fetch from the replica in its rack', async () => {
    const services = await cluster();
    const topic = await createTopic(services.brokers, { name: uniqueName('rack') });
    await writeAll({ brokers: services.brokers, topic, batchBytes: '4KiB' }, rows);
    const leader = await leaderOf(services.brokers, topic);
    // Racks are a, b and c, of brokers 1, 2 and 3.
    const other = leader === 1 ? 2 : 1;
    const received = new Map<number, number>();
    const spec = sourceSpec({ brokers: services.brokers, topic, partitionBytes: '64KiB', end: 'latest' });
    const rackOf = (id: number) => ['a', 'b', 'c'][id - 1] ?? '';
    const running = await startSource(spec, { rack: rackOf(other), ports: countingPorts(received) });
    await running.until(() => false);
    const near = running.enumerator.locate?.(splitId(`${topic}-0`));
    expect([...(near ?? [])].sort()).toEqual(['a', 'b', 'c']);
    await running.close();
    const elsewhere = running.counted('numCrossRackBytesIn');
    expect(running.counted('numBytesIn') - elsewhere).toBeGreaterThan(500_000);
    expect(elsewhere).toBeLessThan(100_000);
    expect(numbers(running.records.map(({ value }) => value))).toEqual(all);
    const portOf = (id: number) => Number(services.brokers.split(',')[id - 1]?.split(':')[1]);
    expect(received.get(portOf(other))).toBeGreaterThan(500_000);
    expect(received.get(portOf(leader)) ?? 0).toBeLessThan(100_000);
  }, 180_000);
});

/** The real ports, with a count of the bytes that arrive from each port. */
function countingPorts(received: Map<number, number>): Ports {
  const { network } = nodePorts;
  const connectDirect: Network['connectDirect'] = (address, handler) => {
    if (network.connectDirect === undefined) throw new Error('no direct sockets');
    return network.connectDirect(address, {
      buffer: () => handler.buffer(),
      received(count) {
        received.set(address.port, (received.get(address.port) ?? 0) + count);
        handler.received(count);
      },
      closed: (error) => handler.closed(error),
    });
  };
  return { ...nodePorts, network: { ...network, connectDirect } };
}
