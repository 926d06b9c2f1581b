/** What the operators of a job keep, by step, without running them. */
import type { CodeLoader, StateSchema } from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import { createOperator, describeProcessState } from '../operators/index.ts';

/** Of all steps but those with code of users, which say it when they are opened. */
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

/** Of those too: their code is loaded, and opened without rows. */
export async function allStateSchemas(
  graph: JobGraph,
  loadCode: CodeLoader,
): Promise<ReadonlyMap<string, StateSchema>> {
  const schemas = new Map(stateSchemas(graph));
  for (const node of graph.vertices.flatMap(({ chain }) => chain)) {
    const schema = node.kind === 'process' ? await describeProcessState(node, loadCode) : null;
    if (node.kind === 'process' && schema !== null) schemas.set(node.stepId, schema);
  }
  return schemas;
}
