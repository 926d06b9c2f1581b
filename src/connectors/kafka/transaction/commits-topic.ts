/** The topic that every transaction leaves a record in, so that a restart can tell how the transaction ended. */
import { isMillraceError, type Ports } from '../../../core/index.ts';
import { ErrorCode, type KafkaClient, type TopicSettings } from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import type { TransactionSettings } from './transaction-options.ts';

const RETENTION_MS = 30 * 24 * 3600 * 1000;
const topicSettings: TopicSettings = {
  partitions: 3,
  config: { 'cleanup.policy': 'delete', 'retention.ms': String(RETENTION_MS), 'retention.bytes': '-1' },
};
const FIRST_LOOK_MS = 100;

/** Makes the topic where it is missing, and waits for its leaders; refuses one that would lose records. */
export async function prepareCommitsTopic(
  client: KafkaClient,
  settings: TransactionSettings,
  ports: Ports,
): Promise<void> {
  const topic = settings.commitsTopic;
  const deadlineMs = ports.clock.monotonicMs() + settings.requestTimeoutMs;
  for (let isFirst = true; ; isFirst = false) {
    const info = (await client.metadata([topic])).topics.get(topic);
    const code = info?.errorCode ?? ErrorCode.unknownTopicOrPartition;
    if (code === ErrorCode.none && info?.partitions.some(({ leader }) => leader >= 0) === true) break;
    if (isFirst && code === ErrorCode.unknownTopicOrPartition) await client.createTopic(topic, topicSettings);
    if (ports.clock.monotonicMs() > deadlineMs) {
      const seconds = settings.requestTimeoutMs / 1000;
      const fields = { operation: 'serve', resource: `topic ${topic}`, seconds, reason: 'it has no leader' };
      throw kafkaErrors.create('MR-KAFKA-UNAVAILABLE', fields);
    }
    await ports.clock.sleep(FIRST_LOOK_MS);
  }
  await checkSettings(client, topic, settings.transactionTimeoutMs);
}

async function checkSettings(client: KafkaClient, topic: string, transactionTimeoutMs: number): Promise<void> {
  let found: ReadonlyMap<string, string | null>;
  try {
    found = await client.settings('topic', topic, ['cleanup.policy', 'retention.ms']);
  } catch (error) {
    // Who may not look at settings has to trust whoever made the topic.
    if (isMillraceError(error) && error.code === 'MR-KAFKA-NOT-AUTHORIZED') return;
    throw error;
  }
  const policy = found.get('cleanup.policy') ?? 'delete';
  const retentionMs = Number(found.get('retention.ms') ?? -1);
  const reason = policy.includes('compact')
    ? `its cleanup.policy is ${policy}, which discards records before their time`
    : retentionMs >= 0 && retentionMs <= transactionTimeoutMs
      ? `its retention.ms is ${retentionMs}, not more than \`transactionTimeout\` (${transactionTimeoutMs} ms)`
      : null;
  if (reason !== null) throw kafkaErrors.create('MR-KAFKA-COMMITS-TOPIC', { topic, reason });
}

/** The value of a commit record. */
export function encodeCommitRecord(
  { owner }: TransactionSettings,
  subtaskIndex: number,
  checkpointId: number,
  transactionalId: string,
): Buffer {
  const { jobName, stepId, generation } = owner;
  const fields = { job: jobName, step: stepId, subtask: subtaskIndex, generation, checkpoint: checkpointId };
  return Buffer.from(JSON.stringify({ version: 1, ...fields, transactionalId }));
}
