import type {
  AttemptId,
  CheckpointedVertex,
  CheckpointMetadata,
  RunIdentity,
  SubtaskSnapshot,
} from '../../core/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import { stepIdsOf } from '../step-ids.ts';
import type { Execution } from '../execution-graph.ts';

/** The metadata of a checkpoint to which every task has contributed. */
export function metadataOf(
  graph: JobGraph,
  run: RunIdentity,
  executions: readonly Omit<Execution, 'slot' | 'attempt'>[],
  contributions: ReadonlyMap<AttemptId, SubtaskSnapshot>,
  times: { readonly checkpointId: number; readonly triggeredAtMs: number; readonly completedAtMs: number },
): CheckpointMetadata {
  const { jobName, generation } = run;
  const byVertex = Map.groupBy(executions, ({ vertex }) => vertex.id);
  const vertices = graph.vertices.map(({ id, chain, parallelism }): CheckpointedVertex => {
    const subtasks = (byVertex.get(id) ?? []).flatMap(({ attemptId }) => contributions.get(attemptId) ?? []);
    return { vertexId: id, stepIds: chain.flatMap(stepIdsOf), parallelism, subtasks };
  });
  const { maxParallelism } = graph;
  const hasInFlight = vertices.some(({ subtasks }) => subtasks.some(({ channels = [] }) => channels.length > 0));
  return { version: hasInFlight ? 2 : 1, kind: 'checkpoint', jobName, generation, maxParallelism, vertices, ...times };
}

/** The entries that a snapshot names, in bytes. */
export function stateBytesOf({ operators }: SubtaskSnapshot): number {
  let bytes = 0;
  for (const { chunks } of operators) {
    for (let at = 2; at < chunks.length; at += 3) bytes += chunks[at] ?? 0;
  }
  return bytes;
}

/** The rows on their way that a snapshot names, in bytes. */
export function inFlightBytesOf({ channels = [] }: SubtaskSnapshot): number {
  let bytes = 0;
  for (const { batches } of channels) for (let at = 1; at < batches.length; at += 2) bytes += batches[at] ?? 0;
  return bytes;
}
