import { jobId as toJobId } from '../core/index.ts';
import type {
  CheckpointStorage,
  CheckpointStorageConfig,
  ConnectorCatalog,
  JobId,
  Ports,
  StateSchema,
} from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import type { JobStore } from '../ha/index.ts';
import type { RpcTransport } from '../rpc/index.ts';
import { isTerminalJob } from '../rpc/index.ts';
import { checkGraph, JobMaster, schedulerErrors } from '../scheduler/index.ts';
import type { OpenStorage, SlotPool, StartMode } from '../scheduler/index.ts';
import type { JobHandle } from './job-handle.ts';

export interface DispatcherOptions {
  readonly ports: Ports;
  readonly catalog: ConnectorCatalog;
  readonly rpc: RpcTransport;
  readonly slots: SlotPool;
  readonly epoch: number;
  readonly slotTimeoutMs: number;
  /** Where jobs that take checkpoints are recorded; null where none can run. */
  readonly store: JobStore | null;
  /** Of one job: files that it does not know are removed from it. */
  readonly storage: CheckpointStorage | null;
  /** What slots make their own storage from: the same place as `storage`. */
  readonly storageConfig: CheckpointStorageConfig | null;
  /** Opens where a savepoint goes; null where jobs cannot have any. */
  readonly openStorage: OpenStorage | null;
}

export interface SubmitOptions {
  /** Chosen by the caller: repeating the call returns the job that is there already. */
  readonly jobId?: JobId;
  /** What the job starts from; `resume` if left out. */
  readonly start?: StartMode;
  /** Whether steps that the checkpoint knows and the job does not may lose their state; no if left out. */
  readonly allowDroppedState?: boolean;
  /**
   * What the job's operators keep, by step: a job that cannot take its state over fails before anything has changed.
   * Without it the operators find out when they run.
   */
  readonly schemas?: ReadonlyMap<string, StateSchema>;
}

/** Accepts jobs and keeps track of them. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #jobs = new Map<JobId, JobHandle>();
  /** The job whose checkpoints are in the storage. */
  #checkpointedJob: string | null = null;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /**
   * Starts a job and resolves to its handle at once; what goes wrong later is told by the handle. Rejects with
   * MR-JOB-BAD-GRAPH for a graph that cannot be run, with MR-JOB-NEEDS-CHECKPOINTS and others for one whose checkpoints
   * do not fit what it is asked to do, and with MR-JOB-NAME-TAKEN.
   */
  // Asynchronous because a job will be stored before it is acknowledged.
   
  async submit(graph: JobGraph, options: SubmitOptions = {}): Promise<JobHandle> {
    const { jobId, start = { kind: 'resume' }, allowDroppedState = false, schemas = new Map() } = options;
    const id = jobId ?? toJobId(this.#options.ports.randomness.hex(16));
    const known = this.#jobs.get(id);
    if (known !== undefined) return known;
    checkGraph(graph);
    this.#checkCheckpoints(graph, start);
    const master = new JobMaster({ ...this.#options, jobId: id, graph, start, allowDroppedState, schemas });
    const handle = handleOf(master);
    this.#jobs.set(id, handle);
    master.start();
    return handle;
  }

  #checkCheckpoints(graph: JobGraph, start: StartMode): void {
    if (graph.checkpoint === null) {
      const step = transactionalSink(graph, this.#options.catalog);
      if (step !== null) throw schedulerErrors.create('MR-JOB-NEEDS-CHECKPOINTS', { step });
      if (start.kind === 'from') {
        throw schedulerErrors.create('MR-JOB-TAKES-NO-CHECKPOINTS', { location: start.location });
      }
      return;
    }
    const { store, storage, storageConfig } = this.#options;
    if (store === null || storage === null || storageConfig === null) {
      throw schedulerErrors.create('MR-JOB-NO-CHECKPOINT-STORE', {});
    }
    const taken = this.list().find(({ name, state }) => name === graph.name && !isTerminalJob(state));
    if (taken !== undefined) {
      throw schedulerErrors.create('MR-JOB-NAME-TAKEN', { name: graph.name, jobId: taken.jobId });
    }
    // What a job does not know in its storage, it takes for leftovers.
    this.#checkpointedJob ??= graph.name;
    if (this.#checkpointedJob !== graph.name) {
      throw schedulerErrors.create('MR-JOB-STORAGE-TAKEN', { name: this.#checkpointedJob });
    }
  }

  /** All jobs since the start, ended ones too, oldest first. */
  list(): readonly JobHandle[] {
    return [...this.#jobs.values()];
  }

  job(jobId: JobId): JobHandle | null {
    return this.#jobs.get(jobId) ?? null;
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

function handleOf(master: JobMaster): JobHandle {
  return {
    jobId: master.jobId,
    name: master.graph.name,
    get state() {
      return master.state;
    },
    onStateChange: (listener) => master.onStateChange(listener),
    get origin() {
      return master.origin;
    },
    get restarts() {
      return master.restarts;
    },
    get lastFailure() {
      return master.lastFailure;
    },
    get restartDelayMs() {
      return master.restartDelayMs;
    },
    checkpoints: () => master.checkpoints(),
    counters: () => master.metrics(),
    savepoint: (request) => master.savepoint(request),
    async cancel() {
      master.cancel();
      await master.result;
    },
    result: master.result,
  };
}
