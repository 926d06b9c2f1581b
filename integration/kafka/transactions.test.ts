/* The commit protocol on real brokers, judged by Java's read_committed consumer. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import type { Committable } from '../../src/core/index.ts';
import { restartBroker, startMember, stopMember } from '../../scripts/services/index.ts';
import {
  createTopic,
  getBroker,
  javaConsume,
  produceRecords,
  uniqueName,
  withAdmin,
} from '../environment/index.ts';
import {
  commit,
  openTransactionalWriter,
  prepare,
  withCommitter,
  type Target,
} from './transactional-writer.ts';
import { writeUntilKilled } from './writer-process.ts';

const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), 'writer-process.ts');
const { name: WORK } = writeUntilKilled;
const SOURCE = `import { ${WORK} } from '${PROGRAM}'; await ${WORK}(process.argv[1]);`;
const TOPIC_CONFIG = 2;

type Wanted = Partial<Target> & { readonly partitions?: number };

async function targetOn(brokers: string, more: Wanted = {}): Promise<Target> {
  const { partitions = 1, ...rest } = more;
  const topic = await createTopic(brokers, { name: uniqueName('exactly'), partitions });
  const target = { brokers, topic, jobName: topic, generation: 1, ...rest };
  await prepare(target);
  return target;
}

const later = (target: Target, generations = 1): Target => ({ ...target, generation: target.generation + generations });
const older = (target: Target) => [{ generation: target.generation, parallelism: 1 }];

async function visible({ brokers, topic }: Target): Promise<string[]> {
  return (await javaConsume({ brokers, topic })).map(({ value }) => String(value));
}

/** What is visible once nothing is open: a record without transaction follows it all. */
async function visibleInTheEnd(target: Target): Promise<string[]> {
  await produceRecords(target.brokers, target.topic, [{ value: 'the end', partition: 0 }]);
  const deadlineMs = performance.now() + 90_000;
  for (;;) {
    const values = await visible(target);
    if (values.includes('the end')) return values.filter((value) => value !== 'the end');
    if (performance.now() > deadlineMs) throw new Error(`a transaction stays open; visible are ${values.join(', ')}`);
  }
}

/** Runs the writer as a process of its own, and kills it once all is written. Returns the handles of checkpoint 1. */
async function writeAndDie(target: Target): Promise<readonly Committable[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SOURCE, JSON.stringify(target)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const handles = (await lines.next()).value as string;
  expect((await lines.next()).value).toBe('open');
  child.kill('SIGKILL');
  await once(child, 'exit');
  return JSON.parse(handles) as readonly Committable[];
}

describe.each(['3.9', '4.1'] as const)('transactions, with Kafka %s', (kafka) => {
  const broker = () => getBroker({ kafka });

  it('that a process has prepared before it was killed are committed by another, the rest is taken back', async () => {
    const target = await targetOn((await broker()).brokers);
    const handles = await writeAndDie(target);
    expect(handles).toHaveLength(1);
    expect(await visible(target)).toEqual([]);
    await withCommitter(later(target), async (committer) => {
      await committer.commit(handles);
      await committer.commit(handles);
      await committer.abortOlder(older(target));
    });
    // Another restart from the same checkpoint: ids that were begun anew are judged by the log.
    await withCommitter(later(target, 2), async (committer) => {
      await committer.commit(handles);
      await committer.abortOlder([...older(target), ...older(later(target))]);
      await committer.abortOlder([...older(target), ...older(later(target))]);
      await committer.commit(handles);
    });
    expect(await visibleInTheEnd(target)).toEqual(['a', 'b']);
  }, 120_000);

  it('follow each other, each visible with its checkpoint, from several subtasks', async () => {
    const target = await targetOn((await broker()).brokers, { partitions: 3 });
    const writers = await Promise.all([0, 1].map((subtask) => openTransactionalWriter(target, subtask)));
    const expected: string[] = [];
    for (let id = 1; id <= 12; id++) {
      const rows = writers.map((_, subtask) => Array.from({ length: id % 4 }, (_each, n) => `${subtask} ${id} ${n}`));
      await Promise.all(writers.map((writer, subtask) => writer.write(rows[subtask] ?? [])));
      const handles = await Promise.all(writers.map(({ committing }) => committing.prepareCommit(id)));
      // Every third checkpoint is aborted: the next one commits its rows.
      for (const each of handles) expect(each).toHaveLength((id % 3 === 1 && id > 1 ? 1 : 0) + (id % 4 === 0 ? 0 : 1));
      expected.push(...rows.flat());
      if (id % 3 === 0) continue;
      await Promise.all(writers.map(({ committing }) => committing.commit(id)));
    }
    await Promise.all(writers.map(({ committing }) => committing.commit(12)));
    await Promise.all(writers.map((writer) => writer.close()));
    expect((await visible(target)).sort()).toEqual(expected.sort());
  }, 120_000);

  it('that are open when a task ends are taken back at once', async () => {
    const target = await targetOn((await broker()).brokers);
    const writer = await openTransactionalWriter(target);
    await writer.write(['a']);
    await writer.committing.prepareCommit(1);
    await writer.committing.commit(1);
    await writer.write(['b']);
    // Until the broker has it.
    while ((await javaConsume({ ...target, isolation: 'read_uncommitted' })).length < 2) await writer.write([]);
    await writer.close();
    expect(await visibleInTheEnd(target)).toEqual(['a']);
  }, 120_000);

  it('that Kafka has aborted although they were promised are said to be lost', async () => {
    const target = await targetOn((await broker()).brokers);
    const handles = await writeAndDie(target);
    await withCommitter(later(target), (committer) => committer.abortOlder(older(target)));
    await expect(commit(later(target), handles)).rejects.toMatchObject({
      code: 'MR-KAFKA-TRANSACTION-LOST',
      message: expect.stringContaining(`(tests/${target.jobName}/out/1/0/0, producer `),
    });
    expect(await visibleInTheEnd(target)).toEqual([]);
  }, 120_000);

  it('that took longer than their timeout are said to be lost, and nothing else is', async () => {
    const { brokers } = await broker();
    const target = await targetOn(brokers);
    const brief = { ...target, options: { transactionTimeout: '2s' } };
    const writer = await openTransactionalWriter(brief);
    await writer.write(['a']);
    const handles = await writer.committing.prepareCommit(1);
    expect(handles).toHaveLength(1);
    // The broker looks for transactions that are too old every ten seconds.
    expect(await visibleInTheEnd(target)).toEqual([]);
    await expect(writer.committing.commit(1)).rejects.toMatchObject({ code: 'MR-KAFKA-TRANSACTION-LOST' });
    await expect(commit(later(target), handles)).rejects.toMatchObject({ code: 'MR-KAFKA-TRANSACTION-LOST' });
    await writer.write(['b']);
    await writer.close();
  }, 180_000);

  it('whose evidence is gone are said to be unknown', async () => {
    const { brokers } = await broker();
    const commitsTopic = await createTopic(brokers, { name: uniqueName('commits') });
    const target = await targetOn(brokers, { options: { commitsTopic, requestTimeout: '3s' } });
    const handles = await writeAndDie(target);
    await withCommitter(later(target), async (committer) => {
      await committer.commit(handles);
      await committer.abortOlder(older(target));
      await committer.abortOlder(older(target));
    });
    await withAdmin(brokers, async (admin) => {
      const [offsets] = await admin.fetchTopicOffsets(commitsTopic);
      const partitions = [{ partition: 0, offset: offsets?.high ?? '-1' }];
      await admin.deleteTopicRecords({ topic: commitsTopic, partitions });
    });
    await expect(commit(later(target), handles)).rejects.toMatchObject({
      code: 'MR-KAFKA-OUTCOME-UNKNOWN',
      message: expect.stringContaining('the commit record is not there any more'),
    });
  }, 120_000);

  it('are prepared: the commits topic is made, and times and limits are checked', async () => {
    const { brokers } = await broker();
    const commitsTopic = uniqueName('commits');
    const target = await targetOn(brokers, { options: { commitsTopic } });
    const described = await withAdmin(brokers, (admin) =>
      admin.describeConfigs({ includeSynonyms: false, resources: [{ type: TOPIC_CONFIG, name: commitsTopic }] }),
    );
    const settings = new Map(
      described.resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    );
    expect(settings.get('cleanup.policy')).toBe('delete');
    expect(settings.get('retention.ms')).toBe('2592000000');
    await prepare(later(target));
    const compacted = await createTopic(brokers, { config: { 'cleanup.policy': 'compact' } });
    const wrong = (options: Readonly<Record<string, unknown>>) => prepare({ ...target, options });
    await expect(wrong({ commitsTopic: compacted })).rejects.toMatchObject({ code: 'MR-KAFKA-COMMITS-TOPIC' });
    await expect(wrong({ transactionTimeout: '1h' })).rejects.toThrow(
      'the brokers do not allow transactions of 3600 s (their limit is 900 s)',
    );
    await expect(wrong({ transactionTimeout: '1m' })).rejects.toMatchObject({ code: 'MR-KAFKA-TRANSACTION-TIMES' });
  }, 120_000);
});

describe('coordinators', () => {
  it('that restart while a transaction is being committed are waited for', async () => {
    const services = await getBroker({ private: 'transactions' });
    const target = await targetOn(services.brokers, { options: { requestTimeout: '5s' } });
    const writer = await openTransactionalWriter(target);
    await writer.write(['a', 'b']);
    const handles = await writer.committing.prepareCommit(1);
    const restarted = restartBroker(services.name, 1, { signal: 'SIGKILL' });
    await Promise.all([writer.committing.commit(1), commit(later(target), handles), restarted]);
    await writer.write(['c']);
    await writer.committing.prepareCommit(2);
    await writer.committing.commit(2);
    await writer.close();
    expect(await visibleInTheEnd(target)).toEqual(['a', 'b', 'c']);
  }, 180_000);

  it('that move are followed, in the middle of a transaction too', async () => {
    const services = await getBroker({ brokers: 3, private: 'transactions' });
    const { brokers, name } = services;
    const target = await targetOn(brokers, { partitions: 3, options: { requestTimeout: '5s' } });
    const writer = await openTransactionalWriter(target);
    await writer.write(['a']);
    const handles = await writer.committing.prepareCommit(1);
    await writer.write(['b']);
    const id = handles[0]?.data['transactionalId'] as string;
    const coordinator = await coordinatorOf(brokers, id);
    await stopMember(name, `broker-${coordinator}`, { signal: 'SIGKILL' });
    try {
      await writer.committing.commit(1);
      await writer.write(['c']);
      await writer.committing.prepareCommit(2);
      await writer.committing.commit(2);
      expect(await coordinatorOf(brokers, id)).not.toBe(coordinator);
    } finally {
      await startMember(name, `broker-${coordinator}`);
    }
    await writer.close();
    expect((await visible(target)).sort()).toEqual(['a', 'b', 'c']);
  }, 180_000);
});

/** The leader of the partition of Kafka's own log of transactions that an id belongs to, by String.hashCode(). */
async function coordinatorOf(brokers: string, transactionalId: string): Promise<number> {
  const topic = '__transaction_state';
  const { topics } = await withAdmin(brokers, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
  const partitions = topics[0]?.partitions ?? [];
  let hash = 0;
  for (const char of transactionalId) hash = (Math.imul(31, hash) + char.charCodeAt(0)) | 0;
  const partition = (hash & 0x7fffffff) % partitions.length;
  return partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
}
