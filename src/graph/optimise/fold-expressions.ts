import { foldConstants } from '../../expr/index.ts';
import type { LogicalGraph, LogicalNode, NamedExpression } from '../logical/logical-graph.ts';

/** The graph with every part of an expression that no row can change computed once. */
export function foldExpressions(graph: LogicalGraph): LogicalGraph {
  return { ...graph, nodes: graph.nodes.map(foldNode) };
}

function foldNode(node: LogicalNode): LogicalNode {
  switch (node.kind) {
    case 'filter':
      return { ...node, predicate: foldConstants(node.predicate) };
    case 'select':
    case 'flat-map':
      return { ...node, fields: node.fields.map(foldField) };
    case 'join':
      return { ...node, condition: node.condition === null ? null : foldConstants(node.condition) };
    case 'aggregate':
    case 'window':
      return {
        ...node,
        calls: node.calls.map((call) => ({
          ...call,
          argument: call.argument === null ? null : foldConstants(call.argument),
          filter: call.filter === null ? null : foldConstants(call.filter),
        })),
      };
    case 'source':
    case 'side':
    case 'normalise':
    case 'dedupe':
    case 'top-n':
    case 'process':
    case 'lookup':
    case 'union':
    case 'sink':
      return node;
  }
}

function foldField({ name, expression }: NamedExpression): NamedExpression {
  return { name, expression: foldConstants(expression) };
}
