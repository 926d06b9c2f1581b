/**
 * The control plane: who asks what of whom, each gateway in the order in which its methods are called. Messages are
 * plain data, because they will travel between machines. Every message carries the epoch of the leadership that it
 * belongs to, and a receiver refuses one older than the newest it has seen (MR-RPC-STALE-EPOCH).
 *
 * A call resolves when the receiver has taken the message over, not when what it asks for is done; what becomes of
 * that is told by calls in the other direction.
 */
import type {
  AttemptId,
  ChannelStateHandle,
  CheckpointStorageConfig,
  ErrorPolicy,
  JobId,
  KeyGroupRuns,
  OperatorStateHandle,
  RowSchema,
  RunIdentity,
  SerializedError,
  SlotId,
  Split,
  StepId,
  SubtaskSnapshot,
  TaskManagerId,
} from '../core/index.ts';
import type { JobEdge, JobVertex, StateSettings } from '../graph/index.ts';
import type { StepCounters } from '../metrics/index.ts';
import type { LogKind, WrittenLog } from './process-log.ts';
import type { TaskState } from './states.ts';

export interface Fenced {
  readonly epoch: number;
}

/** Where a slot's thread listens for other slots of its job (docs/design/019). */
export interface DataAddress {
  readonly host: string;
  readonly port: number;
}

/** One slot, and where it is. */
export interface SlotLocation {
  readonly taskManagerId: TaskManagerId;
  readonly slotId: SlotId;
  readonly rack: string | null;
  readonly host: string | null;
  /** Null where only slots of its own process can reach it. */
  readonly data: DataAddress | null;
}

export interface RegisteredSlot {
  readonly slotId: SlotId;
  readonly memoryBytes: number;
  readonly data: DataAddress | null;
  /** What runs in it, for a leader that takes over; null where it is free. */
  readonly occupant: { readonly jobId: JobId; readonly attempt: number } | null;
}

export interface TaskManagerRegistration extends Fenced {
  /** Made by chance at its start: another process never has it. */
  readonly taskManagerId: TaskManagerId;
  /** Where its TaskManagerGateway is served. */
  readonly address: string;
  readonly rack: string | null;
  readonly host: string | null;
  /** As its operator has marked it. */
  readonly tags: readonly string[];
  readonly slots: readonly RegisteredSlot[];
}

/** Served by the Dispatcher's ResourceManager, called by TaskManagers. */
export interface ResourceManagerGateway {
  /**
   * Called once at the start, again after a new leader has appeared, and where a heartbeat was not known. Resolves when
   * the slots are known, to how often the leader wants to hear from it; null for never.
   */
  registerTaskManager(message: TaskManagerRegistration): Promise<{ readonly heartbeatIntervalMs: number | null }>;
  /** Called all the time after that. Resolves to false where the TaskManager is not known (any more). */
  heartbeat(message: Fenced & { readonly taskManagerId: TaskManagerId }): Promise<{ readonly isKnown: boolean }>;
  /** Called when the TaskManager ends of its own accord. Its slots are gone. */
  unregisterTaskManager(message: Fenced & { readonly taskManagerId: TaskManagerId }): Promise<void>;
}

/** What has become of one task of a slot, as far as its TaskManager has told anybody. */
export interface TaskReport {
  readonly attemptId: AttemptId;
  readonly state: TaskState;
  /** Why, where `state` is FAILED. */
  readonly error: SerializedError | null;
  /** Its last contribution, where it has processed all its input (taskEnded). */
  readonly final: SubtaskSnapshot | null;
  /**
   * Per source that was told of its splits, be it that there are none: those that it was given, and whether it was told
   * that there are no more.
   */
  readonly sources: readonly {
    readonly stepId: StepId;
    readonly splits: readonly Split[];
    readonly isComplete: boolean;
  }[];
}

export interface SlotReport {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly tasks: readonly TaskReport[];
}

/** An edge into a subtask. */
export interface TaskInput {
  readonly edge: JobEdge;
  /** Number of the edge's first channel; that from sender s to receiver r is `firstChannel + s * receivers + r`. */
  readonly firstChannel: number;
  /** The slot of each sending subtask, by its index. A forward edge has one channel, from the same index. */
  readonly senders: readonly SlotLocation[];
}

/** An edge out of a subtask. */
export interface TaskOutput {
  readonly edge: JobEdge;
  readonly firstChannel: number;
  /** The step that reads it, and the position in that step's `from` list. */
  readonly reader: { readonly stepId: StepId; readonly input: number };
  /** The slot of each receiving subtask, by its index. */
  readonly receivers: readonly SlotLocation[];
}

/** One subtask to run. */
export interface TaskDescriptor {
  readonly attemptId: AttemptId;
  readonly vertex: JobVertex;
  readonly subtaskIndex: number;
  /** In the order of `vertex.inputs`. */
  readonly inputs: readonly TaskInput[];
  readonly outputs: readonly TaskOutput[];
  /** What becomes of records of this chain that fail. */
  readonly errors: ErrorPolicy;
  /** What it starts from; null for a task that starts anew. */
  readonly restore: TaskRestore | null;
}

/** What a subtask takes over from the checkpoint that its job is restored from. Splits come by addSplits. */
export interface TaskRestore {
  readonly checkpointId: number;
  /** Of its steps, from whichever subtasks had key groups that are this one's now; others' chunks are not listed. */
  readonly operators: readonly OperatorStateHandle[];
  /** Rows that were on their way to its steps, in the order in which they are to be processed; absent for none. */
  readonly channels?: readonly RestoredChannel[];
  /** The least of what those subtasks had reached; null where one of them had seen no watermark. */
  readonly watermarkMs: number | null;
  /** Key groups of the subtask that had come further than that; absent for none. */
  readonly ahead?: KeyGroupRuns;
}

export interface RestoredChannel {
  readonly handle: ChannelStateHandle;
  /** What the step reads now: fields that the rows lack are used by nobody. */
  readonly schema: RowSchema;
  /** Other subtasks are given it too: each takes the rows of its own key groups. */
  readonly isShared: boolean;
}

/** How the tasks of a job take part in checkpoints. */
export interface SliceCheckpointing {
  readonly run: RunIdentity;
  readonly storage: CheckpointStorageConfig;
}

/** The subtasks of one slot: subtask i of every vertex that has one. */
export interface SliceDescriptor extends Fenced {
  readonly jobId: JobId;
  /** Of the execution of the whole job; part of the ids of its tasks. */
  readonly attempt: number;
  readonly jobName: string;
  readonly maxParallelism: number;
  readonly slot: SlotLocation;
  /** Where the job's JobMasterGateway is served. */
  readonly jobMasterAddress: string;
  /** Null where the job takes no checkpoints. */
  readonly checkpointing: SliceCheckpointing | null;
  /** Absent: all in memory. */
  readonly state?: StateSettings;
  /** In topological order. */
  readonly tasks: readonly TaskDescriptor[];
}

export interface TaskReference extends Fenced {
  readonly jobId: JobId;
  readonly attemptId: AttemptId;
}

/** Served by a TaskManager, called by the JobMaster. */
export interface TaskManagerGateway {
  /**
   * Called once per slot and execution of the job. Starts the slot's thread, which reports INITIALIZING and then
   * RUNNING for each task. The slot must be free.
   */
  deploy(message: SliceDescriptor): Promise<void>;
  /**
   * Called by a new leader's JobMaster for a slot that runs tasks of its job: from now on they report there. Resolves
   * to what they have reported so far. Rejects with MR-TASK-UNKNOWN-SLOT where the slot does not run this attempt.
   */
  adoptSlot(
    message: Fenced & {
      readonly jobId: JobId;
      readonly attempt: number;
      readonly slotId: SlotId;
      readonly jobMasterAddress: string;
    },
  ): Promise<SlotReport>;
  /**
   * Called any number of times for a task that holds a source, after it reported RUNNING; at first perhaps without any
   * split: until it has been called, or noMoreSplits(), the task holds event time back for those to come.
   */
  addSplits(message: TaskReference & { readonly stepId: StepId; readonly splits: readonly Split[] }): Promise<void>;
  /** Called at most once per source: the task ends once it has read the splits that it has. */
  noMoreSplits(message: TaskReference & { readonly stepId: StepId }): Promise<void>;
  /**
   * Called for every task that holds a source, in the order of checkpoint ids: it puts a barrier into its stream. All
   * splits whose addSplits was called before belong to the checkpoint. Harmless for a task that has read all its input.
   */
  triggerCheckpoint(message: TaskReference & CheckpointTrigger): Promise<void>;
  /**
   * Called for every task, once the pointer has moved to this checkpoint: what was prepared up to it is committed. A
   * commit that fails fails the task. After the commit of what it prepared at its end, a task that has read all its
   * input reports FINISHED.
   */
  checkpointCompleted(message: TaskReference & { readonly checkpointId: number }): Promise<void>;
  /**
   * Called for every task that has not acknowledged it yet: it stops working on it. What it prepared stays prepared.
   * Also for sources that its barrier has stopped, perhaps after it has completed: they go on.
   */
  checkpointAborted(message: TaskReference & { readonly checkpointId: number }): Promise<void>;
  /**
   * Called for tasks with a source whose watermarks are aligned (WatermarkSpec.maxDriftMs), where it has changed: a
   * source whose watermark is later than `maxWatermarkMs` pauses. Infinity lets it go on.
   */
  alignWatermark(message: TaskReference & { readonly maxWatermarkMs: number }): Promise<void>;
  /** Cancels a task, wherever it is blocked; it reports CANCELED. Harmless for one that has ended or is not known. */
  cancel(message: TaskReference): Promise<void>;
  /**
   * Called last: ends the slot's thread, and cancels tasks that have not ended before. Resolves when the thread is gone
   * and the slot is free again: nothing is written from there any more. Harmless where it runs nothing of the job, or
   * another than `attempt`, where that is given.
   */
  freeSlot(
    message: Fenced & { readonly jobId: JobId; readonly slotId: SlotId; readonly attempt?: number },
  ): Promise<void>;
}

export interface CheckpointTrigger {
  readonly checkpointId: number;
  readonly triggeredAtMs: number;
  /** The source gives nothing behind this barrier, until it is told that the checkpoint is aborted. */
  readonly stopsSource?: boolean;
  /**
   * The source says in front of the barrier that its stream is at its end: all windows and timers of event time fire.
   * Where the checkpoint is aborted then, the task fails, as this cannot be taken back.
   */
  readonly drains?: boolean;
  /** The barrier never overtakes anything: a savepoint. */
  readonly isAligned?: boolean;
}

/** A subtask's contribution. All files that it names are durable and were read back. */
export interface CheckpointAcknowledgement extends TaskReference {
  readonly checkpointId: number;
  readonly snapshot: SubtaskSnapshot;
  readonly metrics: {
    /** From the first barrier's arrival to the last one's. */
    readonly alignmentMs: number;
    /** While the task processed nothing for it. */
    readonly syncMs: number;
    /** From then until its files were durable. */
    readonly asyncMs: number;
    readonly stateBytes: number;
    /** Of batches that were on their way; absent for none. */
    readonly inFlightBytes?: number;
  };
}

export interface CheckpointDecline extends TaskReference {
  readonly checkpointId: number;
  readonly error: SerializedError;
}

/**
 * A task has processed all its input. It has nothing more to say than this, whatever checkpoint it becomes part of:
 * every one that it has not acknowledged. It goes on existing, and reports FINISHED once a checkpoint that holds this
 * is completed and committed.
 */
export interface TaskEnded extends TaskReference {
  /** Its handles carry one more than the id of the last barrier that it saw. */
  readonly snapshot: SubtaskSnapshot;
}

export interface TaskStateChange extends Fenced {
  readonly jobId: JobId;
  readonly attemptId: AttemptId;
  readonly state: TaskState;
  /** Why, where `state` is FAILED; names the step and the record's position among its fields where they are known. */
  readonly error: SerializedError | null;
}

export interface ProgressReport extends Fenced {
  readonly jobId: JobId;
  readonly slotId: SlotId;
  readonly steps: readonly StepCounters[];
  /** Of each task with a source whose watermarks are aligned. */
  readonly sources: readonly SourceProgress[];
}

/** How far a source has come in event time. */
export interface SourceProgress {
  readonly attemptId: AttemptId;
  /** -Infinity before its first watermark. */
  readonly watermarkMs: number;
  /** It holds nobody back: it is silent, or at its end. */
  readonly isIdle: boolean;
}

/** Served by a JobMaster, called by the TaskManagers that run its tasks. */
export interface JobMasterGateway {
  /** Called at every change that the TaskManager makes, in order, the last with a terminal state. */
  taskStateChanged(message: TaskStateChange): Promise<void>;
  /** Called once per barrier, by every task that saw it on all inputs; never after taskEnded. */
  acknowledgeCheckpoint(message: CheckpointAcknowledgement): Promise<void>;
  /** Instead: the task cannot take part, as its state could not be written. The task goes on. */
  declineCheckpoint(message: CheckpointDecline): Promise<void>;
  /** What the task had prepared for the checkpoint, which has completed, is committed; also where that was nothing. */
  checkpointCommitted(message: TaskReference & { readonly checkpointId: number }): Promise<void>;
  /** Called at most once, in jobs that take checkpoints, where others report FINISHED at once. */
  taskEnded(message: TaskEnded): Promise<void>;
  /** Called about twice a second per slot, and before the terminal state of a task, so that its totals are exact. */
  reportProgress(message: ProgressReport): Promise<void>;
}

/** Served by the process of a TaskManager, called by the leading Dispatcher for those who ask it. */
export interface ProcessLogGateway {
  readLog(message: Fenced & { readonly kind: LogKind }): Promise<WrittenLog>;
}

/** Served by the leading Dispatcher, called by the TaskManagers that run a job which came with code. */
export interface JobCodeGateway {
  /**
   * Called before the tasks of a slice start, where the TaskManager does not have the code yet. Resolves to the text
   * whose hash was asked for; whoever gets it checks that. Rejects with MR-CLUSTER-NO-CODE where there is none.
   */
  readCode(message: Fenced & { readonly jobId: JobId; readonly hash: string }): Promise<{ readonly text: string }>;
}
