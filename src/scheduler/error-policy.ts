import type { ErrorPolicy, VertexId } from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';

/**
 * What becomes of records that fail in a vertex. Where a source stands in its chain, what that source says. Behind an
 * exchange the original records are gone, so they are skipped, and only if none of the sources that lead there says
 * that errors fail the job.
 */
export function errorPolicyOf(graph: JobGraph, vertex: VertexId): ErrorPolicy {
  const own = graph.vertices.find(({ id }) => id === vertex)?.chain[0];
  if (own?.kind === 'source') return own.spec.errors;
  const policies = graph.edges.filter(({ to }) => to === vertex).map(({ from }) => errorPolicyOf(graph, from));
  const isLenient = policies.length > 0 && policies.every(({ kind }) => kind !== 'fail');
  return isLenient ? { kind: 'skip' } : { kind: 'fail' };
}
