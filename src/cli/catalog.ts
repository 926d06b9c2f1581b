import { builtInFormats, builtInLookups, builtInSinks, builtInSources } from '../connectors/index.ts';
import type { ConnectorCatalog } from '../core/index.ts';

function byName<T extends { readonly name: string }>(all: readonly T[]): ReadonlyMap<string, T> {
  return new Map(all.map((each) => [each.name, each]));
}

/** Every connector and format of this build. */
export const catalog: Required<ConnectorCatalog> = Object.freeze({
  sources: byName(builtInSources),
  sinks: byName(builtInSinks),
  formats: byName(builtInFormats),
  lookups: byName(builtInLookups),
});
