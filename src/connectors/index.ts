/** The outside world: what `cli` puts into the catalogue. See README.md. */
import type { LookupConnector, SinkConnector, SourceConnector } from '../core/index.ts';
import { blackholeSink } from './blackhole/blackhole-sink.ts';
import { datagenSource } from './datagen/datagen-source.ts';
import { nexmarkSource } from './datagen/nexmark-source.ts';
import { fileLookup } from './file/file-lookup.ts';
import { fileSink } from './file/file-sink.ts';
import { fileSource } from './file/file-source.ts';
import { httpLookup } from './http/http-lookup.ts';
import { kafkaSink, kafkaSource } from './kafka/index.ts';
import { printSink } from './print/print-sink.ts';
import { socketSource } from './socket/socket-source.ts';

export { builtInFormats, formatErrors } from './formats/index.ts';
export {
  createKafkaClient,
  createKafkaSink,
  createKafkaSource,
  EARLIEST_TIMESTAMP,
  kafkaErrors,
  LATEST_TIMESTAMP,
  type FetchResponse,
  type KafkaClient,
  type ProducerIdentity,
} from './kafka/index.ts';
export { fileErrors } from './file/errors.ts';
export { httpErrors } from './http/errors.ts';
export { lineErrors } from './lines/errors.ts';
export { printErrors } from './print/errors.ts';
export { socketErrors } from './socket/errors.ts';

/** Every source of this build. */
export const builtInSources: readonly SourceConnector[] = Object.freeze([
  kafkaSource,
  fileSource,
  socketSource,
  datagenSource,
  nexmarkSource,
]);

/** Every sink of this build. */
export const builtInSinks: readonly SinkConnector[] = Object.freeze([kafkaSink, fileSink, printSink, blackholeSink]);

/** Everything in this build that rows can be looked up in. */
export const builtInLookups: readonly LookupConnector[] = Object.freeze([httpLookup, fileLookup]);
