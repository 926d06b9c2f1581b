/**
 * The ends of a topic's partitions once none of its transactions is open. Brokers acknowledge a commit before they have
 * written its markers, so readers of committed records who look at once may find less.
 */
import { setTimeout } from 'node:timers/promises';
import { LATEST_TIMESTAMP } from '../src/connectors/index.ts';
import { connectKafka } from './systems/kafka-client.ts';

const ATTEMPT_INTERVAL_MS = 200;
const MAX_ATTEMPTS = 300;

export async function committedEnds(brokers: string, topic: string): Promise<ReadonlyMap<number, number>> {
  const client = await connectKafka(brokers, 'bench-compare');
  try {
    const info = (await client.metadata([topic])).topics.get(topic);
    const queries = (info?.partitions ?? []).map((_, partition) => ({ topic, partition, timestamp: LATEST_TIMESTAMP }));
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const written = await client.listOffsets(queries, 'read_uncommitted');
      const committed = await client.listOffsets(queries, 'read_committed');
      const ends = new Map(committed.map(({ partition, offset }) => [partition, offset ?? 0]));
      if (written.every(({ partition, offset }) => ends.get(partition) === (offset ?? 0))) return ends;
      await setTimeout(ATTEMPT_INTERVAL_MS);
    }
    throw new Error(`${topic} has a transaction that stays open`);
  } finally {
    await client.close();
  }
}
