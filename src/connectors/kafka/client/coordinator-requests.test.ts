import { describe, expect, it } from '@jest/globals';
import type { Clock, Ports } from '../../../core/index.ts';
import { nodePorts } from '../../../core/node-ports.ts';
import { kafkaErrors } from '../errors.ts';
import { CoordinatorRequests } from './coordinator-requests.ts';
import { ErrorCode } from './error-codes.ts';

/** An answer, or the failure of the connection. */
type Step = object | Error;

const broken = () => kafkaErrors.create('MR-KAFKA-UNREACHABLE', { brokers: 'b:1', reason: 'the connection broke' });
const found = (nodeId: number) => ({ errorCode: 0, coordinator: { nodeId } });
const code = (errorCode: number) => ({ errorCode, producerId: '-1', producerEpoch: -1 });

/** Requests whose answers are scripted, over a clock that only sleeping moves. `asked` has who was asked what. */
function scripted(
  coordinators: Step[],
  answers: Step[],
): { readonly requests: CoordinatorRequests; readonly asked: string[] } {
  let nowMs = 0;
  const clock: Clock = {
    ...nodePorts.clock,
    monotonicMs: () => nowMs,
    sleep(delayMs) {
      nowMs += delayMs;
      return Promise.resolve();
    },
  };
  const ports: Ports = { ...nodePorts, clock };
  const asked: string[] = [];
  const take = (steps: Step[]): Promise<unknown> => {
    const step = steps.length > 1 ? steps.shift() : steps[0];
    return step instanceof Error ? Promise.reject(step) : Promise.resolve(step);
  };
  const requests = new CoordinatorRequests({
    ports,
    requestTimeoutMs: 1000,
    isClosed: () => false,
    askAny(protocol) {
      asked.push(protocol.request.apiName);
      return take(coordinators);
    },
    askCoordinator(brokerId, protocol) {
      asked.push(`${protocol.request.apiName} at ${brokerId}`);
      return take(answers);
    },
  });
  return { requests, asked };
}

const transaction = { transactionalId: 'id', producerId: 7n, epoch: 3 };

describe('requests to coordinators', () => {
  it('ask one that is known without looking for it again', async () => {
    const { requests, asked } = scripted([found(2)], [code(0)]);
    await requests.commitTransaction(transaction, 1000);
    await requests.commitTransaction(transaction, 1000);
    expect(asked).toEqual(['GroupCoordinator', 'EndTxn at 2', 'EndTxn at 2']);
  });

  it.each([
    ['moves', code(ErrorCode.notCoordinator)],
    ['loads', code(ErrorCode.coordinatorLoadInProgress)],
    ['breaks its connection', broken()],
  ])('look again for one that %s', async (_, step) => {
    const { requests, asked } = scripted([found(1), found(2)], [step, code(0)]);
    expect(await requests.commitTransaction(transaction, 1000)).toEqual({ kind: 'committed' });
    expect(asked).toEqual(['GroupCoordinator', 'EndTxn at 1', 'GroupCoordinator', 'EndTxn at 2']);
  });

  it('wait for one that is not there yet, and for an earlier transaction to end', async () => {
    const steps = [code(ErrorCode.concurrentTransactions), { errorCode: 0, producerId: '9', producerEpoch: 4 }];
    const { requests } = scripted([code(ErrorCode.coordinatorNotAvailable), found(1)], steps);
    const identity = await requests.initTransactionalId('id', 60_000, 1000);
    expect(identity).toEqual({ ...transaction, producerId: 9n, epoch: 4 });
  });

  it('give up when the time is up, and say what they waited for', async () => {
    const { requests } = scripted([found(1)], [code(ErrorCode.concurrentTransactions)]);
    await expect(requests.commitTransaction(transaction, 1000)).rejects.toMatchObject({
      code: 'MR-KAFKA-UNAVAILABLE',
      message: 'Kafka could not commit a transaction of transactional id id for 1 s: CONCURRENT_TRANSACTIONS',
    });
    await expect(scripted([found(1)], [broken()]).requests.commitTransaction(transaction, 1000)).rejects.toMatchObject({
      code: 'MR-KAFKA-UNREACHABLE',
    });
  });

  it.each([
    [ErrorCode.invalidProducerEpoch, 'INVALID_PRODUCER_EPOCH'],
    [ErrorCode.producerFenced, 'PRODUCER_FENCED'],
    [ErrorCode.invalidTransactionState, 'INVALID_TXN_STATE'],
    [ErrorCode.invalidProducerIdMapping, 'INVALID_PRODUCER_ID_MAPPING'],
  ])('leave a commit refused with %d to evidence', async (errorCode, reason) => {
    const { requests } = scripted([found(1)], [code(errorCode)]);
    expect(await requests.commitTransaction(transaction, 1000)).toEqual({ kind: 'refused', reason });
  });

  it('say what cannot be helped', async () => {
    const init = (errorCode: number) =>
      scripted([found(1)], [code(errorCode)]).requests.initTransactionalId('id', 9000, 1);
    await expect(init(ErrorCode.invalidTransactionTimeout)).rejects.toMatchObject({
      code: 'MR-KAFKA-TRANSACTION-TIMEOUT',
      message: expect.stringContaining('do not allow transactions of 9 s'),
    });
    await expect(init(ErrorCode.transactionalIdAuthorizationFailed)).rejects.toMatchObject({
      code: 'MR-KAFKA-NOT-AUTHORIZED',
      message: expect.stringContaining('does not allow to begin a transaction for transactional id id'),
    });
  });

  it('add partitions, and tell the cause from what was not tried because of it', async () => {
    const errors = (...codes: number[]) => ({
      errors: [{ partitionErrors: codes.map((errorCode) => ({ errorCode })) }],
    });
    const add = (...steps: Step[]) =>
      scripted([found(1)], steps).requests.addToTransaction(transaction, [{ topic: 't', partition: 0 }], 1000);
    const { operationNotAttempted: notTried, unknownTopicOrPartition, invalidProducerEpoch } = ErrorCode;
    await add(errors(notTried, unknownTopicOrPartition), errors(0, 0));
    await expect(add(errors(notTried, ErrorCode.topicAuthorizationFailed))).rejects.toMatchObject({
      code: 'MR-KAFKA-NOT-AUTHORIZED',
    });
    await expect(add(errors(invalidProducerEpoch))).rejects.toMatchObject({
      code: 'MR-KAFKA-TRANSACTION-FENCED',
      retry: 'backoff',
    });
  });

  it('commit and read offsets of a group', async () => {
    const committed = { responses: [{ topic: 't', partitions: [{ partition: 0, errorCode: 0 }] }] };
    const first = scripted([found(1)], [committed]);
    await first.requests.commitOffsets('g', [{ topic: 't', partition: 0, offset: 5 }]);
    expect(first.asked).toEqual(['GroupCoordinator', 'OffsetCommit at 1']);
    const partitions = [
      { partition: 0, errorCode: 0, offset: '12' },
      { partition: 1, errorCode: 0, offset: '-1' },
    ];
    const { requests } = scripted([found(1)], [{ errorCode: 0, responses: [{ topic: 't', partitions }] }]);
    const asked = [0, 1].map((partition) => ({ topic: 't', partition }));
    expect((await requests.committedOffsets('g', asked)).map(({ offset }) => offset)).toEqual([12, null]);
  });
});
