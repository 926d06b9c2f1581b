/* What a source does for checkpoints: positions, ends, offsets of its group, and dead letters in transactions. */
import { describe, expect, it } from '@jest/globals';
import { createTopic, getBroker, javaConsume, produceRecords, uniqueName, withAdmin } from '../environment/index.ts';
import { sourceCommitter, sourceSpec, startSource } from './connector-harness.ts';
import { runOf } from './transactional-writer.ts';
import { POISON } from './value-format.ts';

/** Looks until there is something; a look may fail, as kafkajs's do while a coordinator comes up. */
async function waitFor<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const deadlineMs = performance.now() + 50_000;
  for (let failure: unknown = null; ; ) {
    const found = await look().catch((error: unknown) => {
      failure = error;
      return null;
    });
    if (found !== null) return found;
    if (performance.now() > deadlineMs) throw new Error(`waited in vain for ${what}`, { cause: failure });
  }
}

const sortedValues = (records: readonly { readonly value: string | null }[]) =>
  records.map(({ value }) => String(value)).sort();

describe('a kafka source that goes on from a checkpoint', () => {
  it('reads on at its positions, and partitions that are new since from their beginning', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('grown'), partitions: 2 });
    await produceRecords(brokers, topic, [{ value: 'before the job', partition: 0 }]);
    const spec = sourceSpec({ brokers, topic, start: 'latest', discoveryInterval: '0s' });
    const first = await startSource(spec);
    await produceRecords(brokers, topic, [0, 1].map((partition) => ({ value: `early ${partition}`, partition })));
    await first.until(() => first.records.length === 2);
    const restored = first.reader.positions();
    await first.close();
    await withAdmin(brokers, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
    await waitFor('the new partition', async () => {
      const { topics } = await withAdmin(brokers, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
      return topics[0]?.partitions.length === 3 ? true : null;
    });
    await produceRecords(brokers, topic, [0, 1, 2].map((partition) => ({ value: `late ${partition}`, partition })));
    const second = await startSource(spec, { restored });
    await second.until(() => second.records.length === 3);
    expect(sortedValues(second.records)).toEqual(['late 0', 'late 1', 'late 2']);
    expect(second.reader.positions().map(({ id }) => id).sort()).toEqual([0, 1, 2].map((n) => `${topic}-${n}`));
    expect(await second.enumerator.discover()).toEqual([]);
    await second.close();
  }, 120_000);

  it('keeps to the end that it began with', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers);
    await produceRecords(brokers, topic, Array.from({ length: 10_000 }, (_, n) => ({ value: String(n) })));
    const spec = sourceSpec({ brokers, topic, end: 'latest', partitionBytes: '1KiB' });
    const first = await startSource(spec);
    await first.until(() => first.records.length > 0);
    const restored = first.reader.positions();
    const count = first.records.length;
    await first.close();
    expect(count).toBeLessThan(10_000);
    await produceRecords(brokers, topic, [{ value: 'too late' }]);
    const second = await startSource(spec, { restored });
    await second.until(() => false);
    expect(second.records.map(({ value }) => value)).toEqual(
      Array.from({ length: 10_000 - count }, (_, n) => String(n + count)),
    );
    await second.close();
  }, 120_000);
});

describe('a kafka source', () => {
  it('tells which of its partitions have ended, each once and after its last row', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('ends'), partitions: 3 });
    const records = Array.from({ length: 30 }, (_, n) => ({ value: String(n), partition: n % 2 }));
    await produceRecords(brokers, topic, records);
    const running = await startSource(sourceSpec({ brokers, topic, end: 'latest' }));
    const ended: string[] = [];
    await running.until(() => {
      for (const id of running.reader.takeEndedSplits?.() ?? []) {
        const partition = Number(id.at(-1));
        const rows = running.records.filter((record) => record.partition === partition);
        expect(rows).toHaveLength(partition === 2 ? 0 : 15);
        ended.push(id);
      }
      return false;
    });
    ended.push(...(running.reader.takeEndedSplits?.() ?? []));
    expect(ended.sort()).toEqual([0, 1, 2].map((n) => `${topic}-${n}`));
    expect(running.reader.takeEndedSplits?.()).toEqual([]);
    await running.close();
  }, 120_000);

  it('commits positions of completed checkpoints to its group', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('lag'), partitions: 2 });
    await produceRecords(brokers, topic, Array.from({ length: 7 }, (_, n) => ({ value: String(n), partition: n % 2 })));
    const group = uniqueName('group');
    const running = await startSource(sourceSpec({ brokers, topic, group }));
    await running.until(() => running.records.length === 7);
    const positions = running.reader.positions();
    const earlier = positions.map((split) => ({ ...split, position: { ...split.position, offset: 1 } }));
    running.reader.checkpointCompleted?.(earlier);
    running.reader.checkpointCompleted?.(earlier);
    running.reader.checkpointCompleted?.(running.reader.positions());
    await waitFor('the offsets of the group', async () => {
      const [offsets] = await withAdmin(brokers, (admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }));
      const committed = offsets?.partitions.map(({ partition, offset }) => `${partition}: ${offset}`).sort();
      return committed?.join(', ') === '0: 4, 1: 3' ? true : null;
    });
    await running.close();
  }, 120_000);
});

describe.each(['3.9', '4.1'] as const)('dead letters, with Kafka %s', (kafka) => {
  it('become visible with their checkpoint, once, whatever fails', async () => {
    const { brokers } = await getBroker({ kafka });
    const topic = await createTopic(brokers);
    const target = uniqueName('poison');
    const values = ['a', `${POISON} 1`, 'b', `${POISON} 2`, 'c'];
    await produceRecords(brokers, topic, values.map((value) => ({ value })));
    const spec = sourceSpec({ brokers, topic, end: 'latest' }, { kind: 'dead-letter', target });
    const dead = async () => (await javaConsume({ brokers, topic: target })).map(({ value }) => String(value)).sort();
    const jobName = topic;

    const first = await startSource(spec, { run: runOf({ jobName, generation: 1 }) });
    await first.until(() => false);
    expect(first.reader.isFinished).toBe(true);
    expect(sortedValues(first.records)).toEqual(['a', 'b', 'c']);
    expect(await first.reader.committing?.prepareCommit(1)).toHaveLength(1);
    expect(await dead()).toEqual([]);
    // The checkpoint is never complete: the job begins again.
    await first.close();

    const run = runOf({ jobName, generation: 2 });
    const committer = sourceCommitter(spec, run);
    await committer.abortOlder([{ generation: 1, parallelism: 1 }]);
    await committer.close();
    const second = await startSource(spec, { run });
    await second.until(() => false);
    const handles = (await second.reader.committing?.prepareCommit(2)) ?? [];
    await second.close();

    const third = sourceCommitter(spec, runOf({ jobName, generation: 3 }));
    await third.commit(handles);
    await third.abortOlder([1, 2].map((generation) => ({ generation, parallelism: 1 })));
    await third.close();
    expect(await waitFor('dead letters', async () => {
      const found = await dead();
      return found.length > 0 ? found : null;
    })).toEqual([`${POISON} 1`, `${POISON} 2`]);
  }, 120_000);

  it('are visible at once where they are to be', async () => {
    const { brokers } = await getBroker({ kafka });
    const topic = await createTopic(brokers);
    const target = uniqueName('poison');
    await produceRecords(brokers, topic, [{ value: POISON }]);
    const raw = { brokers, topic, end: 'latest', deadLetterDelivery: 'at-least-once' };
    const running = await startSource(sourceSpec(raw, { kind: 'dead-letter', target }), {
      run: runOf({ jobName: topic, generation: 1 }),
    });
    await running.until(() => false);
    expect(running.reader.committing).toBeUndefined();
    await running.reader.flush?.();
    expect(await javaConsume({ brokers, topic: target })).toHaveLength(1);
    await running.close();
  }, 120_000);
});
