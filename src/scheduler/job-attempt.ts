import { stepId as toStepId, toMillraceError } from '../core/index.ts';
import type {
  AttemptId,
  CheckpointMetadata,
  CheckpointStorageConfig,
  ConnectorCatalog,
  ConnectorContext,
  JobId,
  MillraceError,
  Ports,
  RunIdentity,
  SplitEnumerator,
} from '../core/index.ts';
import type { JobGraph, JobVertex, SinkNode, SourceNode } from '../graph/index.ts';
import { isTerminalTask, stepFailure } from '../rpc/index.ts';
import type {
  RpcTransport,
  SourceProgress,
  TaskManagerGateway,
  TaskReference,
  TaskState,
} from '../rpc/index.ts';
import { schedulerErrors } from './errors.ts';
import { ExecutionGraph } from './execution-graph.ts';
import type { Execution } from './execution-graph.ts';
import { inStep } from './in-step.ts';
import { restoredSplits, restoreOfTask } from './recovery/restored-tasks.ts';
import { planSlices } from './slice-plan.ts';
import type { AllocatedSlot } from './slot-pool.ts';
import { SourceCoordinator } from './source-coordinator.ts';
import { cancelled, reported } from './task-state.ts';
import { WatermarkAlignment } from './watermark-alignment.ts';
import { withinTimeout } from './within-timeout.ts';

export interface JobAttemptOptions {
  readonly jobId: JobId;
  readonly graph: JobGraph;
  readonly epoch: number;
  readonly ports: Ports;
  readonly catalog: ConnectorCatalog;
  readonly rpc: RpcTransport;
  /** Where the JobMasterGateway is served. */
  readonly address: string;
  /** Part of the ids of its tasks; larger than those of all attempts before. */
  readonly number: number;
  /** Null where the job takes no checkpoints. */
  readonly run: RunIdentity | null;
  readonly storage: CheckpointStorageConfig | null;
  /** What it starts from; null for nothing. */
  readonly restored: CheckpointMetadata | null;
  /** Called where a task has ended that cannot say so itself. */
  readonly taskEnded: (task: AttemptId, state: 'FAILED' | 'CANCELED', error: MillraceError | null) => void;
  /** Called where something beside the tasks has failed. */
  readonly failed: (error: unknown) => void;
}

/** How long sources' enumerators may take to close. */
const CLOSE_TIMEOUT_MS = 5000;

/** One try to run the whole job: its sources' splits, its slots and its tasks. */
export class JobAttempt {
  readonly number: number;
  readonly #options: JobAttemptOptions;
  readonly #tasks: ExecutionGraph;
  /** By vertex. */
  readonly #sources = new Map<string, SourceCoordinator>();
  readonly #managerOf = new Map<AttemptId, TaskManagerGateway>();
  readonly #alignment: WatermarkAlignment;
  #slots: readonly AllocatedSlot[] = [];
  #closed: Promise<boolean> | null = null;

  constructor(options: JobAttemptOptions) {
    this.#options = options;
    this.number = options.number;
    this.#tasks = new ExecutionGraph(options.graph, options.number);
    this.#alignment = new WatermarkAlignment(driftsOf(this.#tasks.executions));
  }

  /** In topological order of the vertices. */
  get executions(): readonly Execution[] {
    return this.#tasks.executions;
  }

  get states(): readonly TaskState[] {
    return this.#tasks.states;
  }

  /** Opens the sources' enumerators and lets sinks check where they will write, all at once. */
  async prepare(): Promise<void> {
    const work = this.#options.graph.vertices.flatMap((vertex) =>
      vertex.chain.flatMap((node) => {
        if (node.kind === 'source') return [inStep(node.spec.stepId, () => this.#openSource(vertex, node))];
        if (node.kind === 'sink') return [inStep(node.spec.stepId, () => this.#prepareSink(node))];
        return [];
      }),
    );
    await Promise.all(work);
  }

  /** From now on it waits for slots. */
  schedule(): void {
    for (const { attemptId } of this.executions) this.#tasks.move(attemptId, 'SCHEDULED');
  }

  deploy(slots: readonly AllocatedSlot[]): void {
    this.#slots = slots;
    const { graph, rpc, epoch, jobId, run, storage, restored, address: jobMasterAddress } = this.#options;
    const checkpointing = run === null || storage === null ? null : { run, storage };
    const locations = slots.map(({ location }) => location);
    const slices = planSlices(graph, this.executions, locations, (vertex, index) =>
      restored === null ? null : restoreOfTask(restored, vertex, index),
    );
    slots.forEach(({ location: slot, address }, index) => {
      const tasks = slices[index] ?? [];
      const manager = rpc.connect('task-manager', address);
      for (const { attemptId } of tasks) {
        this.#managerOf.set(attemptId, manager);
        this.#tasks.move(attemptId, 'DEPLOYING');
      }
      const { name: jobName, maxParallelism, state } = graph;
      const job = { jobId, jobName, maxParallelism, ...(state === undefined ? {} : { state }) };
      const slice = { epoch, attempt: this.number, ...job, slot, jobMasterAddress, checkpointing, tasks };
      manager.deploy(slice).catch((error: unknown) => {
        for (const { attemptId } of tasks) this.#options.taskEnded(attemptId, 'FAILED', toMillraceError(error));
      });
    });
  }

  /** Takes a report in. Returns the task with its new state, or null where the report changes nothing. */
  report(attemptId: AttemptId, report: TaskState): Execution | null {
    const execution = this.#tasks.execution(attemptId);
    const next = execution === null ? null : reported(execution.state, report);
    if (execution === null || next === null) return null;
    this.#tasks.move(attemptId, next);
    if (next === 'RUNNING') this.#sources.get(execution.vertex.id)?.subtaskRunning(execution.subtaskIndex);
    return execution;
  }

  /** Pauses sources that are too far ahead of others, and lets them go on. */
  align(sources: readonly SourceProgress[]): void {
    for (const [attemptId, maxWatermarkMs] of this.#alignment.report(sources)) {
      const told = this.send(attemptId, (manager, task) => manager.alignWatermark({ ...task, maxWatermarkMs }));
      // A TaskManager that is gone is noticed otherwise.
      told.catch(() => undefined);
    }
  }

  /** Cancels all tasks that have not ended. */
  cancel(): void {
    for (const { attemptId, state } of this.executions) {
      const next = cancelled(state);
      if (next === null) continue;
      this.#tasks.move(attemptId, next);
      if (next !== 'CANCELING') continue;
      this.send(attemptId, (manager, task) => manager.cancel(task)).catch(() => {
        // Its TaskManager is gone, and the task with it.
        this.#options.taskEnded(attemptId, 'CANCELED', null);
      });
    }
  }

  /** Calls a task's TaskManager. */
  async send(
    attemptId: AttemptId,
    call: (manager: TaskManagerGateway, task: TaskReference) => Promise<void>,
  ): Promise<void> {
    const manager = this.#managerOf.get(attemptId);
    if (manager === undefined) return;
    const { epoch, jobId } = this.#options;
    await call(manager, { epoch, jobId, attemptId });
  }

  /** Closes the sources and frees the slots' threads. Resolves to whether every thread is known to have ended. */
  close(): Promise<boolean> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<boolean> {
    const { rpc, epoch, jobId, ports } = this.#options;
    const sources = Promise.allSettled([...this.#sources.values()].map((source) => source.close()));
    await withinTimeout(ports.clock, CLOSE_TIMEOUT_MS, sources);
    const freed = await Promise.allSettled(
      this.#slots.map(({ address, location: { slotId } }) =>
        rpc.connect('task-manager', address).freeSlot({ epoch, jobId, slotId }),
      ),
    );
    return freed.every(({ status }) => status === 'fulfilled');
  }

  async #openSource(vertex: JobVertex, { spec }: SourceNode): Promise<void> {
    const { restored, ports } = this.#options;
    const stepId = toStepId(spec.stepId);
    const coordinator = new SourceCoordinator(
      spec.stepId,
      vertex.parallelism,
      this.#createEnumerator(spec),
      ports.clock,
      {
        addSplits: (index, splits) => {
          this.#toSubtask(vertex, index, (manager, task) => manager.addSplits({ ...task, stepId, splits }));
        },
        noMoreSplits: (index) => {
          this.#toSubtask(vertex, index, (manager, task) => manager.noMoreSplits({ ...task, stepId }));
        },
        failed: (error) => {
          this.#options.failed(stepFailure(error, spec.stepId, null));
        },
      },
      restored === null ? null : restoredSplits(restored, stepId),
    );
    this.#sources.set(vertex.id, coordinator);
    await coordinator.open();
  }

  #createEnumerator(spec: SourceNode['spec']): SplitEnumerator {
    const connector = this.#options.catalog.sources.get(spec.connector);
    if (connector === undefined) {
      throw schedulerErrors.create('MR-JOB-NO-CONNECTOR', { kind: 'source', connector: spec.connector });
    }
    return connector.createEnumerator(spec, this.#connectorContext(spec.stepId));
  }

  async #prepareSink({ spec }: SinkNode): Promise<void> {
    const connector = this.#options.catalog.sinks.get(spec.connector);
    if (connector === undefined) {
      throw schedulerErrors.create('MR-JOB-NO-CONNECTOR', { kind: 'sink', connector: spec.connector });
    }
    await connector.prepare(spec, this.#connectorContext(spec.stepId));
  }

  #connectorContext(stepId: string): ConnectorContext {
    const { graph, ports, run, restored } = this.#options;
    return { jobName: graph.name, stepId, ports, rack: null, run, isRestored: restored !== null };
  }

  #toSubtask(
    vertex: JobVertex,
    index: number,
    call: (manager: TaskManagerGateway, task: TaskReference) => Promise<void>,
  ): void {
    const execution = this.executions.find((each) => each.vertex.id === vertex.id && each.subtaskIndex === index);
    if (execution === undefined || isTerminalTask(execution.state)) return;
    this.send(execution.attemptId, call).catch((error: unknown) => {
      this.#options.failed(error);
    });
  }
}

/** By task, how far its source may run ahead of others; tasks whose source may not care are not in it. */
function driftsOf(executions: readonly Execution[]): ReadonlyMap<AttemptId, number> {
  const drifts = new Map<AttemptId, number>();
  for (const { attemptId, vertex } of executions) {
    const [source] = vertex.chain;
    const maxDriftMs = source?.kind === 'source' ? source.watermark?.maxDriftMs : undefined;
    if (maxDriftMs !== undefined) drifts.set(attemptId, maxDriftMs);
  }
  return drifts;
}
