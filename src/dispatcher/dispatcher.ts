import { jobId as toJobId } from '../core/index.ts';
import type { ConnectorCatalog, JobId, Ports } from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import type { RpcTransport } from '../rpc/index.ts';
import { checkGraph, JobMaster } from '../scheduler/index.ts';
import type { SlotPool } from '../scheduler/index.ts';
import type { JobHandle } from './job-handle.ts';

export interface DispatcherOptions {
  readonly ports: Ports;
  readonly catalog: ConnectorCatalog;
  readonly rpc: RpcTransport;
  readonly slots: SlotPool;
  readonly epoch: number;
  readonly slotTimeoutMs: number;
}

/** Accepts jobs and keeps track of them. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #jobs = new Map<JobId, JobHandle>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /**
   * Starts a job and resolves to its handle at once; what goes wrong later is told by the handle. Rejects with
   * MR-JOB-BAD-GRAPH for a graph that cannot be run. `jobId` may be chosen by the caller, and then repeating the call
   * returns the job that is there already.
   */
  // Asynchronous because a job will be stored before it is acknowledged.
   
  async submit(graph: JobGraph, jobId?: JobId): Promise<JobHandle> {
    const { ports, catalog, rpc, slots, epoch, slotTimeoutMs } = this.#options;
    const id = jobId ?? toJobId(ports.randomness.hex(16));
    const known = this.#jobs.get(id);
    if (known !== undefined) return known;
    checkGraph(graph);
    const master = new JobMaster({ jobId: id, graph, epoch, ports, catalog, rpc, slots, slotTimeoutMs });
    const handle = handleOf(master);
    this.#jobs.set(id, handle);
    master.start();
    return handle;
  }

  /** All jobs since the start, ended ones too, oldest first. */
  list(): readonly JobHandle[] {
    return [...this.#jobs.values()];
  }

  job(jobId: JobId): JobHandle | null {
    return this.#jobs.get(jobId) ?? null;
  }
}

function handleOf(master: JobMaster): JobHandle {
  return {
    jobId: master.jobId,
    name: master.graph.name,
    get state() {
      return master.state;
    },
    onStateChange: (listener) => master.onStateChange(listener),
    counters: () => master.metrics(),
    async cancel() {
      master.cancel();
      await master.result;
    },
    result: master.result,
  };
}
