import { toMillraceError } from '../core/index.ts';
import type {
  AttemptId,
  CheckpointMetadata,
  CheckpointStorageConfig,
  ConnectorContext,
  MillraceError,
  RunIdentity,
  SlotId,
} from '../core/index.ts';
import type { JobVertex, SinkNode } from '../graph/index.ts';
import { isTerminalTask } from '../rpc/index.ts';
import type {
  SlotReport,
  SourceProgress,
  TaskManagerGateway,
  TaskReference,
  TaskState,
} from '../rpc/index.ts';
import { AttemptSources } from './attempt-sources.ts';
import { schedulerErrors } from './errors.ts';
import { ExecutionGraph } from './execution-graph.ts';
import type { Execution } from './execution-graph.ts';
import { inStep } from './in-step.ts';
import type { JobMasterOptions } from './job-master-options.ts';
import { explainPlacement } from './placement/placement-report.ts';
import type { PlacementChoice, PlacementReport } from './placement/placement-report.ts';
import type { SourceDemand } from './placement/placement-request.ts';
import { restoreOfTask } from './recovery/restored-tasks.ts';
import type { StartedPart } from './recovery/job-recovery.ts';
import type { AdoptedTask } from './recovery/take-over.ts';
import { planSlices, slotsNeeded } from './slice-plan.ts';
import type { AllocatedSlot, LostSlots } from './slot-pool.ts';
import { cancelled, reported } from './task-state.ts';
import { WatermarkAlignment } from './watermark-alignment.ts';
import { withinTimeout } from './within-timeout.ts';

export interface JobAttemptOptions
  extends Pick<JobMasterOptions, 'jobId' | 'graph' | 'epoch' | 'ports' | 'catalog' | 'rpc'> {
  /** Where the JobMasterGateway is served. */
  readonly address: string;
  /** Part of the ids of its tasks; larger than those of all attempts before. */
  readonly number: number;
  /** Instead, of each slice, where parts of it were restarted under an earlier leader. */
  readonly numbers?: readonly number[];
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
  readonly #options: JobAttemptOptions;
  /** Of each slice. */
  readonly #numbers: number[];
  readonly #tasks: ExecutionGraph;
  readonly #sources: AttemptSources;
  readonly #managerOf = new Map<AttemptId, TaskManagerGateway>();
  /** By slot: rejects once it is lost, so that nobody waits for an answer from there. */
  readonly #losses = new Map<SlotId, PromiseWithResolvers<never>>();
  /** Slots whose process is gone. */
  readonly #dead = new Set<SlotId>();
  readonly #alignment: WatermarkAlignment;
  #slots: AllocatedSlot[] = [];
  #choice: PlacementChoice | null = null;
  #closed: Promise<boolean> | null = null;

  constructor(options: JobAttemptOptions) {
    this.#options = options;
    const { graph, number, numbers } = options;
    this.#numbers = Array.from({ length: slotsNeeded(graph) }, (_, slice) => numbers?.[slice] ?? number);
    this.#tasks = new ExecutionGraph(graph, (slice) => this.#numberOf(slice));
    this.#alignment = new WatermarkAlignment(driftsOf(this.#tasks.executions));
    this.#sources = new AttemptSources({
      ...options,
      context: (stepId) => this.#connectorContext(stepId),
      toSubtask: (vertex, index, call) => {
        this.#toSubtask(vertex, index, call);
      },
    });
  }

  /** Of each slice: the newest where it was restarted. */
  get numbers(): readonly number[] {
    return this.#numbers;
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
    const sources = this.#sources.open();
    const sinks = this.#options.graph.vertices.flatMap(({ chain }) =>
      chain.flatMap((node) =>
        node.kind === 'sink' ? [inStep(node.spec.stepId, () => this.#prepareSink(node))] : [],
      ),
    );
    await Promise.all([...sources, ...sinks]);
  }

  /** What its sources are going to read; known once it is prepared. */
  get demands(): readonly SourceDemand[] {
    return this.#sources.demands;
  }

  /** What they read since it is placed. */
  get decidedDemands(): readonly SourceDemand[] {
    return this.#sources.decidedDemands;
  }

  /** What runs where, who reads which split, how far from where it is, and why. */
  get placement(): PlacementReport {
    const slots = this.#slots.map(({ location }) => location);
    const readers = slots.length === 0 ? [] : this.#sources.readers;
    return explainPlacement({ graph: this.#options.graph, slots, readers, choice: this.#choice });
  }

  /** What its slots were chosen from, for whoever asks why they were. */
  chosenFrom(choice: PlacementChoice): void {
    this.#choice = choice;
  }

  /** From now on it waits for slots. */
  schedule(): void {
    for (const { attemptId } of this.executions) this.#tasks.move(attemptId, 'SCHEDULED');
  }

  deploy(slots: readonly AllocatedSlot[]): void {
    this.#occupy(slots);
    const { run, restored } = this.#options;
    this.#sources.place(slots.map(({ location }) => location));
    this.#deploy(slots.map((_, slice) => slice), run, restored);
  }

  /** Whether some of its slices can be restarted without the others. */
  get canRestartPart(): boolean {
    return this.#sources.canRestart;
  }

  /** The tasks of these slices, which have ended, are going to start anew; they wait for slots. */
  renew(slices: readonly number[], number: number): void {
    for (const slice of slices) this.#numbers[slice] = number;
    for (const { attemptId } of this.#of(slices)) this.#managerOf.delete(attemptId);
    this.#tasks.replace(slices, number);
    for (const { attemptId } of this.#of(slices)) this.#tasks.move(attemptId, 'SCHEDULED');
    this.#alignment.replace(driftsOf(this.executions));
  }

  /** Deploys the tasks of these slices, which were renewed, in their slots among `slots`, which are those of all. */
  redeploy(slices: readonly number[], slots: readonly AllocatedSlot[], { run, restored }: StartedPart): void {
    this.#slots = [...slots];
    for (const slice of slices) this.#take(slice);
    this.#sources.restart(slices, slots.map(({ location }) => location), restored);
    this.#deploy(slices, run, restored);
  }

  /** Cancels the tasks of these slices that have not ended. */
  cancelPart(slices: readonly number[]): void {
    for (const execution of this.#of(slices)) this.#cancel(execution);
  }

  /** Frees the threads of these slices. Resolves to those that are not known to have ended. */
  async closePart(slices: readonly number[]): Promise<readonly number[]> {
    const ended = await Promise.all(slices.map((slice) => this.#freed(slice)));
    return slices.filter((_, index) => ended[index] !== true);
  }

  #of(slices: readonly number[]): readonly Execution[] {
    return this.executions.filter(({ subtaskIndex }) => slices.includes(subtaskIndex));
  }

  #numberOf(slice: number): number {
    return this.#numbers[slice] ?? this.#options.number;
  }

  #deploy(slices: readonly number[], run: RunIdentity | null, restored: CheckpointMetadata | null): void {
    const { graph, rpc, epoch, jobId, storage, address: jobMasterAddress } = this.#options;
    const checkpointing = run === null || storage === null ? null : { run, storage };
    const locations = this.#slots.map(({ location }) => location);
    const planned = planSlices(graph, this.executions, locations, (vertex, index) =>
      restored === null || !slices.includes(index) ? null : restoreOfTask(restored, vertex, index),
    );
    for (const index of slices) {
      const allocated = this.#slots[index];
      if (allocated === undefined) continue;
      const { location: slot, address } = allocated;
      const tasks = planned[index] ?? [];
      const manager = rpc.connect('task-manager', address);
      for (const { attemptId } of tasks) this.#tasks.move(attemptId, 'DEPLOYING');
      const { name: jobName, maxParallelism, state } = graph;
      const job = { jobId, jobName, maxParallelism, ...(state === undefined ? {} : { state }) };
      const slice = { epoch, attempt: this.#numberOf(index), ...job, slot, jobMasterAddress, checkpointing, tasks };
      manager.deploy(slice).catch((error: unknown) => {
        for (const { attemptId } of tasks) this.#options.taskEnded(attemptId, 'FAILED', toMillraceError(error));
      });
    }
  }

  /**
   * Instead of deploy(): from now on the tasks that run in these slots report here. Resolves to what the slots have
   * reported so far; rejects where one cannot be asked.
   */
  adopt(slots: readonly AllocatedSlot[]): Promise<readonly SlotReport[]> {
    this.#occupy(slots);
    const { rpc, epoch, jobId, address: jobMasterAddress } = this.#options;
    return Promise.all(
      slots.map(({ address, location: { slotId } }, slice) => {
        const manager = rpc.connect('task-manager', address);
        const message = { epoch, jobId, attempt: this.#numberOf(slice), slotId, jobMasterAddress };
        return this.#unlessLost(slotId, manager.adoptSlot(message));
      }),
    );
  }

  /** The tasks that were adopted go on. */
  resume(tasks: readonly AdoptedTask[]): void {
    for (const { execution, report } of tasks) {
      this.#tasks.advance(execution.attemptId, report.state === 'FINISHED' ? 'FINISHED' : 'RUNNING');
    }
    this.#sources.resume(tasks, this.#slots.map(({ location }) => location));
  }

  /** Slots are lost, and their tasks with them: nobody waits for what their TaskManagers were asked. */
  lost({ slotIds, error, areDead }: LostSlots): void {
    if (areDead) for (const id of slotIds) this.#dead.add(id);
    const gone = this.executions.filter(({ slot }) => slot !== null && slotIds.includes(slot.slotId));
    for (const id of slotIds) this.#losses.get(id)?.reject(error);
    for (const { attemptId } of gone) this.#managerOf.delete(attemptId);
    for (const { attemptId } of gone) this.#options.taskEnded(attemptId, 'FAILED', error);
  }

  /** Stops what it does itself; its tasks are another leader's. */
  abandon(): void {
    this.#managerOf.clear();
    this.#slots = [];
    void this.#sources.close();
  }

  /** Takes a report in. Returns the task with its new state, or null where the report changes nothing. */
  report(attemptId: AttemptId, report: TaskState): Execution | null {
    const execution = this.#tasks.execution(attemptId);
    const next = execution === null ? null : reported(execution.state, report);
    if (execution === null || next === null) return null;
    this.#tasks.move(attemptId, next);
    if (next === 'RUNNING') this.#sources.subtaskRunning(execution.vertex, execution.subtaskIndex);
    return execution;
  }

  /** Pauses sources that are too far ahead of others, and lets them go on. */
  align(sources: readonly SourceProgress[]): void {
    for (const [attemptId, maxWatermarkMs] of this.#alignment.report(sources)) {
      const told = this.send(attemptId, (manager, task) => manager.alignWatermark({ ...task, maxWatermarkMs }));
      // A TaskManager that is gone is noticed otherwise; one that is not may have missed it.
      told.catch(() => {
        this.#alignment.unheard(attemptId);
      });
    }
  }

  /** Cancels all tasks that have not ended. */
  cancel(): void {
    for (const execution of this.executions) this.#cancel(execution);
  }

  #cancel({ attemptId, state }: Execution): void {
    const next = cancelled(state);
    if (next === null) return;
    this.#tasks.move(attemptId, next);
    if (next !== 'CANCELING') return;
    this.send(attemptId, (manager, task) => manager.cancel(task)).catch(() => {
      // Its TaskManager is gone, and the task with it.
      this.#options.taskEnded(attemptId, 'CANCELED', null);
    });
  }

  /** Calls a task's TaskManager. */
  async send(
    attemptId: AttemptId,
    call: (manager: TaskManagerGateway, task: TaskReference) => Promise<void>,
  ): Promise<void> {
    const manager = this.#managerOf.get(attemptId);
    if (manager === undefined) return;
    const { epoch, jobId } = this.#options;
    try {
      await call(manager, { epoch, jobId, attemptId });
    } catch (error) {
      // An answer that a lost TaskManager did not give comes to light late: the next attempt has nothing to do with it.
      if (this.#managerOf.get(attemptId) === manager && this.#closed === null) throw error;
    }
  }

  /** Closes the sources and frees the slots' threads. Resolves to whether every thread is known to have ended. */
  close(): Promise<boolean> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<boolean> {
    const { ports } = this.#options;
    const [freed] = await Promise.all([
      Promise.all(this.#slots.map((_, slice) => this.#freed(slice))),
      withinTimeout(ports.clock, CLOSE_TIMEOUT_MS, this.#sources.close()),
    ]);
    return freed.every((isFreed) => isFreed);
  }

  /** Resolves to whether the thread of this slice is known to have ended. */
  async #freed(slice: number): Promise<boolean> {
    const slot = this.#slots[slice];
    if (slot === undefined) return true;
    const { rpc, epoch, jobId } = this.#options;
    const { address, location: { slotId } } = slot;
    const message = { epoch, jobId, slotId, attempt: this.#numberOf(slice) };
    return this.#unlessLost(slotId, rpc.connect('task-manager', address).freeSlot(message)).then(
      () => true,
      () => this.#dead.has(slotId),
    );
  }

  #occupy(slots: readonly AllocatedSlot[]): void {
    this.#slots = [...slots];
    slots.forEach((_, slice) => {
      this.#take(slice);
    });
  }

  /** The tasks of this slice run in its slot, or are about to. */
  #take(slice: number): void {
    const slot = this.#slots[slice];
    if (slot === undefined) return;
    const loss = Promise.withResolvers<never>();
    loss.promise.catch(() => undefined);
    this.#losses.set(slot.location.slotId, loss);
    for (const { attemptId } of this.#of([slice])) {
      this.#tasks.place(attemptId, slot.location);
      this.#managerOf.set(attemptId, this.#options.rpc.connect('task-manager', slot.address));
    }
  }

  /** The answer of a slot's TaskManager. Rejects once the slot is lost. */
  #unlessLost<T>(slotId: SlotId, answer: Promise<T>): Promise<T> {
    const loss = this.#losses.get(slotId);
    return loss === undefined ? answer : Promise.race([answer, loss.promise]);
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
      this.#options.taskEnded(execution.attemptId, 'FAILED', toMillraceError(error));
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
