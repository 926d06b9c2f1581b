/** The outside world: what `cli` puts into the catalogue. See README.md. */
import type { SinkConnector, SourceConnector } from '../core/index.ts';
import { kafkaSink, kafkaSource } from './kafka/index.ts';

export { builtInFormats } from './formats/index.ts';
export * from './kafka/index.ts';

/** Every source of this build. */
export const builtInSources: readonly SourceConnector[] = Object.freeze([kafkaSource]);

/** Every sink of this build. */
export const builtInSinks: readonly SinkConnector[] = Object.freeze([kafkaSink]);
