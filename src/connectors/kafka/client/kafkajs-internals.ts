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

export interface KafkajsRequestDefinition {
  readonly versions: readonly number[];
  protocol(choice: { readonly version: number }): (args: object) => KafkajsProtocol;
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

export const kafkajsRequests = (
  require('kafkajs/src/protocol/requests') as {
    readonly requests: Readonly<
      Record<
        | 'Metadata'
        | 'ListOffsets'
        | 'OffsetFetch'
        | 'GroupCoordinator'
        | 'InitProducerId'
        | 'ApiVersions'
        | 'CreateTopics',
        KafkajsRequestDefinition
      >
    >;
  }
).requests;

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
