/**
 * What is deployed: vertices (chains of steps that run together in one subtask) and the edges between them. Plain data,
 * serialised as JSON; `version` changes with its shape.
 */
import type {
  AggregateCall,
  ChangelogMode,
  EdgeId,
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
  /** In topological order, sources first. */
  readonly vertices: readonly JobVertex[];
  readonly edges: readonly JobEdge[];
}

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

export type ChainNode = SourceNode | TransformNode | AggregateNode | UnionNode | SinkNode;

export interface SourceNode {
  readonly kind: 'source';
  readonly spec: SourceSpec;
  readonly output: RowSchema;
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
 */
export interface AggregateNode {
  readonly kind: 'aggregate';
  readonly stepId: string;
  readonly keys: readonly number[];
  readonly calls: readonly AggregateCall[];
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
  readonly from: VertexId;
  readonly to: VertexId;
  readonly exchange: Exchange;
  readonly schema: RowSchema;
  readonly changelog: ChangelogMode;
  /** Sets of fields that are unique together among the newest rows; empty where unknown. */
  readonly uniqueKeys: readonly (readonly number[])[];
}
