import type { CheckpointSettings } from '../../core/index.ts';
import type {
  DedupeNode,
  JoinNode,
  LookupNode,
  ProcessNode,
  ReactiveRescale,
  RestartStrategy,
  StateSettings,
  WindowSpec,
} from '../job/job-graph.ts';
import type { MapNode } from './document.ts';
import type { PlacedText } from './placed-text.ts';
import type { TextRange } from './source-text.ts';

/** A job file, its structure checked and its names resolved; types and expressions are still text. */
export interface JobSpec {
  readonly fileName: string;
  readonly name: string;
  /** Null where the file does not say. */
  readonly parallelism: number | null;
  readonly maxParallelism: number;
  /** Null where the job takes none. */
  readonly checkpoint: CheckpointSettings | null;
  readonly restart: RestartStrategy;
  /** Null where the file does not say. */
  readonly state: StateSettings | null;
  /** Null where the parallelism stays as it is. */
  readonly rescale: ReactiveRescale | null;
  /** In the order of the file. */
  readonly steps: readonly StepSpec[];
}

export type StepSpec =
  | SourceStepSpec
  | FilterStepSpec
  | SelectStepSpec
  | FlatMapStepSpec
  | AggregateStepSpec
  | JoinStepSpec
  | DedupeStepSpec
  | TopNStepSpec
  | ProcessStepSpec
  | LookupStepSpec
  | UnionStepSpec
  | SplitStepSpec
  | SinkStepSpec
  | BrokenStepSpec;

interface StepBase {
  readonly id: string;
  readonly idRange: TextRange;
  /** Of the verb's key. */
  readonly verbRange: TextRange;
  /** Where its rows come from; empty for sources, and where that is not known (a problem says so). */
  readonly inputs: readonly StepInput[];
  /** Null where the step does not say. */
  readonly parallelism: number | null;
}

/** A step, or one branch of a split step. */
export interface StepInput {
  readonly stepId: string;
  /** The branch's name for a split, else null. */
  readonly branch: string | null;
  readonly range: TextRange;
}

export interface SourceStepSpec extends StepBase {
  readonly kind: 'source';
  readonly connector: PlacedText;
  readonly with: WithBlock;
  /** Null where the step has none. */
  readonly schema: readonly NamedText[] | null;
  readonly schemaRange: TextRange;
  /** OUT → name of the connector's metadata. */
  readonly metadata: readonly NamedText[];
  readonly errors: ErrorsSpec;
  /** Null where its rows have no event time. */
  readonly watermark: WatermarkBlock | null;
}

export interface WatermarkBlock {
  /** Null where something of the block is wrong. */
  readonly field: PlacedText | null;
  readonly delayMs: number;
  readonly idleMs: number | null;
  readonly maxDriftMs: number | null;
}

/** The `with` block of a connector, checked against its table later. */
export interface WithBlock {
  /** Null where the step has none. */
  readonly node: MapNode | null;
  /** Where to point when something is missing. */
  readonly range: TextRange;
}

export type ErrorsSpec =
  | { readonly kind: 'fail' }
  | { readonly kind: 'skip' }
  | { readonly kind: 'dead-letter'; readonly target: PlacedText };

/** `NAME: text`: a field and its type, expression or aggregate. An incomplete text has its problem reported. */
export interface NamedText {
  readonly name: string;
  readonly nameRange: TextRange;
  readonly text: PlacedText;
}

export interface FilterStepSpec extends StepBase {
  readonly kind: 'filter';
  readonly predicate: PlacedText;
}

export interface SelectStepSpec extends StepBase {
  readonly kind: 'select';
  readonly fields: readonly NamedText[];
}

export interface FlatMapStepSpec extends StepBase {
  readonly kind: 'flat-map';
  readonly fields: readonly NamedText[];
}

export interface AggregateStepSpec extends StepBase {
  readonly kind: 'aggregate';
  readonly keys: readonly PlacedText[];
  readonly calls: readonly NamedText[];
  /** Null for running totals. */
  readonly window: WindowBlock | null;
  /** Null for never. */
  readonly ttlMs: number | null;
}

export interface WindowBlock {
  /** Null where the block is wrong. */
  readonly spec: WindowSpec | null;
  readonly latenessMs: number;
  readonly earlyMs: number | null;
  /** The branch of rows that come too late; null where they are dropped. */
  readonly late: SplitBranch | null;
  /** Of the key `window`. */
  readonly range: TextRange;
}

/** Its inputs are the left and the right side. */
export interface JoinStepSpec extends StepBase {
  readonly kind: 'join';
  readonly type: JoinNode['type'];
  readonly on: PlacedText;
  readonly bounds: JoinNode['bounds'];
  /** Of the key that gives the bounds, or of the verb. */
  readonly boundsRange: TextRange;
  readonly ttlMs: number | null;
  /** The fields that leave it; null for those of both sides. */
  readonly select: readonly NamedText[] | null;
}

export interface DedupeStepSpec extends StepBase {
  readonly kind: 'dedupe';
  readonly keys: readonly PlacedText[];
  readonly keep: DedupeNode['keep'];
  readonly ttlMs: number | null;
}

export interface TopNStepSpec extends StepBase {
  readonly kind: 'top-n';
  readonly keys: readonly PlacedText[];
  readonly by: readonly SortText[];
  readonly count: number;
  /** The field that holds the rank; null where none does. */
  readonly rank: { readonly name: string; readonly range: TextRange } | null;
}

/** `EXPR`, `EXPR asc` or `EXPR desc`. */
export interface SortText {
  readonly text: PlacedText;
  readonly descending: boolean;
}

export interface LookupStepSpec extends StepBase {
  readonly kind: 'lookup';
  readonly connector: PlacedText;
  readonly with: WithBlock;
  /** What rows are looked up by: its names, and expressions over the row. */
  readonly keys: readonly NamedText[];
  /** The fields of what is found, and their types. */
  readonly fields: readonly NamedText[];
  readonly type: LookupNode['type'];
  readonly isOrdered: boolean;
  readonly capacity: number;
  readonly timeoutMs: number;
  readonly retry: LookupNode['retry'];
  readonly cache: LookupNode['cache'];
}

export interface ProcessStepSpec extends StepBase {
  readonly kind: 'process';
  /** `./file.ts#export`; in a job of the TypeScript API, what stands in its place. */
  readonly code: PlacedText;
  readonly keys: readonly PlacedText[];
  /** The fields of its rows and their types; null where the step does not say. */
  readonly fields: readonly NamedText[] | null;
  readonly longs: ProcessNode['longs'];
  readonly sides: readonly SideSpec[];
}

/** Rows that code emits beside its output, and their fields. */
export interface SideSpec {
  readonly branch: SplitBranch;
  readonly fields: readonly NamedText[];
}

export interface UnionStepSpec extends StepBase {
  readonly kind: 'union';
}

/** A row goes to the first branch whose condition is TRUE, else to the branch without one. */
export interface SplitStepSpec extends StepBase {
  readonly kind: 'split';
  readonly branches: readonly SplitBranch[];
}

/** A stream of its own name, which steps read as they read a step. */
export interface SplitBranch {
  readonly name: string;
  readonly nameRange: TextRange;
  /** Null for `else`, for late rows, and for sides. */
  readonly condition: PlacedText | null;
}

export interface SinkStepSpec extends StepBase {
  readonly kind: 'sink';
  readonly connector: PlacedText;
  readonly with: WithBlock;
}

/** A step whose verb is unknown, missing, not supported or without content: its id still counts. */
export interface BrokenStepSpec extends StepBase {
  readonly kind: 'broken';
  /** Whether its rows have the fields of its input; else they are not known. */
  readonly keepsFields: boolean;
}
