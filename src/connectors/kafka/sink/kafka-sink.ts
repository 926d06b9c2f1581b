import {
  nearestName,
  type ChangelogMode,
  type Committer,
  type ConnectorContext,
  type FormatDefinition,
  type Options,
  type Ports,
  type SinkConnector,
  type SinkSpec,
  type SinkWriter,
} from '../../../core/index.ts';
import {
  createKafkaClient,
  describeErrorCode,
  ErrorCode,
  isAuthorization,
  isTransient,
  type KafkaClient,
} from '../client/index.ts';
import { clientConfig } from '../connection-options.ts';
import { kafkaErrors } from '../errors.ts';
import { KafkaCommitter, prepareTransactions, requireCheckpoints } from '../transaction/index.ts';
import { KafkaWriter } from './kafka-writer.ts';
import { sinkOptions } from './sink-options.ts';
import { checkSink } from './sink-plan.ts';
import { deliversExactlyOnce, sinkTransactions } from './sink-transactions.ts';

const RETRY_DELAY_MS = 200;

/** The sink that writes a topic. `formats` are those that its jobs may name. */
export function createKafkaSink(formats: readonly FormatDefinition[]): SinkConnector {
  const formatOf = (name: string): FormatDefinition | null => formats.find((format) => format.name === name) ?? null;
  return Object.freeze({
    kind: 'sink' as const,
    name: 'kafka',
    doc: 'Writes a topic of Apache Kafka 2.4 or newer, acknowledged by all in-sync replicas.',
    options: sinkOptions,
    formatUse: 'required' as const,
    example: 'brokers: localhost:9092\ntopic: totals\nkey: [region]\nformat: json\n',
    acceptedModes: (options: Options): readonly ChangelogMode[] =>
      ((options['key'] ?? []) as readonly string[]).length > 0 ? ['append', 'upsert'] : ['append'],
    check: checkSink,
    prepare,
    createWriter: (spec: SinkSpec): SinkWriter => {
      const format = formatOf(spec.format?.name ?? '');
      if (format === null) throw new TypeError(`no format ${spec.format?.name ?? ''}`);
      return new KafkaWriter(spec, format, formatOf('json'));
    },
    isTransactional: deliversExactlyOnce,
    createCommitter,
  });
}

function createCommitter(spec: SinkSpec, { run, ports }: ConnectorContext): Committer {
  if (run === null) throw new TypeError('a job without checkpoints has nothing to commit');
  const client = createKafkaClient(clientConfig(spec.options), ports);
  return new KafkaCommitter(client, sinkTransactions(spec, run), ports, deliversExactlyOnce(spec.options));
}

async function prepare(spec: SinkSpec, { run, ports }: ConnectorContext): Promise<void> {
  const transactional = deliversExactlyOnce(spec.options) ? requireCheckpoints(run, spec.stepId) : null;
  const client = createKafkaClient(clientConfig(spec.options), ports);
  try {
    await client.connect();
    await checkTopic(client, spec, ports);
    if (transactional === null) return;
    await prepareTransactions(client, sinkTransactions(spec, transactional), transactional.settings, ports);
  } finally {
    await client.close();
  }
}

/** The topic must be there: it is not made, because its partitions and replicas are for its owner to choose. */
async function checkTopic(client: KafkaClient, spec: SinkSpec, { clock }: Ports): Promise<void> {
  const topic = spec.options['topic'] as string;
  const resource = `topic ${topic}`;
  const deadlineMs = clock.monotonicMs() + (spec.options['requestTimeout'] as number);
  for (;;) {
    const { topics } = await client.metadata([topic]);
    const code = topics.get(topic)?.errorCode ?? ErrorCode.unknownTopicOrPartition;
    if (code === ErrorCode.none) return;
    const { name, reason } = describeErrorCode(code);
    if (isAuthorization(code)) {
      throw kafkaErrors.create('MR-KAFKA-NOT-AUTHORIZED', { operation: 'write to', resource, reason });
    }
    if (code === ErrorCode.unknownTopicOrPartition || code === ErrorCode.invalidTopic) {
      const near = nearestName(topic, [...(await client.metadata(null)).topics.keys()]);
      const hint = near === null ? '' : `; did you mean ${near}?`;
      const brokers = (spec.options['brokers'] as readonly string[]).join(', ');
      throw kafkaErrors.create('MR-KAFKA-TOPIC-NOT-FOUND', { topic, brokers, hint });
    }
    if (!isTransient(code) || clock.monotonicMs() > deadlineMs) {
      throw kafkaErrors.create('MR-KAFKA-REFUSED', { operation: 'write to', resource, reason, error: name });
    }
    await clock.sleep(RETRY_DELAY_MS);
  }
}
