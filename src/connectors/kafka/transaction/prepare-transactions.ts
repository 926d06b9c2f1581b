/** What is checked before a job starts that writes in transactions. */
import { isMillraceError, type CheckpointSettings, type Ports, type RunIdentity } from '../../../core/index.ts';
import type { KafkaClient } from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import { prepareCommitsTopic } from './commits-topic.ts';
import type { TransactionSettings } from './transaction-options.ts';
import { checkingId, MAX_POOL_SIZE, poolSize } from './transactional-ids.ts';

/** The run of a step that delivers exactly once; MR-KAFKA-NEEDS-CHECKPOINTS without one. */
export function requireCheckpoints(run: RunIdentity | null, stepId: string): RunIdentity {
  if (run !== null && run.settings.mode === 'exactly-once') return run;
  throw kafkaErrors.create('MR-KAFKA-NEEDS-CHECKPOINTS', { step: stepId });
}

/** Checks times, rights and the commits topic; the client is connected. Harmless to tasks that run. */
export async function prepareTransactions(
  client: KafkaClient,
  settings: TransactionSettings,
  checkpoint: CheckpointSettings,
  ports: Ports,
): Promise<void> {
  checkTimes(settings, checkpoint);
  await prepareCommitsTopic(client, settings, ports);
  const { owner, transactionTimeoutMs, persistMs } = settings;
  try {
    await client.initTransactionalId(checkingId(owner), transactionTimeoutMs, persistMs);
  } catch (error) {
    if (!isMillraceError(error) || error.code !== 'MR-KAFKA-TRANSACTION-TIMEOUT') throw error;
    const limit = await longestTransaction(client);
    throw kafkaErrors.create('MR-KAFKA-TRANSACTION-TIMEOUT', { seconds: transactionTimeoutMs / 1000, limit }, error);
  }
}

/** Throws where a transaction could time out before the checkpoint that commits it is complete. */
export function checkTimes(settings: TransactionSettings, checkpoint: CheckpointSettings): void {
  const { intervalMs, timeoutMs, minPauseMs, tolerableFailures: failures } = checkpoint;
  const { owner, transactionTimeoutMs, toleratedOutageMs } = settings;
  const step = owner.stepId;
  if (poolSize(failures) > MAX_POOL_SIZE) {
    const limit = MAX_POOL_SIZE - poolSize(0);
    throw kafkaErrors.create('MR-KAFKA-TOLERABLE-FAILURES', { step, limit, failures });
  }
  const neededMs = intervalMs + (failures + 1) * (timeoutMs + minPauseMs) + toleratedOutageMs;
  if (neededMs < transactionTimeoutMs) return;
  throw kafkaErrors.create('MR-KAFKA-TRANSACTION-TIMES', {
    step,
    needed: neededMs / 1000,
    interval: intervalMs / 1000,
    failures,
    timeout: timeoutMs / 1000,
    pause: minPauseMs / 1000,
    outage: toleratedOutageMs / 1000,
    limit: transactionTimeoutMs / 1000,
  });
}

/** The brokers' limit for the message, where this user may see it. */
async function longestTransaction(client: KafkaClient): Promise<string> {
  const name = 'transaction.max.timeout.ms';
  try {
    const [broker] = (await client.metadata([])).brokers.keys();
    const value = (await client.settings('broker', String(broker), [name])).get(name);
    return value === undefined || value === null ? '' : ` (their limit is ${Number(value) / 1000} s)`;
  } catch (error) {
    if (isMillraceError(error)) return '';
    throw error;
  }
}
