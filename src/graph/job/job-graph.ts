/**
 * What is deployed: vertices (chains of steps that run together in one subtask) and the edges between them. Plain data,
 * serialised as JSON; `version` changes with its shape.
 */
import type {
  AggregateCall,
  ChangelogMode,
  CheckpointSettings,
  CodeReference,
  CodeRole,
  EdgeId,
  Expression,
  LookupSpec,
  RowSchema,
  SinkSpec,
  SourceSpec,
  TransformStep,
  VertexId,
} from '../../core/index.ts';

export interface JobGraph {
  readonly version: 1;
  readonly name: string;
  /** Number of key groups; the most subtasks that a keyed vertex can have. */
  readonly maxParallelism: number;
  /** Null where the job takes none. */
  readonly checkpoint: CheckpointSettings | null;
  readonly restart: RestartStrategy;
  /** Absent: all in memory, as much as the machine has. */
  readonly state?: StateSettings;
  /** Absent: the parallelism stays as it is. Of clusters alone. */
  readonly rescale?: ReactiveRescale;
  /** In topological order, sources first. */
  readonly vertices: readonly JobVertex[];
  readonly edges: readonly JobEdge[];
}

/** Where a job keeps what its steps remember. */
export interface StateSettings {
  readonly backend: 'memory' | 'disk';
  /** What the state of one slot may take of the memory; null for the default. */
  readonly memoryBytes: number | null;
}

/** The job takes as many slots as there are (Flink's reactive mode). */
export interface ReactiveRescale {
  readonly minParallelism: number;
  readonly maxParallelism: number;
  /** It grows once the number of slots has not changed for so long. */
  readonly stabilizationMs: number;
  /** It grows no sooner than this after it was last rescaled. */
  readonly minIntervalMs: number;
  /** Where slots are lost it waits so long for others before it shrinks. */
  readonly resourceWaitMs: number;
}

/** What follows a failure (Flink's restart strategies). Times in ms. */
export type RestartStrategy =
  | { readonly kind: 'none' }
  | { readonly kind: 'fixed-delay'; readonly attempts: number; readonly delayMs: number }
  | {
      readonly kind: 'exponential-delay';
      readonly initialMs: number;
      readonly maxMs: number;
      readonly multiplier: number;
      /** Up to this share of the delay is added or taken away, by chance. */
      readonly jitter: number;
      /** Running so long without a failure, the delay is `initialMs` again. */
      readonly resetMs: number;
    }
  | { readonly kind: 'failure-rate'; readonly failures: number; readonly intervalMs: number; readonly delayMs: number };

export interface JobVertex {
  readonly id: VertexId;
  /** The step ids in the chain, joined by ` -> `. */
  readonly name: string;
  readonly parallelism: number;
  /** In order: a source stands first, a sink last, or neither is there. */
  readonly chain: readonly ChainNode[];
  /** Edges into the first node, in the order of its step's `from` list. */
  readonly inputs: readonly EdgeId[];
  /** Edges out of the last node. */
  readonly outputs: readonly EdgeId[];
}

export type ChainNode =
  | SourceNode
  | TransformNode
  | AggregateNode
  | NormaliseNode
  | WindowNode
  | JoinNode
  | DedupeNode
  | TopNNode
  | ProcessNode
  | LookupNode
  | UnionNode
  | SinkNode;

export interface SourceNode {
  readonly kind: 'source';
  readonly spec: SourceSpec;
  readonly output: RowSchema;
  /** Null where the stream has no event time. */
  readonly watermark: WatermarkSpec | null;
}

/** Where event time comes from (Flink's bounded out-of-orderness, per split). Times in ms. */
export interface WatermarkSpec {
  /** A timestamp among the output's fields. */
  readonly column: number;
  /** How late a row may be after a later one of its split. */
  readonly delayMs: number;
  /** A split that is silent for so long holds nobody back; null for never. */
  readonly idleMs: number | null;
  /** How far the source may run ahead of the slowest one that says this too; absent for as far as it likes. */
  readonly maxDriftMs?: number;
}

/** A run of stateless steps, one generated function. */
export interface TransformNode {
  readonly kind: 'transform';
  readonly steps: readonly TransformStep[];
  readonly input: RowSchema;
  readonly output: RowSchema;
}

/**
 * A running aggregation: one row per input row, with the new state of its key. `keys` are indexes into the input;
 * the output is the key fields, then one field per call. Without keys there is one group.
 *
 * With `retracts`, the input takes rows back: one row per batch and group that changed, and a delete where no row is
 * left of a group.
 */
export interface AggregateNode {
  readonly kind: 'aggregate';
  readonly retracts?: true;
  readonly stepId: string;
  readonly keys: readonly number[];
  readonly calls: readonly AggregateCall[];
  /** A key is forgotten so long after its last row; absent for never. By event time where there is one. */
  readonly ttlMs?: number;
  readonly input: RowSchema;
  readonly output: RowSchema;
}

/**
 * Turns rows that replace the earlier row of their key (an upsert stream) into rows that take it back (a retract
 * stream). Stands in front of steps that need to know what is replaced.
 */
export interface NormaliseNode {
  readonly kind: 'normalise';
  readonly stepId: string;
  readonly keys: readonly number[];
  readonly input: RowSchema;
  readonly output: RowSchema;
}

/** How rows are grouped by event time or by count; times in ms. Windows are aligned to the epoch plus `offsetMs`. */
export type WindowSpec =
  | { readonly kind: 'tumble'; readonly sizeMs: number; readonly offsetMs: number }
  /** `sizeMs` long, one every `slideMs`. */
  | { readonly kind: 'hop'; readonly sizeMs: number; readonly slideMs: number; readonly offsetMs: number }
  /** Growing by `stepMs` up to `maxMs`, then anew. */
  | { readonly kind: 'cumulate'; readonly stepMs: number; readonly maxMs: number; readonly offsetMs: number }
  /** Until nothing comes for `gapMs`. */
  | { readonly kind: 'session'; readonly gapMs: number }
  /** `size` rows of a key, whatever their time. */
  | { readonly kind: 'count'; readonly size: number };

/** What a field of a window's output is. */
export type WindowField =
  | { readonly kind: 'key'; readonly key: number }
  | { readonly kind: 'call'; readonly call: number }
  /** Timestamps: first instant in the window, and first instant after it. NULL in count windows. */
  | { readonly kind: 'window-start' }
  | { readonly kind: 'window-end' };

/**
 * An aggregation per key and window. A window fires when the watermark reaches its end: one row, with the event time of
 * the window's last millisecond. Within `latenessMs` after that, each batch of late rows makes it fire again (the
 * output then is an upsert stream, unique by key and window). Rows that are later still are counted and dropped, or go
 * to the side output.
 */
export interface WindowNode {
  readonly kind: 'window';
  readonly stepId: string;
  readonly keys: readonly number[];
  readonly calls: readonly AggregateCall[];
  readonly window: WindowSpec;
  readonly latenessMs: number;
  /** Fires every so often before the window's end, by the clock, where something has changed; null for never. */
  readonly earlyMs: number | null;
  /** The output's fields, in order. */
  readonly fields: readonly WindowField[];
  readonly input: RowSchema;
  readonly output: RowSchema;
}

/**
 * Pairs rows of input 0 and input 1 whose keys are equal (NULLs never are) and for which `condition`, over the fields
 * of both sides (left first), is TRUE. The output is the fields of both sides; of the left alone for semi and anti.
 *
 * With `bounds`, a left row at time t pairs with right rows in [t - beforeMs, t + afterMs]; rows leave the state when
 * the watermark has passed everything that they could pair with, and outer joins pad then. Without, all rows are kept
 * (up to `ttlMs` after their last change), and outer joins retract.
 */
export interface JoinNode {
  readonly kind: 'join';
  /** Whether rows of an input are taken back: then so are pairs, and what was said of rows without a partner. */
  readonly retracts?: true;
  readonly stepId: string;
  readonly type: 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti';
  readonly leftKeys: readonly number[];
  readonly rightKeys: readonly number[];
  readonly condition: Expression | null;
  readonly bounds:
    | { readonly kind: 'interval'; readonly beforeMs: number; readonly afterMs: number }
    /** Both in the same tumbling window. */
    | { readonly kind: 'window'; readonly sizeMs: number; readonly offsetMs: number }
    /** Each left row with the version of the right row (unique by key) that was the newest at the left row's time. */
    | { readonly kind: 'temporal' }
    | null;
  readonly ttlMs: number | null;
  readonly left: RowSchema;
  readonly right: RowSchema;
  readonly output: RowSchema;
}

/** Keeps one row per key: the first (append), or always the last (upsert). By event time where there is one. */
export interface DedupeNode {
  readonly kind: 'dedupe';
  readonly stepId: string;
  readonly keys: readonly number[];
  readonly keep: 'first' | 'last';
  /** A key is forgotten so long after it was seen; null for never. By event time where there is one. */
  readonly ttlMs: number | null;
  readonly input: RowSchema;
  readonly output: RowSchema;
}

/**
 * Keeps the first `count` rows per key in the order of `by`, ties by arrival. The output is a retract stream: rows that
 * enter, leave, or (with `hasRank`, a last field of type long, from 1) move.
 */
export interface TopNNode {
  readonly kind: 'top-n';
  /** Whether the input takes rows back; then all rows are kept, because any may move up. */
  readonly retracts?: true;
  readonly stepId: string;
  readonly keys: readonly number[];
  readonly by: readonly { readonly column: number; readonly descending: boolean }[];
  readonly count: number;
  readonly hasRank: boolean;
  readonly input: RowSchema;
  readonly output: RowSchema;
}

/**
 * Code of users, called per row (core/user-code.ts). With keys, rows of one key meet in one subtask, and the code may
 * remember things per key and set timers. Reads and writes rows that are only added.
 */
export interface ProcessNode {
  readonly kind: 'process';
  readonly stepId: string;
  readonly code: CodeReference;
  readonly role: CodeRole;
  readonly keys: readonly number[];
  /** How a long stands in a row. */
  readonly longs: 'number' | 'bigint';
  /** What else the code emits: the names of its edges (JobEdge.side), and the rows. */
  readonly sides: readonly ProcessSide[];
  /** Whether its rows say when they happened: event timers can be set, and state is forgotten by that time. */
  readonly hasEventTime: boolean;
  readonly input: RowSchema;
  readonly output: RowSchema;
}

export interface ProcessSide {
  readonly name: string;
  readonly schema: RowSchema;
}

/**
 * Asks for each row, by the values of `keys`, and puts the fields of what is found behind those of the row: a row
 * leaves for every row that is found. Rows with a NULL among the keys find nothing.
 */
export interface LookupNode {
  readonly kind: 'lookup';
  readonly stepId: string;
  readonly spec: LookupSpec;
  /** Where the code of users answers, and no connector; then `spec` has the key's and the answer's fields alone. */
  readonly code: CodeReference | null;
  /** Columns of the input, one per field of `spec.keys`. */
  readonly keys: readonly number[];
  /** Columns of the input that leave the step, before those that are found. */
  readonly kept: readonly number[];
  /** Which fields of `spec.schema` leave it. */
  readonly found: readonly number[];
  /** What becomes of a row that finds nothing: NULLs are found, or it is dropped. */
  readonly type: 'left' | 'inner';
  /** Whether rows leave in the order in which they came; else as they are answered, but never past a watermark. */
  readonly isOrdered: boolean;
  /** Keys that are asked for at a time, per subtask. */
  readonly capacity: number;
  /** Of each attempt. */
  readonly timeoutMs: number;
  readonly retry: { readonly attempts: number; readonly initialMs: number; readonly maxMs: number };
  /** How many answers are kept and how long (null: for ever), and whether those that found nothing are. */
  readonly cache: { readonly rows: number; readonly ttlMs: number | null; readonly keepsMissing: boolean } | null;
  readonly input: RowSchema;
  readonly output: RowSchema;
}

/** Passes the rows of all its inputs on. */
export interface UnionNode {
  readonly kind: 'union';
  readonly stepId: string;
  readonly input: RowSchema;
  readonly output: RowSchema;
}

export interface SinkNode {
  readonly kind: 'sink';
  readonly spec: SinkSpec;
  readonly input: RowSchema;
}

/** How rows spread over the receiving subtasks. */
export type Exchange =
  /** Subtask i to subtask i; both sides have the same parallelism. */
  | { readonly kind: 'forward' }
  /** In turn, batch by batch. */
  | { readonly kind: 'rebalance' }
  /** By the key group of these fields' hash (core/hash.ts). */
  | { readonly kind: 'hash'; readonly keys: readonly number[] }
  /** Every row to every subtask. */
  | { readonly kind: 'broadcast' };

export interface JobEdge {
  readonly id: EdgeId;
  /** Which side of the last node of `from` goes this way (LATE_SIDE, or of a process node); absent for its output. */
  readonly side?: string;
  readonly from: VertexId;
  readonly to: VertexId;
  readonly exchange: Exchange;
  readonly schema: RowSchema;
  readonly changelog: ChangelogMode;
  /** Sets of fields that are unique together among the newest rows; empty where unknown. */
  readonly uniqueKeys: readonly (readonly number[])[];
}
