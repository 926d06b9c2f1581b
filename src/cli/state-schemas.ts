/** What the operators of a job keep, by step, without running them. */
import type { StateSchema } from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import { createOperator } from '../operators/index.ts';

export function stateSchemas(graph: JobGraph): ReadonlyMap<string, StateSchema> {
  const schemas = new Map<string, StateSchema>();
  for (const { chain } of graph.vertices) {
    for (const node of chain) {
      if (node.kind === 'source' || node.kind === 'sink' || node.kind === 'transform' || node.kind === 'lookup') {
        continue;
      }
      // An operator describes its state from the time that it is made; it holds nothing before it is opened.
      const { state } = createOperator(node);
      if (state !== undefined) schemas.set(node.stepId, state.schema);
    }
  }
  return schemas;
}
