import type { ConnectorCatalog, Ports } from '../../core/index.ts';
import type { ChainNode, JobGraph } from '../../graph/index.ts';
import { AttemptSources } from '../attempt-sources.ts';
import type { FreeSlot } from '../slot-pool.ts';
import { slotsNeeded } from '../slice-plan.ts';
import { explainPlacement } from './placement-report.ts';
import type { PlacementReport } from './placement-report.ts';
import { placeOf } from './placement-request.ts';
import { placeSubtasks } from './place-subtasks.ts';

export interface PreviewOptions {
  readonly graph: JobGraph;
  readonly catalog: ConnectorCatalog;
  readonly ports: Ports;
  readonly free: readonly FreeSlot[];
}

/**
 * How a job would be placed if it were started anew in these slots now; null where they are not enough. Looks for the
 * splits of its sources, and starts, makes and changes nothing. Rejects where a source cannot be read.
 */
export async function previewPlacement(options: PreviewOptions): Promise<PlacementReport | null> {
  const { catalog, ports, free } = options;
  const graph = withoutTargets(options.graph);
  const nobody = (): void => undefined;
  const sources = new AttemptSources({
    ...{ graph, catalog, ports, restored: null, toSubtask: nobody, failed: nobody },
    context: (stepId) => ({ jobName: graph.name, stepId, ports, rack: null, run: null }),
  });
  try {
    await Promise.all(sources.open());
    const wanted = { count: slotsNeeded(graph), demands: sources.demands, previous: [] };
    const slots = placeSubtasks(wanted, free)?.map(({ location }) => location) ?? null;
    if (slots === null) return null;
    sources.place(slots);
    const choice = { offered: free.map(placeOf), previous: [] };
    return explainPlacement({ graph, slots, readers: sources.readers, choice });
  } finally {
    await sources.close();
  }
}

/** Where poison records go is made when a source is opened. */
function withoutTargets(graph: JobGraph): JobGraph {
  const vertices = graph.vertices.map((vertex) => ({ ...vertex, chain: vertex.chain.map(withoutTarget) }));
  return { ...graph, vertices };
}

function withoutTarget(node: ChainNode): ChainNode {
  return node.kind === 'source' ? { ...node, spec: { ...node.spec, errors: { kind: 'fail' } } } : node;
}
