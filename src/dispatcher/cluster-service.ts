/** What the leading Dispatcher can be asked and told: what REST and the status page stand on. */
import type {
  CodeBundle,
  JobOrigin as CodeOrigin,
  JobId,
  MillraceError,
  StateFile,
  StepRole,
  TaskManagerId,
} from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import type { DrainMark } from '../ha/index.ts';
import type { JobMetrics } from '../metrics/index.ts';
import type { JobState, RegisteredSlot, TaskState } from '../rpc/index.ts';
import type { CheckpointHistory, JobOrigin, PlacementReport, SavepointRequest, StartMode } from '../scheduler/index.ts';

export interface SubmitJob {
  /** The job file. */
  readonly text: string;
  /** What `${NAME}` stands for in it, before the environment of the Dispatcher, which is not asked. */
  readonly variables: Readonly<Record<string, string>>;
  /** Chosen by the client: repeating the call is harmless. */
  readonly jobId?: JobId;
  readonly start?: StartMode;
  readonly allowDroppedState?: boolean;
  readonly code?: SubmittedCode;
}

/** Code that comes with a job (docs/design/023). */
export interface SubmittedCode {
  readonly bundle: CodeBundle;
  /** The files that steps mean, by the paths as the job file has them. */
  readonly named: Readonly<Record<string, string>>;
  /** Where the code of all steps is, of a job that a module makes; null for a job file. */
  readonly module: SubmittedModule | null;
}

export interface SubmittedModule {
  readonly file: string;
  /** Of the export that is the job. */
  readonly name: string;
  /** What tells an import of the module which job was submitted. */
  readonly origin: CodeOrigin;
  /** What the code of each step is. */
  readonly roles: Readonly<Record<string, StepRole>>;
}

export interface JobSummary {
  readonly jobId: JobId;
  readonly name: string;
  readonly state: JobState;
  readonly startedAtMs: number;
  /** Null while it has not ended. */
  readonly endedAtMs: number | null;
  /** How many tasks are in each state; those of the newest attempt. */
  readonly tasks: ReadonlyMap<TaskState, number>;
}

export interface ExecutionSummary {
  readonly attemptId: string;
  readonly vertexId: string;
  readonly subtaskIndex: number;
  readonly state: TaskState;
  /** Null before it is deployed. */
  readonly taskManagerId: TaskManagerId | null;
  readonly slotId: string | null;
}

export interface JobFailure {
  readonly atMs: number;
  readonly error: MillraceError;
}

export interface JobDetails extends JobSummary {
  /** Of jobs that ended under an earlier leader only what is stored is known. */
  readonly graph: JobGraph;
  readonly executions: readonly ExecutionSummary[];
  readonly metrics: JobMetrics;
  readonly checkpoints: CheckpointHistory;
  readonly origin: JobOrigin | null;
  readonly restarts: number;
  /** Newest first, at most 32. */
  readonly failures: readonly JobFailure[];
  /** What it waits for, in words; null where it waits for nothing. */
  readonly waitingFor: string | null;
}

export interface TaskManagerDetails {
  readonly taskManagerId: TaskManagerId;
  readonly address: string;
  readonly rack: string | null;
  readonly host: string | null;
  readonly tags: readonly string[];
  readonly slots: readonly (Pick<RegisteredSlot, 'slotId' | 'memoryBytes'> & { readonly jobId: JobId | null })[];
  readonly lastHeartbeatAtMs: number;
  readonly drain: DrainMark | null;
}

export interface Savepoint {
  /** Where it is: a job starts `from` there. */
  readonly location: string;
  readonly file: StateFile;
}

/** The tasks of one slice of a job: they share a slot. */
export interface MovedTasks {
  readonly subtaskIndex: number;
  readonly from: TaskManagerId;
  readonly to: TaskManagerId;
}

/** How a job is placed, or would be. */
export interface JobPlacement {
  /** Null for one that is not started. */
  readonly jobId: JobId | null;
  readonly name: string;
  /** How many slots it takes, and how many nobody has. */
  readonly needed: number;
  readonly free: number;
  /** In words; null where it waits, or would wait, for nothing. */
  readonly waitingFor: string | null;
  /** Null where it has no slots, or would find none. */
  readonly report: PlacementReport | null;
  /** What its newest attempt has read from brokers and sent to tasks in other racks; null for one not started. */
  readonly crossRackBytes: { readonly read: number; readonly sent: number } | null;
}

/** All methods that name a job or a TaskManager reject with MR-CLUSTER-NOT-FOUND where there is none. */
export interface ClusterService {
  /** Resolves once the job is stored; rejects with the problems of its file (JobFileProblems), or why it cannot run. */
  submit(job: SubmitJob): Promise<JobId>;
  /** Running ones and those that have ended, newest first. */
  jobs(): readonly JobSummary[];
  job(jobId: JobId): JobDetails;
  /** Resolves once it is cancelled or has ended otherwise. */
  cancel(jobId: JobId): Promise<void>;
  /**
   * `target` is an absolute path or a URL below which the savepoint gets a place of its own; null for one beside the
   * job's checkpoints. With `stopsSources` the job has been cancelled when this resolves.
   */
  savepoint(
    jobId: JobId,
    request: Pick<SavepointRequest, 'stopsSources' | 'drains'> & { readonly target: string | null },
  ): Promise<Savepoint>;
  /**
   * Stops the job with a savepoint of its own and starts it from there with another parallelism, under the same id.
   * Resolves once all its tasks run.
   */
  rescale(jobId: JobId, parallelism: number): Promise<void>;
  /** Where its tasks run, and why; of one that has ended nothing is known. */
  placement(jobId: JobId): JobPlacement;
  /** How a job would be placed if it were started anew now; rejects with the problems of its file, or -NO-PREVIEW. */
  previewPlacement(job: Pick<SubmitJob, 'text' | 'variables' | 'code'>): Promise<JobPlacement>;
  /** Places its tasks anew, by a checkpoint and a restart; resolves once all run, to what is elsewhere now. */
  rebalance(jobId: JobId): Promise<readonly MovedTasks[]>;
  taskManagers(): readonly TaskManagerDetails[];
  /** Moves its tasks elsewhere and gives it no more, until undrain, or that time; survives the leader. */
  drain(taskManagerId: TaskManagerId, reason: string, expiresAtMs: number | null): Promise<void>;
  undrain(taskManagerId: TaskManagerId): Promise<void>;
}
