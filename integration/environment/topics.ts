import { randomBytes } from 'node:crypto';

import { Kafka, logLevel, Partitioners, type Admin } from 'kafkajs';

import { fetchMetadata, waitUntil } from '../../scripts/services/index.ts';

const NO_LEADER = -1;

export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}

/** A kafkajs client that keeps quiet: an opinion independent of the engine's own Kafka code. */
export function independentKafka(brokers: string): Kafka {
  return new Kafka({ brokers: brokers.split(','), clientId: 'millrace-tests', logLevel: logLevel.NOTHING });
}

export async function withAdmin<T>(brokers: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = independentKafka(brokers).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

export interface TopicOptions {
  /** Default: a unique name. */
  name?: string;
  /** Default: 1. */
  partitions?: number;
  /** Default: as the cluster says: every broker, three at most. */
  replicationFactor?: number;
  /** Instead of both: the brokers of each partition, its leader first. */
  replicas?: readonly (readonly number[])[];
  /** Topic settings such as `min.insync.replicas`. */
  config?: Readonly<Record<string, string>>;
}

/** Makes a topic, waits until every one of these brokers knows a leader for each partition, and returns its name. */
export async function createTopic(brokers: string, options: TopicOptions = {}): Promise<string> {
  const topic = options.name ?? uniqueName('topic');
  const { replicas } = options;
  const partitions = replicas?.length ?? options.partitions ?? 1;
  await withAdmin(brokers, (admin) =>
    admin.createTopics({
      waitForLeaders: false,
      topics: [
        {
          topic,
          ...(replicas === undefined
            ? { numPartitions: partitions }
            : {
                numPartitions: -1,
                replicaAssignment: replicas.map((each, partition) => ({ partition, replicas: [...each] })),
              }),
          replicationFactor: options.replicationFactor ?? -1,
          configEntries: Object.entries(options.config ?? {}).map(([name, value]) => ({ name, value })),
        },
      ],
    }),
  );
  const ports = brokers.split(',').map((address) => Number(address.split(':')[1]));
  await waitUntil(
    `every broker to know the leaders of ${topic}`,
    async () => {
      const known = await Promise.all(ports.map((port) => fetchMetadata(port, [topic])));
      const complete = known.every((each) => {
        const leaders = each?.leaders.get(topic);
        return leaders?.length === partitions && leaders.every((leader) => leader !== NO_LEADER);
      });
      return complete ? true : undefined;
    },
    { timeoutMs: 30_000 },
  );
  return topic;
}

export interface TestRecord {
  key?: Buffer | string | null;
  value: Buffer | string | null;
  partition?: number;
  /** Milliseconds since the epoch. */
  timestamp?: number;
  headers?: Record<string, Buffer | string>;
}

/** Sends records in order with acks=all. */
export async function produceRecords(brokers: string, topic: string, records: readonly TestRecord[]): Promise<void> {
  const producer = independentKafka(brokers).producer({
    idempotent: true,
    createPartitioner: Partitioners.DefaultPartitioner,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  try {
    const BATCH_RECORDS = 5000;
    for (let from = 0; from < records.length; from += BATCH_RECORDS) {
      await producer.send({
        topic,
        acks: -1,
        messages: records.slice(from, from + BATCH_RECORDS).map((record) => ({
          key: record.key ?? null,
          value: record.value,
          ...(record.partition === undefined ? {} : { partition: record.partition }),
          ...(record.timestamp === undefined ? {} : { timestamp: String(record.timestamp) }),
          ...(record.headers === undefined ? {} : { headers: record.headers }),
        })),
      });
    }
  } finally {
    await producer.disconnect();
  }
}
