import type { JobId, MillraceError } from '../core/index.ts';
import type { JobMetrics } from '../metrics/index.ts';
import type { JobState, TerminalJobState } from '../rpc/index.ts';

export interface JobResult {
  readonly state: TerminalJobState;
  /** Why the job failed, with `step` and `position` among its fields where they are known; null unless FAILED. */
  readonly error: MillraceError | null;
}

/** A submitted job, for whoever submitted it. */
export interface JobHandle {
  readonly jobId: JobId;
  readonly name: string;
  readonly state: JobState;
  /** Calls back at every later change of `state`, in order; returns what ends that. */
  onStateChange(listener: (state: JobState) => void): () => void;
  /** What the steps have counted; cheap enough to ask several times a second. Exact once the job has ended. */
  counters(): JobMetrics;
  /** Cancels the job; resolves once it has ended (perhaps finished or failed before). Repeating it is harmless. */
  cancel(): Promise<void>;
  /** Resolves once the job has ended and everything it held is released. Never rejects. */
  readonly result: Promise<JobResult>;
}
