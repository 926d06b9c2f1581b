import { edgeId, types, vertexId } from '../core/index.ts';
import type { ErrorPolicy, Options, RowSchema } from '../core/index.ts';
import type { ChainNode, Exchange, JobEdge, JobGraph, JobVertex, WatermarkSpec } from '../graph/index.ts';

/** The rows of test jobs: a number in its sequence, a key, a text, and a value that is sometimes NULL. */
export const testSchema: RowSchema = {
  fields: [
    { name: 'n', type: types.long },
    { name: 'key', type: types.int },
    { name: 'text', type: types.string },
    { name: 'value', type: types.double },
  ],
};

export interface TestVertex {
  readonly name: string;
  readonly parallelism: number;
  readonly chain: readonly ChainNode[];
  /** From which vertices, and how. */
  readonly from?: readonly (readonly [name: string, exchange: Exchange])[];
}

/** A job graph from a few words; vertices in topological order. Every edge carries testSchema. */
export function testGraph(name: string, vertices: readonly TestVertex[]): JobGraph {
  const edges = vertices.flatMap((vertex) =>
    (vertex.from ?? []).map(
      ([from, exchange], index): JobEdge => ({
        id: edgeId(`${from}-${vertex.name}-${index}`),
        from: vertexId(from),
        to: vertexId(vertex.name),
        exchange,
        schema: testSchema,
        changelog: 'append',
        uniqueKeys: [],
      }),
    ),
  );
  return {
    version: 1,
    name,
    maxParallelism: 128,
    checkpoint: null,
    restart: { kind: 'none' },
    vertices: vertices.map(
      (vertex): JobVertex => ({
        id: vertexId(vertex.name),
        name: vertex.name,
        parallelism: vertex.parallelism,
        chain: vertex.chain,
        inputs: edges.filter(({ to }) => to === vertexId(vertex.name)).map(({ id }) => id),
        outputs: edges.filter(({ from }) => from === vertexId(vertex.name)).map(({ id }) => id),
      }),
    ),
    edges,
  };
}

/** A source of rows in sequence; where `watermark` is given, `value` is its rows' event time. */
export function sourceNode(
  stepId: string,
  options: Options,
  errors: ErrorPolicy = { kind: 'fail' },
  watermark: Omit<WatermarkSpec, 'column'> | null = null,
): ChainNode {
  return {
    kind: 'source',
    spec: {
      stepId,
      connector: 'sequence',
      options,
      format: null,
      schema: testSchema,
      metadata: [],
      projection: testSchema.fields.map((_, index) => index),
      filters: [],
      errors,
    },
    output: testSchema,
    watermark: watermark === null ? null : { column: 3, ...watermark },
  };
}

export function sinkNode(stepId: string, options: Options = {}, connector = 'collect'): ChainNode {
  const spec = { stepId, connector, options, format: null, uniqueKey: [] };
  return { kind: 'sink', spec: { ...spec, input: testSchema, changelog: 'append' }, input: testSchema };
}

/** A node that the factory of createTestOperator knows by its name. */
export function operatorNode(stepId: string, operator: string): ChainNode {
  return {
    kind: 'aggregate',
    stepId,
    keys: [],
    calls: [{ name: operator, function: 'count', argument: null, distinct: false, filter: null, type: types.long }],
    input: testSchema,
    output: testSchema,
  };
}

export function unionNode(stepId: string): ChainNode {
  return { kind: 'union', stepId, input: testSchema, output: testSchema };
}
