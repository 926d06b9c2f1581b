/* Runs the kafka source and sink as a task would, without a job around them. */
import {
  batchOf,
  describeOrigin,
  isMillraceError,
  parseOptions,
  rowsOf,
  types,
  type Committer,
  type ConnectorContext,
  type ErrorPolicy,
  type Field,
  type Options,
  type Ports,
  type ReaderContext,
  type RunIdentity,
  type SinkSpec,
  type SourceReader,
  type SourceSpec,
  type Split,
  type SplitEnumerator,
  type Value,
} from '../../src/core/index.ts';
import { nodePorts } from '../../src/core/node-ports.ts';
import { createKafkaSink, createKafkaSource } from '../../src/connectors/index.ts';
import { valueFormat } from './value-format.ts';

const source = createKafkaSource([valueFormat]);
const sink = createKafkaSink([valueFormat]);
const METADATA = ['key', 'headers', 'timestamp', 'partition', 'offset', 'topic'] as const;
const DEADLINE_MS = 60_000;

export interface ReadRecord {
  readonly value: string | null;
  readonly key: string | null;
  readonly headers: ReadonlyMap<string, Uint8Array | null>;
  readonly timestamp: number | null;
  readonly partition: number;
  readonly offset: number;
  readonly topic: string;
}

function checked(table: Parameters<typeof parseOptions>[0], raw: Readonly<Record<string, unknown>>): Options {
  const { values, problems } = parseOptions(table, raw);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return values;
}

export function sourceSpec(raw: Readonly<Record<string, unknown>>, errors: ErrorPolicy = { kind: 'fail' }): SourceSpec {
  const spec: SourceSpec = {
    stepId: 'in',
    connector: 'kafka',
    options: checked(source.options, raw),
    format: { name: 'value', options: {} },
    schema: { fields: [{ name: 'value', type: types.bytes }] },
    metadata: METADATA.map((key) => ({ name: key, key, type: source.metadata[key] ?? types.bytes })),
    projection: [0, 1, 2, 3, 4, 5, 6],
    filters: [],
    errors,
  };
  const problems = source.check(spec);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return spec;
}

export function taskContext(stepId: string, errors: ErrorPolicy = { kind: 'fail' }): ReaderContext & {
  readonly skipped: string[];
} {
  const counters = new Map<string, { value: number }>();
  const skipped: string[] = [];
  return {
    jobName: 'harness',
    stepId,
    subtaskIndex: 0,
    parallelism: 1,
    maxParallelism: 128,
    ports: nodePorts,
    rack: null,
    run: null,
    skipped,
    counter(name) {
      const counter = counters.get(name) ?? { value: 0 };
      counters.set(name, counter);
      return counter;
    },
    errors: {
      handle(batch, row, step, error) {
        const code = isMillraceError(error) ? error.code : 'MR-INTERNAL';
        if (errors.kind === 'fail') {
          throw new Error(`${describeOrigin(batch, row) ?? 'nowhere'}, step ${step}: ${code}`, { cause: error });
        }
        skipped.push(`${describeOrigin(batch, row) ?? 'nowhere'}: ${code}`);
        if (errors.kind === 'dead-letter') {
          batch.origin?.deadLetter?.(row, { code, message: String(error), stepId: step });
        }
      },
    },
  };
}

export interface RunningSource {
  readonly reader: SourceReader;
  readonly enumerator: SplitEnumerator;
  readonly skipped: readonly string[];
  /** The value of a counter of the reader. */
  counted(name: string): number;
  /** What was read so far. */
  readonly records: ReadRecord[];
  /** Reads until the condition holds or the source has finished; fails after a minute. */
  until(condition: () => boolean): Promise<void>;
  discover(): Promise<readonly Split[]>;
  close(): Promise<void>;
}

function sourceContext(run: RunIdentity | null): ConnectorContext {
  return { jobName: run?.jobName ?? 'harness', stepId: 'in', ports: nodePorts, rack: null, run };
}

export function sourceCommitter(spec: SourceSpec, run: RunIdentity): Committer {
  const committer = source.createCommitter?.(spec, sourceContext(run));
  if (committer === undefined) throw new Error('the source has no committer');
  return committer;
}

/** Starts a source with all its splits on one reader. */
export async function startSource(
  spec: SourceSpec,
  more: {
    readonly splits?: readonly Split[];
    /** Splits of a checkpoint: the source goes on from them, and finds those that are new since. */
    readonly restored?: readonly Split[];
    readonly run?: RunIdentity;
    readonly rack?: string;
    readonly ports?: Ports;
  } = {},
): Promise<RunningSource> {
  const { restored, run = null } = more;
  const enumerator = source.createEnumerator(spec, sourceContext(run));
  if (restored !== undefined) enumerator.restore?.(restored.map(({ id }) => id));
  const context = { ...taskContext('in', spec.errors), rack: more.rack ?? null, ports: more.ports ?? nodePorts, run };
  const reader = source.createReader(spec);
  const records: ReadRecord[] = [];
  try {
    await enumerator.open();
    await reader.open(context);
    const splits = more.splits ?? (await enumerator.discover());
    reader.addSplits([...(restored ?? []), ...splits]);
    if (enumerator.discoveryIntervalMs === null || source.isBounded(spec.options)) reader.noMoreSplits();
  } catch (error) {
    await Promise.allSettled([enumerator.close(), reader.close()]);
    throw error;
  }
  return {
    reader,
    enumerator,
    records,
    skipped: context.skipped,
    counted: (name) => context.counter(name).value,
    until: (condition) => readUntil(reader, records, condition),
    async discover() {
      const splits = await enumerator.discover();
      reader.addSplits(splits);
      return splits;
    },
    async close() {
      await Promise.all([enumerator.close(), reader.close()]);
    },
  };
}

async function readUntil(reader: SourceReader, records: ReadRecord[], condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!condition() && !reader.isFinished) {
    const batch = reader.poll();
    if (batch !== null) {
      records.push(...rowsOf(batch).map(toRecord));
      continue;
    }
    const leftMs = deadlineMs - performance.now();
    const timer = new AbortController();
    const expired = new Promise<never>((_, reject) => {
      const id = setTimeout(() => {
        reject(
          new Error(
            `the source stood still; ${String(records.length)} records, at ${JSON.stringify(reader.positions())}`,
          ),
        );
      }, Math.max(0, leftMs));
      timer.signal.addEventListener('abort', () => clearTimeout(id));
    });
    try {
      await Promise.race([reader.available(), expired]);
    } finally {
      timer.abort();
    }
  }
}

function toRecord(row: readonly Value[]): ReadRecord {
  const [value, key, headers, timestamp, partition, offset, topic] = row;
  const text = (bytes: Value | undefined) => (bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : null);
  return {
    value: text(value),
    key: text(key),
    headers: headers as ReadonlyMap<string, Uint8Array | null>,
    timestamp: timestamp as number | null,
    partition: partition as number,
    offset: Number(offset),
    topic: topic as string,
  };
}

/** Reads a bounded source to its end. */
export async function readAll(
  raw: Readonly<Record<string, unknown>>,
  errors: ErrorPolicy = { kind: 'fail' },
): Promise<ReadRecord[]> {
  const running = await startSource(sourceSpec({ end: 'latest', ...raw }, errors));
  try {
    await running.until(() => false);
    return running.records;
  } finally {
    await running.close();
  }
}

export interface WriteOptions {
  readonly fields?: readonly Field[];
  readonly changelog?: SinkSpec['changelog'];
  readonly uniqueKey?: readonly number[];
  readonly rowKinds?: readonly number[];
  readonly errors?: ErrorPolicy;
}

const VALUE_FIELDS: readonly Field[] = [{ name: 'value', type: types.bytes }];

export function sinkSpec(raw: Readonly<Record<string, unknown>>, more: WriteOptions = {}): SinkSpec {
  const spec: SinkSpec = {
    stepId: 'out',
    connector: 'kafka',
    options: checked(sink.options, raw),
    format: { name: 'value', options: {} },
    input: { fields: more.fields ?? VALUE_FIELDS },
    changelog: more.changelog ?? 'append',
    uniqueKey: more.uniqueKey ?? [],
  };
  const problems = sink.check(spec);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return spec;
}

/** Writes rows through the sink, in batches, and flushes. `between` runs after each batch. */
export async function writeAll(
  raw: Readonly<Record<string, unknown>>,
  rows: readonly (readonly Value[])[],
  more: WriteOptions & { readonly batchRows?: number; readonly between?: (done: number) => void } = {},
): Promise<void> {
  const spec = sinkSpec(raw, more);
  await sink.prepare(spec, { jobName: 'harness', stepId: 'out', ports: nodePorts, rack: null, run: null });
  const writer = sink.createWriter(spec);
  await writer.open(taskContext('out', more.errors));
  const batchRows = more.batchRows ?? 1000;
  try {
    for (let from = 0; from < rows.length; from += batchRows) {
      const part = rows.slice(from, from + batchRows);
      const batch = batchOf(spec.input, part);
      if (more.rowKinds !== undefined) batch.rowKinds = Uint8Array.from(more.rowKinds.slice(from, from + batchRows));
      let row = 0;
      while ((row = writer.write(batch, row)) < batch.rowCount) await writer.writable();
      more.between?.(from + part.length);
      await nodePorts.macrotasks.yield();
    }
    await writer.flush();
  } finally {
    await writer.close();
  }
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);
