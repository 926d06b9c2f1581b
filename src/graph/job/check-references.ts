/** Checks that whatever a job graph refers to is in it: vertices, edges, fields, calls. */
import type { RowSchema } from '../../core/index.ts';
import { graphErrors } from '../errors.ts';
import type { ChainNode, JobGraph, JoinNode, WindowNode } from './job-graph.ts';

export function refuse(path: string, problem: string): never {
  throw graphErrors.create('MR-JOB-GRAPH-INVALID', { path, problem });
}

/** Throws MR-JOB-GRAPH-INVALID with the path of what is wrong. */
export function checkReferences(graph: JobGraph): void {
  const vertices = new Map(graph.vertices.map((vertex) => [vertex.id, vertex]));
  const edges = new Map(graph.edges.map((edge) => [edge.id, edge]));
  if (vertices.size !== graph.vertices.length) refuse('graph.vertices', 'has an id twice');
  if (edges.size !== graph.edges.length) refuse('graph.edges', 'has an id twice');
  graph.vertices.forEach((vertex, position) => {
    const path = `graph.vertices[${position}]`;
    if (vertex.chain.length === 0) refuse(`${path}.chain`, 'is empty');
    for (const id of vertex.inputs) if (edges.get(id)?.to !== vertex.id) refuse(`${path}.inputs`, `names ${id}`);
    for (const id of vertex.outputs) if (edges.get(id)?.from !== vertex.id) refuse(`${path}.outputs`, `names ${id}`);
    vertex.chain.forEach((node, index) => {
      checkNode(node, `${path}.chain[${index}]`);
    });
  });
  graph.edges.forEach((edge, position) => {
    const path = `graph.edges[${position}]`;
    const from = vertices.get(edge.from);
    const to = vertices.get(edge.to);
    if (from?.outputs.includes(edge.id) !== true) refuse(`${path}.from`, 'is no vertex with this output');
    if (to?.inputs.includes(edge.id) !== true) refuse(`${path}.to`, 'is no vertex with this input');
    const keys = edge.exchange.kind === 'hash' ? edge.exchange.keys : [];
    checkFields([...keys, ...edge.uniqueKeys.flat()], edge.schema, path);
  });
}

function checkFields(indexes: readonly number[], { fields }: RowSchema, path: string): void {
  if (indexes.some((index) => index >= fields.length)) refuse(path, 'has a field outside of its schema');
}

function checkNode(node: ChainNode, path: string): void {
  switch (node.kind) {
    case 'source':
      checkFields(node.watermark === null ? [] : [node.watermark.column], node.output, path);
      break;
    case 'aggregate':
    case 'normalise':
    case 'dedupe':
    case 'process':
      checkFields(node.keys, node.input, path);
      break;
    case 'window':
      checkWindow(node, path);
      break;
    case 'join':
      checkJoin(node, path);
      break;
    case 'top-n':
      checkFields([...node.keys, ...node.by.map(({ column }) => column)], node.input, path);
      break;
    case 'lookup':
      checkFields([...node.keys, ...node.kept], node.input, path);
      checkFields(node.found, node.spec.schema, path);
      break;
    case 'transform':
    case 'union':
    case 'sink':
      break;
  }
}

function checkWindow({ keys, calls, fields, input, output }: WindowNode, path: string): void {
  checkFields(keys, input, path);
  if (fields.length !== output.fields.length) refuse(`${path}.fields`, 'are not those of the output');
  for (const field of fields) {
    const isThere =
      field.kind === 'key' ? field.key < keys.length : field.kind !== 'call' || field.call < calls.length;
    if (!isThere) refuse(`${path}.fields`, `name a ${field.kind} that is not there`);
  }
}

function checkJoin({ leftKeys, rightKeys, left, right }: JoinNode, path: string): void {
  checkFields(leftKeys, left, path);
  checkFields(rightKeys, right, path);
  if (leftKeys.length !== rightKeys.length) refuse(path, 'has keys without a partner');
}
