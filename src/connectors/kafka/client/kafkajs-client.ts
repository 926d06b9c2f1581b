/**
 * The KafkaClient over kafkajs 2.2.4: its request encoders, its SASL, its table of errors. Connections, Fetch and
 * Produce are our own, because kafkajs copies every answer together and decodes one object per record.
 *
 * Each broker has up to four connections: a long-polling Fetch must not hold up a Produce or a question, nor a
 * transaction that is being ended a question.
 */
import type { Ports, TlsSettings } from '../../../core/index.ts';
import { kafkaErrors } from '../errors.ts';
import type {
  BrokerInfo,
  ClusterMetadata,
  EndAnswer,
  FetchRequest,
  FetchResponse,
  FoundOffset,
  Isolation,
  KafkaClient,
  KafkaClientConfig,
  OffsetQuery,
  ProduceResponse,
  ProducePartition,
  ProducerIdentity,
  TopicInfo,
  TopicPartition,
  TopicSettings,
  TransactionIdentity,
} from './client.ts';
import { loadPem } from '../../tls-option.ts';
import { askInTurn } from './ask-in-turn.ts';
import { Connection } from './connection.ts';
import { CoordinatorRequests } from './coordinator-requests.ts';
import { checkCode, ErrorCode } from './error-codes.ts';
import { decodeFetch, encodeFetch } from './fetch-protocol.ts';
import { kafkajsRequests, type KafkajsProtocol } from './kafkajs-internals.ts';
import { persist } from './persist.ts';
import { decodeProduce, encodeProduce } from './produce-protocol.ts';
import { apis, optionalApis } from './required-apis.ts';

type Purpose = 'ask' | 'coordinate' | 'fetch' | 'produce';

/** A name that no topic can have. */
const NO_TOPICS: readonly string[] = ['/'];
const UNKNOWN_OFFSET = '-1';
/** Of DescribeConfigs. */
const RESOURCE_TYPES = { topic: 2, broker: 4 } as const;

export function createKafkaClient(config: KafkaClientConfig, ports: Ports): KafkaClient {
  return new KafkajsClient(config, ports);
}

class KafkajsClient implements KafkaClient {
  readonly #config: KafkaClientConfig;
  readonly #ports: Ports;
  readonly #connections = new Map<string, Promise<Connection>>();
  #brokers: ReadonlyMap<number, BrokerInfo> = new Map();
  #tls: TlsSettings | null = null;
  #isClosed = false;
  readonly #coordinators: CoordinatorRequests;

  constructor(config: KafkaClientConfig, ports: Ports) {
    this.#config = config;
    this.#ports = ports;
    this.#coordinators = new CoordinatorRequests({
      ports,
      requestTimeoutMs: config.requestTimeoutMs,
      isClosed: () => this.#isClosed,
      askAny: (protocol) => this.#askAny(protocol),
      askCoordinator: async (brokerId, protocol) => (await this.#connection(brokerId, 'coordinate')).call(protocol),
    });
  }

  async connect(): Promise<void> {
    this.#tls = this.#config.tls === null ? null : await this.#pem(this.#config.tls);
    const { connectTimeoutMs: timeoutMs } = this.#config;
    const how = { operation: 'answer', resource: 'a request', isClosed: () => this.#isClosed };
    await persist({ ports: this.#ports, timeoutMs, ...how }, async () => {
      await this.metadata([]);
      return null;
    });
  }

  #pem(tls: TlsSettings): Promise<TlsSettings> {
    const failure = (reason: string, cause: unknown) =>
      kafkaErrors.create('MR-KAFKA-TLS', { broker: '(none yet)', reason }, cause);
    return loadPem(tls, this.#ports.files, failure);
  }

  async metadata(topics: readonly string[] | null): Promise<ClusterMetadata> {
    // An empty list asks for all topics in kafkajs.
    const asked = topics === null ? [] : topics.length === 0 ? NO_TOPICS : topics;
    const request = kafkajsRequests.Metadata.protocol({ version: apis.metadata.version })({
      topics: asked,
      allowAutoTopicCreation: false,
    });
    const decoded = (await this.#askAny(request)) as DecodedMetadata;
    const brokers = new Map(
      decoded.brokers.map(({ nodeId: id, host, port, rack }) => {
        return [id, { id, host, port, rack: rack === '' ? null : rack }];
      }),
    );
    this.#retireLostBrokers(brokers);
    this.#brokers = brokers;
    const found = asked === NO_TOPICS ? [] : decoded.topicMetadata;
    return { brokers, topics: new Map(found.map((topic) => [topic.topic, topicInfo(topic)])) };
  }

  async listOffsets(queries: readonly OffsetQuery[], isolation: Isolation): Promise<readonly FoundOffset[]> {
    const found = new Map<string, FoundOffset>();
    const keyOf = (partition: TopicPartition) => `${partition.topic}/${partition.partition}`;
    await this.#persist('list', 'offsets', async () => {
      const open = queries.filter((query) => !found.has(keyOf(query)));
      if (open.length === 0) return null;
      const { topics } = await this.metadata([...new Set(open.map((query) => query.topic))]);
      const byLeader = Map.groupBy(open, (query) => topics.get(query.topic)?.partitions[query.partition]?.leader ?? -1);
      byLeader.delete(-1);
      const answers = await Promise.all(
        Array.from(byLeader, ([leader, ofLeader]) => this.#listOffsetsAt(leader, ofLeader, isolation)),
      );
      for (const answer of answers.flat()) found.set(keyOf(answer), answer);
      return found.size === queries.length ? null : 'the brokers have no leader for it yet';
    });
    return queries.map((query) => found.get(keyOf(query)) as FoundOffset);
  }

  committedOffsets(group: string, partitions: readonly TopicPartition[]): Promise<readonly FoundOffset[]> {
    return this.#coordinators.committedOffsets(group, partitions);
  }

  commitOffsets(group: string, offsets: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    return this.#coordinators.commitOffsets(group, offsets);
  }

  async createTopic(topic: string, settings: TopicSettings = { partitions: -1, config: {} }): Promise<void> {
    const configEntries = Object.entries(settings.config).map(([name, value]) => ({ name, value }));
    const request = kafkajsRequests.CreateTopics.protocol({ version: apis.createTopics.version })({
      topics: [{ topic, numPartitions: settings.partitions, replicationFactor: -1, configEntries }],
      validateOnly: false,
      timeout: this.#config.requestTimeoutMs,
    });
    await this.#persist('create', `topic ${topic}`, async () => {
      const decoded = (await this.#askAny(request)) as {
        readonly topicErrors: readonly { readonly errorCode: number }[];
      };
      const code = decoded.topicErrors[0]?.errorCode ?? ErrorCode.none;
      return code === ErrorCode.topicAlreadyExists ? null : checkCode(code, 'create', `topic ${topic}`);
    });
  }

  async settings(
    kind: 'topic' | 'broker',
    name: string,
    settingNames: readonly string[],
  ): Promise<ReadonlyMap<string, string | null>> {
    const resource = `${kind} ${name}`;
    const request = kafkajsRequests.DescribeConfigs.protocol({ version: optionalApis.describeConfigs.version })({
      resources: [{ type: RESOURCE_TYPES[kind], name, configNames: settingNames }],
      includeSynonyms: false,
    });
    const found = new Map<string, string | null>();
    await this.#persist('read the settings of', resource, async () => {
      // A broker's settings are known to itself alone.
      const answer = kind === 'broker' ? this.#connection(Number(name), 'ask').then((c) => c.call(request)) : null;
      const decoded = (await (answer ?? this.#askAny(request))) as DecodedSettings;
      const reason = decoded.resources
        .map(({ errorCode }) => checkCode(errorCode, 'read the settings of', resource))
        .find((each) => each !== null);
      for (const { configName, configValue } of decoded.resources.flatMap(({ configEntries }) => configEntries)) {
        found.set(configName, configValue);
      }
      return reason ?? null;
    });
    return found;
  }

  async initProducerId(): Promise<ProducerIdentity> {
    const args = { transactionalId: null, transactionTimeout: this.#config.requestTimeoutMs };
    const request = kafkajsRequests.InitProducerId.protocol({ version: apis.initProducerId.version })(args);
    let identity: ProducerIdentity | null = null;
    await this.#persist('start', 'an idempotent producer', async () => {
      const decoded = (await this.#askAny(request)) as {
        readonly errorCode: number;
        readonly producerId: string;
        readonly producerEpoch: number;
      };
      const reason = checkCode(decoded.errorCode, 'start', 'an idempotent producer');
      if (reason === null) identity = { producerId: BigInt(decoded.producerId), epoch: decoded.producerEpoch };
      return reason;
    });
    return identity as unknown as ProducerIdentity;
  }

  initTransactionalId(
    transactionalId: string,
    transactionTimeoutMs: number,
    timeoutMs: number,
  ): Promise<TransactionIdentity> {
    return this.#coordinators.initTransactionalId(transactionalId, transactionTimeoutMs, timeoutMs);
  }

  addToTransaction(
    transaction: TransactionIdentity,
    partitions: readonly TopicPartition[],
    timeoutMs: number,
  ): Promise<void> {
    return this.#coordinators.addToTransaction(transaction, partitions, timeoutMs);
  }

  commitTransaction(transaction: TransactionIdentity, timeoutMs: number): Promise<EndAnswer> {
    return this.#coordinators.commitTransaction(transaction, timeoutMs);
  }

  async fetch(brokerId: number, request: FetchRequest): Promise<FetchResponse> {
    const connection = await this.#connection(brokerId, 'fetch');
    const response = await connection.send({
      apiKey: apis.fetch.apiKey,
      apiVersion: apis.fetch.version,
      body: [encodeFetch(request)],
      waitMs: request.maxWaitMs,
      allocate: (sizeBytes) => request.allocate(sizeBytes),
    });
    return decodeOrFail(connection, () => decodeFetch(response));
  }

  async produce(
    brokerId: number,
    partitions: readonly ProducePartition[],
    timeoutMs: number,
    transactionalId: string | null = null,
  ): Promise<ProduceResponse> {
    const connection = await this.#connection(brokerId, 'produce');
    const response = await connection.send({
      apiKey: apis.produce.apiKey,
      apiVersion: apis.produce.version,
      body: encodeProduce(partitions, timeoutMs, transactionalId),
    });
    return decodeOrFail(connection, () => decodeProduce(response));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const opening = [...this.#connections.values()];
    this.#connections.clear();
    for (const connection of await Promise.allSettled(opening)) {
      if (connection.status === 'fulfilled') connection.value.close();
    }
  }

  async #listOffsetsAt(
    leader: number,
    queries: readonly OffsetQuery[],
    isolation: Isolation,
  ): Promise<readonly FoundOffset[]> {
    const topics = [...Map.groupBy(queries, (query) => query.topic)].map(([topic, ofTopic]) => ({
      topic,
      partitions: ofTopic.map(({ partition, timestamp }) => ({ partition, timestamp })),
    }));
    const args = { replicaId: -1, isolationLevel: isolation === 'read_committed' ? 1 : 0, topics };
    const request = kafkajsRequests.ListOffsets.protocol({ version: apis.listOffsets.version })(args);
    const decoded = (await (await this.#connection(leader, 'ask')).call(request)) as DecodedOffsets;
    return decoded.responses.flatMap(({ topic, partitions }) =>
      partitions.flatMap(({ partition, errorCode, offset }) => {
        if (checkCode(errorCode, 'list offsets of', `topic ${topic}`) !== null) return [];
        return [{ topic, partition, offset: offset === UNKNOWN_OFFSET ? null : Number(offset) }];
      }),
    );
  }

  #persist(operation: string, resource: string, attempt: () => Promise<string | null>): Promise<void> {
    const { requestTimeoutMs: timeoutMs } = this.#config;
    const isClosed = () => this.#isClosed;
    return persist({ ports: this.#ports, timeoutMs, operation, resource, isClosed }, attempt);
  }

  /** Asks brokers in turn until one answers: those that we are connected to, those that we know, the bootstrap ones. */
  #askAny(protocol: KafkajsProtocol): Promise<unknown> {
    const known = [...this.#brokers.values()].map(({ host, port }) => ({ host, port }));
    const addresses = [...shuffled(known, this.#ports), ...this.#config.brokers.map(parseAddress)];
    addresses.sort((a, b) => Number(this.#isOpen(b)) - Number(this.#isOpen(a)));
    const byName = new Map(addresses.map((address) => [`${address.host}:${address.port}`, address]));
    return askInTurn(
      this.#ports.clock,
      [...byName.values()],
      async ({ host, port }) => (await this.#connect(host, port, 'ask')).call(protocol),
      (failures) => {
        if (failures.length === 1) return failures[0];
        const reason = [...new Set(failures.map(({ fields }) => String(fields['reason'])))].join('; ');
        const fields = { brokers: [...byName.keys()].join(', '), reason };
        return kafkaErrors.create('MR-KAFKA-UNREACHABLE', fields, failures[0]);
      },
    );
  }

  #isOpen({ host, port }: { readonly host: string; readonly port: number }): boolean {
    return this.#connections.has(`ask ${host}:${port}`);
  }

  async #connection(brokerId: number, purpose: Purpose): Promise<Connection> {
    let broker = this.#brokers.get(brokerId);
    if (broker === undefined) {
      await this.metadata([]);
      broker = this.#brokers.get(brokerId);
    }
    if (broker === undefined) {
      const brokers = this.#config.brokers.join(', ');
      throw kafkaErrors.create('MR-KAFKA-UNREACHABLE', { brokers, reason: `broker ${brokerId} is not in the cluster` });
    }
    return this.#connect(broker.host, broker.port, purpose);
  }

  async #connect(host: string, port: number, purpose: Purpose): Promise<Connection> {
    if (this.#isClosed) throw kafkaErrors.create('MR-KAFKA-CLOSED', {});
    const key = `${purpose} ${host}:${port}`;
    const present = this.#connections.get(key);
    if (present !== undefined) {
      const connection = await present;
      if (connection.isOpen && !connection.isSessionEnding) return connection;
      if (this.#connections.get(key) === present) {
        this.#connections.delete(key);
        connection.close();
      }
      return this.#connect(host, port, purpose);
    }
    const { clientId, sasl, connectTimeoutMs, requestTimeoutMs } = this.#config;
    const opening = Connection.open(
      { host, port, clientId, tls: this.#tls, sasl, connectTimeoutMs, requestTimeoutMs },
      this.#ports,
    );
    this.#connections.set(key, opening);
    try {
      return await opening;
    } catch (error) {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
      throw error;
    }
  }

  /** A broker that left, or moved to another address, is not asked again. */
  #retireLostBrokers(brokers: ReadonlyMap<number, BrokerInfo>): void {
    const present = new Set([...brokers.values()].map(({ host, port }) => `${host}:${port}`));
    for (const address of this.#config.brokers.map(parseAddress)) present.add(`${address.host}:${address.port}`);
    for (const [key, opening] of this.#connections) {
      if (present.has(key.slice(key.indexOf(' ') + 1))) continue;
      this.#connections.delete(key);
      opening.then((connection) => connection.close()).catch(() => undefined);
    }
  }
}

interface DecodedMetadata {
  readonly brokers: readonly {
    readonly nodeId: number;
    readonly host: string;
    readonly port: number;
    readonly rack: string | null;
  }[];
  readonly topicMetadata: readonly DecodedTopic[];
}

interface DecodedTopic {
  readonly topicErrorCode: number;
  readonly topic: string;
  readonly isInternal: boolean;
  readonly partitionMetadata: readonly {
    readonly partitionId: number;
    readonly leader: number;
    readonly replicas: readonly number[];
    readonly isr: readonly number[];
  }[];
}

interface DecodedOffsets {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[];
  }[];
}

interface DecodedSettings {
  readonly resources: readonly {
    readonly errorCode: number;
    readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[];
  }[];
}

function topicInfo(decoded: DecodedTopic): TopicInfo {
  const partitions = decoded.partitionMetadata
    .map(({ partitionId, leader, replicas, isr }) => ({
      partition: partitionId,
      leader,
      replicas,
      inSyncReplicas: isr,
    }))
    .sort((a, b) => a.partition - b.partition);
  return { name: decoded.topic, errorCode: decoded.topicErrorCode, isInternal: decoded.isInternal, partitions };
}

/** An answer that cannot be decoded leaves the connection in an unknown state: it is given up. */
function decodeOrFail<T>(connection: Connection, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const failure = kafkaErrors.create('MR-KAFKA-PROTOCOL', { broker: connection.address, reason }, error);
    connection.close(failure);
    throw failure;
  }
}

function parseAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

function shuffled<T>(items: readonly T[], ports: Ports): T[] {
  return items
    .map((item) => ({ item, order: ports.randomness.next() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
