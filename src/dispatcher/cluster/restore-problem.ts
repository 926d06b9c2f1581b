import type { JobGraph } from '../../graph/index.ts';
import type { JobStore } from '../../ha/index.ts';
import { planRestore } from '../../scheduler/index.ts';
import type { LedJob } from './cluster-jobs.ts';

/**
 * Why the graph cannot go on from the last checkpoint of the job, which may hold rows on their way to steps as they
 * were; null where it can, or there is none.
 */
export async function restoreProblem(
  store: Pick<JobStore, 'read'>,
  { accepted }: Pick<LedJob, 'accepted'>,
  graph: JobGraph,
): Promise<string | null> {
  const pointer = (await store.read(graph.name))?.record.checkpoints.at(-1);
  if (pointer === undefined || accepted.storage === null) return null;
  const metadata = await accepted.storage.storage.readMetadata(pointer.metadata);
  const { steps } = planRestore(metadata, graph, accepted.schemas);
  const obstacle = steps.find(({ verdict }) => verdict === 'incompatible');
  if (obstacle === undefined) return null;
  return `step ${obstacle.stepId} cannot go on from checkpoint ${pointer.checkpointId}: ${obstacle.reason}`;
}
