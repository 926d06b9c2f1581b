/** The ends of a step under test: rows come from the test, and stay with it. */
import { builtInFormats, builtInSinks, builtInSources } from '../../connectors/index.ts';
import type { ConnectorCatalog, SinkConnector, SourceConnector } from '../../core/index.ts';

export const GIVEN = 'given';

const description = { name: GIVEN, doc: 'Rows of a test.', options: {}, formatUse: 'none', example: '' } as const;

/** No harness asks a connector to read or write. */
function unused(): never {
  throw new Error('a harness reads and writes nothing');
}

const givenSource: SourceConnector = {
  ...description,
  kind: 'source',
  metadata: {},
  deadLetters: false,
  fixedSchema: () => null,
  isBounded: () => true,
  check: () => [],
  createEnumerator: unused,
  createReader: unused,
};

const givenSink: SinkConnector = {
  ...description,
  kind: 'sink',
  acceptedModes: () => ['append', 'upsert', 'retract'],
  check: () => [],
  prepare: unused,
  createWriter: unused,
};

function byName<T extends { readonly name: string }>(all: readonly T[]): ReadonlyMap<string, T> {
  return new Map(all.map((each) => [each.name, each]));
}

/** Every connector of this build, to check jobs with, and the given ends. */
export const testingCatalog: ConnectorCatalog = Object.freeze({
  sources: byName([...builtInSources, givenSource]),
  sinks: byName([...builtInSinks, givenSink]),
  formats: byName(builtInFormats),
});
