/** Kafka: source, sink, and the client under them. See README.md. */
import { builtInFormats } from '../formats/index.ts';
import { createKafkaSink } from './sink/kafka-sink.ts';
import { createKafkaSource } from './source/kafka-source.ts';

export const kafkaSource = createKafkaSource(builtInFormats);
export const kafkaSink = createKafkaSink(builtInFormats);

export * from './client/index.ts';
export { kafkaErrors } from './errors.ts';
export { createKafkaSink, createKafkaSource };
