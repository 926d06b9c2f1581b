/** A prepared transaction, as a checkpoint holds it: all that it takes to commit it, from any process. */
import { stepId, type Committable } from '../../../core/index.ts';
import type { TransactionIdentity } from '../client/index.ts';

export interface TransactionHandle {
  readonly stepId: string;
  readonly subtaskIndex: number;
  /** The first checkpoint that it belongs to. */
  readonly checkpointId: number;
  readonly identity: TransactionIdentity;
  /** Where its commit record stands. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

const VERSION = 1;

export function toCommittable(handle: TransactionHandle): Committable {
  const { subtaskIndex, checkpointId, identity, topic, partition, offset } = handle;
  const { transactionalId, producerId, epoch } = identity;
  return {
    stepId: stepId(handle.stepId),
    subtaskIndex,
    checkpointId,
    data: {
      version: VERSION,
      transactionalId,
      // An int64: as text, because it must survive JSON.
      producerId: String(producerId),
      epoch,
      topic,
      partition,
      offset,
    },
  };
}

/** Throws TypeError for what toCommittable has not made. */
export function fromCommittable(committable: Committable): TransactionHandle {
  const { version, transactionalId, producerId, epoch, topic, partition, offset } = committable.data;
  const isWhole =
    version === VERSION &&
    typeof transactionalId === 'string' &&
    typeof producerId === 'string' &&
    /^-?\d+$/.test(producerId) &&
    typeof epoch === 'number' &&
    typeof topic === 'string' &&
    typeof partition === 'number' &&
    typeof offset === 'number';
  if (!isWhole) throw new TypeError(`not the handle of a transaction: ${JSON.stringify(committable.data)}`);
  const { subtaskIndex, checkpointId } = committable;
  const identity = { transactionalId, producerId: BigInt(producerId), epoch };
  return { stepId: committable.stepId, subtaskIndex, checkpointId, identity, topic, partition, offset };
}
