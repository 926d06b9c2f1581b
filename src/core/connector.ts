/**
 * The contract of connectors, in call order.
 *
 * While a job is linted: `options`, `formats`, `metadata`, `fixedSchema`, `check`. When it runs: one SplitEnumerator
 * per source, beside the JobMaster, finds splits; one SourceReader per subtask reads those assigned to it; one
 * SinkWriter per subtask writes. Readers and writers run on slot threads, on the hot path.
 */
import type { ColumnBatch } from './batch.ts';
import type { ChangelogMode } from './changelog.ts';
import type { Committer, CommittingPart, RunIdentity } from './checkpoint.ts';
import type { Expression } from './expression.ts';
import type { FormatDefinition } from './format.ts';
import type { SplitId } from './ids.ts';
import type { Counter, RecordErrorHandler, TaskContext } from './operator.ts';
import type { OptionProblem, OptionTable, OptionValue } from './options.ts';
import type { Ports } from './ports.ts';
import type { DataType, RowSchema } from './types.ts';
import type { Value } from './value.ts';

export type Options = Readonly<Record<string, OptionValue>>;

/** What becomes of a record that cannot be decoded or whose processing fails (`errors:` of a source). */
export type ErrorPolicy =
  | { readonly kind: 'fail' }
  | { readonly kind: 'skip' }
  /** `target` in the connector's terms: a topic for kafka. */
  | { readonly kind: 'dead-letter'; readonly target: string };

/** A source step, checked and optimised. Plain data. */
export interface SourceSpec {
  readonly stepId: string;
  readonly connector: string;
  /** Values of the connector's table, parsed. */
  readonly options: Options;
  readonly format: { readonly name: string; readonly options: Options } | null;
  /** The declared fields of a record's value (or the connector's fixed schema). */
  readonly schema: RowSchema;
  /** Fields made of the record's surroundings; `key` is a name in SourceConnector.metadata. */
  readonly metadata: readonly { readonly name: string; readonly key: string; readonly type: DataType }[];
  /**
   * What the reader emits, in order: indexes into all fields, which are `schema`'s and then `metadata`'s. Fields that
   * nobody needs are not decoded.
   */
  readonly projection: readonly number[];
  /**
   * Predicates pushed into the decoder, in the order of their steps: rows for which one is not TRUE are dropped.
   * Columns are indexes into `schema`'s fields (never metadata). A predicate that fails is an error of its own step.
   */
  readonly filters: readonly { readonly stepId: string; readonly predicate: Expression }[];
  readonly errors: ErrorPolicy;
}

/** A sink step, checked. Plain data. */
export interface SinkSpec {
  readonly stepId: string;
  readonly connector: string;
  readonly options: Options;
  readonly format: { readonly name: string; readonly options: Options } | null;
  readonly input: RowSchema;
  readonly changelog: ChangelogMode;
  /** Indexes of the unique key of an upsert stream; empty for append. */
  readonly uniqueKey: readonly number[];
}

/** The schema of what a reader emits. */
export function emittedSchema(spec: SourceSpec): RowSchema {
  const all = [...spec.schema.fields, ...spec.metadata.map(({ name, type }) => ({ name, type }))];
  return { fields: spec.projection.map((index) => all[index] as { name: string; type: DataType }) };
}

export interface Split {
  readonly id: SplitId;
  /** What the connector needs to read it, and where to start: plain data. */
  readonly position: Readonly<Record<string, OptionValue>>;
  /** Hosts and racks where reading it is cheap; empty where it makes no difference. */
  readonly racks: readonly string[];
  /** Event time of a split that a checkpoint holds: the greatest seen, and whether it had fallen idle. */
  readonly eventTime?: { readonly maxTimestampMs: number; readonly isIdle: boolean };
}

export interface ConnectorContext {
  readonly jobName: string;
  readonly stepId: string;
  readonly ports: Ports;
  /** Where this subtask or enumerator runs, for closest-replica reads. */
  readonly rack: string | null;
  /** Null where the job takes no checkpoints. */
  readonly run: RunIdentity | null;
  /** Whether the job goes on from a checkpoint or savepoint: what it wrote before stays. Absent: it does not. */
  readonly isRestored?: boolean;
}

export interface SplitEnumerator {
  /**
   * Splits that a checkpoint holds, called at most once, before open(): discover() does not return them, even where
   * they are gone by now. Splits that are new since the checkpoint start at their beginning.
   */
  restore?(known: readonly SplitId[]): void;
  /** Called once. Checks what can only be checked by asking (topic, credentials); rejects with a clear error. */
  open(): Promise<void>;
  /**
   * All splits that exist now and were not returned before. Called again every `discoveryIntervalMs` while that is
   * not null. Splits found by a later call start at their beginning.
   */
  discover(): Promise<readonly Split[]>;
  /**
   * Where a split is cheap to read (Split.racks) as of the last discover(), also one of a checkpoint; null where that
   * is not known. Absent: as the split itself says.
   */
  locate?(id: SplitId): readonly string[] | null;
  readonly discoveryIntervalMs: number | null;
  close(): Promise<void>;
}

export interface ReaderContext extends TaskContext {
  readonly rack: string | null;
  /** Null where the job takes no checkpoints. */
  readonly run: RunIdentity | null;
  readonly errors: RecordErrorHandler;
}

/** Reads splits on a slot thread. */
export interface SourceReader {
  /** Called once, first. */
  open(context: ReaderContext): Promise<void>;
  /** Called any number of times while running. */
  addSplits(splits: readonly Split[]): void;
  /** No more splits will be added: the reader is finished once those it has are. */
  noMoreSplits(): void;
  /**
   * The next batch if one is at hand, else null. Never blocks. The batch is borrowed until the next poll. May decode
   * part of what it holds; call again until null. Rows of one batch come from one split.
   */
  poll(): ColumnBatch | null;
  /** The split that the rows of the last batch came from; null before the first. */
  readonly batchSplit: SplitId | null;
  /** Splits that have ended since the last call, all of whose rows were polled. Absent where none ever ends. */
  takeEndedSplits?(): readonly SplitId[];
  /** Resolves when poll() may have something or `isFinished` has changed, at once if so already; rejects on failure. */
  available(): Promise<void>;
  /** True once noMoreSplits() was called and all bounded splits are read to their end and polled. */
  readonly isFinished: boolean;
  /**
   * Resolves when what the reader itself has written (dead letters) is durable; awaited before positions() are stored.
   * isFinished is not true before that either.
   */
  flush?(): Promise<void>;
  /** The position after the last polled batch, per split: what a checkpoint stores and addSplits takes. */
  positions(): readonly Split[];
  /** Called with the positions of each completed checkpoint, so that lag tools see them. Never fails the job. */
  checkpointCompleted?(positions: readonly Split[]): void;
  /** Dead letters under exactly-once: written in a transaction of the reader's own. flush() is not called then. */
  readonly committing?: CommittingPart | undefined;
  close(): Promise<void>;
}

export interface WriterContext extends TaskContext {
  readonly rack: string | null;
  /** Null where the job takes no checkpoints. */
  readonly run: RunIdentity | null;
  readonly errors: RecordErrorHandler;
}

/** Writes batches on a slot thread. */
export interface SinkWriter {
  open(context: WriterContext): Promise<void>;
  /**
   * Takes rows from `fromRow` on and returns the next row to do. Less than `batch.rowCount` means that buffers are
   * full: the loop awaits writable() and calls again. What was taken is copied or encoded; the batch is free after.
   */
  write(batch: ColumnBatch, fromRow: number): number;
  /**
   * Resolves when write() can take more; rejects when an earlier write has failed for good. flush() and prepareCommit()
   * may be called while it is pending.
   */
  writable(): Promise<void>;
  /** Called when no more input is at hand: sends what is buffered without waiting for more. Does not block. */
  poke(): void;
  /** Resolves when everything taken is durable at the other side; rejects if it cannot be. */
  flush(): Promise<void>;
  /** Present, from the end of open() on, where what is written becomes visible with a checkpoint only. */
  readonly committing?: CommittingPart | undefined;
  close(): Promise<void>;
}

/** How a connector uses formats. */
export type FormatUse = 'required' | 'none';

/** The tables and checks that lint needs; implemented by sources and sinks. */
interface ConnectorDescription {
  readonly name: string;
  /** One sentence. */
  readonly doc: string;
  readonly options: OptionTable;
  readonly formatUse: FormatUse;
  /** A few lines of YAML (a `with` block's content) for `list` and `create`. */
  readonly example: string;
}

export interface SourceConnector extends ConnectorDescription {
  readonly kind: 'source';
  /** The names that `metadata:` may use. */
  readonly metadata: Readonly<Record<string, DataType>>;
  /** Whether `errors: {to: …}` works. */
  readonly deadLetters: boolean;
  /** The schema where the connector decides it (a job then declares none); null where the job declares it. */
  fixedSchema(options: Options): RowSchema | null;
  /** Whether the source ends by itself with these options. */
  isBounded(options: Options): boolean;
  /** What is wrong although every option alone is right. Paths are relative to `with`. */
  check(spec: SourceSpec): readonly OptionProblem[];
  createEnumerator(spec: SourceSpec, context: ConnectorContext): SplitEnumerator;
  createReader(spec: SourceSpec): SourceReader;
  /** For what `SourceReader.committing` has prepared; absent where readers never commit anything. */
  createCommitter?(spec: SourceSpec, context: ConnectorContext): Committer;
}

export interface SinkConnector extends ConnectorDescription {
  readonly kind: 'sink';
  /** The changelog modes that it can take. */
  acceptedModes(options: Options): readonly ChangelogMode[];
  check(spec: SinkSpec): readonly OptionProblem[];
  /** What can only be checked by asking (topic, credentials): called once, beside the JobMaster, before tasks start. */
  prepare(spec: SinkSpec, context: ConnectorContext): Promise<void>;
  createWriter(spec: SinkSpec): SinkWriter;
  /** Whether writers commit with checkpoints under these options: `delivery: exactly-once`. Absent: never. */
  isTransactional?(options: Options): boolean;
  /** For what `SinkWriter.committing` has prepared; present where isTransactional can be true. */
  createCommitter?(spec: SinkSpec, context: ConnectorContext): Committer;
}

/** What a lookup step asks its connector, checked. Plain data. */
export interface LookupSpec {
  readonly stepId: string;
  readonly connector: string;
  readonly options: Options;
  readonly format: { readonly name: string; readonly options: Options } | null;
  /** What rows are looked up by: the names and types of the step's `on`. */
  readonly keys: RowSchema;
  /** The fields of a row that is found. */
  readonly schema: RowSchema;
}

/** One value per field of LookupSpec.keys, in the form of value.ts, none NULL; or of LookupSpec.schema. */
export type LookupRow = readonly Value[];

/** Asks on a slot thread. */
export interface LookupReader {
  /** Called once, first. Rejects where nothing can be looked up at all: that fails the job. */
  open(context: TaskContext): Promise<void>;
  /** The most keys that one call of lookup() takes. */
  readonly batchSize: number;
  /**
   * The rows of each key, in the order of the keys; none for a key that has none. Many calls are pending at a time.
   * Rejects with an error of scope `record` where these keys could not be looked up: `retry` says whether asking again
   * may help. Any other error fails the job. Nobody waits any more once `signal` is aborted.
   */
  lookup(keys: readonly LookupRow[], signal: AbortSignal): Promise<readonly (readonly LookupRow[])[]>;
  /** Called once, also where open() failed; calls may be pending, whose signals are aborted. */
  close(): Promise<void>;
}

/** Answers `lookup` steps: a table, a service. */
export interface LookupConnector extends ConnectorDescription {
  readonly kind: 'lookup';
  /** What is wrong although every option alone is right. Paths are relative to `with`. */
  check(spec: LookupSpec): readonly OptionProblem[];
  createReader(spec: LookupSpec): LookupReader;
}

/** Every connector and format that this build has; made by `cli`, handed to lint and to the runtime. */
export interface ConnectorCatalog {
  readonly sources: ReadonlyMap<string, SourceConnector>;
  readonly sinks: ReadonlyMap<string, SinkConnector>;
  readonly formats: ReadonlyMap<string, FormatDefinition>;
  /** Absent: none. */
  readonly lookups?: ReadonlyMap<string, LookupConnector>;
}

export type { Counter };
