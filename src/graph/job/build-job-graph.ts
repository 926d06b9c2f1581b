import type { EdgeId, RowSchema, TransformStep } from '../../core/index.ts';
import type { LogicalEdge, LogicalGraph, LogicalNode, RowStream } from '../logical/logical-graph.ts';
import { planExchanges } from '../optimise/plan-exchanges.ts';
import type { ChainNode, Exchange, JobEdge, JobGraph, JobVertex } from './job-graph.ts';
import { edgeIdOf, vertexIdOf } from './stable-id.ts';

/** Cuts an optimised graph into chains: a step joins the chain it reads if rows stay in their subtask. */
export function buildJobGraph(graph: LogicalGraph): JobGraph {
  const exchanges = planExchanges(graph);
  const chains = formChains(graph, exchanges);
  const chainOf = new Map(chains.flatMap((chain) => chain.map((node) => [node.id, chain] as const)));
  for (const { from, to } of graph.edges) {
    const chain = chainOf.get(from);
    // A side is no node of a chain: its rows leave by that of the node in front.
    if (sideOf(to, graph) !== null && chain !== undefined) chainOf.set(to, chain);
  }
  const cut = graph.edges.filter((edge) => chainOf.get(edge.from) !== chainOf.get(edge.to));
  const edges = cut.map((edge) => jobEdge(edge, graph, chainOf, exchanges.get(edge) ?? { kind: 'forward' }));
  const vertices = chains.map((chain) => jobVertex(chain, graph, edges));
  const { name, maxParallelism, checkpoint, restart, state, rescale } = graph;
  const optional = { ...(state === null ? {} : { state }), ...(rescale === null ? {} : { rescale }) };
  const settings = { checkpoint, restart, ...optional };
  return { version: 1, name, maxParallelism, ...settings, vertices, edges };
}

function sideOf(id: string, graph: LogicalGraph): string | null {
  const node = graph.nodes.find((each) => each.id === id);
  return node?.kind === 'side' ? node.side : null;
}

/** Never empty. */
type Chain = readonly LogicalNode[];

function formChains(graph: LogicalGraph, exchanges: ReadonlyMap<LogicalEdge, Exchange>): readonly Chain[] {
  const chains: LogicalNode[][] = [];
  const chainOf = new Map<string, LogicalNode[]>();
  const readers = new Map<string, number>();
  for (const { from } of graph.edges) readers.set(from, (readers.get(from) ?? 0) + 1);
  for (const node of graph.nodes) {
    if (node.kind === 'side') continue;
    const inputs = graph.edges.filter((edge) => edge.to === node.id);
    const [input] = inputs;
    const isAlone = input !== undefined && inputs.length === 1 && readers.get(input.from) === 1;
    const readsSeveral = node.kind === 'union' || node.kind === 'join';
    const joins = isAlone && !readsSeveral && exchanges.get(input)?.kind === 'forward';
    const chain = joins ? (chainOf.get(input.from) ?? []) : [];
    if (chain.length === 0) chains.push(chain);
    chain.push(node);
    chainOf.set(node.id, chain);
  }
  const isSource = (chain: Chain) => chain[0]?.kind === 'source';
  return [...chains.filter(isSource), ...chains.filter((chain) => !isSource(chain))];
}

function headOf(chain: Chain | undefined): string {
  return chain?.[0]?.id ?? '';
}

/** Selects that only narrow come and go with the rest of the job; the edge stays that of the steps at its ends. */
function edgeIdIn(graph: LogicalGraph, { from, to, input }: LogicalEdge): EdgeId {
  const sender = graph.nodes.find((node) => node.id === from);
  return edgeIdOf(sender?.kind === 'select' ? (sender.narrows ?? from) : from, to, input);
}

function jobEdge(
  edge: LogicalEdge,
  graph: LogicalGraph,
  chainOf: ReadonlyMap<string, Chain>,
  exchange: Exchange,
): JobEdge {
  const { schema, changelog, uniqueKeys } = edge.stream;
  const side = sideOf(edge.from, graph);
  return {
    id: edgeIdIn(graph, edge),
    ...(side === null ? {} : { side }),
    from: vertexIdOf(headOf(chainOf.get(edge.from))),
    to: vertexIdOf(headOf(chainOf.get(edge.to))),
    exchange,
    schema,
    changelog,
    uniqueKeys,
  };
}

function jobVertex(chain: Chain, graph: LogicalGraph, edges: readonly JobEdge[]): JobVertex {
  const id = vertexIdOf(headOf(chain));
  const head = chain[0] as LogicalNode;
  const inputEdges = inputEdgesOf(head, graph);
  return {
    id,
    name: chain.flatMap(stepNames).join(' -> '),
    parallelism: head.parallelism ?? graph.parallelism,
    chain: chainNodes(chain, graph),
    inputs: inputEdges.map((edge) => edgeIdIn(graph, edge)),
    outputs: edges.filter((edge) => edge.from === id).map((edge) => edge.id),
  };
}

const NO_FIELDS: RowSchema = { fields: [] };

/** In the order of the step's `from` list. */
function inputEdgesOf(node: LogicalNode, graph: LogicalGraph): readonly LogicalEdge[] {
  return graph.edges.filter((edge) => edge.to === node.id).sort((a, b) => a.input - b.input);
}

/** Filters that moved into the source are still steps of its chain. */
function stepNames(node: LogicalNode): readonly string[] {
  if (node.kind !== 'source') return [node.id];
  return [node.id, ...new Set(node.spec.filters.map((filter) => filter.stepId))];
}

/** Neighbours without state become one node: one generated function. */
function chainNodes(chain: Chain, graph: LogicalGraph): readonly ChainNode[] {
  const nodes: ChainNode[] = [];
  for (const node of chain) {
    const inputs = inputEdgesOf(node, graph).map(({ stream }) => stream);
    const input = inputs[0]?.schema ?? NO_FIELDS;
    const last = nodes.at(-1);
    const step = transformStep(node);
    if (step !== null && node.output !== null) {
      const { schema: output } = node.output;
      if (last?.kind === 'transform') nodes[nodes.length - 1] = { ...last, steps: [...last.steps, step], output };
      else nodes.push({ kind: 'transform', steps: [step], input, output });
    } else {
      nodes.push(otherNode(node, inputs));
    }
  }
  return nodes;
}

function transformStep(node: LogicalNode): TransformStep | null {
  const stepId = node.id;
  switch (node.kind) {
    case 'filter':
      return {
        kind: 'filter',
        stepId,
        predicate: node.predicate,
        ...(node.splitsUpdates === true ? { splitsUpdates: true } : {}),
      };
    case 'select':
      return { kind: 'select', stepId, fields: node.fields };
    case 'flat-map':
      return { kind: 'flat-map', stepId, fields: node.fields, kept: node.kept };
    case 'source':
    case 'aggregate':
    case 'normalise':
    case 'window':
    case 'side':
    case 'join':
    case 'dedupe':
    case 'top-n':
    case 'process':
    case 'lookup':
    case 'union':
    case 'sink':
      return null;
  }
}

function otherNode(node: LogicalNode, streams: readonly RowStream[]): ChainNode {
  const [input = NO_FIELDS, right = NO_FIELDS] = streams.map(({ schema }) => schema);
  const stepId = node.id;
  switch (node.kind) {
    case 'source':
      return { kind: 'source', spec: node.spec, output: node.output.schema, watermark: node.watermark };
    case 'aggregate': {
      const { keys, calls, output, retracts } = node;
      const ttl = node.ttlMs === null ? {} : { ttlMs: node.ttlMs };
      const aggregate = { kind: 'aggregate', stepId, keys, calls, ...ttl, input, output: output.schema } as const;
      return retracts === true ? { ...aggregate, retracts } : aggregate;
    }
    case 'normalise':
      return { kind: 'normalise', stepId, keys: node.keys, input, output: node.output.schema };
    case 'window': {
      const { keys, calls, window, latenessMs, earlyMs, fields, output } = node;
      return { kind: 'window', stepId, keys, calls, window, latenessMs, earlyMs, fields, input, output: output.schema };
    }
    case 'join': {
      const { type, leftKeys, rightKeys, condition, bounds, ttlMs, output, retracts } = node;
      const settings = { type, leftKeys, rightKeys, condition, bounds, ttlMs };
      const join = { kind: 'join', stepId, ...settings, left: input, right, output: output.schema } as const;
      return retracts === true ? { ...join, retracts } : join;
    }
    case 'dedupe': {
      const { keys, keep, ttlMs, output } = node;
      return { kind: 'dedupe', stepId, keys, keep, ttlMs, input, output: output.schema };
    }
    case 'top-n': {
      const { keys, by, count, hasRank, output, retracts } = node;
      const topN = { kind: 'top-n', stepId, keys, by, count, hasRank, input, output: output.schema } as const;
      return retracts === true ? { ...topN, retracts } : topN;
    }
    case 'process': {
      const { code, role, keys, longs, sides, output } = node;
      const hasEventTime = streams[0]?.hasEventTime === true;
      return { kind: 'process', stepId, code, role, keys, longs, sides, hasEventTime, input, output: output.schema };
    }
    case 'lookup': {
      const { spec, code, keys, kept, found, type, isOrdered, capacity, timeoutMs, retry, cache, output } = node;
      const settings = { spec, code, keys, kept, found, type, isOrdered, capacity, timeoutMs, retry, cache };
      return { kind: 'lookup', stepId, ...settings, input, output: output.schema };
    }
    case 'union':
      return { kind: 'union', stepId, input, output: node.output.schema };
    case 'sink':
      return { kind: 'sink', spec: node.spec, input };
    case 'side':
    case 'filter':
    case 'select':
    case 'flat-map':
      throw new TypeError(`a step of the kind ${node.kind} is no node of a chain of its own`);
  }
}
