/*
 * read_committed against Java's consumer: transactional producers interleave at random, and abort, commit or are left
 * open. kafkajs's own consumer leaks aborted records here.
 */
import { describe, expect, it } from '@jest/globals';
import {
  createTopic,
  getBroker,
  javaConsume,
  javaProduce,
  uniqueName,
  type JavaOperation,
} from '../environment/index.ts';
import { readAll } from './connector-harness.ts';

const PRODUCERS = ['a', 'b', 'c', 'd'];
const STEPS = 400;
const FETCH_SIZES = [300, 1000, 5000, 1 << 20];

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

/** Steps of producers that begin, write some records, and commit or abort, in an order drawn from the seed. */
function history(topic: string, seed: number): JavaOperation[] {
  const random = generator(seed);
  const isOpen = new Map<string, boolean>();
  const operations: JavaOperation[] = [];
  let sent = 0;
  const send = (producer: string): void => {
    const size = 10 + Math.floor(random() * 300);
    const value = `${seed} ${producer} ${sent++} `.padEnd(size, '.');
    // A key of four zero bytes looks like an abort marker to a careless reader.
    const key = random() < 0.1 ? Buffer.alloc(4) : null;
    operations.push({ op: 'send', producer, topic, partition: 0, key, value });
  };
  for (let step = 0; step < STEPS; step++) {
    if (random() < 0.08) {
      send('plain');
      operations.push({ op: 'flush', producer: 'plain' });
      continue;
    }
    const producer = PRODUCERS[Math.floor(random() * PRODUCERS.length)] ?? 'a';
    if (isOpen.get(producer) !== true) {
      operations.push({ op: 'begin', producer });
      isOpen.set(producer, true);
    } else if (random() < 0.65) {
      for (let count = 1 + Math.floor(random() * 4); count > 0; count--) send(producer);
      operations.push({ op: 'flush', producer });
    } else {
      operations.push({ op: random() < 0.5 ? 'commit' : 'abort', producer });
      isOpen.set(producer, false);
    }
  }
  for (const producer of PRODUCERS) {
    if (isOpen.get(producer) === true) operations.push({ op: 'abort', producer });
  }
  return operations;
}

describe.each(['3.9', '4.1'] as const)('read_committed, with Kafka %s', (kafka) => {
  it.each(kafka === '3.9' ? [1, 2, 3] : [4])('is what Java reads, at every fetch size (seed %d)', async (seed) => {
    const { brokers } = await getBroker({ kafka });
    const topic = await createTopic(brokers, { name: uniqueName('committed') });
    const compression = seed % 2 === 0 ? 'lz4' : 'none';
    const transactional = (name: string) => ({
      'transactional.id': `${topic}-${name}`,
      'compression.type': compression,
    });
    await javaProduce({
      brokers,
      clients: kafka,
      producers: { plain: {}, ...Object.fromEntries(PRODUCERS.map((name) => [name, transactional(name)])) },
      operations: history(topic, seed),
    });
    const expected = (await javaConsume({ brokers, topic, clients: kafka })).map(({ offset, value }) => ({
      offset,
      value: String(value),
    }));
    expect(expected.length).toBeGreaterThan(100);
    for (const size of FETCH_SIZES) {
      const read = await readAll({ brokers, topic, partitionBytes: size, fetchBytes: Math.max(1024, size) });
      expect(read.map(({ offset, value }) => ({ offset, value }))).toEqual(expected);
    }
    const all = await javaConsume({ brokers, topic, clients: kafka, isolation: 'read_uncommitted' });
    const uncommitted = await readAll({ brokers, topic, isolation: 'read_uncommitted' });
    expect(uncommitted.map(({ offset }) => offset)).toEqual(all.map(({ offset }) => offset));
    expect(all.length).toBeGreaterThan(expected.length);
  }, 120_000);

  it('ends before a transaction that is still open', async () => {
    const { brokers } = await getBroker({ kafka });
    const topic = await createTopic(brokers, { name: uniqueName('open') });
    const partition = 0;
    const send = (producer: string, value: string): JavaOperation => {
      return { op: 'send', producer, topic, partition, value };
    };
    await javaProduce({
      brokers,
      clients: kafka,
      producers: { open: { 'transactional.id': `${topic}-open` }, plain: {} },
      operations: [
        send('plain', 'before'),
        { op: 'flush', producer: 'plain' },
        { op: 'begin', producer: 'open' },
        send('open', 'undecided'),
        { op: 'flush', producer: 'open' },
        send('plain', 'behind'),
        { op: 'flush', producer: 'plain' },
        { op: 'crash' },
      ],
    });
    expect((await readAll({ brokers, topic })).map(({ value }) => value)).toEqual(['before']);
    const uncommitted = await readAll({ brokers, topic, isolation: 'read_uncommitted' });
    expect(uncommitted.map(({ value }) => value)).toEqual(['before', 'undecided', 'behind']);
  }, 60_000);
});
