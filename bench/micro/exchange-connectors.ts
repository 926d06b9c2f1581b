/** A source that costs nothing (it gives out the same batch again and again) and a sink that only counts. */
import {
  ColumnBatch,
  hashRows,
  keyGroupOf,
  subtaskOfKeyGroup,
  types,
  writeValue,
} from '../../src/core/index.ts';
import type {
  Column,
  ConnectorCatalog,
  RowSchema,
  SinkConnector,
  SourceConnector,
  SourceReader,
  SourceSpec,
} from '../../src/core/index.ts';

export const numberSchema: RowSchema = {
  fields: [
    { name: 'key', type: types.long },
    { name: 'amount', type: types.double },
    { name: 'at', type: types.timestamp },
  ],
};

export const textSchema: RowSchema = { fields: [...numberSchema.fields, { name: 'text', type: types.string }] };

/** Options: `rows`, `batchRows`, `onlyTarget` and `targets` (keys of this subtask alone). */
const repeatSource: SourceConnector = {
  kind: 'source',
  name: 'repeat',
  doc: 'The same batch again and again.',
  options: {},
  formatUse: 'none',
  example: '',
  metadata: {},
  deadLetters: false,
  fixedSchema: () => null,
  isBounded: () => true,
  check: () => [],
  createEnumerator: () => ({
    open: () => Promise.resolve(),
    discover: () => Promise.resolve([]),
    discoveryIntervalMs: null,
    close: () => Promise.resolve(),
  }),
  createReader,
};

function createReader(spec: SourceSpec): SourceReader {
  const batch = repeatedBatch(spec);
  let left = Number(spec.options['rows']);
  let hasStarted = false;
  let start: () => void = () => undefined;
  return {
    open: () => Promise.resolve(),
    addSplits: () => undefined,
    noMoreSplits() {
      hasStarted = true;
      start();
    },
    batchSplit: null,
    poll() {
      if (!hasStarted || left <= 0) return null;
      left -= batch.rowCount;
      return batch;
    },
    available: () =>
      hasStarted
        ? Promise.resolve()
        : new Promise((resolve) => {
            start = resolve;
          }),
    get isFinished() {
      return hasStarted && left <= 0;
    },
    positions: () => [],
    close: () => Promise.resolve(),
  };
}

function repeatedBatch(spec: SourceSpec): ColumnBatch {
  const batch = new ColumnBatch(spec.schema, Number(spec.options['batchRows']));
  const keys = keysFor(Number(spec.options['targets'] ?? 1), Number(spec.options['onlyTarget'] ?? -1), batch.capacity);
  keys.forEach((key, row) => {
    const values = [BigInt(key), key / 3, 1_700_000_000_000 + key, `a text of number ${key}`];
    batch.columns.forEach((column, index) => {
      writeValue(column, row, values[index] ?? null);
    });
  });
  batch.rowCount = batch.capacity;
  return batch;
}

/** Different keys, of one target where one is wanted. */
function keysFor(targets: number, only: number, count: number): number[] {
  const candidates = new ColumnBatch({ fields: [{ name: 'key', type: types.long }] }, count * 2 * targets);
  const column = candidates.columns[0] as Column;
  for (let row = 0; row < candidates.capacity; row++) writeValue(column, row, BigInt(row));
  const hashes = new Int32Array(candidates.capacity);
  hashRows([column], candidates.capacity, hashes);
  const keys = Array.from(hashes.keys());
  const fitting = keys.filter((key) => {
    const target = subtaskOfKeyGroup(keyGroupOf(hashes[key] ?? 0, 128), 128, targets);
    return only < 0 || target === only;
  });
  return fitting.slice(0, count);
}

const countSink: SinkConnector = {
  kind: 'sink',
  name: 'count',
  doc: 'Takes everything.',
  options: {},
  formatUse: 'none',
  example: '',
  acceptedModes: () => ['append'],
  check: () => [],
  prepare: () => Promise.resolve(),
  createWriter: () => ({
    open: () => Promise.resolve(),
    write: (batch) => batch.rowCount,
    writable: () => Promise.resolve(),
    poke: () => undefined,
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }),
};

export const benchCatalog: ConnectorCatalog = {
  sources: new Map([['repeat', repeatSource]]),
  sinks: new Map([['count', countSink]]),
  formats: new Map(),
};
