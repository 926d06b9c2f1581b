import type {
  AggregateCall,
  ChangelogMode,
  CheckpointSettings,
  CodeReference,
  CodeRole,
  Expression,
  RowSchema,
  SinkSpec,
  SourceSpec,
} from '../../core/index.ts';
import type {
  DedupeNode,
  JoinNode,
  LookupNode,
  ProcessNode,
  ProcessSide,
  ReactiveRescale,
  RestartStrategy,
  StateSettings,
  TopNNode,
  WatermarkSpec,
  WindowField,
  WindowSpec,
} from '../job/job-graph.ts';

/** A job as its author wrote it, checked: one node per step (per branch for a split). Plain frozen data. */
export interface LogicalGraph {
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** Null where the job takes none. */
  readonly checkpoint: CheckpointSettings | null;
  readonly restart: RestartStrategy;
  /** Null where the file does not say. */
  readonly state: StateSettings | null;
  /** Null where the parallelism stays as it is. */
  readonly rescale: ReactiveRescale | null;
  /** In topological order. */
  readonly nodes: readonly LogicalNode[];
  readonly edges: readonly LogicalEdge[];
}

/** What flows on an edge. */
export interface RowStream {
  readonly schema: RowSchema;
  readonly changelog: ChangelogMode;
  /** Sets of fields that are unique together among the newest rows. One empty set: there is at most one row. */
  readonly uniqueKeys: readonly (readonly number[])[];
  /** Whether rows say when they happened, and watermarks how far that has come. */
  readonly hasEventTime: boolean;
}

export interface LogicalEdge {
  readonly from: string;
  readonly to: string;
  /** The position in the `from` list of the receiving step. */
  readonly input: number;
  readonly stream: RowStream;
}

export type LogicalNode =
  | LogicalSource
  | LogicalFilter
  | LogicalSelect
  | LogicalFlatMap
  | LogicalAggregate
  | LogicalNormalise
  | LogicalWindow
  | LogicalSide
  | LogicalJoin
  | LogicalDedupe
  | LogicalTopN
  | LogicalProcess
  | LogicalLookup
  | LogicalUnion
  | LogicalSink;

interface LogicalNodeBase {
  /** The step's id; `<step>.<branch>` for the branches of a split. */
  readonly id: string;
  /** Null where neither the step nor its verb decides. */
  readonly parallelism: number | null;
}

export interface LogicalSource extends LogicalNodeBase {
  readonly kind: 'source';
  readonly spec: SourceSpec;
  readonly bounded: boolean;
  /** Null where the rows have no event time. */
  readonly watermark: WatermarkSpec | null;
  readonly output: RowStream;
}

export interface LogicalFilter extends LogicalNodeBase {
  readonly kind: 'filter';
  /** Where it may let only one of the two rows of an update through: those become a delete and an insert. */
  readonly splitsUpdates?: true;
  readonly predicate: Expression;
  readonly output: RowStream;
}

export interface NamedExpression {
  readonly name: string;
  readonly expression: Expression;
}

export interface LogicalSelect extends LogicalNodeBase {
  readonly kind: 'select';
  /** On selects that no step asks for, in front of one that needs other fields: the node whose rows they change. */
  readonly narrows?: string;
  readonly fields: readonly NamedExpression[];
  readonly output: RowStream;
}

export interface LogicalFlatMap extends LogicalNodeBase {
  readonly kind: 'flat-map';
  /** Each of an array type. */
  readonly fields: readonly NamedExpression[];
  /** Indexes of the input's fields that stay, before the new ones. */
  readonly kept: readonly number[];
  readonly output: RowStream;
}

export interface LogicalAggregate extends LogicalNodeBase {
  readonly kind: 'aggregate';
  readonly ttlMs: number | null;
  /** Whether the rows that it reads are taken back. */
  readonly retracts?: true;
  readonly keys: readonly number[];
  readonly calls: readonly AggregateCall[];
  readonly output: RowStream;
}

/** In front of a step that needs to know which rows are replaced. */
export interface LogicalNormalise extends LogicalNodeBase {
  readonly kind: 'normalise';
  readonly keys: readonly number[];
  readonly output: RowStream;
}

export interface LogicalWindow extends LogicalNodeBase {
  readonly kind: 'window';
  readonly keys: readonly number[];
  readonly calls: readonly AggregateCall[];
  readonly window: WindowSpec;
  readonly latenessMs: number;
  readonly earlyMs: number | null;
  /** The output's fields: those of the key first. */
  readonly fields: readonly WindowField[];
  readonly output: RowStream;
}

/**
 * Rows that are no part of the output of the node that it reads: those that came too late for a window, as they reached
 * that, or a side of a process node. No node of its own when it runs.
 */
export interface LogicalSide extends LogicalNodeBase {
  readonly kind: 'side';
  /** LATE_SIDE, or the name of the side. */
  readonly side: string;
  readonly output: RowStream;
}

/** Its output has the fields of both inputs, left first; of the left alone for semi and anti. */
export interface LogicalJoin extends LogicalNodeBase {
  readonly kind: 'join';
  /** Whether rows that it reads are taken back. */
  readonly retracts?: true;
  readonly type: JoinNode['type'];
  /** As many on both sides, of equal types. */
  readonly leftKeys: readonly number[];
  readonly rightKeys: readonly number[];
  /** Over the fields of the left input, then those of the right. */
  readonly condition: Expression | null;
  readonly bounds: JoinNode['bounds'];
  readonly ttlMs: number | null;
  /** How many fields the left input has. */
  readonly leftFields: number;
  readonly output: RowStream;
}

export interface LogicalDedupe extends LogicalNodeBase {
  readonly kind: 'dedupe';
  readonly keys: readonly number[];
  readonly keep: DedupeNode['keep'];
  readonly ttlMs: number | null;
  readonly output: RowStream;
}

export interface LogicalTopN extends LogicalNodeBase {
  readonly kind: 'top-n';
  /** Whether the rows that it reads are taken back. */
  readonly retracts?: true;
  readonly keys: readonly number[];
  readonly by: TopNNode['by'];
  readonly count: number;
  /** Whether the output has another last field: the rank. */
  readonly hasRank: boolean;
  readonly output: RowStream;
}

export interface LogicalProcess extends LogicalNodeBase {
  readonly kind: 'process';
  readonly code: CodeReference;
  readonly role: CodeRole;
  readonly keys: readonly number[];
  readonly longs: ProcessNode['longs'];
  readonly sides: readonly ProcessSide[];
  /** How many fields the input has: the code may read them all. */
  readonly inputFields: number;
  readonly output: RowStream;
}

/** The node that it becomes says what the parts are. */
export interface LogicalLookup
  extends LogicalNodeBase,
    Omit<LookupNode, 'kind' | 'stepId' | 'input' | 'output'> {
  readonly kind: 'lookup';
  readonly output: RowStream;
}

export interface LogicalUnion extends LogicalNodeBase {
  readonly kind: 'union';
  readonly output: RowStream;
}

export interface LogicalSink extends LogicalNodeBase {
  readonly kind: 'sink';
  readonly spec: SinkSpec;
  readonly output: null;
}
