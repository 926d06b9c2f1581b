import { describe, expect, it } from '@jest/globals';
import {
  createTopic,
  getBroker,
  javaConsume,
  javaProduce,
  produceRecords,
  uniqueName,
  withAdmin,
} from '../environment/index.ts';
import { bytes, readAll, sourceSpec, startSource, writeAll } from './connector-harness.ts';
import { POISON } from './value-format.ts';

const HOUR_MS = 3_600_000;
const T0 = Date.parse('2026-01-01T00:00:00Z');

/** Ten records, an hour apart, in one partition. */
async function hourly(brokers: string): Promise<string> {
  const topic = await createTopic(brokers, { name: uniqueName('hourly') });
  await produceRecords(
    brokers,
    topic,
    Array.from({ length: 10 }, (_, i) => ({ value: String(i), timestamp: T0 + i * HOUR_MS })),
  );
  return topic;
}

const valuesOf = (records: readonly { readonly value: string | null }[]) => records.map(({ value }) => value);

describe('a kafka source starts', () => {
  it('and ends where its options say', async () => {
    const { brokers } = await getBroker();
    const topic = await hourly(brokers);
    const values = async (more: Readonly<Record<string, unknown>>) =>
      valuesOf(await readAll({ brokers, topic, ...more }));
    const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));
    expect(await values({})).toEqual(numbers(0, 10));
    expect(await values({ start: 'latest' })).toEqual([]);
    expect(await values({ start: { timestamp: '2026-01-01T03:30:00Z' } })).toEqual(numbers(4, 10));
    expect(await values({ start: { timestamp: T0 + 3 * HOUR_MS } })).toEqual(numbers(3, 10));
    expect(await values({ start: { timestamp: '2030-01-01T00:00:00Z' } })).toEqual([]);
    expect(await values({ start: { offsets: { 0: 7 } } })).toEqual(numbers(7, 10));
    expect(await values({ start: { offsets: { [topic]: { 0: 7 } } } })).toEqual(numbers(7, 10));
    expect(await values({ end: { offsets: { 0: 4 } } })).toEqual(numbers(0, 4));
    expect(await values({ end: { timestamp: '2026-01-01T02:00:00Z' } })).toEqual(numbers(0, 2));
    expect(await values({ end: { timestamp: '2030-01-01T00:00:00Z' } })).toEqual(numbers(0, 10));
    expect(await values({ start: { offsets: { 0: 6 } }, end: { offsets: { 0: 6 } } })).toEqual([]);
  });

  it('at the offsets of a group, or says that it has none', async () => {
    const { brokers } = await getBroker();
    const topic = await hourly(brokers);
    const group = uniqueName('group');
    const read = (more: Readonly<Record<string, unknown>>) =>
      readAll({ brokers, topic, start: 'group', group, ...more });
    await expect(read({})).rejects.toMatchObject({ code: 'MR-KAFKA-NO-COMMITTED-OFFSET' });
    expect(valuesOf(await read({ reset: 'earliest' }))).toHaveLength(10);
    expect(valuesOf(await read({ reset: 'latest' }))).toEqual([]);
    await withAdmin(brokers, (admin) =>
      admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '8' }] }),
    );
    expect(valuesOf(await read({}))).toEqual(['8', '9']);
  });

  it('not where the offset is gone, unless told to', async () => {
    const { brokers } = await getBroker();
    const topic = await hourly(brokers);
    await withAdmin(brokers, async (admin) => {
      // kafkajs deletes only what it has metadata of.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '5' }] });
    });
    const read = (more: Readonly<Record<string, unknown>>) =>
      readAll({ brokers, topic, start: { offsets: { 0: 2 } }, ...more });
    await expect(read({})).rejects.toMatchObject({
      code: 'MR-KAFKA-OFFSET-OUT-OF-RANGE',
      message: expect.stringContaining(`topic ${topic}, partition 0 no longer has offset 2 (it has 5 to 10)`),
    });
    expect(valuesOf(await read({ reset: 'earliest' }))).toEqual(['5', '6', '7', '8', '9']);
    expect(valuesOf(await read({ reset: 'latest' }))).toEqual([]);
  });

  it('again from its positions, without loss or repetition', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('resume'), partitions: 3 });
    const rows = Array.from({ length: 20_000 }, (_, i) => [bytes(`value ${i}`)]);
    await writeAll({ brokers, topic, batchBytes: '8KiB' }, rows);
    const spec = sourceSpec({ brokers, topic, end: 'latest', partitionBytes: '16KiB' });
    const seen: string[] = [];
    let splits: Parameters<typeof startSource>[1] = {};
    for (let run = 0; run < 5; run++) {
      const running = await startSource(spec, splits);
      const enough = (run + 1) * 3500;
      await running.until(() => seen.length + running.records.length >= enough && run < 4);
      seen.push(...running.records.map(({ value }) => value ?? ''));
      splits = { splits: running.reader.positions() };
      await running.close();
    }
    expect(seen).toHaveLength(rows.length);
    expect(new Set(seen).size).toBe(rows.length);
  });
});

describe('a kafka source reads', () => {
  it('keys, headers, times, tombstones and empty records as Java wrote them', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('surroundings') });
    const header = (key: string, value: string | null) => ({ key, value: value === null ? null : Buffer.from(value) });
    await javaProduce({
      brokers,
      producers: { p: {} },
      operations: [
        {
          op: 'send',
          producer: 'p',
          topic,
          partition: 0,
          timestamp: T0,
          key: 'k',
          value: 'v',
          headers: [header('a', '1'), header('a', '2'), header('b', null)],
        },
        { op: 'send', producer: 'p', topic, partition: 0, timestamp: T0 + 1, key: 'gone', value: null },
        { op: 'send', producer: 'p', topic, partition: 0, timestamp: 0, key: null, value: '' },
        { op: 'flush', producer: 'p' },
      ],
    });
    const records = await readAll({ brokers, topic });
    expect(
      records.map(({ headers, ...rest }) => ({
        ...rest,
        headers: [...headers].map(([k, v]) => [k, v === null ? null : String(Buffer.from(v))]),
      })),
    ).toEqual([
      { value: 'v', key: 'k', timestamp: T0, partition: 0, offset: 0, topic, headers: [['a', '2'], ['b', null]] },
      { value: null, key: 'gone', timestamp: T0 + 1, partition: 0, offset: 1, topic, headers: [] },
      { value: '', key: null, timestamp: 0, partition: 0, offset: 2, topic, headers: [] },
    ]);
  });

  it('a record of 10 MB, larger than any fetch size', async () => {
    const { brokers } = await getBroker();
    const config = { 'max.message.bytes': '20000000' };
    const topic = await createTopic(brokers, { name: uniqueName('large'), partitions: 2, config });
    const large = 'x'.repeat(10 * 1024 * 1024);
    await writeAll(
      { brokers, topic, maxRequestBytes: '16MiB' },
      [[bytes('before')], [bytes(large)], [bytes('behind')]],
      { batchRows: 1 },
    );
    const records = await readAll({ brokers, topic, partitionBytes: '16KiB', fetchBytes: '64KiB' });
    expect(records.map(({ value }) => value?.length).sort()).toEqual(
      ['before'.length, 'behind'.length, large.length].sort(),
    );
    const java = await javaConsume({ brokers, topic, config: { 'fetch.max.bytes': '20000000' } });
    expect(java).toHaveLength(3);
  });

  it('to an end that is a marker', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('compacted') });
    const transactional = { 'transactional.id': `${topic}-t` };
    await javaProduce({
      brokers,
      producers: { t: transactional },
      operations: [
        { op: 'begin', producer: 't' },
        { op: 'send', producer: 't', topic, partition: 0, value: 'kept' },
        { op: 'commit', producer: 't' },
        { op: 'begin', producer: 't' },
        { op: 'send', producer: 't', topic, partition: 0, value: 'dropped' },
        { op: 'flush', producer: 't' },
        { op: 'abort', producer: 't' },
      ],
    });
    // The coordinator writes the last marker a moment after the abort is acknowledged.
    const running = await startSource(sourceSpec({ brokers, topic, end: { offsets: { 0: 4 } } }));
    await running.until(() => false);
    expect(valuesOf(running.records)).toEqual(['kept']);
    expect(running.reader.positions()[0]?.position).toMatchObject({ offset: 4, endOffset: 4 });
    await running.close();
  });

  it('partitions that are added while it runs, from their beginning', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('growing') });
    await produceRecords(brokers, topic, [{ value: 'old' }]);
    const running = await startSource(
      sourceSpec({ brokers, topic, start: 'latest', discoveryInterval: '1s', fetchWait: '100ms' }),
    );
    expect(running.enumerator.discoveryIntervalMs).toBe(1000);
    expect(await running.discover()).toEqual([]);
    await withAdmin(brokers, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
    // Idempotent: whatever a partition without a leader makes it repeat must not stand there twice.
    await javaProduce({
      brokers,
      producers: { p: {} },
      operations: [0, 1, 2].map((partition) => {
        return { op: 'send', producer: 'p', topic, partition, value: `p${partition}` };
      }),
    });
    let found = 0;
    while (found < 2) found += (await running.discover()).length;
    await running.until(() => running.records.length >= 3);
    expect(valuesOf(running.records).sort()).toEqual(['p0', 'p1', 'p2']);
    await running.close();
  });

  it('several topics, by list or by pattern', async () => {
    const { brokers } = await getBroker();
    const prefix = uniqueName('many');
    const topics = await Promise.all(
      ['a', 'b', 'c'].map((name) => createTopic(brokers, { name: `${prefix}-${name}` })),
    );
    for (const topic of topics) await produceRecords(brokers, topic, [{ value: topic }]);
    expect(valuesOf(await readAll({ brokers, topic: topics.slice(0, 2) })).sort()).toEqual(topics.slice(0, 2));
    expect(valuesOf(await readAll({ brokers, topicPattern: `${prefix}-[bc]` })).sort()).toEqual(topics.slice(1));
    await expect(readAll({ brokers, topicPattern: `${prefix}-nothing` })).rejects.toMatchObject({
      code: 'MR-KAFKA-TOPIC-NOT-FOUND',
    });
  });
});

describe('poison records', () => {
  const records = [
    { value: 'a' },
    { value: `${POISON} 1`, key: 'k1', headers: { h: 'v' } },
    { value: 'b' },
    { value: `${POISON} 2`, timestamp: T0 },
  ];

  it('fail the job with their position', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('poison') });
    await produceRecords(brokers, topic, records);
    await expect(readAll({ brokers, topic })).rejects.toThrow(
      `topic ${topic}, partition 0, offset 1, step in: MR-TEST-POISON`,
    );
  });

  it('are skipped and counted', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('poison') });
    await produceRecords(brokers, topic, records);
    const running = await startSource(sourceSpec({ brokers, topic, end: 'latest' }, { kind: 'skip' }));
    await running.until(() => false);
    expect(valuesOf(running.records)).toEqual(['a', 'b']);
    expect(running.skipped).toEqual(
      [1, 3].map((offset) => `topic ${topic}, partition 0, offset ${offset}: MR-TEST-POISON`),
    );
    await running.close();
  });

  it('go to the dead-letter topic as they were, with their provenance', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('poison') });
    const target = uniqueName('dead-letters');
    await produceRecords(brokers, topic, records);
    expect(valuesOf(await readAll({ brokers, topic }, { kind: 'dead-letter', target }))).toEqual(['a', 'b']);
    const letters = await javaConsume({ brokers, topic: target });
    expect(letters.map(({ key, value }) => ({ key: key?.toString(), value: String(value) }))).toEqual([
      { key: 'k1', value: `${POISON} 1` },
      { key: undefined, value: `${POISON} 2` },
    ]);
    const headers = (index: number) =>
      Object.fromEntries((letters[index]?.headers ?? []).map(({ key, value }) => [key, String(value)]));
    expect(headers(0)).toMatchObject({
      h: 'v',
      'millrace.error.code': 'MR-TEST-POISON',
      'millrace.error.step': 'in',
      'millrace.job': 'harness',
      'millrace.topic': topic,
      'millrace.partition': '0',
      'millrace.offset': '1',
    });
    expect(headers(1)).toMatchObject({ 'millrace.offset': '3', 'millrace.timestamp': String(T0) });
    expect(letters[1]?.timestamp).toBe(T0);
  });
});

describe('a kafka source refuses', () => {
  it('a topic that is not there, and names the nearest', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('orders') });
    const wrong = topic.replace('orders', 'ordres');
    await expect(readAll({ brokers, topic: wrong })).rejects.toMatchObject({
      code: 'MR-KAFKA-TOPIC-NOT-FOUND',
      message: expect.stringContaining(`topic ${wrong} does not exist on ${brokers}; did you mean ${topic}?`),
    });
    await expect(readAll({ brokers, topic: 'no such/topic' })).rejects.toMatchObject({
      code: 'MR-KAFKA-TOPIC-NOT-FOUND',
    });
  });

  it('offsets of partitions that are not there', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('small') });
    await expect(readAll({ brokers, topic, start: { offsets: { 3: 1 } } })).rejects.toMatchObject({
      code: 'MR-KAFKA-PARTITION-NOT-FOUND',
    });
  });

  it('brokers that do not answer, within the time it is given', async () => {
    const startedAt = performance.now();
    await expect(readAll({ brokers: '127.0.0.1:1', topic: 't', connectTimeout: '500ms' })).rejects.toMatchObject({
      code: 'MR-KAFKA-UNREACHABLE',
      message: expect.stringContaining('no Kafka broker of 127.0.0.1:1 can be reached: '),
    });
    // Its retries would take minutes without the limit; a busy machine needs a few seconds.
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});
