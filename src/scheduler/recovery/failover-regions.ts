import type { JobGraph } from '../../graph/index.ts';
import { slotsNeeded } from '../slice-plan.ts';

/**
 * The slices of a job, gathered into those that restart together: the smallest sets that no channel leaves
 * (docs/design/022). All but `forward` connects every sender with every receiver, so there is at most one of several
 * slices, and it stands first.
 */
export function failoverRegions(graph: JobGraph): readonly (readonly number[])[] {
  const parallelismOf = new Map(graph.vertices.map(({ id, parallelism }) => [id, parallelism]));
  const connected = graph.edges
    .filter(({ exchange }) => exchange.kind !== 'forward')
    .map(({ from, to }) => Math.max(parallelismOf.get(from) ?? 0, parallelismOf.get(to) ?? 0));
  const together = Math.max(0, ...connected);
  const slices = Array.from({ length: slotsNeeded(graph) }, (_, slice) => slice);
  const alone = slices.slice(together).map((slice) => [slice]);
  return together === 0 ? alone : [slices.slice(0, together), ...alone];
}

/** All that have to restart where these have failed. */
export function slicesToRestart(
  regions: readonly (readonly number[])[],
  failed: readonly number[],
): readonly number[] {
  return regions.filter((region) => region.some((slice) => failed.includes(slice))).flat();
}
