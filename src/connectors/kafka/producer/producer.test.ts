import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodePorts } from '../../../core/node-ports.ts';
import { ErrorCode } from '../client/index.ts';
import { FakeCluster, type Fault } from './fake-cluster.ts';
import { partitionOfKey } from './murmur2.ts';
import { MAX_IN_FLIGHT } from './partition-queue.ts';
import { Producer, type ProducerConfig } from './producer.ts';

const config: ProducerConfig = {
  compression: 'none',
  batchBytes: 1024,
  lingerMs: 0,
  bufferBytes: 1 << 20,
  maxRequestBytes: 1 << 20,
  deliveryTimeoutMs: 20_000,
  requestTimeoutMs: 1000,
};
const noDelay = () => nodePorts.macrotasks.yield();

async function open(cluster: FakeCluster, more: Partial<ProducerConfig> = {}): Promise<Producer> {
  const producer = new Producer(cluster, { ...config, ...more }, nodePorts);
  await producer.open(['t']);
  return producer;
}

const NO_KEY = new Uint8Array(0);

function send(producer: Producer, value: string, key: string | null = null): void {
  const bytes = Buffer.from(value);
  const keyBytes = key === null ? NO_KEY : Buffer.from(key);
  producer.append(
    producer.queuesOf('t'),
    1_700_000_000_000,
    keyBytes,
    key === null ? -1 : 0,
    keyBytes.length,
    bytes,
    0,
    bytes.length,
    null,
  );
}

describe('the producer', () => {
  it('sends no batch without records, whatever was opened', async () => {
    const cluster = new FakeCluster(1, () => 'none', noDelay);
    const producer = await open(cluster);
    const topic = producer.queuesOf('t');
    producer.openBatch(topic, 100);
    producer.poke();
    await producer.flush();
    expect(producer.isIdle).toBe(true);
    expect(cluster.arrivals).toHaveLength(0);
    producer.openBatch(topic, 100);
    send(producer, 'x'.repeat(config.batchBytes * 2));
    await producer.flush();
    expect(cluster.arrivals).toHaveLength(1);
    expect(cluster.logs[0]).toHaveLength(1);
    producer.close();
  });

  it('writes every record once and in order, whatever gets lost on the way', async () => {
    const fault: fc.Arbitrary<Fault> = fc.oneof(
      { weight: 6, arbitrary: fc.constant<Fault>('none') },
      { weight: 1, arbitrary: fc.constant<Fault>('lost-answer') },
      { weight: 1, arbitrary: fc.constant<Fault>('lost-request') },
      { weight: 1, arbitrary: fc.constantFrom<Fault>(ErrorCode.notLeaderOrFollower, ErrorCode.notEnoughReplicas) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 }),
        async (faults, partitions, sizes) => {
          const cluster = new FakeCluster(partitions, () => faults.shift() ?? 'none', noDelay);
          const producer = await open(cluster);
          const values = sizes.map((size, index) => `${index}:`.padEnd(size, 'x'));
          for (const [index, value] of values.entries()) {
            send(producer, value, `k${index % 5}`);
            if (index % 7 === 0) await nodePorts.macrotasks.yield();
          }
          await producer.flush();
          expect(producer.isIdle).toBe(true);
          const expected = Array.from({ length: partitions }, (): string[] => []);
          values.forEach((value, index) => {
            const key = Buffer.from(`k${index % 5}`);
            expected[partitionOfKey(key, 0, key.length, partitions)]?.push(value);
          });
          expect(cluster.logs).toEqual(expected);
          expect(cluster.maxInFlight).toBeLessThanOrEqual(MAX_IN_FLIGHT);
          producer.close();
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  it('begins anew under a higher epoch where the broker has forgotten it, and loses nothing', async () => {
    const cluster = new FakeCluster(1, () => 'none', noDelay);
    const producer = await open(cluster);
    send(producer, 'a');
    await producer.flush();
    cluster.forgetProducers();
    send(producer, 'b');
    send(producer, 'c');
    await producer.flush();
    expect(cluster.logs).toEqual([['a', 'b', 'c']]);
    expect(cluster.arrivals.at(-1)).toBe('0:0');
    producer.close();
  });

  it('waits for a leader', async () => {
    const cluster = new FakeCluster(1, () => 'none', noDelay);
    const producer = await open(cluster);
    cluster.isLeaderKnown = false;
    const faults: Fault[] = [ErrorCode.notLeaderOrFollower];
    Object.assign(cluster, { produce: withFaults(cluster, faults) });
    send(producer, 'a');
    const flushed = producer.flush();
    await nodePorts.clock.sleep(120);
    expect(cluster.logs).toEqual([[]]);
    cluster.isLeaderKnown = true;
    await flushed;
    expect(cluster.logs).toEqual([['a']]);
    producer.close();
  });

  it('fails where no leader comes in time', async () => {
    const cluster = new FakeCluster(1, () => ErrorCode.notLeaderOrFollower, noDelay);
    const producer = await open(cluster, { deliveryTimeoutMs: 200 });
    send(producer, 'a');
    await expect(producer.flush()).rejects.toMatchObject({ code: 'MR-KAFKA-UNAVAILABLE' });
    await expect(producer.flush()).rejects.toThrow('write to topic t, partition 0');
    expect(() => {
      for (let i = 0; i < 100; i++) send(producer, 'x'.repeat(500));
    }).toThrow(/write to topic t/);
    producer.close();
  });

  it.each([
    [ErrorCode.messageTooLarge, 'MR-KAFKA-MESSAGE-TOO-LARGE', /refuses a batch of \d+ bytes with 1 records/],
    [ErrorCode.topicAuthorizationFailed, 'MR-KAFKA-NOT-AUTHORIZED', /does not allow to write to topic t/],
    [87, 'MR-KAFKA-REFUSED', /INVALID_RECORD/],
  ])('says what a refusal %d means', async (errorCode, code, message) => {
    const cluster = new FakeCluster(1, () => errorCode, noDelay);
    const producer = await open(cluster);
    send(producer, 'a');
    await expect(producer.flush()).rejects.toMatchObject({ code });
    await expect(producer.flush()).rejects.toThrow(message);
    producer.close();
  });

  it('refuses a record that no request may hold, and goes on', async () => {
    const cluster = new FakeCluster(1, () => 'none', noDelay);
    const producer = await open(cluster, { maxRequestBytes: 5000 });
    expect(() => send(producer, 'x'.repeat(6000))).toThrow(/takes 6036 bytes, more than `maxRequestBytes` \(5000\)/);
    send(producer, 'y'.repeat(4000));
    await producer.flush();
    expect(cluster.logs[0]?.map(({ length }) => length)).toEqual([4000]);
    producer.close();
  });

  it('says when it has no room, and when it has again', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const cluster = new FakeCluster(1, () => 'none', () => held);
    const producer = await open(cluster, { bufferBytes: 64 * 1024 });
    let count = 0;
    for (; producer.hasRoom; count++) send(producer, `${count}`.padEnd(500, 'x'));
    expect(count).toBeLessThan(300);
    const room = producer.room();
    release();
    await room;
    expect(producer.hasRoom).toBe(true);
    await producer.flush();
    expect(cluster.logs[0]).toHaveLength(count);
    producer.close();
  });

  it('spreads records without keys over all partitions, a batch at a time', async () => {
    const cluster = new FakeCluster(4, () => 'none', noDelay);
    const producer = await open(cluster);
    for (let i = 0; i < 400; i++) send(producer, 'x'.repeat(100));
    await producer.flush();
    const counts = cluster.logs.map(({ length }) => length);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(400);
    for (const count of counts) expect(count).toBeGreaterThan(0);
    expect(cluster.arrivals.length).toBeLessThan(80);
    producer.close();
  });

  it('sends a lingering batch by itself', async () => {
    const cluster = new FakeCluster(1, () => 'none', noDelay);
    const producer = await open(cluster, { lingerMs: 20 });
    send(producer, 'a');
    expect(cluster.arrivals).toEqual([]);
    const deadline = performance.now() + 5000;
    while (!producer.isIdle && performance.now() < deadline) await nodePorts.macrotasks.yield();
    expect(cluster.logs).toEqual([['a']]);
    producer.close();
  });

  it('gives back what it took, compressed or not', async () => {
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const cluster = new FakeCluster(2, () => 'none', noDelay);
      const producer = await open(cluster, { compression });
      for (let i = 0; i < 200; i++) send(producer, `value ${i}`.repeat(10), `key ${i}`);
      await producer.flush();
      expect(producer.isIdle).toBe(true);
      expect(cluster.logs.flat()).toHaveLength(200);
      producer.close();
    }
  });
});

/** The cluster's own produce, its first answers replaced. */
function withFaults(cluster: FakeCluster, faults: Fault[]): FakeCluster['produce'] {
  const original = cluster.produce.bind(cluster);
  return async (broker, partitions) => {
    const fault = faults.shift();
    if (typeof fault !== 'number') return original(broker, partitions);
    return {
      throttleMs: 0,
      partitions: partitions.map(({ topic, partition }) => ({
        topic,
        partition,
        errorCode: fault,
        baseOffset: -1,
        logStartOffset: 0,
      })),
    };
  };
}
