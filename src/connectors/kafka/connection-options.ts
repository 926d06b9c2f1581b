/** Options that sources and sinks share: how to reach the cluster. */
import { defineOptions, nearestName, type OptionValue } from '../../core/index.ts';
import { isMapping, tlsOption, tlsSettings, unknownKey } from '../tls-option.ts';
import type { KafkaClientConfig, SaslConfig, SaslMechanism } from './client/index.ts';

const SASL_KEYS = ['mechanism', 'username', 'password'] as const;
const SASL_MECHANISMS: readonly SaslMechanism[] = ['plain', 'scram-sha-256', 'scram-sha-512'];

export const connectionOptions = defineOptions({
  brokers: {
    kind: 'list',
    required: true,
    doc: 'addresses of a few brokers, `host:port`, from which the others are found',
    aliases: ['bootstrap.servers', 'properties.bootstrap.servers', 'bootstrapServers', 'broker', 'servers'],
    validate: (value) => brokersProblem(value as readonly string[]),
  },
  clientId: {
    kind: 'string',
    default: 'millrace',
    doc: 'the name by which brokers know this client in logs and quotas',
    aliases: ['client.id', 'properties.client.id'],
  },
  tls: tlsOption,
  sasl: {
    kind: 'any',
    doc: 'who to log in as: a mapping of `mechanism` (plain, scram-sha-256, scram-sha-512), `username`, `password`',
    aliases: ['sasl.mechanism', 'sasl.jaas.config', 'sasl.mechanisms', 'sasl.username', 'sasl.password'],
    secret: true,
    validate: saslProblem,
  },
  connectTimeout: {
    kind: 'duration',
    default: '10s',
    min: 1,
    doc: 'how long a connection, with TLS and login, may take',
    aliases: ['socket.connection.setup.timeout.ms', 'connectionTimeout'],
  },
  requestTimeout: {
    kind: 'duration',
    default: '30s',
    min: 1,
    doc: 'how long a broker may take to answer before the connection is given up',
    aliases: ['request.timeout.ms'],
  },
});

/** The client's configuration; `options` are parsed values of a table that holds connectionOptions. */
export function clientConfig(options: Readonly<Record<string, OptionValue>>): KafkaClientConfig {
  return {
    brokers: options['brokers'] as readonly string[],
    clientId: options['clientId'] as string,
    tls: tlsSettings(options['tls'] ?? false),
    sasl: saslConfig(options['sasl'] ?? null),
    connectTimeoutMs: options['connectTimeout'] as number,
    requestTimeoutMs: options['requestTimeout'] as number,
  };
}

function saslConfig(value: OptionValue): SaslConfig | null {
  if (!isMapping(value)) return null;
  return {
    mechanism: textOf(value['mechanism'] ?? 'plain').toLowerCase() as SaslMechanism,
    username: textOf(value['username']),
    password: textOf(value['password']),
  };
}

/** YAML reads a password of digits as a number. */
function textOf(value: OptionValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function brokersProblem(brokers: readonly string[]): string | null {
  if (brokers.length === 0) return 'needs at least one address';
  const bad = brokers.find((broker) => {
    const match = /^(?:\[[0-9a-f:.]+\]|[^:\s/]+):(\d{1,5})$/i.exec(broker);
    return match === null || Number(match[1]) > 65535 || Number(match[1]) === 0;
  });
  return bad === undefined ? null : `holds \`${bad}\`, which is not host:port`;
}

function saslProblem(value: OptionValue): string | null {
  if (!isMapping(value)) return `must be a mapping of ${SASL_KEYS.join(', ')}`;
  const unknown = unknownKey(value, SASL_KEYS);
  if (unknown !== null) return unknown;
  const mechanism = textOf(value['mechanism'] ?? 'plain').toLowerCase();
  if (!SASL_MECHANISMS.some((known) => known === mechanism)) {
    const near = nearestName(mechanism, SASL_MECHANISMS);
    const hint = near === null ? '' : `; did you mean \`${near}\`?`;
    return `has mechanism \`${mechanism}\`, which is not one of ${SASL_MECHANISMS.join(', ')}${hint}`;
  }
  const missing = ['username', 'password'].find((key) => textOf(value[key]) === '');
  return missing === undefined ? null : `needs \`${missing}\``;
}
