import type { ConnectorCatalog } from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import { checkGraph, schedulerErrors } from '../scheduler/index.ts';
import type { StartMode } from '../scheduler/index.ts';

export interface SubmissionFacts {
  readonly graph: JobGraph;
  readonly start: StartMode;
  readonly catalog: ConnectorCatalog;
  /** Whether jobs that take checkpoints have a store. */
  readonly hasStore: boolean;
  /** Those that have not ended. */
  readonly running: readonly { readonly jobId: string; readonly name: string }[];
}

/**
 * Throws MR-JOB-BAD-GRAPH for a graph that cannot be run, MR-JOB-NEEDS-CHECKPOINTS and others for one whose checkpoints
 * do not fit what it is asked to do, and MR-JOB-NAME-TAKEN.
 */
export function checkSubmission({ graph, start, catalog, hasStore, running }: SubmissionFacts): void {
  checkGraph(graph);
  if (graph.checkpoint === null) {
    const step = transactionalSink(graph, catalog);
    if (step !== null) throw schedulerErrors.create('MR-JOB-NEEDS-CHECKPOINTS', { step });
    if (start.kind === 'from') {
      throw schedulerErrors.create('MR-JOB-TAKES-NO-CHECKPOINTS', { location: start.location });
    }
    return;
  }
  if (!hasStore) throw schedulerErrors.create('MR-JOB-NO-CHECKPOINT-STORE', {});
  const taken = running.find(({ name }) => name === graph.name);
  if (taken !== undefined) {
    throw schedulerErrors.create('MR-JOB-NAME-TAKEN', { name: graph.name, jobId: taken.jobId });
  }
}

/** The first step that needs checkpoints in order to make its output visible. */
function transactionalSink(graph: JobGraph, catalog: ConnectorCatalog): string | null {
  for (const { chain } of graph.vertices) {
    for (const node of chain) {
      if (node.kind !== 'sink') continue;
      const { connector, options, stepId } = node.spec;
      if (catalog.sinks.get(connector)?.isTransactional?.(options) === true) return stepId;
    }
  }
  return null;
}
