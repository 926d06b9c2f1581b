/**
 * The parts of kafkajs 2.2.4 that are used here, and their types, which it does not ship: encoders and decoders of
 * requests off the hot path, SASL, and the table of error codes.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export interface KafkajsEncoder {
  readonly buffer: Buffer;
}

/** One request and the decoder of its answer. */
export interface KafkajsProtocol {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<KafkajsEncoder>;
  };
  readonly response: {
    decode(payload: Buffer): Promise<unknown>;
    parse(decoded: unknown): Promise<unknown>;
  };
}

interface KafkajsRequestDefinition<Args> {
  protocol(choice: { readonly version: number }): (args: Args) => KafkajsProtocol;
}

interface PartitionsOf<Partition> {
  readonly topic: string;
  readonly partitions: readonly Partition[];
}

interface KafkajsTransaction {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

/** The requests in use, and what each takes. */
interface KafkajsRequests {
  readonly ApiVersions: KafkajsRequestDefinition<Readonly<Record<string, never>>>;
  /** No topics means all of them. */
  readonly Metadata: KafkajsRequestDefinition<{
    readonly topics: readonly string[];
    readonly allowAutoTopicCreation: boolean;
  }>;
  readonly ListOffsets: KafkajsRequestDefinition<{
    readonly replicaId: number;
    readonly isolationLevel: number;
    readonly topics: readonly PartitionsOf<{ readonly partition: number; readonly timestamp: number }>[];
  }>;
  readonly OffsetFetch: KafkajsRequestDefinition<{
    readonly groupId: string;
    readonly topics: readonly PartitionsOf<{ readonly partition: number }>[];
  }>;
  readonly GroupCoordinator: KafkajsRequestDefinition<{ readonly groupId: string; readonly coordinatorType: number }>;
  readonly InitProducerId: KafkajsRequestDefinition<{
    readonly transactionalId: string | null;
    readonly transactionTimeout: number;
  }>;
  readonly CreateTopics: KafkajsRequestDefinition<{
    readonly topics: readonly {
      readonly topic: string;
      readonly numPartitions: number;
      readonly replicationFactor: number;
      readonly configEntries: readonly { readonly name: string; readonly value: string }[];
    }[];
    readonly validateOnly: boolean;
    readonly timeout: number;
  }>;
  readonly OffsetCommit: KafkajsRequestDefinition<{
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
    readonly topics: readonly PartitionsOf<{ readonly partition: number; readonly offset: string }>[];
  }>;
  readonly AddPartitionsToTxn: KafkajsRequestDefinition<
    KafkajsTransaction & { readonly topics: readonly PartitionsOf<number>[] }
  >;
  readonly EndTxn: KafkajsRequestDefinition<KafkajsTransaction & { readonly transactionResult: boolean }>;
  readonly DescribeConfigs: KafkajsRequestDefinition<{
    readonly resources: readonly {
      readonly type: number;
      readonly name: string;
      readonly configNames: readonly string[];
    }[];
    readonly includeSynonyms: boolean;
  }>;
}

export type ApiVersions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>;

/** What the SASL authenticator needs of a connection. */
export interface KafkajsSaslConnection {
  readonly host: string;
  readonly port: number;
  readonly sasl: { readonly mechanism: string; readonly username: string; readonly password: string };
  send(protocol: KafkajsProtocol): Promise<unknown>;
}

export interface KafkajsLogger {
  namespace(name: string): KafkajsLogger;
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export interface KafkajsSaslAuthenticator {
  /** Milliseconds as text; `0` for ever. */
  readonly sessionLifetime: string;
  authenticate(): Promise<void>;
}

type SaslAuthenticatorClass = new (
  connection: KafkajsSaslConnection,
  logger: KafkajsLogger,
  versions: ApiVersions,
  supportsAuthenticate: boolean,
) => KafkajsSaslAuthenticator;

interface KafkajsErrorRow {
  readonly type: string;
  readonly code: number;
  readonly retriable: boolean;
  readonly message: string;
}

export const { requests: kafkajsRequests } = require('kafkajs/src/protocol/requests') as {
  readonly requests: KafkajsRequests;
};

export const KafkajsSaslAuthenticator = require('kafkajs/src/broker/saslAuthenticator') as SaslAuthenticatorClass;

const { errorCodes } = require('kafkajs/src/protocol/error') as { readonly errorCodes: readonly KafkajsErrorRow[] };

/** Kafka's error codes by number. */
export const kafkajsErrors: ReadonlyMap<number, KafkajsErrorRow> = new Map(errorCodes.map((row) => [row.code, row]));

/** Says nothing: what matters reaches the caller as an error. */
export const silentKafkajsLogger: KafkajsLogger = {
  namespace: () => silentKafkajsLogger,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
