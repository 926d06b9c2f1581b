/** The ends of a job under test: rows come from the test, and stay with it. */
import { builtInCatalog } from '../../connectors/index.ts';
import type {
  ConnectorCatalog,
  LookupConnector,
  LookupRow,
  LookupSpec,
  SinkConnector,
  SourceConnector,
} from '../../core/index.ts';
import { userRow, valuesOf } from './user-rows.ts';

export const GIVEN = 'given';

/** What `lookup` steps find, by step: the rows for a key. */
export type Lookups = Readonly<Record<string, (key: Readonly<Record<string, unknown>>) => readonly object[]>>;

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

const { sources, sinks, formats, lookups: builtInLookups } = builtInCatalog;

/** Every connector of this build, to check jobs with; lookups find what the test says. */
export function testingCatalog(lookups: Lookups): Required<ConnectorCatalog> {
  return {
    sources: new Map([...sources, [GIVEN, givenSource]]),
    sinks: new Map([...sinks, [GIVEN, givenSink]]),
    formats,
    lookups: new Map([...builtInLookups].map(([name, connector]) => [name, answeringLookup(connector, lookups)])),
  };
}

/** Is checked as the connector is, and asks the test. */
function answeringLookup(connector: LookupConnector, lookups: Lookups): LookupConnector {
  return {
    ...connector,
    check: (spec) => connector.check(spec),
    createReader: (spec) => ({
      batchSize: 1,
      open: () => Promise.resolve(),
      lookup: (keys) => Promise.resolve(keys.map((key) => answer(key, spec, lookups))),
      close: () => Promise.resolve(),
    }),
  };
}

function answer(key: LookupRow, { stepId, keys, schema }: LookupSpec, lookups: Lookups): readonly LookupRow[] {
  const find = lookups[stepId];
  if (find === undefined) throw new Error(`the test does not say, under \`lookups\`, what step ${stepId} finds`);
  return find(userRow(key, keys, 'number')).map((row) => valuesOf(row, schema, `what lookup ${stepId} finds`));
}
