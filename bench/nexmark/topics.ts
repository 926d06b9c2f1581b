/** The topics of a benchmark: the events, loaded once per broker, and a fresh output topic per run. */
import { setTimeout } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import type { Admin } from 'kafkajs';
import { runChild } from '../systems/run-child.ts';
import { PARTITION_COUNT } from '../systems/partitions.ts';
import type { Dataset } from './queries.ts';

const DELETE_WAIT_MS = 10_000;
const ATTEMPT_INTERVAL_MS = 200;
const MAX_ATTEMPTS = 50;

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

/** Resolves once every partition has a leader that answers. */
export function createTopic(brokers: string, topic: string): Promise<void> {
  return withAdmin(brokers, async (admin) => {
    // kafkajs does not wait where the topic is not known yet, only where it has no leader.
    const topics = [{ topic, numPartitions: PARTITION_COUNT, replicationFactor: 1 }];
    await admin.createTopics({ waitForLeaders: false, topics });
    for (let attempt = 1; ; attempt++) {
      const offsets = await admin.fetchTopicOffsets(topic).catch((error: unknown) => {
        if (attempt === MAX_ATTEMPTS) throw error;
        return [];
      });
      if (offsets.length === PARTITION_COUNT) return;
      await setTimeout(ATTEMPT_INTERVAL_MS);
    }
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

/** Topics by the kind of their events. */
export type InputTopics = Readonly<Partial<Record<'bid' | 'person' | 'auction', string>>>;

type Tell = (text: string) => void;

/** Topics with `events` events of the Nexmark generator in all, which the engine fills where they are missing. */
export async function preload(brokers: string, dataset: Dataset, events: number, tell: Tell): Promise<InputTopics> {
  const load = (jobFile: string, topic: string, count = events) =>
    preloadTopic(brokers, { jobFile, topic: `bench-${topic}-${count}`, events: count }, tell);
  if (dataset === 'bids') return { bid: await load('preload.yaml', 'bids') };
  if (dataset === 'late-bids') return { bid: await load('preload-late-bids.yaml', 'late-bids') };
  // Three auctions begin per person.
  const persons = Math.ceil(events / 4);
  return {
    person: await load('preload-late-persons.yaml', 'late-persons', persons),
    auction: await load('preload-late-auctions.yaml', 'late-auctions', events - persons),
  };
}

interface Load {
  readonly jobFile: string;
  readonly topic: string;
  readonly events: number;
}

async function preloadTopic(brokers: string, { jobFile, topic, events }: Load, tell: Tell): Promise<string> {
  const present = await countRecords(brokers, topic);
  if (present === events) return topic;
  if (present !== null) await deleteTopic(brokers, topic);
  tell(`loading ${events} events into ${topic}`);
  await createTopic(brokers, topic);
  await runChild(process.execPath, [
    ...['bin/millrace.mjs', 'run', `bench/nexmark/${jobFile}`, '--fresh', '--parallelism', '1'],
    ...['--set', `KAFKA_BROKERS=${brokers}`, '--set', `TOPIC=${topic}`, '--set', `EVENTS=${events}`],
  ]);
  const loaded = await countRecords(brokers, topic);
  if (loaded !== events) throw new Error(`${topic} holds ${loaded} records instead of ${events}`);
  return topic;
}
