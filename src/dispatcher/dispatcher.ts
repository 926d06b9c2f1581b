import { jobId as toJobId } from '../core/index.ts';
import type { ConnectorCatalog, JobId, Ports, StateSchema } from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import type { JobStore } from '../ha/index.ts';
import type { RpcTransport } from '../rpc/index.ts';
import { isTerminalJob } from '../rpc/index.ts';
import { JobMaster } from '../scheduler/index.ts';
import type { OpenStorage, PlanStore, SlotPool, StartMode } from '../scheduler/index.ts';
import { checkSubmission } from './check-submission.ts';
import { handleOf } from './job-handle.ts';
import type { JobHandle } from './job-handle.ts';
import type { FindJobStorage, JobStorage } from './job-storage.ts';

export interface DispatcherOptions {
  readonly ports: Ports;
  /** Called with the first job: a Dispatcher without jobs is to be small. */
  readonly loadCatalog: () => Promise<ConnectorCatalog>;
  readonly rpc: RpcTransport;
  readonly slots: SlotPool;
  readonly epoch: number;
  readonly slotTimeoutMs: number;
  readonly takeoverTimeoutMs?: number;
  /** How long a job waits for slots in which nothing is read across racks; 0 if absent. */
  readonly localityWaitMs?: number;
  /** Where jobs that take checkpoints are recorded; null where none can run. */
  readonly store: JobStore | null;
  /** Null where no job can take checkpoints. */
  readonly findStorage: FindJobStorage | null;
  /** Opens where a savepoint goes; null where jobs cannot have any. */
  readonly openStorage: OpenStorage | null;
  /** What the operators of a job keep; without it they find out when they run whether they can take it over. */
  readonly stateSchemas?: (graph: JobGraph) => Promise<ReadonlyMap<string, StateSchema>>;
  /** Where the plans of a job are kept for the next leader; null where there is none. */
  readonly plansOf?: (jobId: JobId) => PlanStore | null;
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

/** A job that may run, and what it runs with. */
export interface AcceptedJob {
  readonly jobId: JobId;
  readonly graph: JobGraph;
  readonly start: StartMode;
  readonly allowDroppedState: boolean;
  readonly catalog: ConnectorCatalog;
  readonly schemas: ReadonlyMap<string, StateSchema>;
  /** Null where it takes no checkpoints. */
  readonly storage: JobStorage | null;
}

/** Accepts jobs, runs each with a JobMaster, and keeps track of them. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #jobs = new Map<JobId, { readonly master: JobMaster; readonly handle: JobHandle }>();
  /** One submission after the other: each sees the names that those before it have taken. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /**
   * Starts a job and resolves to its handle at once; what goes wrong later is told by the handle. Rejects as
   * checkSubmission throws, and where the job's storage cannot be had. `accept` is called before the job starts, and
   * after nothing speaks against it: where it rejects, or resolves to false, nothing has happened. Resolves to null
   * then.
   */
  submit(graph: JobGraph, options?: SubmitOptions): Promise<JobHandle>;
  submit(
    graph: JobGraph,
    options: SubmitOptions,
    accept: (job: AcceptedJob) => Promise<boolean>,
  ): Promise<JobHandle | null>;
  submit(
    graph: JobGraph,
    options: SubmitOptions = {},
    accept?: (job: AcceptedJob) => Promise<boolean>,
  ): Promise<JobHandle | null> {
    const submitted = this.#turn.then(async () => {
      const id = options.jobId ?? toJobId(this.#options.ports.randomness.hex(16));
      const known = this.job(id);
      if (known !== null) return known;
      const { start = { kind: 'resume' } } = options;
      const { loadCatalog, store, findStorage } = this.#options;
      const catalog = await loadCatalog();
      const running = this.list().filter(({ state }) => !isTerminalJob(state));
      checkSubmission({ graph, start, catalog, hasStore: store !== null && findStorage !== null, running });
      const job = await this.prepare(id, graph, { ...options, start });
      if (accept !== undefined && !(await accept(job))) return null;
      return this.run(job);
    });
    this.#turn = submitted.catch(() => undefined);
    return submitted;
  }

  /** Finds what a job needs that has been accepted, perhaps by an earlier leader. */
  async prepare(jobId: JobId, graph: JobGraph, options: SubmitOptions): Promise<AcceptedJob> {
    const { findStorage, loadCatalog, stateSchemas } = this.#options;
    const { start = { kind: 'resume' }, allowDroppedState = false } = options;
    const catalog = await loadCatalog();
    const schemas = options.schemas ?? (await stateSchemas?.(graph)) ?? new Map<string, StateSchema>();
    const storage = graph.checkpoint === null ? null : ((await findStorage?.(graph)) ?? null);
    return { jobId, graph: withoutPlace(graph), start, allowDroppedState, catalog, schemas, storage };
  }

  /**
   * Runs a job; `takeOver` instead of starting it, where an earlier leader has. Of one that ran under this id before,
   * it keeps what went wrong.
   */
  run(job: AcceptedJob, takeOver?: Parameters<JobMaster['takeOver']>[0]): JobHandle {
    const { jobId, storage } = job;
    const before = this.#jobs.get(jobId)?.master;
    const master = new JobMaster({
      ...this.#options,
      ...job,
      storage: storage?.storage ?? null,
      storageConfig: storage?.storageConfig ?? null,
      plans: this.#options.plansOf?.(jobId) ?? null,
      ...(before === undefined ? {} : { earlier: { failures: before.failures, restarts: before.restarts } }),
    });
    const handle = handleOf(master);
    this.#jobs.set(jobId, { master, handle });
    if (takeOver === undefined) master.start();
    else master.takeOver(takeOver);
    return handle;
  }

  /** All jobs since the start, ended ones too, oldest first. */
  list(): readonly JobHandle[] {
    return [...this.#jobs.values()].map(({ handle }) => handle);
  }

  job(jobId: JobId): JobHandle | null {
    return this.#jobs.get(jobId)?.handle ?? null;
  }

  /** A job that has ended. */
  forget(jobId: JobId): void {
    this.#jobs.delete(jobId);
  }

  /** Another leader takes the jobs over: lets go of them, and changes nothing. Their tasks go on. */
  abandon(): void {
    for (const { master } of this.#jobs.values()) master.abandon();
  }
}

/** Nobody but those who open the storage is to know how. */
function withoutPlace(graph: JobGraph): JobGraph {
  if (graph.checkpoint?.storage === undefined) return graph;
  const checkpoint = { ...graph.checkpoint };
  delete checkpoint.storage;
  return { ...graph, checkpoint };
}
