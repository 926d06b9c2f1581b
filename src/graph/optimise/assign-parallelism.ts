import type { LogicalGraph, LogicalNode } from '../logical/logical-graph.ts';

/**
 * Gives every node its number of subtasks: what the step says; where it says nothing, that of the step it reads if rows
 * replace earlier ones (moving them would only cost), else the job's.
 */
export function assignParallelism(graph: LogicalGraph): LogicalGraph {
  const assigned = new Map<string, number>();
  const nodes = graph.nodes.map((node): LogicalNode => {
    const input = graph.edges.find((edge) => edge.to === node.id);
    // A select that stands in front of a step for its sake runs where the rows come from.
    const isHelper = node.kind === 'side' || (node.kind === 'select' && node.narrows !== undefined);
    const follows = input !== undefined && (input.stream.changelog !== 'append' || isHelper);
    const inherited = follows ? assigned.get(input.from) : undefined;
    const parallelism = node.parallelism ?? inherited ?? graph.parallelism;
    assigned.set(node.id, parallelism);
    return { ...node, parallelism };
  });
  return { ...graph, nodes };
}
