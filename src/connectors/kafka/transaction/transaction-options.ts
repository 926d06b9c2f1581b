import { defineOptions, type Options, type RunIdentity } from '../../../core/index.ts';
import type { TransactionOwner } from './transactional-ids.ts';

const DEFAULT_COMMITS_TOPIC = '__millrace_commits';

/** Of sinks and sources (for their dead letters). */
export const transactionOptions = defineOptions({
  transactionTimeout: {
    kind: 'duration',
    default: '15m',
    min: 1000,
    max: 0x7fffffff,
    doc:
      'exactly-once: how long a transaction may stay open before the brokers abort it; at most their ' +
      'transaction.max.timeout.ms, and more than checkpoints and outages can take',
    aliases: ['transaction.timeout.ms', 'properties.transaction.timeout.ms'],
  },
  toleratedOutage: {
    kind: 'duration',
    default: '1m',
    doc: 'exactly-once: how long job or brokers may be down between a checkpoint and its commit without loss of output',
  },
  transactionalIdPrefix: {
    kind: 'string',
    doc: 'exactly-once: what transactional ids begin with, for ACLs; by default the id of the Millrace cluster',
    aliases: ['sink.transactional-id-prefix', 'transactional.id', 'transactionalId', 'transactional-id-prefix'],
    validate: (value) => (value === '' ? 'must not be empty' : null),
  },
  commitsTopic: {
    kind: 'string',
    default: DEFAULT_COMMITS_TOPIC,
    doc: 'exactly-once: the topic that holds a record of each transaction; made if it is not there',
  },
});

/** What transactions of one step need to know. */
export interface TransactionSettings {
  readonly owner: TransactionOwner;
  readonly commitsTopic: string;
  readonly transactionTimeoutMs: number;
  readonly toleratedOutageMs: number;
  /** How long to try to begin, extend and commit. */
  readonly persistMs: number;
  readonly requestTimeoutMs: number;
  readonly tolerableFailures: number;
}

/** `options` are parsed values of a table that holds connectionOptions and transactionOptions. */
export function transactionSettings(
  options: Options,
  run: RunIdentity,
  stepId: string,
  persistMs: number,
): TransactionSettings {
  const prefix = (options['transactionalIdPrefix'] as string | null | undefined) ?? run.clusterId;
  return {
    owner: { prefix, jobName: run.jobName, stepId, generation: run.generation },
    commitsTopic: options['commitsTopic'] as string,
    transactionTimeoutMs: options['transactionTimeout'] as number,
    toleratedOutageMs: options['toleratedOutage'] as number,
    persistMs,
    requestTimeoutMs: options['requestTimeout'] as number,
    tolerableFailures: run.settings.tolerableFailures,
  };
}
