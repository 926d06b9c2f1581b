/** Finds the partitions of a source and where to read them: one split each. Runs beside the JobMaster. */
import {
  isMillraceError,
  nearestName,
  type ConnectorContext,
  type Options,
  type SourceSpec,
  type Split,
  type SplitEnumerator,
  type SplitId,
} from '../../../core/index.ts';
import {
  createKafkaClient,
  describeErrorCode,
  EARLIEST_TIMESTAMP,
  ErrorCode,
  isAuthorization,
  isTransient,
  LATEST_TIMESTAMP,
  type ClusterMetadata,
  type Isolation,
  type KafkaClient,
  type TopicInfo,
  type TopicPartition,
} from '../client/index.ts';
import { clientConfig } from '../connection-options.ts';
import { kafkaErrors } from '../errors.ts';
import { prepareTransactions } from '../transaction/index.ts';
import { deadLetterTransactions } from './dead-letter-transactions.ts';
import { kafkaSplit, kafkaSplitId } from './kafka-split.ts';
import { nearPlaces, sendsToNearest } from './near-places.ts';
import { givenOffset, limitOf, type OffsetLimit } from './source-options.ts';

const RETRY_DELAY_MS = 200;

type Limits = ReadonlyMap<string, number | null>;

export class KafkaEnumerator implements SplitEnumerator {
  readonly discoveryIntervalMs: number | null;
  readonly #spec: SourceSpec;
  readonly #options: Options;
  readonly #context: ConnectorContext;
  readonly #client: KafkaClient;
  readonly #isolation: Isolation;
  readonly #start: OffsetLimit;
  readonly #end: OffsetLimit;
  readonly #known = new Set<SplitId>();
  /** Where each partition is cheap to read, as it was when it was last looked for. */
  #near: ReadonlyMap<SplitId, readonly string[]> = new Map();
  /** Null until somebody has been asked. */
  #isNearest: boolean | null = null;
  #isFirst = true;
  #isRestored = false;

  constructor(spec: SourceSpec, context: ConnectorContext) {
    this.#spec = spec;
    this.#options = spec.options;
    this.#context = context;
    this.#client = createKafkaClient(clientConfig(spec.options), context.ports);
    this.#isolation = spec.options['isolation'] as Isolation;
    this.#start = limitOf(spec.options['start'] ?? 'earliest');
    this.#end = limitOf(spec.options['end'] ?? 'never');
    const intervalMs = spec.options['discoveryInterval'] as number;
    this.discoveryIntervalMs = this.#end.kind === 'never' && intervalMs > 0 ? intervalMs : null;
  }

  restore(known: readonly SplitId[]): void {
    for (const id of known) this.#known.add(id);
    this.#isRestored = true;
  }

  async open(): Promise<void> {
    await this.#client.connect();
    const metadata = await this.#find(true);
    this.#checkGivenOffsets(this.#start, 'start', metadata);
    this.#checkGivenOffsets(this.#end, 'end', metadata);
    if (this.#spec.errors.kind !== 'dead-letter') return;
    await this.#prepareDeadLetters(this.#spec.errors.target);
    const { run, ports } = this.#context;
    const settings = deadLetterTransactions(this.#spec, run);
    if (run !== null && settings !== null) await prepareTransactions(this.#client, settings, run.settings, ports);
  }

  async discover(): Promise<readonly Split[]> {
    try {
      return await this.#discover();
    } catch (error) {
      // Brokers that are away for a while are no reason to stop a job that runs: the next call finds what this did not.
      if (this.#isFirst || !isMillraceError(error) || error.retry === 'never') throw error;
      return [];
    }
  }

  async #discover(): Promise<readonly Split[]> {
    const isFirst = this.#isFirst;
    const metadata = await this.#find(isFirst);
    const located = this.#locateAll(metadata);
    const fresh: TopicPartition[] = [];
    for (const topic of metadata.topics.values()) {
      for (const { partition } of topic.partitions) {
        if (!this.#known.has(kafkaSplitId(topic.name, partition))) fresh.push({ topic: topic.name, partition });
      }
    }
    // At latest, a partition made since the job first started would lose the records written before it was found.
    const start: OffsetLimit = isFirst && !this.#isRestored ? this.#start : { kind: 'earliest' };
    const [starts, ends] = await Promise.all([this.#resolve(start, fresh), this.#resolve(this.#end, fresh)]);
    const startFallback = start.kind === 'timestamp' ? await this.#resolve({ kind: 'latest' }, fresh) : starts;
    const endFallback = this.#end.kind === 'timestamp' ? await this.#resolve({ kind: 'latest' }, fresh) : ends;
    await located;
    const splits = fresh.map(({ topic, partition }) => {
      const key = `${topic}/${partition}`;
      return kafkaSplit(
        {
          topic,
          partition,
          offset: starts.get(key) ?? startFallback.get(key) ?? 0,
          endOffset: ends.get(key) ?? endFallback.get(key) ?? null,
          isFromBeginning: start.kind === 'earliest',
        },
        this.locate(kafkaSplitId(topic, partition)) ?? [],
      );
    });
    for (const { topic, partition } of fresh) this.#known.add(kafkaSplitId(topic, partition));
    this.#isFirst = false;
    return splits;
  }

  locate(id: SplitId): readonly string[] | null {
    return this.#near.get(id) ?? null;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Leaders and followers change while a job runs; how brokers choose among them does not. */
  async #locateAll(metadata: ClusterMetadata): Promise<void> {
    const { clock } = this.#context.ports;
    this.#isNearest ??= await sendsToNearest(this.#client, metadata, clock);
    const reading = { isNearest: this.#isNearest, rack: (this.#options['rack'] ?? null) as string | null };
    const near = [...metadata.topics.values()].flatMap(({ name, partitions }) =>
      partitions.map((each) => [kafkaSplitId(name, each.partition), nearPlaces(metadata, each, reading)] as const),
    );
    this.#near = new Map(near);
  }

  /** The topics to read. A topic that is not there is an error at first; later it may come back. */
  async #find(isStrict: boolean): Promise<ClusterMetadata> {
    const names = this.#options['topic'] as readonly string[] | null;
    if (names === null) return this.#findByPattern(this.#options['topicPattern'] as string, isStrict);
    const { clock } = this.#context.ports;
    const deadlineMs = clock.monotonicMs() + (this.#options['requestTimeout'] as number);
    for (;;) {
      const metadata = await this.#client.metadata(names);
      const bad = [...metadata.topics.values()].find((topic) => topic.errorCode !== ErrorCode.none);
      if (bad === undefined) return metadata;
      const mayPass = isTransient(bad.errorCode) && bad.errorCode !== ErrorCode.unknownTopicOrPartition;
      if (!mayPass || clock.monotonicMs() > deadlineMs) {
        if (isStrict || !isTransient(bad.errorCode)) throw await this.#topicError(bad);
        return metadata;
      }
      await clock.sleep(RETRY_DELAY_MS);
    }
  }

  async #findByPattern(pattern: string, isStrict: boolean): Promise<ClusterMetadata> {
    const whole = new RegExp(`^(?:${pattern})$`, 'u');
    const { brokers, topics } = await this.#client.metadata(null);
    const matching = [...topics].filter(
      ([name, topic]) => whole.test(name) && !topic.isInternal && name !== this.#options['commitsTopic'],
    );
    if (matching.length === 0 && isStrict) {
      throw kafkaErrors.create('MR-KAFKA-TOPIC-NOT-FOUND', {
        topic: `matching ${pattern}`,
        brokers: this.#brokerNames(),
        hint: topics.size === 0 ? '' : `; there are ${[...topics.keys()].sort().slice(0, 10).join(', ')}`,
      });
    }
    return { brokers, topics: new Map(matching) };
  }

  async #topicError(topic: TopicInfo): Promise<Error> {
    const { name, reason } = describeErrorCode(topic.errorCode);
    if (topic.errorCode === ErrorCode.unknownTopicOrPartition || topic.errorCode === ErrorCode.invalidTopic) {
      const known = [...(await this.#client.metadata(null)).topics.keys()];
      const near = nearestName(topic.name, known);
      const hint = near === null ? '' : `; did you mean ${near}?`;
      return kafkaErrors.create('MR-KAFKA-TOPIC-NOT-FOUND', { topic: topic.name, brokers: this.#brokerNames(), hint });
    }
    const resource = `topic ${topic.name}`;
    if (isAuthorization(topic.errorCode)) {
      return kafkaErrors.create('MR-KAFKA-NOT-AUTHORIZED', { operation: 'read', resource, reason });
    }
    return kafkaErrors.create('MR-KAFKA-REFUSED', { operation: 'read', resource, reason, error: name });
  }

  #brokerNames(): string {
    return (this.#options['brokers'] as readonly string[]).join(', ');
  }

  #checkGivenOffsets(limit: OffsetLimit, option: string, metadata: ClusterMetadata): void {
    if (limit.kind !== 'offsets') return;
    for (const [name, offsets] of limit.byTopic) {
      const topics = [...metadata.topics.values()].filter((topic) => name === '*' || topic.name === name);
      for (const topic of topics) {
        const count = topic.partitions.length;
        const partition = [...offsets.keys()].find((given) => given >= count);
        if (partition === undefined) continue;
        throw kafkaErrors.create('MR-KAFKA-PARTITION-NOT-FOUND', { topic: topic.name, partition, count, option });
      }
    }
  }

  /** The offset that a limit means, per partition; null where a timestamp is behind the last record. */
  async #resolve(limit: OffsetLimit, partitions: readonly TopicPartition[]): Promise<Limits> {
    if (partitions.length === 0) return new Map();
    switch (limit.kind) {
      case 'never':
        return new Map();
      case 'earliest':
        return this.#byTimestamp(partitions, EARLIEST_TIMESTAMP);
      case 'latest':
        return this.#byTimestamp(partitions, LATEST_TIMESTAMP);
      case 'timestamp':
        return this.#byTimestamp(partitions, limit.timestampMs);
      case 'group':
        return this.#committed(partitions);
      case 'offsets':
        return this.#given(limit, partitions);
    }
  }

  async #byTimestamp(partitions: readonly TopicPartition[], timestamp: number): Promise<Limits> {
    const queries = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }));
    const found = await this.#client.listOffsets(queries, this.#isolation);
    return new Map(found.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
  }

  async #committed(partitions: readonly TopicPartition[]): Promise<Limits> {
    const group = this.#options['group'] as string;
    const found = await this.#client.committedOffsets(group, partitions);
    const missing = found.filter(({ offset }) => offset === null);
    const first = missing[0];
    const limits = new Map(found.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
    if (first === undefined) return limits;
    const reset = this.#options['reset'] as string;
    if (reset === 'fail') {
      const { topic, partition } = first;
      throw kafkaErrors.create('MR-KAFKA-NO-COMMITTED-OFFSET', { group, topic, partition });
    }
    const timestamp = reset === 'earliest' ? EARLIEST_TIMESTAMP : LATEST_TIMESTAMP;
    return new Map([...limits, ...(await this.#byTimestamp(missing, timestamp))]);
  }

  async #given(
    limit: Extract<OffsetLimit, { kind: 'offsets' }>,
    partitions: readonly TopicPartition[],
  ): Promise<Limits> {
    const rest: TopicPartition[] = [];
    const limits = new Map<string, number | null>();
    for (const { topic, partition } of partitions) {
      const offset = givenOffset(limit, topic, partition);
      if (offset === null) rest.push({ topic, partition });
      else limits.set(`${topic}/${partition}`, offset);
    }
    // Partitions that are not named are read from their beginning to their end.
    const timestamp = limit === this.#end ? LATEST_TIMESTAMP : EARLIEST_TIMESTAMP;
    return rest.length === 0 ? limits : new Map([...limits, ...(await this.#byTimestamp(rest, timestamp))]);
  }

  /** Poison records must have somewhere to go before the first one comes. */
  async #prepareDeadLetters(target: string): Promise<void> {
    const { topics } = await this.#client.metadata([target]);
    const code = topics.get(target)?.errorCode ?? ErrorCode.unknownTopicOrPartition;
    if (code === ErrorCode.unknownTopicOrPartition) await this.#client.createTopic(target);
    else if (isAuthorization(code)) throw await this.#topicError(topics.get(target) as TopicInfo);
  }
}
