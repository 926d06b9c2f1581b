/* The services themselves: what every other integration suite stands on. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';

import { afterAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel, type SASLOptions } from 'kafkajs';

import {
  fetchMetadata,
  identifyProcess,
  isAlive,
  restartBroker,
  restartZooKeeper,
  servicesStatus,
  signalMember,
  startMember,
  startServices,
  stopMember,
  stopServices,
  waitUntil,
} from '../../scripts/services/index.ts';
import { createTopic, getBroker, javaConsume, javaEnds, javaProduce, produceRecords, uniqueName } from './index.ts';

const STARTING_MS = 180_000;
const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

interface Outcome {
  code: number | string | null;
  stdout: string;
  stderr: string;
}

function runCommand(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, 'scripts', 'services.ts'), ...args],
      { encoding: 'utf8', env },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : (error.code ?? null), stdout, stderr });
      },
    );
  });
}

describe('the command', () => {
  const name = uniqueName('command');
  afterAll(async () => {
    await stopServices(name);
  }, STARTING_MS);

  it(
    'prints lines for a shell, knows what runs, and stops all of it',
    async () => {
      const up = await runCommand(['up', '--name', name, '--kafka', '4.1']);
      expect(up).toMatchObject({ code: 0 });
      expect(up.stdout).toMatch(/^KAFKA_BROKERS=127\.0\.0\.1:\d+\nZOOKEEPER=127\.0\.0\.1:\d+\n$/);

      const again = await runCommand(['up', '--name', name]);
      expect(again).toMatchObject({ code: 0, stdout: up.stdout });

      const other = await runCommand(['up', '--name', name, '--kafka', '3.9']);
      expect(other).toMatchObject({ code: 2, stdout: '' });
      expect(other.stderr).toContain('Kafka is "4.1", not "3.9"');

      const status = await servicesStatus(name);
      expect(status).toMatchObject({ running: true, kafka: '4.1' });
      const pids = status?.processes.map((each) => each.pid) ?? [];
      expect(pids).toHaveLength(2);

      expect(await runCommand(['down', '--name', name])).toMatchObject({ code: 0, stdout: '' });
      for (const pid of pids) expect(identifyProcess(pid ?? 0)).toBeUndefined();
      expect(await runCommand(['status', '--name', name])).toMatchObject({ code: 1, stdout: '' });
    },
    STARTING_MS,
  );

  it.each([[['sideways']], [['up', '--brokers', '2']], [['up', '--kafka', '2.8']], [['up', '--nonsense']], [[]]])(
    'refuses %j with code 2',
    async (args) => {
      const outcome = await runCommand(args);
      expect(outcome).toMatchObject({ code: 2, stdout: '' });
      expect(outcome.stderr).toContain('usage:');
    },
  );

  it('says in one line what is missing on a bare machine', async () => {
    const outcome = await runCommand(['up', '--name', uniqueName('bare')], { ...process.env, PATH: '' });
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.stderr).toMatch(/^[^\n]*Java 17 or newer with Maven, or a Docker engine[^\n]*\n$/);
  });
});

describe('the shared broker', () => {
  it(
    'is one for all who ask for the same kind',
    async () => {
      const [one, two] = await Promise.all([getBroker(), getBroker()]);
      expect(one).toEqual(two);
    },
    STARTING_MS,
  );

  it(
    'takes a record of 10 MB, and gives back keys, headers, nulls and timestamps',
    async () => {
      const { brokers } = await getBroker();
      const topic = await createTopic(brokers, { partitions: 2 });
      const large = Buffer.alloc(10_000_000, 7);
      await produceRecords(brokers, topic, [
        { key: 'k', value: large, partition: 1, timestamp: 1_000, headers: { h: 'v' } },
        { key: 'tombstone', value: null, partition: 0 },
        { value: '', partition: 0 },
      ]);
      const records = await javaConsume({ brokers, topic });
      expect(records).toHaveLength(3);
      const first = records.find((record) => record.partition === 1);
      expect(first?.value?.equals(large)).toBe(true);
      expect(first).toMatchObject({ offset: 0, timestamp: 1_000, key: Buffer.from('k') });
      expect(first?.headers).toEqual([{ key: 'h', value: Buffer.from('v') }]);
      const rest = records.filter((record) => record.partition === 0);
      expect(rest.map((record) => record.value)).toEqual([null, Buffer.alloc(0)]);
      expect(rest[1]?.key).toBeNull();
    },
    STARTING_MS,
  );

  it(
    'hides aborted and open transactions from a committed reader',
    async () => {
      const { brokers } = await getBroker();
      const topic = await createTopic(brokers);
      const send = (producer: string, value: string) => ({ op: 'send', producer, topic, value }) as const;
      await javaProduce({
        brokers,
        config: { 'compression.type': 'zstd' },
        producers: {
          a: { 'transactional.id': uniqueName('a') },
          b: { 'transactional.id': uniqueName('b') },
        },
        operations: [
          { op: 'begin', producer: 'a' },
          { op: 'begin', producer: 'b' },
          send('a', 'kept'),
          { op: 'flush', producer: 'a' },
          send('b', 'aborted'),
          { op: 'flush', producer: 'b' },
          send('a', 'kept too'),
          { op: 'commit', producer: 'a' },
          { op: 'abort', producer: 'b' },
          { op: 'begin', producer: 'b' },
          send('b', 'open'),
          { op: 'flush', producer: 'b' },
          { op: 'crash' },
        ],
      });
      const read = async (isolation: 'read_committed' | 'read_uncommitted'): Promise<string[]> =>
        (await javaConsume({ brokers, topic, isolation })).map((record) => String(record.value));
      expect(await read('read_committed')).toEqual(['kept', 'kept too']);
      expect(await read('read_uncommitted')).toEqual(['kept', 'aborted', 'kept too', 'open']);
      // Three records and two markers, then the transaction that nobody has ended.
      expect(await javaEnds({ brokers, topics: [topic] })).toEqual([{ topic, partition: 0, stable: 5, end: 6 }]);
    },
    STARTING_MS,
  );
});

describe('three brokers', () => {
  it(
    'stand in racks, and one that is killed comes back on its port with its data',
    async () => {
      const services = await getBroker({ brokers: 3, kafka: '4.1', private: 'restarts' });
      const { brokers, name } = services;
      const topic = await createTopic(brokers, { partitions: 3, config: { 'min.insync.replicas': '2' } });
      await produceRecords(brokers, topic, [{ value: 'before', partition: 0 }]);

      await stopMember(name, 'broker-1', { signal: 'SIGKILL' });
      expect(await servicesStatus(name)).toMatchObject({ running: false });
      const [, ...others] = brokers.split(',');
      await waitUntil(
        'leaders among the other brokers',
        async () => {
          const ports = others.map((address) => Number(address.split(':')[1]));
          const known = await Promise.all(ports.map((port) => fetchMetadata(port, [topic])));
          const moved = known.every((each) => each?.leaders.get(topic)?.every((leader) => [2, 3].includes(leader)));
          return moved ? true : undefined;
        },
        { timeoutMs: 60_000, intervalMs: 250 },
      );
      await produceRecords(others.join(','), topic, [{ value: 'during', partition: 0 }]);
      await startMember(name, 'broker-1');
      await restartBroker(name, 2);
      expect(await servicesStatus(name)).toMatchObject({ running: true, brokers });

      const records = await javaConsume({ brokers, topic });
      expect(records.map((record) => String(record.value))).toEqual(['before', 'during']);
    },
    STARTING_MS,
  );
});

describe('secured listeners', () => {
  const mechanisms: SASLOptions['mechanism'][] = ['plain', 'scram-sha-256', 'scram-sha-512'];

  it.each(mechanisms)(
    'take %s with the right password only',
    async (mechanism) => {
      const { security } = await getBroker({ secure: true });
      if (security === undefined) throw new Error('secured services without security');
      const attempt = async (password: string, tls: boolean): Promise<unknown> => {
        const admin = new Kafka({
          brokers: (tls ? security.saslSslBrokers : security.saslBrokers).split(','),
          sasl: { mechanism, username: security.user, password } as SASLOptions,
          ssl: tls ? { ca: [readFileSync(security.caFile, 'utf8')] } : false,
          logLevel: logLevel.NOTHING,
          retry: { retries: 0 },
        }).admin();
        await admin.connect();
        try {
          return await admin.listTopics();
        } finally {
          await admin.disconnect();
        }
      };
      await expect(attempt(security.password, false)).resolves.toBeInstanceOf(Array);
      await expect(attempt(security.password, true)).resolves.toBeInstanceOf(Array);
      await expect(attempt('wrong', false)).rejects.toThrow(/[Aa]uthentication/);
    },
    STARTING_MS,
  );

  it(
    'show a certificate of the authority',
    async () => {
      const { security } = await getBroker({ secure: true });
      if (security === undefined) throw new Error('secured services without security');
      const [host, port] = (security.sslBrokers.split(',')[0] ?? '').split(':');
      await new Promise<void>((resolve, reject) => {
        const socket = connect({ host, port: Number(port), ca: readFileSync(security.caFile) }, () => {
          socket.destroy();
          resolve();
        });
        socket.once('error', reject);
      });
    },
    STARTING_MS,
  );
});

describe('a set whose owner has ended', () => {
  it(
    'is removed by the next start of another',
    async () => {
      const orphan = uniqueName('orphan');
      const gone = { pid: 1, startedAt: 'an earlier boot' };
      expect(isAlive(gone)).toBe(false);
      await startServices({ name: orphan, zookeeper: false, owner: gone });
      const next = uniqueName('next');
      try {
        await startServices({ name: next, zookeeper: false });
        expect(await servicesStatus(orphan)).toBeUndefined();
      } finally {
        await stopServices(next);
      }
    },
    STARTING_MS,
  );
});

describe('ZooKeeper', () => {
  it(
    'comes back on its port after it was killed',
    async () => {
      const services = await getBroker({ zookeeper: true, private: 'zookeeper' });
      await restartZooKeeper(services.name, { signal: 'SIGKILL' });
      expect(await servicesStatus(services.name)).toMatchObject({ running: true, zookeeper: services.zookeeper });
    },
    STARTING_MS,
  );
});

describe('a frozen broker', () => {
  it(
    'goes on when it is let',
    async () => {
      const { name, brokers } = await getBroker({ private: 'frozen' });
      await signalMember(name, 'broker-1', 'SIGSTOP');
      await signalMember(name, 'broker-1', 'SIGCONT');
      await expect(createTopic(brokers)).resolves.toBeDefined();
    },
    STARTING_MS,
  );
});
