import {
  type Committer,
  type ConnectorContext,
  type FormatDefinition,
  type OptionProblem,
  type Options,
  type RowSchema,
  type SourceConnector,
  type SourceReader,
  type SourceSpec,
  type SplitEnumerator,
} from '../../../core/index.ts';
import { createKafkaClient } from '../client/index.ts';
import { clientConfig } from '../connection-options.ts';
import { KafkaCommitter, transactionSettings } from '../transaction/index.ts';
import { deadLetterProducer, deadLetterTransactions } from './dead-letter-transactions.ts';
import { KafkaEnumerator } from './kafka-enumerator.ts';
import { KafkaReader } from './kafka-reader.ts';
import { kafkaMetadata } from './metadata-columns.ts';
import { limitOf, sourceOptions } from './source-options.ts';

/** The source that reads topics. `formats` are those that its jobs may name. */
export function createKafkaSource(formats: readonly FormatDefinition[]): SourceConnector {
  return Object.freeze({
    kind: 'source' as const,
    name: 'kafka',
    doc: 'Reads topics of Apache Kafka 2.4 or newer.',
    options: sourceOptions,
    formatUse: 'required' as const,
    example: 'brokers: localhost:9092\ntopic: orders\nstart: earliest\nformat: json\n',
    metadata: kafkaMetadata,
    deadLetters: true,
    fixedSchema: (): RowSchema | null => null,
    isBounded: (options: Options) => (options['end'] ?? 'never') !== 'never',
    check: checkSource,
    createEnumerator: (spec: SourceSpec, context: ConnectorContext): SplitEnumerator =>
      new KafkaEnumerator(spec, context),
    createReader: (spec: SourceSpec): SourceReader => {
      const format = formats.find(({ name }) => name === spec.format?.name);
      if (format === undefined) throw new TypeError(`no format ${spec.format?.name ?? ''}`);
      return new KafkaReader(spec, format);
    },
    createCommitter,
  });
}

/** For dead letters. */
function createCommitter(spec: SourceSpec, { run, ports }: ConnectorContext): Committer {
  if (run === null) throw new TypeError('a job without checkpoints has nothing to commit');
  const isTransactional = deadLetterTransactions(spec, run) !== null;
  const settings = transactionSettings(spec.options, run, spec.stepId, deadLetterProducer.deliveryTimeoutMs);
  return new KafkaCommitter(createKafkaClient(clientConfig(spec.options), ports), settings, ports, isTransactional);
}

/** What is wrong although every option alone is right. */
function checkSource(spec: SourceSpec): readonly OptionProblem[] {
  const { options } = spec;
  const problems: OptionProblem[] = [];
  const report = (path: string, what: OptionProblem['what'], message: string) => {
    problems.push({ path: [path], what, message, suggestion: null });
  };
  const hasTopic = options['topic'] !== null && options['topic'] !== undefined;
  const hasPattern = options['topicPattern'] !== null && options['topicPattern'] !== undefined;
  if (!hasTopic && !hasPattern) {
    report('topic', 'missing', '`topic` is required (or `topicPattern`): the topic to read');
  }
  if (hasTopic && hasPattern) report('topicPattern', 'invalid', '`topicPattern` and `topic` exclude each other');
  const start = limitOf(options['start'] ?? 'earliest');
  if (start.kind === 'group' && (options['group'] ?? null) === null) {
    report('group', 'missing', '`group` is required with `start: group`: whose committed offsets are meant');
  }
  const topics = (options['topic'] ?? []) as readonly string[];
  for (const option of ['start', 'end'] as const) {
    const limit = limitOf(options[option] ?? (option === 'start' ? 'earliest' : 'never'));
    if (limit.kind !== 'offsets' || !hasTopic) continue;
    const unknown = [...limit.byTopic.keys()].find((name) => name !== '*' && !topics.includes(name));
    if (unknown !== undefined) {
      report(option, 'invalid', `\`${option}\` has offsets for ${unknown}, which is not in \`topic\``);
    }
    if (limit.byTopic.has('*') && topics.length > 1) {
      report(option, 'invalid', `\`${option}\` needs offsets per topic: {TOPIC: {PARTITION: OFFSET}}`);
    }
  }
  if (spec.errors.kind === 'dead-letter' && spec.errors.target === options['commitsTopic']) {
    report('commitsTopic', 'invalid', '`commitsTopic` is for records of transactions alone: not for dead letters too');
  }
  if (spec.errors.kind === 'dead-letter' && topics.includes(spec.errors.target)) {
    report('topic', 'invalid', `dead letters of ${spec.errors.target} would be read again: use another topic for them`);
  }
  return problems;
}
