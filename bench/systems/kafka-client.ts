import { nodePorts } from '../../src/core/node-ports.ts';
import { createKafkaClient } from '../../src/connectors/index.ts';
import type { KafkaClient } from '../../src/connectors/index.ts';

/** The engine's Kafka client, connected to brokers that ask for no proof of who comes. */
export async function connectKafka(brokers: string, clientId: string): Promise<KafkaClient> {
  const client = createKafkaClient(
    {
      brokers: brokers.split(','),
      clientId,
      tls: null,
      sasl: null,
      connectTimeoutMs: 10_000,
      requestTimeoutMs: 30_000,
    },
    nodePorts,
  );
  await client.connect();
  return client;
}
