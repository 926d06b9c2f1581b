/**
 * What a program written on kafkajs alone does: consume batches, JSON.parse, compute, JSON.stringify, send. Each thread
 * is one consumer with fixed partitions; sends overlap with consuming up to MAX_PENDING_SENDS.
 */
import { Kafka, logLevel } from 'kafkajs';
import type { Message } from 'kafkajs';
import { bidQueries } from '../nexmark/queries.ts';
import type { Bid } from '../nexmark/queries.ts';
import { partitionsOf, runPeer } from '../systems/peer-process.ts';
import type { PeerTask } from '../systems/peer-process.ts';

const MAX_PENDING_SENDS = 4;

async function work(task: PeerTask): Promise<void> {
  const query = bidQueries.get(task.query);
  if (query === undefined) throw new Error(`no query ${task.query}`);
  const kafka = new Kafka({ brokers: task.brokers.split(','), clientId: 'bench-kafkajs', logLevel: logLevel.NOTHING });
  const mine = new Set(partitionsOf(task));
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map((await admin.fetchTopicOffsets(task.inputTopic)).map((o) => [o.partition, Number(o.high)]));
  await admin.disconnect();
  const left = new Map([...mine].map((p) => [p, ends.get(p) ?? 0]));

  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 5, allowAutoTopicCreation: false });
  await producer.connect();
  const consumer = kafka.consumer({
    groupId: `bench-${task.outputTopic}-${task.index}`,
    maxBytesPerPartition: 1 << 20,
    partitionAssigners: [fixedAssigner(task.inputTopic, [...mine])],
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [task.inputTopic], fromBeginning: true });

  const pending = new Set<Promise<unknown>>();
  await new Promise<void>((resolve, reject) => {
    const failed = (error: unknown) => {
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    consumer
      .run({
        autoCommit: false,
        partitionsConsumedConcurrently: 1,
        eachBatch: async ({ batch }) => {
          const remaining = left.get(batch.partition) ?? 0;
          if (remaining === 0) return;
          const messages: Message[] = [];
          for (const message of batch.messages) {
            const row = query.compute(JSON.parse(String(message.value)) as Bid);
            if (row !== null) messages.push({ value: JSON.stringify(row) });
          }
          if (messages.length > 0) {
            const sent = producer.send({ topic: task.outputTopic, acks: -1, messages });
            const tracked: Promise<unknown> = sent.then(() => pending.delete(tracked), failed);
            pending.add(tracked);
            if (pending.size >= MAX_PENDING_SENDS) await Promise.race(pending);
          }
          left.set(batch.partition, remaining - batch.messages.length);
          task.progress[task.index] = (task.progress[task.index] ?? 0) + batch.messages.length;
          if ([...left.values()].every((n) => n === 0)) resolve();
        },
      })
      .catch(failed);
  });
  await Promise.all(pending);
  await producer.disconnect();
  await consumer.disconnect();
}

function fixedAssigner(topic: string, partitions: number[]) {
  const memberAssignment = assignmentOf(topic, partitions);
  return () => ({
    name: 'Fixed',
    version: 1,
    assign: ({ members }: { members: { memberId: string }[] }) =>
      Promise.resolve(members.map(({ memberId }) => ({ memberId, memberAssignment }))),
    protocol: () => ({ name: 'Fixed', metadata: subscriptionOf(topic) }),
  });
}

/** ConsumerProtocolAssignment v0: version, topics with partitions, user data. */
function assignmentOf(topic: string, partitions: readonly number[]): Buffer {
  const name = Buffer.from(topic);
  const bytes = Buffer.alloc(2 + 4 + 2 + name.length + 4 + 4 * partitions.length + 4);
  let at = bytes.writeInt16BE(0, 0);
  at = bytes.writeInt32BE(1, at);
  at = bytes.writeInt16BE(name.length, at);
  at += name.copy(bytes, at);
  at = bytes.writeInt32BE(partitions.length, at);
  for (const partition of partitions) at = bytes.writeInt32BE(partition, at);
  bytes.writeInt32BE(0, at);
  return bytes;
}

/** ConsumerProtocolSubscription v0: version, topics, user data. */
function subscriptionOf(topic: string): Buffer {
  const name = Buffer.from(topic);
  const bytes = Buffer.alloc(2 + 4 + 2 + name.length + 4);
  let at = bytes.writeInt16BE(0, 0);
  at = bytes.writeInt32BE(1, at);
  at = bytes.writeInt16BE(name.length, at);
  at += name.copy(bytes, at);
  bytes.writeInt32BE(0, at);
  return bytes;
}

await runPeer(new URL(import.meta.url), work);
