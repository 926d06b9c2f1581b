import type { JobId } from '../core/index.ts';
import type { JobGraph } from '../graph/job/job-graph.ts';
import type { RpcTransport } from '../rpc/index.ts';
import type { JobHandle } from './job-handle.ts';

/** Accepts jobs and keeps track of them. */
export interface JobDispatcher {
  /**
   * Starts a job and resolves to its handle at once; what goes wrong later is told by the handle. `jobId` may be
   * chosen by the caller, and then repeating the call returns the job that is there already.
   */
  submit(graph: JobGraph, jobId?: JobId): Promise<JobHandle>;
  /** All jobs since the start, ended ones too, oldest first. */
  list(): readonly JobHandle[];
  job(jobId: JobId): JobHandle | null;
}

/** A TaskManager that was started, for whoever has to end it. */
export interface RunningTaskManager {
  /** Ends its slots' threads; resolves when they are gone. */
  close(): Promise<void>;
}

/** How a TaskManager finds its Dispatcher. */
export interface ClusterLink {
  readonly rpc: RpcTransport;
  /** Where the ResourceManagerGateway is served. */
  readonly resourceManagerAddress: string;
}

/** A whole cluster in this process, over the in-process transport. */
export interface LocalCluster {
  readonly dispatcher: JobDispatcher;
  /** Cancels jobs that run, then ends everything; resolves when no thread is left. */
  close(): Promise<void>;
}
