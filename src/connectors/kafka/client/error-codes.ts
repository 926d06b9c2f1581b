/** Kafka's error codes that decide something here. */
import { kafkaErrors } from '../errors.ts';
import { kafkajsErrors } from './kafkajs-internals.ts';

export const ErrorCode = Object.freeze({
  none: 0,
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeaderOrFollower: 6,
  requestTimedOut: 7,
  replicaNotAvailable: 9,
  messageTooLarge: 10,
  networkException: 13,
  coordinatorLoadInProgress: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  recordListTooLarge: 18,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  topicAlreadyExists: 36,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  invalidTransactionState: 48,
  invalidProducerIdMapping: 49,
  invalidTransactionTimeout: 50,
  concurrentTransactions: 51,
  transactionalIdAuthorizationFailed: 53,
  operationNotAttempted: 55,
  storageError: 56,
  unknownProducerId: 59,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  offsetNotAvailable: 78,
  unstableOffsetCommit: 88,
  throttlingQuotaExceeded: 89,
  producerFenced: 90,
  transactionalIdNotFound: 105,
});

/** Trying again, after a look at the metadata, may help. */
const transient: ReadonlySet<number> = new Set([
  ErrorCode.unknownTopicOrPartition,
  ErrorCode.leaderNotAvailable,
  ErrorCode.notLeaderOrFollower,
  ErrorCode.requestTimedOut,
  ErrorCode.replicaNotAvailable,
  ErrorCode.networkException,
  ErrorCode.coordinatorLoadInProgress,
  ErrorCode.coordinatorNotAvailable,
  ErrorCode.notCoordinator,
  ErrorCode.notEnoughReplicas,
  ErrorCode.notEnoughReplicasAfterAppend,
  ErrorCode.storageError,
  ErrorCode.fencedLeaderEpoch,
  ErrorCode.unknownLeaderEpoch,
  ErrorCode.offsetNotAvailable,
  ErrorCode.unstableOffsetCommit,
  ErrorCode.throttlingQuotaExceeded,
]);

export function isTransient(code: number): boolean {
  return transient.has(code);
}

const authorization: ReadonlySet<number> = new Set([
  ErrorCode.topicAuthorizationFailed,
  ErrorCode.groupAuthorizationFailed,
  ErrorCode.clusterAuthorizationFailed,
  ErrorCode.transactionalIdAuthorizationFailed,
]);

/** The transaction is not its producer's to continue: ended, timed out, begun anew by another, or forgotten. */
const fenced: ReadonlySet<number> = new Set([
  ErrorCode.invalidProducerEpoch,
  ErrorCode.invalidTransactionState,
  ErrorCode.invalidProducerIdMapping,
  ErrorCode.unknownProducerId,
  ErrorCode.producerFenced,
  ErrorCode.transactionalIdNotFound,
]);

export function isFenced(code: number): boolean {
  return fenced.has(code);
}

export function isAuthorization(code: number): boolean {
  return authorization.has(code);
}

/** Codes that kafkajs does not know. */
const newer: ReadonlyMap<number, { readonly name: string; readonly reason: string }> = new Map([
  [ErrorCode.producerFenced, { name: 'PRODUCER_FENCED', reason: 'There is a newer producer of this transactional id' }],
  [ErrorCode.transactionalIdNotFound, { name: 'TRANSACTIONAL_ID_NOT_FOUND', reason: 'The id is not known' }],
]);

/** Kafka's name and sentence for a code. */
export function describeErrorCode(code: number): { readonly name: string; readonly reason: string } {
  const row = kafkajsErrors.get(code);
  if (row === undefined) return newer.get(code) ?? { name: `error ${code}`, reason: `error ${code}` };
  return { name: row.type, reason: row.message };
}

/** Why a code may pass, for one where trying again may help; null for no error; throws where it does not help. */
export function checkCode(code: number, operation: string, resource: string): string | null {
  if (code === ErrorCode.none) return null;
  const { name, reason } = describeErrorCode(code);
  if (isTransient(code)) return name;
  if (isAuthorization(code)) throw kafkaErrors.create('MR-KAFKA-NOT-AUTHORIZED', { operation, resource, reason });
  throw kafkaErrors.create('MR-KAFKA-REFUSED', { operation, resource, reason, error: name });
}
