/** The topics of a benchmark: the bids, loaded once per broker, and a fresh output topic per run. */
import { Kafka, logLevel } from 'kafkajs';
import type { Admin } from 'kafkajs';
import { runChild } from '../systems/run-child.ts';
import { PARTITION_COUNT } from '../systems/partitions.ts';

const DELETE_WAIT_MS = 10_000;

async function withAdmin<T>(brokers: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'bench-admin', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

export function createTopic(brokers: string, topic: string): Promise<void> {
  return withAdmin(brokers, async (admin) => {
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic, numPartitions: PARTITION_COUNT, replicationFactor: 1 }],
    });
  });
}

export function deleteTopic(brokers: string, topic: string): Promise<void> {
  return withAdmin(brokers, (admin) => admin.deleteTopics({ topics: [topic], timeout: DELETE_WAIT_MS }));
}

async function countRecords(brokers: string, topic: string): Promise<number | null> {
  return withAdmin(brokers, async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) return null;
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  });
}

/** The topic that holds `events` bids of the Nexmark generator, which the engine fills where it is missing. */
export async function preloadBids(brokers: string, events: number, tell: (text: string) => void): Promise<string> {
  const topic = `bench-bids-${events}`;
  const present = await countRecords(brokers, topic);
  if (present === events) return topic;
  if (present !== null) await deleteTopic(brokers, topic);
  tell(`loading ${events} bids into ${topic}`);
  await createTopic(brokers, topic);
  await runChild(process.execPath, [
    ...['bin/millrace.mjs', 'run', 'bench/nexmark/preload.yaml', '--fresh', '--parallelism', '1'],
    ...['--set', `KAFKA_BROKERS=${brokers}`, '--set', `TOPIC=${topic}`, '--set', `EVENTS=${events}`],
  ]);
  const loaded = await countRecords(brokers, topic);
  if (loaded !== events) throw new Error(`${topic} holds ${loaded} records instead of ${events}`);
  return topic;
}
