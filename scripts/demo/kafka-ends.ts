import { Kafka, logLevel, Partitioners, type Consumer } from 'kafkajs';

import { identifyProcess, startServices, stopServices } from '../services/index.ts';
import type { DemoEnds } from './ends.ts';

const ORDERS = 'orders';
const TOTALS = 'order-totals';
const PARTITIONS = 4;

/** A broker of the demo's own. What is written and read here shares no code with the engine. */
export async function startKafkaEnds(name: string, tell: (line: string) => void): Promise<DemoEnds> {
  const owner = identifyProcess(process.pid);
  const belongsTo = owner === undefined ? {} : { owner };
  const services = await startServices({ name, zookeeper: false, progress: tell, ...belongsTo });
  const kafka = new Kafka({ brokers: services.brokers.split(','), clientId: 'demo', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const close = async (): Promise<void> => {
    await Promise.allSettled([admin.disconnect(), producer.disconnect()]);
    await stopServices(name);
  };
  try {
    await Promise.all([admin.connect(), producer.connect()]);
    const topics = [ORDERS, TOTALS].map((topic) => ({ topic, numPartitions: PARTITIONS }));
    await admin.createTopics({ waitForLeaders: true, topics });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    variables: { KAFKA_BROKERS: services.brokers, ORDERS, TOTALS },
    boundedVariables: { END: 'latest' },
    endlessVariables: {},
    outputFile: null,
    jobFile: 'examples/demo/order-totals.yaml',
    description: `Kafka ${services.kafka} at ${services.brokers}`,
    async send(orders) {
      await producer.send({ topic: ORDERS, acks: -1, messages: orders.map((value) => ({ key: null, value })) });
    },
    async readOutput() {
      const ends = await admin.fetchTopicOffsets(TOTALS);
      const wanted = new Map(ends.map(({ partition, high }) => [partition, Number(high)]));
      return readUntil(kafka.consumer({ groupId: `${name}-reader` }), wanted);
    },
    close,
  };
}

/** All records of the topic before the given offsets. */
async function readUntil(consumer: Consumer, wanted: ReadonlyMap<number, number>): Promise<readonly string[]> {
  const records: string[] = [];
  const missing = new Set([...wanted].filter(([, end]) => end > 0).map(([partition]) => partition));
  await consumer.connect();
  try {
    await consumer.subscribe({ topic: TOTALS, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      if (missing.size === 0) resolve();
      // A young group is refused for a moment; the client then begins again by itself.
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) reject(payload.error);
      });
      const run = consumer.run({
        eachBatch: ({ batch }) => {
          for (const { value } of batch.messages) if (value !== null) records.push(value.toString('utf8'));
          if (Number(batch.lastOffset()) + 1 >= (wanted.get(batch.partition) ?? 0)) missing.delete(batch.partition);
          if (missing.size === 0) resolve();
          return Promise.resolve();
        },
      });
      run.catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return records;
}
