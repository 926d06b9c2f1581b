import type { EdgeId } from '../core/index.ts';
import type { JobEdge, JobGraph, JobVertex } from '../graph/index.ts';
import type { SlotLocation, TaskDescriptor, TaskOutput, TaskRestore } from '../rpc/index.ts';
import { errorPolicyOf } from './error-policy.ts';
import { schedulerErrors } from './errors.ts';
import type { Execution } from './execution-graph.ts';
import { stepIdsOf } from './step-ids.ts';

/** Slots are shared: one slot runs subtask i of every vertex, so the largest parallelism decides. */
export function slotsNeeded(graph: JobGraph): number {
  return graph.vertices.reduce((most, { parallelism }) => Math.max(most, parallelism), 0);
}

/** What each of the given slots is to run; slot i runs slice i. */
export function planSlices(
  graph: JobGraph,
  executions: readonly Execution[],
  slots: readonly SlotLocation[],
  restoreOf: (vertex: JobVertex, subtaskIndex: number) => TaskRestore | null,
): readonly (readonly TaskDescriptor[])[] {
  const edges = new Map(graph.edges.map((edge) => [edge.id, edge]));
  const firstChannels = numberChannels(graph);
  const parallelismOf = new Map(graph.vertices.map(({ id, parallelism }) => [id, parallelism]));
  const edgeOf = (id: EdgeId): { readonly edge: JobEdge; readonly firstChannel: number } => {
    const edge = edges.get(id);
    if (edge === undefined) throw schedulerErrors.create('MR-JOB-BAD-GRAPH', { problem: `there is no edge ${id}` });
    return { edge, firstChannel: firstChannels.get(id) ?? 0 };
  };
  const describe = ({ attemptId, vertex, subtaskIndex }: Execution): TaskDescriptor => ({
    attemptId,
    vertex,
    subtaskIndex,
    inputs: vertex.inputs.map((id) => {
      const found = edgeOf(id);
      return { ...found, senders: slots.slice(0, parallelismOf.get(found.edge.from) ?? 0) };
    }),
    outputs: vertex.outputs.map((id) => {
      const found = edgeOf(id);
      const receivers = slots.slice(0, parallelismOf.get(found.edge.to) ?? 0);
      return { ...found, reader: readerOf(graph, found.edge), receivers };
    }),
    errors: errorPolicyOf(graph, vertex.id),
    restore: restoreOf(vertex, subtaskIndex),
  });
  return slots.map((_, slice) => executions.filter(({ subtaskIndex }) => subtaskIndex === slice).map(describe));
}

function readerOf({ vertices }: JobGraph, { id, to }: JobEdge): TaskOutput['reader'] {
  const vertex = vertices.find((each) => each.id === to);
  const [step] = vertex?.chain.slice(0, 1).flatMap(stepIdsOf) ?? [];
  if (vertex === undefined || step === undefined) {
    throw schedulerErrors.create('MR-JOB-BAD-GRAPH', { problem: `nothing reads edge ${id}` });
  }
  return { stepId: step, input: vertex.inputs.indexOf(id) };
}

/** The number of each edge's first channel: channels are numbered through the whole job. */
function numberChannels(graph: JobGraph): ReadonlyMap<EdgeId, number> {
  const parallelismOf = new Map(graph.vertices.map(({ id, parallelism }) => [id, parallelism]));
  const first = new Map<EdgeId, number>();
  let next = 0;
  for (const { id, from, to, exchange } of graph.edges) {
    first.set(id, next);
    const senders = parallelismOf.get(from) ?? 0;
    next += exchange.kind === 'forward' ? senders : senders * (parallelismOf.get(to) ?? 0);
  }
  return first;
}

/** Throws MR-JOB-BAD-GRAPH for a graph that no plan can be made of. */
export function checkGraph(graph: JobGraph): void {
  const problem = problemOf(graph);
  if (problem !== null) throw schedulerErrors.create('MR-JOB-BAD-GRAPH', { problem });
}

function problemOf(graph: JobGraph): string | null {
  if (graph.vertices.length === 0) return 'it has no vertices';
  const vertices = new Map(graph.vertices.map((vertex) => [vertex.id, vertex]));
  const edges = new Set(graph.edges.map(({ id }) => id));
  for (const { name, parallelism, chain, inputs, outputs } of graph.vertices) {
    if (!Number.isInteger(parallelism) || parallelism < 1) return `${name} has a parallelism of ${parallelism}`;
    if (chain.length === 0) return `${name} has no steps`;
    if ((chain[0]?.kind === 'source') === inputs.length > 0) return `${name} must have either a source or inputs`;
    for (const id of [...inputs, ...outputs]) if (!edges.has(id)) return `there is no edge ${id}`;
  }
  for (const { id, from, to, exchange } of graph.edges) {
    const sender = vertices.get(from);
    const receiver = vertices.get(to);
    if (sender === undefined || receiver === undefined) return `an end of edge ${id} is missing`;
    if (exchange.kind === 'forward' && sender.parallelism !== receiver.parallelism) {
      return `${sender.name} and ${receiver.name} differ in parallelism, so rows cannot be forwarded`;
    }
    if (exchange.kind === 'hash' && receiver.parallelism > graph.maxParallelism) {
      return `${receiver.name} has more subtasks than there are key groups (${graph.maxParallelism})`;
    }
  }
  return null;
}
