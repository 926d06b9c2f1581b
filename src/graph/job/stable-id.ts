import { createHash } from 'node:crypto';
import { edgeId, vertexId } from '../../core/index.ts';
import type { EdgeId, VertexId } from '../../core/index.ts';

/**
 * Ids are hashes of step ids and of nothing else, so that they stay when other steps come, go or change. Step ids have
 * no NUL, so no two lists of them are hashed alike.
 */
function stableId(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
}

/** The vertex whose chain begins with this step. */
export function vertexIdOf(firstStepId: string): VertexId {
  return vertexId(stableId('vertex', firstStepId));
}

export function edgeIdOf(fromStepId: string, toStepId: string, input: number): EdgeId {
  return edgeId(stableId('edge', fromStepId, toStepId, String(input)));
}
