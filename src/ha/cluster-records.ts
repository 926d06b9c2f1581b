/** What a cluster keeps of its jobs and TaskManagers: typed records over the fenced store of a leadership. */

export interface JobSubmission {
  readonly version: 1;
  /** Chosen by the client, or by the Dispatcher that took it. */
  readonly jobId: string;
  readonly jobName: string;
  /** The job graph as JSON. */
  readonly graph: string;
  /** What it starts from, as JSON of scheduler's StartMode. */
  readonly start: string;
  readonly allowDroppedState: boolean;
  readonly submittedAtMs: number;
  /** What the graph was compiled from, as JSON, for compiling it anew; absent where it was submitted as a graph. */
  readonly source?: string;
  /** Plans of earlier attempts are of a graph that this one has replaced; absent where there was none. */
  readonly firstAttempt?: number;
  /** Somebody has cancelled it; it may not have ended yet. */
  readonly isCancelled?: boolean;
  /** When it was last stopped to go on otherwise, as where it was rescaled; absent where it never was. */
  readonly restartedAtMs?: number;
}

/** Code that came with a job, kept until it has ended: whoever reads it checks the hash. */
export interface JobCode {
  /** Of the text. */
  readonly hash: string;
  readonly text: string;
}

export interface JobOutcome {
  readonly version: 1;
  readonly state: 'FINISHED' | 'FAILED' | 'CANCELED';
  /** A serialised error as JSON; null unless FAILED. */
  readonly error: string | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** Which slots an attempt of a job runs in. Written before anything of it is deployed. */
export interface ExecutionPlan {
  readonly version: 1;
  readonly jobId: string;
  /** The newest, larger than all before; part of the ids of tasks. */
  readonly attempt: number;
  /** In the order of slices: slot i runs subtask i of every vertex. */
  readonly slots: readonly PlannedSlot[];
}

export interface PlannedSlot {
  readonly taskManagerId: string;
  readonly slotId: string;
  /** Of what runs there, where a part of the job was restarted after it; absent for that of the plan. */
  readonly attempt?: number;
}

/** The attempt that runs in each slot of a plan. */
export function attemptsOf({ slots, attempt }: ExecutionPlan): readonly number[] {
  return slots.map((slot) => slot.attempt ?? attempt);
}

export interface DrainMark {
  readonly version: 1;
  readonly taskManagerId: string;
  readonly reason: string;
  /** When it ends by itself; null for never. */
  readonly expiresAtMs: number | null;
}

/**
 * All writes are fenced (MR-HA-FENCED), damage is told and never taken for absence (MR-HA-DAMAGED, and
 * MR-HA-NEWER-VERSION for a record of a later format).
 */
export interface ClusterRecords {
  /** Jobs that have no outcome, in the order of submission. */
  jobs(): Promise<readonly JobSubmission[]>;
  /** Resolves to false where a job of this id is known already, ended or not; nothing is changed then. */
  addJob(submission: JobSubmission, code?: JobCode): Promise<boolean>;
  /** The code that came with a job; null where none did, or where the job has ended. */
  code(jobId: string): Promise<JobCode | null>;
  /** The job of this id, which has not ended, is another from now on (rescaled); its plan stays (`firstAttempt`). */
  replaceJob(submission: JobSubmission): Promise<void>;
  /** The newest plan; null where nothing was deployed yet. */
  plan(jobId: string): Promise<ExecutionPlan | null>;
  /** Replaces the job's plan. */
  writePlan(plan: ExecutionPlan): Promise<void>;
  /** The job has ended: its plan goes, its submission stays with the outcome. Ended jobs beyond 100 are forgotten. */
  endJob(jobId: string, outcome: JobOutcome): Promise<void>;
  /** Jobs that have ended, oldest first. */
  endedJobs(): Promise<readonly { readonly submission: JobSubmission; readonly outcome: JobOutcome }[]>;
  drains(): Promise<readonly DrainMark[]>;
  markDrain(mark: DrainMark): Promise<void>;
  clearDrain(taskManagerId: string): Promise<void>;
}
