/** Exactly-once delivery by transactions that are committed with checkpoints. See README.md and docs/design/012. */
export { KafkaCommitter } from './kafka-committer.ts';
export { prepareTransactions, requireCheckpoints } from './prepare-transactions.ts';
export { transactionOptions, transactionSettings, type TransactionSettings } from './transaction-options.ts';
export { TransactionalPart } from './transactional-part.ts';
