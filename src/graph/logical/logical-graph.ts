import type {
  AggregateCall,
  ChangelogMode,
  CheckpointSettings,
  Expression,
  RowSchema,
  SinkSpec,
  SourceSpec,
} from '../../core/index.ts';
import type { RestartStrategy, WatermarkSpec } from '../job/job-graph.ts';

/** A job as its author wrote it, checked: one node per step (per branch for a split). Plain frozen data. */
export interface LogicalGraph {
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** Null where the job takes none. */
  readonly checkpoint: CheckpointSettings | null;
  readonly restart: RestartStrategy;
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
  readonly predicate: Expression;
  readonly output: RowStream;
}

export interface NamedExpression {
  readonly name: string;
  readonly expression: Expression;
}

export interface LogicalSelect extends LogicalNodeBase {
  readonly kind: 'select';
  /** On selects that the optimiser made: the node whose rows they narrow. */
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
  readonly keys: readonly number[];
  readonly calls: readonly AggregateCall[];
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
