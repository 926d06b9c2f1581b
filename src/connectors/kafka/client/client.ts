/**
 * What the connector wants of a Kafka client, so that another can take the place of the present one. All calls are for
 * one thread. Offsets are numbers: Kafka's int64 offsets stay below 2^53 in any log that exists.
 */
import type { TlsSettings } from '../../../core/index.ts';

export type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';

export interface SaslConfig {
  readonly mechanism: SaslMechanism;
  readonly username: string;
  readonly password: string;
}

export interface KafkaClientConfig {
  /** `host:port` of some brokers. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** PEM text, or the path of a file that holds it, for `ca`, `cert` and `key`. */
  readonly tls: TlsSettings | null;
  readonly sasl: SaslConfig | null;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

export interface BrokerInfo {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface PartitionInfo {
  readonly partition: number;
  /** -1 while there is none. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSyncReplicas: readonly number[];
}

export interface TopicInfo {
  readonly name: string;
  /** Kafka's error code; 0 where the topic is there. */
  readonly errorCode: number;
  readonly isInternal: boolean;
  /** By partition number. */
  readonly partitions: readonly PartitionInfo[];
}

export interface ClusterMetadata {
  readonly brokers: ReadonlyMap<number, BrokerInfo>;
  readonly topics: ReadonlyMap<string, TopicInfo>;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export type Isolation = 'read_committed' | 'read_uncommitted';

export interface FetchPartition extends TopicPartition {
  readonly offset: number;
  readonly maxBytes: number;
}

export interface FetchRequest {
  /** In this order; a broker fills the answer from the front. */
  readonly partitions: readonly FetchPartition[];
  readonly isolation: Isolation;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  /** The rack of the reader, for KIP-392; empty for none. */
  readonly rack: string;
  /** Memory for an answer of so many bytes; may be larger. */
  allocate(sizeBytes: number): Uint8Array;
}

/** The part of an answer that belongs to one partition. `records` lie at data[recordsStart .. recordsEnd). */
export interface FetchedPartition extends TopicPartition {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly abortedTransactions: readonly AbortedTransaction[];
  /** The broker to read from instead (KIP-392); -1 for this one. */
  readonly preferredReplica: number;
  readonly recordsStart: number;
  readonly recordsEnd: number;
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

export interface FetchResponse {
  /** What allocate() gave; the caller owns it again. */
  readonly data: Uint8Array;
  readonly sizeBytes: number;
  readonly throttleMs: number;
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

export interface ProducePartition extends TopicPartition {
  /** One encoded record batch. Not to be changed until the call has settled. */
  readonly batch: Uint8Array;
}

export interface ProducedPartition extends TopicPartition {
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly logStartOffset: number;
}

export interface ProduceResponse {
  readonly throttleMs: number;
  readonly partitions: readonly ProducedPartition[];
}

export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly epoch: number;
}

/** A transaction: one epoch of a producer that a transactional id was given. */
export interface TransactionIdentity extends ProducerIdentity {
  readonly transactionalId: string;
}

/** What the coordinator says to a commit. */
export type EndAnswer =
  /** The transaction of this very epoch is committed, now or before. */
  | { readonly kind: 'committed' }
  /** It is not this producer's to end any more: Kafka's name for the reason. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface TopicSettings {
  /** -1: as the cluster says. */
  readonly partitions: number;
  /** As the topic's own settings, such as `cleanup.policy`. */
  readonly config: Readonly<Record<string, string>>;
}

/** ListOffsets' special timestamps. */
export const EARLIEST_TIMESTAMP = -2;
export const LATEST_TIMESTAMP = -1;

export interface OffsetQuery extends TopicPartition {
  /** Milliseconds, or one of the special timestamps. */
  readonly timestamp: number;
}

export interface FoundOffset extends TopicPartition {
  /** Null where no record is as late as the timestamp. */
  readonly offset: number | null;
}

export interface KafkaClient {
  /**
   * Called once, first: reaches one of the bootstrap brokers and logs in. Rejects with MR-KAFKA-UNREACHABLE, -TLS,
   * -AUTHENTICATION, -PROTOCOL or -VERSION.
   */
  connect(): Promise<void>;
  /** Of these topics, or of all (null). A topic that is not there has an errorCode. Asks any broker that answers. */
  metadata(topics: readonly string[] | null): Promise<ClusterMetadata>;
  /** Offsets by time. Asks the leaders, and again while leaders change. */
  listOffsets(queries: readonly OffsetQuery[], isolation: Isolation): Promise<readonly FoundOffset[]>;
  /** Offsets that a group has committed; null where it has none. */
  committedOffsets(group: string, partitions: readonly TopicPartition[]): Promise<readonly FoundOffset[]>;
  /** Commits offsets for a group without members, so that others see how far it is. */
  commitOffsets(group: string, offsets: readonly (TopicPartition & { readonly offset: number })[]): Promise<void>;
  /**
   * Makes a topic with the cluster's default number of replicas, and of partitions where none is given; harmless where
   * it is there.
   */
  createTopic(topic: string, settings?: TopicSettings): Promise<void>;
  /** Some settings of a topic or a broker (by id); those that it does not have are missing. */
  settings(
    kind: 'topic' | 'broker',
    name: string,
    settingNames: readonly string[],
  ): Promise<ReadonlyMap<string, string | null>>;
  /** A new idempotent producer without a transactional id. */
  initProducerId(): Promise<ProducerIdentity>;
  /**
   * A new epoch for a transactional id. Whatever is open under it is aborted first, and whoever used it before is
   * fenced. Tries until `timeoutMs` while the coordinator moves or an earlier transaction is being ended. Rejects with
   * MR-KAFKA-TRANSACTION-TIMEOUT where the broker does not allow transactions as long as `transactionTimeoutMs`.
   */
  initTransactionalId(
    transactionalId: string,
    transactionTimeoutMs: number,
    timeoutMs: number,
  ): Promise<TransactionIdentity>;
  /** Makes partitions part of a transaction, before anything is written to them. MR-KAFKA-TRANSACTION-FENCED. */
  addToTransaction(
    transaction: TransactionIdentity,
    partitions: readonly TopicPartition[],
    timeoutMs: number,
  ): Promise<void>;
  /** Commits. Repeating it, from any process, is harmless. Tries until `timeoutMs`, then rejects: nothing is known. */
  commitTransaction(transaction: TransactionIdentity, timeoutMs: number): Promise<EndAnswer>;
  /** One Fetch request (version 11) to a broker, on a connection of its own. Rejects where the connection breaks. */
  fetch(brokerId: number, request: FetchRequest): Promise<FetchResponse>;
  /**
   * One Produce request (version 7, acks=all) to a broker. Requests to one broker arrive in the order of the calls.
   * Rejects where the connection breaks: then it is not known whether the batches were written.
   */
  produce(
    brokerId: number,
    partitions: readonly ProducePartition[],
    timeoutMs: number,
    transactionalId?: string | null,
  ): Promise<ProduceResponse>;
  /** Ends all connections; pending calls reject with MR-KAFKA-CLOSED. */
  close(): Promise<void>;
}

/** What reading partitions needs of a client. */
export type FetchingClient = Pick<KafkaClient, 'metadata' | 'listOffsets' | 'fetch'>;
/** What writing records needs of a client. */
export type ProducingClient = Pick<KafkaClient, 'metadata' | 'initProducerId' | 'produce'>;
