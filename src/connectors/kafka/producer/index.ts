/** The idempotent producer. */
export { murmur2, partitionOfKey } from './murmur2.ts';
export { Producer, type ProducerConfig, type ProducerTransaction, type TopicQueues } from './producer.ts';
