import type { Options, RunIdentity, SinkSpec } from '../../../core/index.ts';
import { transactionSettings, type TransactionSettings } from '../transaction/index.ts';

/** `delivery: exactly-once`. */
export function deliversExactlyOnce(options: Options): boolean {
  return options['delivery'] === 'exactly-once';
}

/** What the sink's transactions need to know. */
export function sinkTransactions({ options, stepId }: SinkSpec, run: RunIdentity): TransactionSettings {
  return transactionSettings(options, run, stepId, options['deliveryTimeout'] as number);
}
