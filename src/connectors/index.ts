/** The outside world: what `cli` puts into the catalogue. See README.md. */
import type { ConnectorCatalog, LookupConnector, SinkConnector, SourceConnector } from '../core/index.ts';
import { blackholeSink } from './blackhole/blackhole-sink.ts';
import { datagenSource } from './datagen/datagen-source.ts';
import { nexmarkSource } from './datagen/nexmark-source.ts';
import { fileLookup } from './file/file-lookup.ts';
import { fileSink } from './file/file-sink.ts';
import { fileSource } from './file/file-source.ts';
import { builtInFormats } from './formats/index.ts';
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

function byName<T extends { readonly name: string }>(...all: readonly T[]): ReadonlyMap<string, T> {
  return new Map(all.map((each) => [each.name, each]));
}

/** Every connector and format of this build. */
export const builtInCatalog: Required<ConnectorCatalog> = Object.freeze({
  sources: byName<SourceConnector>(kafkaSource, fileSource, socketSource, datagenSource, nexmarkSource),
  sinks: byName<SinkConnector>(kafkaSink, fileSink, printSink, blackholeSink),
  formats: byName(...builtInFormats),
  lookups: byName<LookupConnector>(httpLookup, fileLookup),
});
