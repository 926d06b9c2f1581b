import { deserializeError, stepId as toStepId, toMillraceError } from '../core/index.ts';
import type {
  AttemptId,
  CheckpointStorage,
  CheckpointStorageConfig,
  ConnectorCatalog,
  ConnectorContext,
  JobId,
  MillraceError,
  Ports,
} from '../core/index.ts';
import type { JobGraph, JobVertex, SinkNode, SourceNode } from '../graph/index.ts';
import type { JobStore } from '../ha/index.ts';
import { JobMetricsCollector } from '../metrics/index.ts';
import type { JobMetrics } from '../metrics/index.ts';
import { EpochFence, isTerminalJob, isTerminalTask, stepFailure } from '../rpc/index.ts';
import type {
  CheckpointAcknowledgement,
  CheckpointDecline,
  JobMasterGateway,
  JobState,
  ProgressReport,
  RpcTransport,
  SlotLocation,
  TaskEnded,
  TaskManagerGateway,
  TaskState,
  TaskStateChange,
  TerminalJobState,
} from '../rpc/index.ts';
import type { CheckpointHistory } from './checkpoint/checkpoint-history.ts';
import { schedulerErrors } from './errors.ts';
import { ExecutionGraph } from './execution-graph.ts';
import type { Execution } from './execution-graph.ts';
import { jobTransitions } from './job-state.ts';
import { nextJobState } from './next-job-state.ts';
import { planSlices, slotsNeeded } from './slice-plan.ts';
import { SourceCoordinator } from './source-coordinator.ts';
import { move } from './state-machine.ts';
import type { JobOrigin, StartMode } from './start-mode.ts';
import { cancelled, reported } from './task-state.ts';

/** A slot that was given to a job. */
export interface AllocatedSlot {
  readonly location: SlotLocation;
  /** Where its TaskManagerGateway is served. */
  readonly address: string;
}

/** Where a JobMaster gets its slots: the ResourceManager. */
export interface SlotPool {
  /** Resolves when the job has all the slots it asks for. */
  allocate(jobId: JobId, count: number): Promise<readonly AllocatedSlot[]>;
  /** Gives everything back that the job has, and ends its waiting. Harmless when it has nothing. */
  release(jobId: JobId): void;
  readonly freeCount: number;
  readonly totalCount: number;
}

export interface JobMasterOptions {
  readonly jobId: JobId;
  readonly graph: JobGraph;
  readonly epoch: number;
  readonly ports: Ports;
  readonly catalog: ConnectorCatalog;
  readonly rpc: RpcTransport;
  readonly slots: SlotPool;
  /** How long the job waits for slots before it fails. */
  readonly slotTimeoutMs: number;
  /** Where the job's record is kept; null where jobs take no checkpoints. */
  readonly store: JobStore | null;
  readonly storage: CheckpointStorage | null;
  /** What slots make their own storage from: the same place as `storage`. */
  readonly storageConfig: CheckpointStorageConfig | null;
  readonly start: StartMode;
  /** Whether steps that the checkpoint knows and the job does not may lose their state. */
  readonly allowDroppedState: boolean;
}

/** How long sources' enumerators may take to close. */
const CLOSE_TIMEOUT_MS = 5000;

/**
 * Runs one job: prepares its sources and sinks, gets slots, deploys, hands out splits, and follows its tasks until all
 * have ended. A task that fails fails the job, after all others were cancelled.
 */
export class JobMaster implements JobMasterGateway {
  readonly jobId: JobId;
  readonly graph: JobGraph;
  /** Resolves when the job has ended and holds nothing any more. Never rejects. */
  readonly result: Promise<{ readonly state: TerminalJobState; readonly error: MillraceError | null }>;
  readonly #options: JobMasterOptions;
  readonly #fence: EpochFence;
  readonly #tasks: ExecutionGraph;
  readonly #metrics: JobMetricsCollector;
  readonly #listeners = new Set<(state: JobState) => void>();
  /** By vertex. */
  readonly #sources = new Map<string, SourceCoordinator>();
  readonly #managerOf = new Map<AttemptId, TaskManagerGateway>();
  readonly #address: string;
  #slots: readonly AllocatedSlot[] = [];
  #state: JobState = 'INITIALIZING';
  #error: MillraceError | null = null;
  #isEnding = false;
  #withdraw: () => void = () => undefined;
  #resolve: (result: { readonly state: TerminalJobState; readonly error: MillraceError | null }) => void = () =>
    undefined;

  constructor(options: JobMasterOptions) {
    this.jobId = options.jobId;
    this.graph = options.graph;
    this.#options = options;
    this.#fence = new EpochFence(`the JobMaster of ${options.jobId}`);
    this.#tasks = new ExecutionGraph(options.graph, 0);
    this.#metrics = new JobMetricsCollector(stepsOf(options.graph), options.ports.clock);
    this.#address = `jobmaster/${options.jobId}`;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get state(): JobState {
    return this.#state;
  }

  onStateChange(listener: (state: JobState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  metrics(): JobMetrics {
    return this.#metrics.snapshot();
  }

  /** The tasks and where each stands. */
  get executions(): readonly Execution[] {
    return this.#tasks.executions;
  }

  /** What the job has started from; null until that is known. */
  get origin(): JobOrigin | null {
    return { kind: 'anew' };
  }

  /** How often the job was restarted after a failure. */
  get restarts(): number {
    return 0;
  }

  /** What led to the last restart. */
  get lastFailure(): MillraceError | null {
    return null;
  }

  checkpoints(): CheckpointHistory {
    return { completedCount: 0, abortedCount: 0, recent: [] };
  }

  /** Called once. What goes wrong is told by `result`. */
  start(): void {
    this.#withdraw = this.#options.rpc.serve('job-master', this.#address, this);
    void this.#run();
  }

  cancel(): void {
    if (isTerminalJob(this.#state) || this.#state === 'CANCELLING' || this.#isEnding) return;
    this.#move('CANCELLING');
    this.#cancelTasks();
    this.#settle();
  }

  taskStateChanged({ epoch, attemptId, state, error }: TaskStateChange): Promise<void> {
    this.#fence.check(epoch);
    this.#taskReported(attemptId, state, error === null ? null : deserializeError(error));
    return Promise.resolve();
  }

  acknowledgeCheckpoint({ epoch }: CheckpointAcknowledgement): Promise<void> {
    this.#fence.check(epoch);
    return Promise.resolve();
  }

  declineCheckpoint({ epoch }: CheckpointDecline): Promise<void> {
    this.#fence.check(epoch);
    return Promise.resolve();
  }

  taskEnded({ epoch }: TaskEnded): Promise<void> {
    this.#fence.check(epoch);
    return Promise.resolve();
  }

  reportProgress({ epoch, steps }: ProgressReport): Promise<void> {
    this.#fence.check(epoch);
    this.#metrics.report(steps);
    return Promise.resolve();
  }

  async #run(): Promise<void> {
    try {
      await this.#prepare();
      if (this.#state !== 'INITIALIZING') return;
      this.#move('CREATED');
      this.#move('RUNNING');
      for (const { attemptId } of this.executions) this.#tasks.move(attemptId, 'SCHEDULED');
      const slots = await this.#allocate();
      if (slots !== null) this.#deploy(slots);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Opens the sources' enumerators and lets sinks check where they will write, all at once. */
  async #prepare(): Promise<void> {
    const work = this.graph.vertices.flatMap((vertex) =>
      vertex.chain.flatMap((node) => {
        if (node.kind === 'source') return [this.#named(node.spec.stepId, () => this.#openSource(vertex, node))];
        if (node.kind === 'sink') return [this.#named(node.spec.stepId, () => this.#prepareSink(node))];
        return [];
      }),
    );
    await Promise.all(work);
  }

  async #named(stepId: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw stepFailure(error, stepId, null);
    }
  }

  async #openSource(vertex: JobVertex, { spec }: SourceNode): Promise<void> {
    const connector = this.#options.catalog.sources.get(spec.connector);
    if (connector === undefined) {
      throw schedulerErrors.create('MR-JOB-NO-CONNECTOR', { kind: 'source', connector: spec.connector });
    }
    const enumerator = connector.createEnumerator(spec, this.#connectorContext(spec.stepId));
    const { clock } = this.#options.ports;
    const coordinator = new SourceCoordinator(spec.stepId, vertex.parallelism, enumerator, clock, {
      addSplits: (index, splits) => {
        this.#toSubtask(vertex, index, (manager, task) =>
          manager.addSplits({ ...task, stepId: toStepId(spec.stepId), splits }),
        );
      },
      noMoreSplits: (index) => {
        this.#toSubtask(vertex, index, (manager, task) =>
          manager.noMoreSplits({ ...task, stepId: toStepId(spec.stepId) }),
        );
      },
      failed: (error) => {
        this.#fail(stepFailure(error, spec.stepId, null));
      },
    });
    this.#sources.set(vertex.id, coordinator);
    await coordinator.open();
  }

  async #prepareSink({ spec }: SinkNode): Promise<void> {
    const connector = this.#options.catalog.sinks.get(spec.connector);
    if (connector === undefined) {
      throw schedulerErrors.create('MR-JOB-NO-CONNECTOR', { kind: 'sink', connector: spec.connector });
    }
    await connector.prepare(spec, this.#connectorContext(spec.stepId));
  }

  #connectorContext(stepId: string): ConnectorContext {
    return { jobName: this.graph.name, stepId, ports: this.#options.ports, rack: null, run: null };
  }

  /** The job's slots, or null where it has ended in the meantime. */
  async #allocate(): Promise<readonly AllocatedSlot[] | null> {
    const { slots, slotTimeoutMs, ports } = this.#options;
    const needed = slotsNeeded(this.graph);
    const timer = ports.clock.schedule(slotTimeoutMs, () => {
      const seconds = Math.round(slotTimeoutMs / 1000);
      const { freeCount: free, totalCount: total } = slots;
      this.#fail(schedulerErrors.create('MR-JOB-NO-SLOTS', { needed, free, total, seconds }));
    });
    try {
      const allocated = await slots.allocate(this.jobId, needed);
      return this.#state === 'RUNNING' ? allocated : null;
    } finally {
      timer.cancel();
    }
  }

  #deploy(slots: readonly AllocatedSlot[]): void {
    this.#slots = slots;
    const locations = slots.map(({ location }) => location);
    const slices = planSlices(this.graph, this.executions, locations);
    slots.forEach(({ location, address }, index) => {
      const tasks = slices[index] ?? [];
      const manager = this.#options.rpc.connect('task-manager', address);
      for (const { attemptId } of tasks) {
        this.#managerOf.set(attemptId, manager);
        this.#tasks.move(attemptId, 'DEPLOYING');
      }
      const { epoch } = this.#options;
      const { name: jobName, maxParallelism } = this.graph;
      const slice = { epoch, jobId: this.jobId, jobName, maxParallelism, slot: location, checkpointing: null, tasks };
      manager.deploy({ ...slice, jobMasterAddress: this.#address }).catch((error: unknown) => {
        for (const { attemptId } of tasks) this.#taskReported(attemptId, 'FAILED', toMillraceError(error));
      });
    });
  }

  #taskReported(attemptId: AttemptId, report: TaskState, error: MillraceError | null): void {
    const execution = this.#tasks.execution(attemptId);
    if (execution === null) return;
    const next = reported(execution.state, report);
    if (next === null) return;
    this.#tasks.move(attemptId, next);
    if (next === 'FAILED') this.#error ??= error;
    if (next === 'RUNNING') this.#sources.get(execution.vertex.id)?.subtaskRunning(execution.subtaskIndex);
    this.#settle();
  }

  /** Draws the conclusions from the states of the tasks. */
  #settle(): void {
    const next = nextJobState(this.#state, this.#tasks.states);
    if (next === null || this.#isEnding) return;
    if (isTerminalJob(next)) {
      this.#isEnding = true;
      void this.#end(next);
      return;
    }
    this.#move(next);
    this.#cancelTasks();
    this.#settle();
  }

  /** The job fails for a reason outside its tasks. */
  #fail(error: unknown): void {
    if (isTerminalJob(this.#state) || this.#isEnding || this.#state === 'FAILING' || this.#state === 'CANCELLING') {
      return;
    }
    this.#error ??= toMillraceError(error);
    this.#move('FAILING');
    this.#cancelTasks();
    this.#settle();
  }

  #cancelTasks(): void {
    for (const { attemptId, state } of this.executions) {
      const next = cancelled(state);
      if (next === null) continue;
      this.#tasks.move(attemptId, next);
      if (next !== 'CANCELING') continue;
      const { epoch } = this.#options;
      this.#managerOf
        .get(attemptId)
        ?.cancel({ epoch, jobId: this.jobId, attemptId })
        .catch(() => {
          // Its TaskManager is gone, and the task with it.
          this.#taskReported(attemptId, 'CANCELED', null);
        });
    }
  }

  /** Gives back what the job holds, then ends it. */
  async #end(state: TerminalJobState): Promise<void> {
    const sources = [...this.#sources.values()].map((source) => source.close());
    await this.#withinTimeout(Promise.allSettled(sources));
    const { rpc, epoch, slots } = this.#options;
    await Promise.allSettled(
      this.#slots.map(({ address, location }) =>
        rpc.connect('task-manager', address).freeSlot({ epoch, jobId: this.jobId, slotId: location.slotId }),
      ),
    );
    slots.release(this.jobId);
    this.#withdraw();
    this.#metrics.end();
    this.#move(state);
    this.#resolve({ state, error: state === 'FAILED' ? this.#error : null });
  }

  async #withinTimeout(promise: Promise<unknown>): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.ports.clock.schedule(CLOSE_TIMEOUT_MS, resolve);
      void promise.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #toSubtask(
    vertex: JobVertex,
    index: number,
    call: (
      manager: TaskManagerGateway,
      task: { readonly epoch: number; readonly jobId: JobId; readonly attemptId: AttemptId },
    ) => Promise<void>,
  ): void {
    const execution = this.executions.find((each) => each.vertex.id === vertex.id && each.subtaskIndex === index);
    const manager = execution === undefined ? undefined : this.#managerOf.get(execution.attemptId);
    if (execution === undefined || manager === undefined || isTerminalTask(execution.state)) return;
    const { attemptId } = execution;
    call(manager, { epoch: this.#options.epoch, jobId: this.jobId, attemptId }).catch((error: unknown) => {
      this.#fail(error);
    });
  }

  #move(to: JobState): void {
    this.#state = move(jobTransitions, `job ${this.graph.name}`, this.#state, to);
    for (const listener of [...this.#listeners]) listener(to);
  }
}

/** All steps of a job, in the order of its vertices. */
function stepsOf(graph: JobGraph): readonly string[] {
  return graph.vertices.flatMap(({ chain }) =>
    chain.flatMap((node) => {
      if (node.kind === 'source' || node.kind === 'sink') return [node.spec.stepId];
      return node.kind === 'transform' ? node.steps.map(({ stepId }) => stepId) : [node.stepId];
    }),
  );
}
