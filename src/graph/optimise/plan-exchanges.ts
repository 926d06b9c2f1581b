import type { Exchange } from '../job/job-graph.ts';
import type { LogicalEdge, LogicalGraph } from '../logical/logical-graph.ts';
import { chooseExchange, partitioningOf } from './choose-exchange.ts';
import type { Partitioning } from './choose-exchange.ts';

/** The exchange of every edge of a graph whose nodes have their parallelism. */
export function planExchanges(graph: LogicalGraph): ReadonlyMap<LogicalEdge, Exchange> {
  const exchanges = new Map<LogicalEdge, Exchange>();
  const partitionings = new Map<string, Partitioning>();
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  for (const node of graph.nodes) {
    let arriving: Partitioning = null;
    for (const edge of graph.edges) {
      const from = nodes.get(edge.from);
      if (edge.to !== node.id || from === undefined) continue;
      const before = partitionings.get(edge.from) ?? null;
      const exchange = chooseExchange(from, node, edge, before);
      exchanges.set(edge, exchange);
      if (edge.input === 0) arriving = afterExchange(exchange, before);
    }
    partitionings.set(node.id, partitioningOf(node, arriving));
  }
  return exchanges;
}

function afterExchange(exchange: Exchange, before: Partitioning): Partitioning {
  if (exchange.kind === 'forward') return before;
  return exchange.kind === 'hash' ? exchange.keys : null;
}
