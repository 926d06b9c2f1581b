/** How jobs are placed, or would be, for whoever asks why. */
import { counterNames, isMillraceError, messageOf } from '../../core/index.ts';
import type { ConnectorCatalog, MillraceError, Ports } from '../../core/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import { previewPlacement, slotsNeeded } from '../../scheduler/index.ts';
import type { JobPlacement } from '../cluster-service.ts';
import { clusterErrors } from '../errors.ts';
import type { ResourceManager } from '../slots/resource-manager.ts';
import type { LedJob } from './cluster-jobs.ts';

/** Of a job that this leader runs. */
export function placementOf({ handle }: LedJob, slots: ResourceManager): JobPlacement {
  const { jobId, name, graph, placement } = handle;
  const { steps } = handle.counters();
  const sum = (counter: string): number =>
    steps.reduce((total, { counters }) => total + (counters[counter]?.total ?? 0), 0);
  return {
    ...{ jobId, name, needed: slotsNeeded(graph), free: slots.freeCount },
    waitingFor: slots.waitingFor(jobId) ?? handle.waitingFor,
    report: placement === null || placement.slices.length === 0 ? null : placement,
    crossRackBytes: { read: sum(counterNames.crossRackBytesIn.name), sent: sum(counterNames.crossRackBytesOut.name) },
  };
}

/** Sources that answer later than this would let whoever asks wait in vain. */
const PATIENCE_MS = 10_000;
/** Each holds connections to what the sources of a job read. */
const MOST_AT_A_TIME = 4;

export interface PreviewsOptions {
  readonly ports: Ports;
  readonly loadCatalog: () => Promise<ConnectorCatalog>;
  readonly slots: Pick<ResourceManager, 'freeSlots'>;
}

/** Foretells placements of jobs that are not started. */
export class PlacementPreviews {
  readonly #options: PreviewsOptions;
  #running = 0;

  constructor(options: PreviewsOptions) {
    this.#options = options;
  }

  /** Rejects with MR-CLUSTER-NO-PREVIEW. */
  async of(graph: JobGraph): Promise<JobPlacement> {
    const { ports, loadCatalog, slots } = this.#options;
    if (this.#running === MOST_AT_A_TIME) throw noPreview('too many others are asked for at a time');
    const free = slots.freeSlots();
    this.#running++;
    const asked = loadCatalog().then((catalog) => previewPlacement({ graph, catalog, ports, free }));
    const end = (): void => {
      this.#running--;
    };
    asked.then(end, end);
    const report = await this.#inTime(asked);
    const needed = slotsNeeded(graph);
    const waitingFor = report === null ? `${needed} slots (${free.length} are free)` : null;
    return { jobId: null, name: graph.name, needed, free: free.length, waitingFor, report, crossRackBytes: null };
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = this.#options.ports.clock.schedule(PATIENCE_MS, () => {
      late.reject(noPreview(`its sources have not answered for ${PATIENCE_MS / 1000} s`));
    });
    try {
      return await Promise.race([work, late.promise]);
    } catch (error) {
      const isOurs = isMillraceError(error) && error.code === 'MR-CLUSTER-NO-PREVIEW';
      throw isOurs ? error : noPreview(messageOf(error), error);
    } finally {
      timer.cancel();
    }
  }
}

function noPreview(reason: string, cause?: unknown): MillraceError {
  return clusterErrors.create('MR-CLUSTER-NO-PREVIEW', { reason }, cause);
}
