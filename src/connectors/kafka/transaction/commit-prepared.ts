/** Commits one prepared transaction, from its writer or from any other process. */
import type { Ports } from '../../../core/index.ts';
import type { KafkaClient } from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import { readEvidence } from './evidence.ts';
import type { TransactionHandle } from './transaction-handle.ts';
import type { TransactionSettings } from './transaction-options.ts';

/**
 * How it is known that the transaction is committed: because EndTxn says so (then nothing newer was begun under its
 * id), or by its marker.
 */
export type CommitProof = 'end' | 'marker';

/** What committing needs of a client. */
export type CommittingClient = Pick<KafkaClient, 'metadata' | 'listOffsets' | 'fetch' | 'commitTransaction'>;

/** Repeating it is harmless. Rejects with MR-KAFKA-TRANSACTION-LOST or MR-KAFKA-OUTCOME-UNKNOWN, or for now. */
export async function commitPrepared(
  client: CommittingClient,
  handle: TransactionHandle,
  settings: TransactionSettings,
  ports: Ports,
): Promise<CommitProof> {
  const answer = await client.commitTransaction(handle.identity, settings.persistMs);
  if (answer.kind === 'committed') {
    ports.crashPoints?.reached('transaction-committed');
    return 'end';
  }
  const times = { markerWaitMs: settings.requestTimeoutMs, persistMs: settings.persistMs };
  const evidence = await readEvidence(client, handle, { ports, ...times });
  const { identity, topic, partition, offset } = handle;
  const fields = {
    step: handle.stepId,
    subtask: handle.subtaskIndex,
    checkpoint: handle.checkpointId,
    transactionalId: identity.transactionalId,
    producerId: String(identity.producerId),
    epoch: identity.epoch,
    position: `topic ${topic}, partition ${partition}, offset ${offset}`,
    refusal: answer.reason,
  };
  switch (evidence.kind) {
    case 'committed':
      return 'marker';
    case 'aborted':
      throw kafkaErrors.create('MR-KAFKA-TRANSACTION-LOST', fields);
    case 'unknown':
      throw kafkaErrors.create('MR-KAFKA-OUTCOME-UNKNOWN', { ...fields, reason: evidence.reason });
  }
}
