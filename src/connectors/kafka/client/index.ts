/** The Kafka client, and all that the connector knows of it. */
export * from './client.ts';
export { describeErrorCode, ErrorCode, isAuthorization, isFenced, isTransient } from './error-codes.ts';
export { createKafkaClient } from './kafkajs-client.ts';
export { persist } from './persist.ts';
