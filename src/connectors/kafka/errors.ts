import { defineErrors } from '../../core/index.ts';

/** What can go wrong between a job and Kafka. `broker` is `host:port`; `position` a topic, partition and offset. */
export const kafkaErrors = defineErrors({
  'MR-KAFKA-UNREACHABLE': {
    domain: 'external',
    scope: 'task',
    retry: 'backoff',
    message: 'no Kafka broker of {brokers} can be reached: {reason}; check `brokers` and that the cluster is up',
    help:
      'None of the bootstrap brokers, or not the broker that leads a partition, answered in time. Check the ' +
      'addresses in `brokers`, that they are the listener meant for this network, and that no firewall drops ' +
      'the connection. A broker that advertises an address that clients cannot resolve gives this error too: ' +
      'see `advertised.listeners`.',
  },
  'MR-KAFKA-TLS': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'TLS with Kafka broker {broker} failed: {reason}; check `tls.ca`, `tls.serverName` and the listener',
    help:
      'The certificate of the broker is not trusted, is not for this host name, or the listener does not ' +
      'speak TLS. Give the authority that signed it in `tls: {ca: FILE}`; `tls: {serverName: NAME}` where the ' +
      'certificate bears another name; client certificates in `cert` and `key`.',
  },
  'MR-KAFKA-AUTHENTICATION': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message:
      'Kafka broker {broker} refused user {user} ({mechanism}): {reason}; check `sasl.username` and ' +
      '`sasl.password`',
    help:
      'The user name or the password is wrong, or the listener does not offer this SASL mechanism. The ' +
      'mechanisms known here are plain, scram-sha-256 and scram-sha-512.',
  },
  'MR-KAFKA-NOT-AUTHORIZED': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'Kafka does not allow to {operation} {resource}: {reason}; ask for an ACL',
    help:
      'The user is known, but has no permission. A source needs READ and DESCRIBE on its topics (and READ on ' +
      'the group for `start: group` and to commit offsets), a sink WRITE and DESCRIBE on its topic and ' +
      'IDEMPOTENT_WRITE on the cluster for brokers before 2.8. Delivery exactly once also needs WRITE and DESCRIBE ' +
      'on the transactional ids that begin with `transactionalIdPrefix`, and READ, WRITE and DESCRIBE on the commits ' +
      'topic (CREATE where it does not exist yet).',
  },
  'MR-KAFKA-PROTOCOL': {
    domain: 'external',
    scope: 'task',
    retry: 'backoff',
    message:
      '{broker} does not answer in Kafka\'s protocol: {reason}; is this a Kafka listener, and does it want ' +
      'TLS?',
    help:
      'The bytes received do not follow Kafka\'s protocol. Usual causes: the port belongs to something else, ' +
      'or the listener speaks TLS and the job has no `tls`.',
  },
  'MR-KAFKA-VERSION': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message:
      'Kafka broker {broker} does not support {api} version {version} (it has {range}); Kafka 2.4 or newer is ' +
      'needed',
    help: 'Millrace speaks fixed versions of the protocol that Kafka 2.4 to 4.x understand. Upgrade the broker.',
  },
  'MR-KAFKA-TOPIC-NOT-FOUND': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'topic {topic} does not exist on {brokers}{hint}',
    help:
      'The topic is not there, or the user may not see it. Millrace never creates the topics of sources and ' +
      'sinks. Check the spelling and the cluster, or create the topic.',
  },
  'MR-KAFKA-PARTITION-NOT-FOUND': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'topic {topic} has no partition {partition} (it has {count}); correct `{option}`',
    help: 'Offsets were given for a partition that does not exist.',
  },
  'MR-KAFKA-OFFSET-OUT-OF-RANGE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message:
      'topic {topic}, partition {partition} no longer has offset {offset} (it has {earliest} to {latest}): ' +
      'records are lost, or the topic was made anew; `reset: earliest` or `reset: latest` goes on from there',
    help:
      'The position to read from was deleted by retention before it was read, or lies behind the end because ' +
      'the topic was deleted and created again. The default, `reset: fail`, does not skip records silently.',
  },
  'MR-KAFKA-NO-COMMITTED-OFFSET': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message:
      'group {group} has no offset for topic {topic}, partition {partition}; `reset: earliest` or `reset: ' +
      'latest` says where to start then',
    help:
      '`start: group` begins at the offsets that the group has committed. A partition without one needs ' +
      '`reset`.',
  },
  'MR-KAFKA-CORRUPT': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message: '{position}: the record batch is corrupt: {reason}',
    help:
      'A record batch does not have the checksum or the structure that it should have. The broker\'s disk, ' +
      'memory or network may be damaged. Compare with another replica; skip the batch with `start: {offsets: ' +
      '…}` behind it if it is lost.',
  },
  'MR-KAFKA-UNSUPPORTED-MAGIC': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message:
      '{position}: record batches of format {magic} (before Kafka 0.11) are not supported; copy the topic ' +
      'with a newer client',
    help:
      'The log holds messages in a format that Kafka replaced in 2017 and removed in 4.0. Mirror the topic ' +
      'through a broker of version 3 with `log.message.format.version` 3.0, or start behind these messages.',
  },
  'MR-KAFKA-UNKNOWN-CODEC': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: '{position}: unknown compression codec {codec}; known are none, gzip, snappy, lz4 and zstd',
    help: 'The batch was compressed with a codec that this version does not know.',
  },
  'MR-KAFKA-BATCH-TOO-LARGE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message:
      '{position}: the record batch takes more than {limit} bytes when decompressed; raise `maxBatchBytes` if ' +
      'it is meant to',
    help: 'A small compressed batch that grows without bounds could use up all memory, so its size is limited.',
  },
  'MR-KAFKA-RECORD-TOO-LARGE': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'the record for topic {topic} takes {size} bytes, more than `maxRequestBytes` ({limit})',
    help:
      'Records larger than one request may be are not sent. Raise `maxRequestBytes` together with the ' +
      'topic\'s `max.message.bytes`.',
  },
  'MR-KAFKA-NULL-KEY': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message:
      'the record for topic {topic} has no key: field {field} is NULL, and updates and deletes are told apart ' +
      'by key',
    help: 'An upsert stream written to Kafka needs a key in every record: compaction and readers go by it.',
  },
  'MR-KAFKA-INVALID-HEADERS': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'the record for topic {topic} has a timestamp or headers that Kafka cannot hold: {reason}',
    help: 'Timestamps of records are not negative; header names are strings and not NULL.',
  },
  'MR-KAFKA-MESSAGE-TOO-LARGE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message:
      'topic {topic}, partition {partition} refuses a batch of {size} bytes with {count} records: raise ' +
      '`max.message.bytes` of the topic, or lower `batchBytes`',
    help: 'The broker limits record batches by `message.max.bytes`, the topic by `max.message.bytes`.',
  },
  'MR-KAFKA-REFUSED': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message: 'Kafka refused to {operation} {resource}: {reason} ({error})',
    help:
      'The broker answered with an error that trying again does not mend. The name in brackets is Kafka\'s ' +
      'own.',
  },
  'MR-KAFKA-UNAVAILABLE': {
    domain: 'external',
    scope: 'task',
    retry: 'backoff',
    message: 'Kafka could not {operation} {resource} for {seconds} s: {reason}',
    help:
      'The operation was tried again and again until its deadline (`unavailableTimeout` of a source, ' +
      '`deliveryTimeout` of a sink). Look at the brokers: is the partition without a leader, or are there ' +
      'fewer in-sync replicas than `min.insync.replicas`?',
  },
  'MR-KAFKA-TRANSACTION-TIMES': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message:
      'transactions of step {step} may have to stay open for {needed} s (interval {interval} s + (tolerated ' +
      'failures {failures} + 1) × (checkpoint timeout {timeout} s + pause {pause} s) + tolerated outage {outage} s), ' +
      'but `transactionTimeout` is {limit} s: lower the `timeout` of `checkpoint`, or raise `transactionTimeout` and ' +
      'the brokers\' transaction.max.timeout.ms',
    help:
      'With `delivery: exactly-once` records become visible when the checkpoint they belong to is complete. Until ' +
      'then their transaction must stay open, through as many failed checkpoints as the job tolerates; a broker ' +
      'aborts it after `transactionTimeout`, and then output of a completed checkpoint could be lost. Dead letters ' +
      'of a source are written so too, unless it says `deadLetterDelivery: at-least-once`.',
  },
  'MR-KAFKA-TRANSACTION-TIMEOUT': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message:
      'the brokers do not allow transactions of {seconds} s{limit}: lower `transactionTimeout`, or raise ' +
      'transaction.max.timeout.ms on all brokers',
    help:
      'The setting transaction.max.timeout.ms of the brokers (15 minutes by default) limits how long a transaction ' +
      'may stay open.',
  },
  'MR-KAFKA-TOLERABLE-FAILURES': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message:
      'step {step} writes exactly once, with one transaction open per failed checkpoint: at most {limit} ' +
      '`tolerableFailures` are possible, not {failures}',
    help: 'Lower `tolerableFailures` of the block `checkpoint`, or use `delivery: at-least-once`.',
  },
  'MR-KAFKA-NEEDS-CHECKPOINTS': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message:
      'step {step} is to deliver exactly once, which needs checkpoints that count exactly once: add ' +
      '`checkpoint: {interval: 10s}`, or use at-least-once',
    help: 'Records become visible with the checkpoint they belong to; without checkpoints they never would.',
  },
  'MR-KAFKA-COMMITS-TOPIC': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'topic {topic} cannot be the topic of commit records: {reason}; change it, or name another `commitsTopic`',
    help:
      'Every transaction leaves a record in this topic, by which a restart can tell whether it was committed. It ' +
      'must keep all records (`cleanup.policy=delete`) for longer than a job may stand still.',
  },
  'MR-KAFKA-TRANSACTION-FENCED': {
    domain: 'external',
    scope: 'task',
    retry: 'backoff',
    message:
      'the transaction of {transactionalId} was taken from its writer before its checkpoint was complete ({reason}); ' +
      'its records are written again after a restart',
    help:
      'Nothing is wrong with the output. If it happens often, then checkpoints take longer than ' +
      '`transactionTimeout`, or two jobs use the same `transactionalIdPrefix`, or a broker has lost the state of ' +
      'producers.',
  },
  'MR-KAFKA-TRANSACTION-LOST': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message:
      'output of completed checkpoint {checkpoint} is lost: Kafka has aborted the transaction of step {step}, ' +
      'subtask {subtask} ({transactionalId}, producer {producerId}, epoch {epoch}; its record is at {position}), ' +
      'because it was not committed in time; start from an earlier checkpoint to write it again (and others\' output ' +
      'twice)',
    help:
      'The job was down, or could not reach Kafka, for longer than `transactionTimeout` between a checkpoint and its ' +
      'commit. Raise `transactionTimeout` and `toleratedOutage` to cover such outages.',
  },
  'MR-KAFKA-OUTCOME-UNKNOWN': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message:
      'whether output of completed checkpoint {checkpoint} was committed is not known: Kafka refuses to commit the ' +
      'transaction of step {step}, subtask {subtask} ({transactionalId}, producer {producerId}, epoch {epoch}; ' +
      '{refusal}), and {position} does not tell: {reason}',
    help:
      'A restart commits what its checkpoint has prepared. Kafka says that this transaction is over, and the commit ' +
      'record that would tell how it ended is gone: the job stood still for longer than the commits topic keeps ' +
      'records, the topic was made anew, or `brokers` is another cluster. Look into the output topic for records of ' +
      'this producer and epoch, then start from a savepoint or anew.',
  },
  'MR-KAFKA-CLOSED': {
    domain: 'internal',
    scope: 'task',
    retry: 'backoff',
    message: 'the Kafka client is closed',
    help: 'Something used the client after its task had ended.',
  },
});
