import { describe, expect, it } from '@jest/globals';
import type { CheckpointSettings, CrashPoint, Ports, RunIdentity } from '../../../core/index.ts';
import { nodePorts } from '../../../core/node-ports.ts';
import type { KafkaClient } from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import { Producer } from '../producer/index.ts';
import { FakeConnection, FakeKafka } from './fake-kafka.ts';
import { KafkaCommitter } from './kafka-committer.ts';
import { checkTimes, prepareTransactions, requireCheckpoints } from './prepare-transactions.ts';
import { fromCommittable, toCommittable } from './transaction-handle.ts';
import { transactionSettings, type TransactionSettings } from './transaction-options.ts';
import { checkingId, transactionalId } from './transactional-ids.ts';
import { TransactionalPart } from './transactional-part.ts';

const checkpoint: CheckpointSettings = {
  intervalMs: 10_000,
  mode: 'exactly-once',
  timeoutMs: 60_000,
  minPauseMs: 1000,
  tolerableFailures: 1,
  retained: 2,
};
const run: RunIdentity = { clusterId: 'cluster', jobName: 'job', generation: 2, settings: checkpoint };
const options = {
  commitsTopic: 'commits',
  transactionTimeout: 900_000,
  toleratedOutage: 60_000,
  requestTimeout: 200,
};

function settingsOf(more: Partial<RunIdentity> = {}, moreOptions: object = {}): TransactionSettings {
  return transactionSettings({ ...options, ...moreOptions }, { ...run, ...more }, 'out', 5000);
}

const newKafka = () => new FakeKafka({ topics: { out: 1, commits: 1 }, verifies: true, lastEpoch: 32766 });
const connect = (kafka: FakeKafka) => new FakeConnection(kafka, () => 'none', () => nodePorts.macrotasks.yield());

interface Writer {
  readonly part: TransactionalPart;
  readonly producer: Producer;
  readonly reached: readonly CrashPoint[];
  /** False while no id is free. */
  write(value: string): boolean;
}

async function openWriter(kafka: FakeKafka, settings = settingsOf()): Promise<Writer> {
  const reached: CrashPoint[] = [];
  const ports: Ports = { ...nodePorts, crashPoints: { reached: (name) => reached.push(name) } };
  const connection = connect(kafka);
  const config = {
    compression: 'none',
    batchBytes: 1024,
    lingerMs: 0,
    bufferBytes: 1 << 20,
    maxRequestBytes: 1 << 20,
    deliveryTimeoutMs: 20_000,
    requestTimeoutMs: 1000,
    isTransactional: true,
  } as const;
  const producer = new Producer(connection, config, ports);
  await producer.open(['out', 'commits']);
  const part = new TransactionalPart(connection, producer, settings, 0, ports);
  const write = (value: string) => {
    if (!part.admit()) return false;
    const bytes = Buffer.from(value);
    producer.append(producer.queuesOf('out'), 1, bytes, -1, -1, bytes, 0, bytes.length, null);
    return true;
  };
  return { part, producer, reached, write };
}

const committerOf = (kafka: FakeKafka, generation = 3, isTransactional = true) =>
  new KafkaCommitter(connect(kafka), settingsOf({ generation }), nodePorts, isTransactional);

describe('transactional ids', () => {
  it('tell every owner, subtask and place from every other', () => {
    const names = ['a', 'a/b', 'b', 'a%2Fb', '1'];
    const ids = names.flatMap((jobName) =>
      names.flatMap((stepId) =>
        [1, 11].flatMap((generation) => {
          const owner = { prefix: 'p', jobName, stepId, generation };
          const numbers = [0, 1, 11];
          return [
            checkingId(owner),
            ...numbers.map((subtask) => transactionalId(owner, subtask, 1)),
            ...numbers.map((k) => transactionalId(owner, 1, k + 20)),
          ];
        }),
      ),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(transactionalId(settingsOf().owner, 4, 1)).toBe('cluster/job/out/2/4/1');
    expect(transactionalId(settingsOf({}, { transactionalIdPrefix: 'mine' }).owner, 0, 0)).toBe('mine/job/out/2/0/0');
  });
});

describe('a handle', () => {
  const handle = {
    stepId: 'out',
    subtaskIndex: 3,
    checkpointId: 7,
    identity: { transactionalId: 'x', producerId: 9_007_199_254_740_993n, epoch: 5 },
    topic: 'commits',
    partition: 1,
    offset: 42,
  };

  it('survives JSON', () => {
    expect(fromCommittable(JSON.parse(JSON.stringify(toCommittable(handle))) as never)).toEqual(handle);
  });

  it('of something else is refused', () => {
    const committable = toCommittable(handle);
    expect(() => fromCommittable({ ...committable, data: { ...committable.data, version: 2 } })).toThrow(
      'not the handle of a transaction',
    );
    expect(() => fromCommittable({ ...committable, data: { path: 'x' } })).toThrow('not the handle of a transaction');
  });
});

describe('the transactions of a subtask', () => {
  it('become visible with their checkpoint, and are not begun without rows', async () => {
    const kafka = newKafka();
    const { part, write, reached } = await openWriter(kafka);
    expect(await part.prepareCommit(1)).toEqual([]);
    expect(kafka.states.size).toBe(0);
    write('a');
    write('b');
    const [committable, ...others] = await part.prepareCommit(2);
    expect(others).toEqual([]);
    expect(committable).toMatchObject({
      stepId: 'out',
      subtaskIndex: 0,
      checkpointId: 2,
      data: { transactionalId: 'cluster/job/out/2/0/0', producerId: '4000', epoch: 0, topic: 'commits', offset: 0 },
    });
    kafka.settle();
    expect(kafka.committed('out')).toEqual([]);
    await part.commit(1);
    expect(reached).toEqual(['transaction-flushed']);
    await part.commit(2);
    await part.commit(2);
    expect(reached).toEqual(['transaction-flushed', 'transaction-committed']);
    kafka.settle();
    expect(kafka.committed('out')).toEqual(['a', 'b']);
    expect(kafka.committed('commits').map((text) => JSON.parse(text) as object)).toEqual([
      {
        version: 1,
        job: 'job',
        step: 'out',
        subtask: 0,
        generation: 2,
        checkpoint: 2,
        transactionalId: 'cluster/job/out/2/0/0',
      },
    ]);
    // Begun for rows that were then skipped.
    part.admit();
    expect(await part.prepareCommit(3)).toEqual([]);
    write('c');
    expect(await part.prepareCommit(4)).toHaveLength(1);
    await part.close();
  });

  it('have their handle, though an earlier one is committed while they are prepared', async () => {
    const kafka = newKafka();
    const { part, write } = await openWriter(kafka);
    write('a');
    await part.prepareCommit(1);
    write('b');
    let isCommitted = false;
    const commit = part.commit(1).then(() => {
      isCommitted = true;
    });
    const handles = await part.prepareCommit(2);
    expect(isCommitted).toBe(true);
    expect(handles.map(({ checkpointId }) => checkpointId)).toEqual([2]);
    await commit;
    await part.commit(2);
    kafka.settle();
    expect(kafka.committed('out')).toEqual(['a', 'b']);
    await part.close();
  });

  it('wait for the next checkpoint where theirs was aborted, and hold rows back when no id is left', async () => {
    const kafka = newKafka();
    const { part, write } = await openWriter(kafka);
    for (let id = 1; id <= 4; id++) {
      expect(write(`row ${id}`)).toBe(true);
      expect(await part.prepareCommit(id)).toHaveLength(id);
    }
    expect(write('too much')).toBe(false);
    let isAdmitted = false;
    const admission = part.admission().then(() => {
      isAdmitted = true;
    });
    await nodePorts.macrotasks.yield();
    expect(isAdmitted).toBe(false);
    await part.commit(3);
    await admission;
    expect(write('row 5')).toBe(true);
    expect(await part.prepareCommit(5)).toHaveLength(2);
    kafka.settle();
    expect(kafka.committed('out')).toEqual(['row 1', 'row 2', 'row 3']);
    await part.close();
  });

  it('are aborted at the end unless they are prepared', async () => {
    const kafka = newKafka();
    const { part, producer, write } = await openWriter(kafka);
    write('prepared');
    await part.prepareCommit(1);
    write('open');
    await part.prepareCommit(2).catch(() => undefined);
    write('never prepared');
    producer.poke();
    await producer.flush();
    await part.close();
    expect([...kafka.states]).toEqual([
      ['cluster/job/out/2/0/0', 'ongoing'],
      ['cluster/job/out/2/0/1', 'ongoing'],
      ['cluster/job/out/2/0/2', 'empty'],
    ]);
  });

  it('give no handle once they are closed', async () => {
    const kafka = newKafka();
    const { part, write } = await openWriter(kafka);
    write('a');
    const preparing = part.prepareCommit(1);
    const closing = part.close();
    await expect(preparing).rejects.toMatchObject({ code: 'MR-KAFKA-CLOSED' });
    await closing;
    kafka.settle();
    expect([...kafka.states.values()]).not.toContain('ongoing');
  });

  it('fail the task when the broker took one away', async () => {
    const kafka = newKafka();
    const { part, write, producer } = await openWriter(kafka);
    write('a');
    await producer.flush();
    kafka.expireTransactions();
    kafka.settle();
    write('b');
    await expect(part.prepareCommit(1)).rejects.toMatchObject({
      code: 'MR-KAFKA-TRANSACTION-FENCED',
      retry: 'backoff',
    });
    expect(() => write('x'.repeat(2000))).toThrow(/cluster\/job\/out\/2\/0\/0 was taken from its writer/);
    await part.close();
  });
});

/** A subtask that has prepared checkpoint 1 with a row, and is gone. */
async function orphan(kafka: FakeKafka) {
  const { part, write } = await openWriter(kafka);
  write('a');
  return part.prepareCommit(1);
}

describe('a committer', () => {
  it('commits what another process has prepared, however often', async () => {
    const kafka = newKafka();
    const handles = await orphan(kafka);
    for (let time = 0; time < 3; time++) {
      const committer = committerOf(kafka, 3 + time);
      await committer.commit(handles);
      await committer.commit(handles);
      // The second time, ids are begun anew: from then on the evidence decides.
      await committer.abortOlder([{ generation: 2, parallelism: 1 }]);
      await committer.abortOlder([{ generation: 2, parallelism: 1 }]);
      await committer.close();
    }
    expect(kafka.committed('out')).toEqual(['a']);
  });

  it('ends nothing of subtasks that go on', async () => {
    const kafka = newKafka();
    await committerOf(kafka, 3).abortOlder([{ generation: 2, parallelism: 3, tolerableFailures: 0, subtasks: [1] }]);
    expect([...kafka.states.keys()]).toEqual([0, 1, 2].map((k) => `cluster/job/out/2/1/${k}`));
  });

  it('leaves an id alone that it has just committed, but not one that was used again', async () => {
    const kafka = newKafka();
    const { part, write } = await openWriter(kafka);
    write('a');
    const handles = await part.prepareCommit(1);
    await part.commit(1);
    const committer = committerOf(kafka);
    await committer.commit(handles);
    await committer.abortOlder([{ generation: 2, parallelism: 1 }]);
    expect(kafka.states.get('cluster/job/out/2/0/0')).toBe('committing');
    expect(kafka.states.get('cluster/job/out/2/0/3')).toBe('empty');
    const second = await openWriter(kafka, settingsOf({ generation: 4 }));
    second.write('b');
    const early = await second.part.prepareCommit(2);
    await second.part.commit(2);
    second.write('c');
    await second.producer.flush();
    expect(kafka.states.get('cluster/job/out/4/0/0')).toBe('ongoing');
    const next = committerOf(kafka, 5);
    await next.commit(early);
    await next.abortOlder([{ generation: 4, parallelism: 1, tolerableFailures: 0 }]);
    expect(kafka.states.get('cluster/job/out/4/0/0')).toBe('empty');
    expect(kafka.states.has('cluster/job/out/4/0/3')).toBe(false);
    expect(kafka.committed('out')).toEqual(['a', 'b']);
    expect(kafka.isReadable('out')).toBe(true);
  });

  it('takes back what is told to have ended, the present run too, where transactions are written', async () => {
    const kafka = newKafka();
    const { part, producer, write } = await openWriter(kafka);
    write('a');
    await part.prepareCommit(1);
    producer.close();
    await committerOf(kafka, 2, false).abortOlder([{ generation: 2, parallelism: 1 }]);
    expect([...kafka.states.values()]).toEqual(['ongoing']);
    await committerOf(kafka, 2).abortOlder([{ generation: 2, parallelism: 1 }]);
    expect([...kafka.states.values()]).toEqual(['empty', 'empty', 'empty', 'empty']);
    expect(kafka.isReadable('out')).toBe(true);
  });

  it('says that output is lost, where the broker aborted it', async () => {
    const kafka = newKafka();
    const handles = await orphan(kafka);
    kafka.expireTransactions();
    await expect(committerOf(kafka).commit(handles)).rejects.toMatchObject({
      code: 'MR-KAFKA-TRANSACTION-LOST',
      retry: 'never',
      message: expect.stringMatching(/checkpoint 1 is lost.*step out, subtask 0 \(cluster\/job\/out\/2\/0\/0/),
    });
  });

  it('says that nothing is known, where the evidence is gone', async () => {
    const kafka = newKafka();
    const handles = await orphan(kafka);
    await committerOf(kafka).commit(handles);
    kafka.forgetIds();
    await committerOf(kafka).commit(handles);
    const elsewhere = handles.map((handle) => ({ ...handle, data: { ...handle.data, producerId: '1' } }));
    await expect(committerOf(kafka).commit(elsewhere)).rejects.toMatchObject({
      code: 'MR-KAFKA-OUTCOME-UNKNOWN',
      message: expect.stringContaining('another record stands there'),
    });
    kafka.deleteRecords('commits');
    await expect(committerOf(kafka).commit(handles)).rejects.toMatchObject({
      code: 'MR-KAFKA-OUTCOME-UNKNOWN',
      message: expect.stringMatching(/INVALID_PRODUCER_ID_MAPPING\), and topic commits, partition 0, offset 0 does/),
    });
    const gone = handles.map((handle) => ({ ...handle, data: { ...handle.data, topic: 'none' } }));
    const impatient = { ...settingsOf({ generation: 3 }), persistMs: 50 };
    await expect(new KafkaCommitter(connect(kafka), impatient, nodePorts, true).commit(gone)).rejects.toMatchObject({
      code: 'MR-KAFKA-OUTCOME-UNKNOWN',
      message: expect.stringContaining('there is no such partition'),
    });
  });

  it('says that nothing is known, where no marker comes', async () => {
    const kafka = newKafka();
    const handles = await orphan(kafka);
    const connection = connect(kafka);
    const stuck = {
      ...connection,
      fetch: (_broker: number, request: Parameters<KafkaClient['fetch']>[1]) => Promise.resolve(kafka.fetch(request)),
      commitTransaction: () => Promise.resolve({ kind: 'refused' as const, reason: 'INVALID_PRODUCER_EPOCH' }),
    };
    const settings = { ...settingsOf({ generation: 3 }), requestTimeoutMs: 50 };
    await expect(new KafkaCommitter(stuck, settings, nodePorts, true).commit(handles)).rejects.toMatchObject({
      code: 'MR-KAFKA-OUTCOME-UNKNOWN',
      message: expect.stringContaining('nothing says how it ended'),
    });
  });
});

describe('before a job starts', () => {
  it('times must fit: a transaction outlives every checkpoint that may commit it', () => {
    checkTimes(settingsOf(), checkpoint);
    // 10 s + 2 × (60 s + 1 s) + 60 s
    expect(() => checkTimes(settingsOf({}, { transactionTimeout: 192_000 }), checkpoint)).toThrow(
      'may have to stay open for 192 s (interval 10 s + (tolerated failures 1 + 1) × (checkpoint timeout 60 s + ' +
        'pause 1 s) + tolerated outage 60 s), but `transactionTimeout` is 192 s',
    );
    checkTimes(settingsOf({}, { transactionTimeout: 192_001 }), checkpoint);
    expect(() => checkTimes(settingsOf(), { ...checkpoint, timeoutMs: 1, tolerableFailures: 98 })).toThrow(
      'at most 97 `tolerableFailures` are possible, not 98',
    );
  });

  it('checkpoints must count exactly once', () => {
    expect(requireCheckpoints(run, 'out')).toBe(run);
    const modest = { ...run, settings: { ...checkpoint, mode: 'at-least-once' as const } };
    for (const wrong of [null, modest]) {
      expect(() => requireCheckpoints(wrong, 'out')).toThrow('step out is to deliver exactly once');
    }
  });

  it('the commits topic is made, and must keep its records', async () => {
    const made: string[] = [];
    const kafka = newKafka();
    let config: readonly (readonly [string, string])[] = [['cleanup.policy', 'delete'], ['retention.ms', '-1']];
    const client = {
      ...connect(kafka),
      createTopic: (topic: string) => {
        made.push(topic);
        return Promise.resolve();
      },
      settings: () => Promise.resolve(new Map<string, string | null>(config)),
    } as unknown as KafkaClient;
    const prepare = (settings = settingsOf()) => prepareTransactions(client, settings, checkpoint, nodePorts);
    await prepare();
    expect(made).toEqual([]);
    expect([...kafka.states]).toEqual([['cluster/job/out/2/check', 'empty']]);
    await expect(prepare(settingsOf({}, { commitsTopic: 'new' }))).rejects.toMatchObject({
      code: 'MR-KAFKA-UNAVAILABLE',
    });
    expect(made).toEqual(['new']);
    config = [['cleanup.policy', 'compact,delete'], ['retention.ms', '-1']];
    await expect(prepare()).rejects.toThrow('topic commits cannot be the topic of commit records: its cleanup.policy');
    config = [['cleanup.policy', 'delete'], ['retention.ms', '900000']];
    await expect(prepare()).rejects.toThrow('its retention.ms is 900000, not more than `transactionTimeout`');
  });

  it('the limit of the brokers is named, where it may be known', async () => {
    const refusal = kafkaErrors.create('MR-KAFKA-TRANSACTION-TIMEOUT', { seconds: 900, limit: '' });
    const fields = { operation: 'read', resource: 'broker 1', reason: 'no' };
    const denial = kafkaErrors.create('MR-KAFKA-NOT-AUTHORIZED', fields);
    const initTransactionalId = () => Promise.reject(refusal);
    const client = (settings: KafkaClient['settings']) =>
      ({ ...connect(newKafka()), initTransactionalId, settings }) as unknown as KafkaClient;
    const open = client((kind) =>
      Promise.resolve(new Map(kind === 'broker' ? [['transaction.max.timeout.ms', '60000']] : [])),
    );
    await expect(prepareTransactions(open, settingsOf(), checkpoint, nodePorts)).rejects.toThrow(
      'the brokers do not allow transactions of 900 s (their limit is 60 s): lower `transactionTimeout`',
    );
    const closed = client(() => Promise.reject(denial));
    await expect(prepareTransactions(closed, settingsOf(), checkpoint, nodePorts)).rejects.toThrow(
      'the brokers do not allow transactions of 900 s: lower',
    );
  });
});
