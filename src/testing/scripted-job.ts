/**
 * A JobMaster that does only what a test tells it, with TaskManagers whose slots run inline: when checkpoints are
 * triggered, aborted and completed, and with which parallelism the job goes on after a failure.
 */
import { attemptId, jobId, subtaskId } from '../core/index.ts';
import type {
  AttemptId,
  CheckpointMetadata,
  CheckpointSettings,
  CheckpointStorage,
  Committer,
  ConnectorCatalog,
  Ports,
  RunIdentity,
  SerializedError,
  Split,
  StepId,
  SubtaskSnapshot,
} from '../core/index.ts';
import type { JobGraph, JobVertex } from '../graph/index.ts';
import { inProcessTransport, isTerminalTask, oneLeader } from '../rpc/index.ts';
import type {
  CheckpointAcknowledgement,
  CheckpointDecline,
  JobMasterGateway,
  ProgressReport,
  SlotLocation,
  SourceProgress,
  TaskDescriptor,
  TaskEnded,
  TaskManagerGateway,
  TaskManagerRegistration,
  TaskState,
  TaskStateChange,
} from '../rpc/index.ts';
import { metadataOf, restoreOfTask, stepIdsOf } from '../scheduler/index.ts';
import { startSpreadTaskManagers } from './spread-task-managers.ts';
import { inlineWorkerHost, runSlot, startTaskManager } from '../taskmanager/index.ts';
import type { OperatorFactory, RuntimeLimits, TaskManager } from '../taskmanager/index.ts';

export interface ScriptedJobOptions {
  readonly catalog: ConnectorCatalog;
  readonly ports: Ports;
  readonly createOperator: OperatorFactory;
  readonly storage: CheckpointStorage;
  readonly slotCount: number;
  /** Whether every slot is in a TaskManager of its own, linked with the others over TCP. */
  readonly isSpread?: boolean;
  readonly limits?: Partial<RuntimeLimits>;
  readonly mode?: CheckpointSettings['mode'];
  readonly alignmentTimeoutMs?: number;
}

interface Task {
  readonly attemptId: AttemptId;
  readonly vertex: JobVertex;
  readonly subtaskIndex: number;
  state: TaskState;
  error: SerializedError | null;
}

export type ScriptedCheckpoint = CheckpointMetadata;

const JOB = jobId('scripted');

export class ScriptedJob implements JobMasterGateway {
  readonly acknowledgements: CheckpointAcknowledgement[] = [];
  readonly declines: CheckpointDecline[] = [];
  /** Of sources whose watermarks are aligned, as it was reported. */
  readonly progress: SourceProgress[] = [];
  tasks: Task[] = [];
  generation = 0;
  readonly #options: ScriptedJobOptions;
  readonly #rpc = inProcessTransport();
  readonly #ended = new Map<AttemptId, SubtaskSnapshot>();
  #graph: JobGraph;
  #managers: readonly TaskManager[] = [];
  #gateways: readonly TaskManagerGateway[] = [];
  #slots: readonly SlotLocation[] = [];
  #nextId = 1;
  #initial: ReadonlyMap<string, readonly Split[]> = new Map();

  constructor(graph: JobGraph, options: ScriptedJobOptions) {
    this.#graph = graph;
    this.#options = options;
  }

  /** Starts the TaskManagers; deploys nothing. */
  async start(): Promise<void> {
    const { ports, catalog, createOperator, storage, slotCount, limits = {}, isSpread = false } = this.#options;
    this.#rpc.serve('job-master', 'jm', this);
    const registrations: TaskManagerRegistration[] = [];
    this.#rpc.serve('resource-manager', 'rm', {
      registerTaskManager: async (message) => {
        registrations.push(message);
        return { heartbeatIntervalMs: null };
      },
      heartbeat: async () => ({ isKnown: true }),
      unregisterTaskManager: async () => undefined,
    });
    const dependencies = { ports, catalog, createOperator, openStorage: () => storage };
    const machine = {
      rpc: this.#rpc,
      leaders: oneLeader({ epoch: 1, resourceManagerAddress: 'rm' }),
      ports,
      workerHost: inlineWorkerHost((data) => runSlot(data, dependencies)),
      slotCount,
      limits,
    };
    this.#managers = isSpread ? await startSpreadTaskManagers(machine) : [await startTaskManager(machine)];
    await Promise.all(this.#managers.map(({ registered }) => registered));
    this.#slots = registrations.flatMap(({ taskManagerId, slots }) =>
      slots.map(({ slotId, data }) => ({ taskManagerId, slotId, rack: null, host: null, data })),
    );
    this.#gateways = registrations.map(({ address }) => this.#rpc.connect('task-manager', address));
    this.#initial = await this.#discover();
  }

  async close(): Promise<void> {
    await Promise.all(this.#managers.map((manager) => manager.close()));
  }

  get failure(): SerializedError | null {
    return this.tasks.find(({ state }) => state === 'FAILED')?.error ?? null;
  }

  isEvery(state: TaskState): boolean {
    return this.tasks.every((task) => task.state === state);
  }

  get hasEnded(): boolean {
    return this.tasks.every(({ attemptId: attempt }) => this.#ended.has(attempt));
  }

  /** Deploys the next generation, from a checkpoint or anew, with the graph as it is or another parallelism. */
  async deploy(from: ScriptedCheckpoint | null, graph = this.#graph): Promise<void> {
    this.#graph = graph;
    this.generation++;
    this.#ended.clear();
    this.tasks = graph.vertices.flatMap((vertex) =>
      Array.from({ length: vertex.parallelism }, (_, subtaskIndex): Task => {
        const attempt = attemptId(subtaskId(vertex.id, subtaskIndex), this.generation);
        return { attemptId: attempt, vertex, subtaskIndex, state: 'DEPLOYING', error: null };
      }),
    );
    const run = this.#run;
    const slotCount = Math.max(...graph.vertices.map(({ parallelism }) => parallelism));
    for (const [index, slot] of this.#slots.slice(0, slotCount).entries()) {
      const manager = this.#gateways[this.#managers.findIndex(({ id }) => id === slot.taskManagerId)];
      await manager?.deploy({
        epoch: 1,
        jobId: JOB,
        jobName: graph.name,
        maxParallelism: graph.maxParallelism,
        slot,
        attempt: this.generation,
        jobMasterAddress: 'jm',
        checkpointing: { run, storage: { kind: 'directory', path: '/nowhere' } },
        tasks: this.tasks.filter((task) => task.subtaskIndex === index).map((task) => this.#describe(task, from)),
      });
    }
  }

  /** Hands out the splits; called once all tasks run. */
  async addSplits(from: ScriptedCheckpoint | null): Promise<void> {
    for (const vertex of this.#graph.vertices) {
      const [source] = vertex.chain;
      if (source?.kind !== 'source') continue;
      const written = from?.vertices.find(({ vertexId }) => vertexId === vertex.id);
      const restored = written?.subtasks.flatMap(({ splits }) => splits);
      const splits = restored ?? this.#initial.get(vertex.name) ?? [];
      for (const { attemptId: attempt, subtaskIndex } of this.tasks.filter((task) => task.vertex === vertex)) {
        const mine = splits.filter((_, index) => index % vertex.parallelism === subtaskIndex);
        const task = { epoch: 1, jobId: JOB, attemptId: attempt, stepId: source.spec.stepId as StepId };
        await this.#manage((manager) => manager.addSplits({ ...task, splits: mine }));
        await this.#manage((manager) => manager.noMoreSplits(task));
      }
    }
  }

  /** Triggers a checkpoint; returns its id. */
  async trigger(): Promise<number> {
    const checkpointId = this.#nextId++;
    const sources = this.tasks.filter(({ vertex }) => vertex.chain[0]?.kind === 'source');
    for (const task of sources) {
      const trigger = { ...this.#reference(task), checkpointId, triggeredAtMs: 0 };
      await this.#manage((manager) => manager.triggerCheckpoint(trigger));
    }
    return checkpointId;
  }

  async abort(checkpointId: number): Promise<void> {
    for (const task of this.tasks.filter((each) => this.#acknowledged(each, checkpointId) === null)) {
      await this.#manage((manager) => manager.checkpointAborted({ ...this.#reference(task), checkpointId }));
    }
  }

  /** The checkpoint, if all tasks have acknowledged it or ended; null else. */
  checkpoint(checkpointId: number): ScriptedCheckpoint | null {
    const found = new Map<AttemptId, SubtaskSnapshot>();
    for (const task of this.tasks) {
      const snapshot = this.#acknowledged(task, checkpointId) ?? this.#ended.get(task.attemptId);
      if (snapshot === undefined) return null;
      found.set(task.attemptId, snapshot);
    }
    const times = { checkpointId, triggeredAtMs: 0, completedAtMs: 0 };
    const metadata = metadataOf(this.#graph, this.#run, this.tasks, found, times);
    // As if it had been stored.
    return JSON.parse(JSON.stringify(metadata)) as CheckpointMetadata;
  }

  /** The id of a checkpoint without barriers, for when all tasks have ended. */
  takeId(): number {
    return this.#nextId++;
  }

  async complete(checkpointId: number): Promise<void> {
    for (const task of this.tasks) {
      await this.#manage((manager) => manager.checkpointCompleted({ ...this.#reference(task), checkpointId }));
    }
  }

  /** Lets sources go so far in event time, and no further. */
  async align(maxWatermarkMs: number): Promise<void> {
    for (const task of this.tasks) {
      await this.#manage((manager) => manager.alignWatermark({ ...this.#reference(task), maxWatermarkMs }));
    }
  }

  async cancel(): Promise<void> {
    for (const task of this.tasks) await this.#manage((manager) => manager.cancel(this.#reference(task)));
  }

  /** Frees the slots; called when all tasks have ended. */
  async free(): Promise<void> {
    for (const { slotId } of this.#slots) {
      await this.#manage((manager) => manager.freeSlot({ epoch: 1, jobId: JOB, slotId }));
    }
  }

  /** Commits what a checkpoint holds and takes back what older generations left. */
  async settle(from: ScriptedCheckpoint | null): Promise<void> {
    const written = (from?.vertices ?? []).flatMap(({ subtasks }) => subtasks);
    const handles = written.flatMap(({ committables }) => committables);
    const runs = Array.from({ length: this.generation }, (_, index) => ({ generation: index + 1, parallelism: 4 }));
    for (const committer of this.#committers()) {
      await committer.commit(handles);
      await committer.abortOlder(runs);
      await committer.close();
    }
  }

  async taskStateChanged({ attemptId: attempt, state, error }: TaskStateChange): Promise<void> {
    const task = this.tasks.find((each) => each.attemptId === attempt);
    if (task === undefined || isTerminalTask(task.state)) return;
    task.state = state;
    task.error = error;
  }

  async acknowledgeCheckpoint(message: CheckpointAcknowledgement): Promise<void> {
    if (this.#ended.has(message.attemptId)) throw new Error('an acknowledgement after the end');
    this.acknowledgements.push(message);
  }

  async declineCheckpoint(message: CheckpointDecline): Promise<void> {
    this.declines.push(message);
  }

  async checkpointCommitted(): Promise<void> {
    // Seen in what is committed.
  }

  async taskEnded({ attemptId: attempt, snapshot }: TaskEnded): Promise<void> {
    if (this.#ended.has(attempt)) throw new Error('a task ended twice');
    this.#ended.set(attempt, snapshot);
  }

  async reportProgress({ sources }: ProgressReport): Promise<void> {
    this.progress.push(...sources);
  }

  get #run(): RunIdentity {
    const { mode = 'exactly-once', alignmentTimeoutMs } = this.#options;
    const alignment = alignmentTimeoutMs === undefined ? {} : { alignmentTimeoutMs };
    const times = { intervalMs: 1, timeoutMs: 1, minPauseMs: 0, ...alignment };
    const settings = { ...times, mode, tolerableFailures: 0, retained: 1 };
    return { clusterId: 'test', jobName: this.#graph.name, generation: this.generation, settings };
  }

  #acknowledged({ attemptId: attempt }: Task, checkpointId: number): SubtaskSnapshot | null {
    const found = this.acknowledgements.find(
      (each) => each.attemptId === attempt && each.checkpointId === checkpointId,
    );
    return found?.snapshot ?? null;
  }

  #committers(): readonly Committer[] {
    const { catalog, ports } = this.#options;
    const run = { jobName: this.#graph.name, ports, rack: null, run: null };
    return this.#graph.vertices.flatMap(({ chain }) =>
      chain.flatMap((node) => {
        if (node.kind !== 'sink') return [];
        const connector = catalog.sinks.get(node.spec.connector);
        return connector?.createCommitter?.(node.spec, { ...run, stepId: node.spec.stepId }) ?? [];
      }),
    );
  }

  async #discover(): Promise<ReadonlyMap<string, readonly Split[]>> {
    const { catalog, ports } = this.#options;
    const found = new Map<string, readonly Split[]>();
    for (const { name, chain } of this.#graph.vertices) {
      const [source] = chain;
      if (source?.kind !== 'source') continue;
      const { stepId, connector } = source.spec;
      const context = { jobName: this.#graph.name, stepId, ports, rack: null, run: null };
      const enumerator = catalog.sources.get(connector)?.createEnumerator(source.spec, context);
      found.set(name, (await enumerator?.discover()) ?? []);
    }
    return found;
  }

  #describe({ attemptId: attempt, vertex, subtaskIndex }: Task, from: ScriptedCheckpoint | null): TaskDescriptor {
    const { vertices, edges } = this.#graph;
    const countOf = (id: string): number => vertices.find((each) => each.id === id)?.parallelism ?? 0;
    const described = edges.map((edge, index) => {
      // Numbers far enough apart for any parallelism of a test.
      const base = { edge, firstChannel: index * 100 };
      const to = vertices.find(({ id }) => id === edge.to);
      const [step] = (to?.chain ?? []).flatMap(stepIdsOf);
      if (to === undefined || step === undefined) throw new Error(`nothing reads edge ${edge.id}`);
      const reader = { stepId: step, input: to.inputs.indexOf(edge.id) };
      return {
        edge,
        input: { ...base, senders: this.#slots.slice(0, countOf(edge.from)) },
        output: { ...base, reader, receivers: this.#slots.slice(0, countOf(edge.to)) },
      };
    });
    return {
      attemptId: attempt,
      vertex,
      subtaskIndex,
      inputs: described.filter(({ edge }) => edge.to === vertex.id).map(({ input }) => input),
      outputs: described.filter(({ edge }) => edge.from === vertex.id).map(({ output }) => output),
      errors: { kind: 'fail' },
      restore: from === null ? null : restoreOfTask(from, vertex, subtaskIndex),
    };
  }

  #reference({ attemptId: attempt }: Task) {
    return { epoch: 1, jobId: JOB, attemptId: attempt };
  }

  /** Every TaskManager is told: those that do not know the task take no notice. */
  async #manage(call: (manager: TaskManagerGateway) => Promise<void>): Promise<void> {
    for (const gateway of this.#gateways) await call(gateway);
  }
}

/** What the subtasks of a vertex contributed. */
export function snapshotsOf(checkpoint: ScriptedCheckpoint | null, vertex: string): readonly SubtaskSnapshot[] {
  return checkpoint?.vertices.find(({ vertexId }) => vertexId === vertex)?.subtasks ?? [];
}
