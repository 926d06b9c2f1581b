/** Dead letters that become visible with their checkpoint: in transactions of the reader's own. */
import type { Options, RunIdentity, SourceSpec } from '../../../core/index.ts';
import { transactionSettings, type TransactionSettings } from '../transaction/index.ts';

export const deadLetterProducer = {
  compression: 'none',
  batchBytes: 256 * 1024,
  lingerMs: 50,
  bufferBytes: 16 * 1024 * 1024,
  maxRequestBytes: 320 * 1024 * 1024,
  deliveryTimeoutMs: 120_000,
} as const;

/** Null where dead letters are visible as soon as they are written, or where there are none. */
export function deadLetterTransactions(
  { options, errors, stepId }: SourceSpec,
  run: RunIdentity | null,
): TransactionSettings | null {
  if (errors.kind !== 'dead-letter' || run === null || !countsExactlyOnce(options, run)) return null;
  return transactionSettings(options, run, stepId, deadLetterProducer.deliveryTimeoutMs);
}

function countsExactlyOnce(options: Options, run: RunIdentity): boolean {
  return run.settings.mode === 'exactly-once' && options['deadLetterDelivery'] === 'exactly-once';
}
