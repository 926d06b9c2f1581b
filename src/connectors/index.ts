/** The outside world: what `cli` puts into the catalogue. See README.md. */
import type { SinkConnector, SourceConnector } from '../core/index.ts';

export { builtInFormats } from './formats/index.ts';

/** Every source of this build. */
export const builtInSources: readonly SourceConnector[] = Object.freeze([]);

/** Every sink of this build. */
export const builtInSinks: readonly SinkConnector[] = Object.freeze([]);
