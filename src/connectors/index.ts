/** The outside world: what `cli` puts into the catalogue. See README.md. */
import type { SinkConnector, SourceConnector } from '../core/index.ts';
import { blackholeSink } from './blackhole/blackhole-sink.ts';
import { datagenSource } from './datagen/datagen-source.ts';
import { nexmarkSource } from './datagen/nexmark-source.ts';
import { printSink } from './print/print-sink.ts';

export { builtInFormats } from './formats/index.ts';

/** Every source of this build. */
export const builtInSources: readonly SourceConnector[] = Object.freeze([datagenSource, nexmarkSource]);

/** Every sink of this build. */
export const builtInSinks: readonly SinkConnector[] = Object.freeze([printSink, blackholeSink]);
