import type { JobId, MillraceError, StateFile } from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import type { JobMetrics } from '../metrics/index.ts';
import type { JobState, TerminalJobState } from '../rpc/index.ts';
import { schedulerErrors } from '../scheduler/index.ts';
import type { CheckpointHistory, JobMaster, JobOrigin, SavepointRequest } from '../scheduler/index.ts';

export interface JobResult {
  readonly state: TerminalJobState;
  /** Why the job failed, with `step` and `position` among its fields where they are known; null unless FAILED. */
  readonly error: MillraceError | null;
}

/** A submitted job, for whoever submitted it. */
export interface JobHandle {
  readonly jobId: JobId;
  readonly name: string;
  readonly graph: JobGraph;
  readonly state: JobState;
  /** Calls back at every later change of `state`, in order; returns what ends that. */
  onStateChange(listener: (state: JobState) => void): () => void;
  /** What the job has started from, the last time; null until that is known, as it is from the state CREATED on. */
  readonly origin: JobOrigin | null;
  /** Restarts after failures so far; grows when `state` becomes RESTARTING. */
  readonly restarts: number;
  /** What led to the last restart, or to the one that is under way; null where nothing has failed. */
  readonly lastFailure: MillraceError | null;
  /** The newest failures, newest first. */
  readonly failures: JobMaster['failures'];
  /** What passes between that failure and the next attempt; null where none follows, or once it has begun. */
  readonly restartDelayMs: number | null;
  /** In words; null where it waits for nothing. */
  readonly waitingFor: string | null;
  /** Where these run, and why; null before the first attempt. */
  readonly placement: JobMaster['placement'];
  /** The tasks of the newest attempt. */
  readonly executions: JobMaster['executions'];
  /** The newest checkpoints; empty where the job takes none. */
  checkpoints(): CheckpointHistory;
  /** What the steps have counted; cheap enough to ask several times a second. Exact once the job has ended. */
  counters(): JobMetrics;
  /**
   * Writes a savepoint; resolves to its metadata file once all its output is committed. With `stopsSources` nothing
   * behind it comes out of the job, which is then cancelled. Rejects with MR-JOB-SAVEPOINT-FAILED, and the job goes on.
   */
  savepoint(request: SavepointRequest): Promise<StateFile>;
  /** Cancels the job; resolves once it has ended (perhaps finished or failed before). Repeating it is harmless. */
  cancel(): Promise<void>;
  /** Resolves when all its tasks have come to run, for the first time. Never rejects. */
  readonly running: Promise<void>;
  /** What its sources read, as it is to be placed when it is restarted. */
  readonly demands: JobMaster['demands'];
  /** Resolves once the job has ended and everything it held is released. Never rejects. */
  readonly result: Promise<JobResult>;
}

export function handleOf(master: JobMaster): JobHandle {
  return {
    jobId: master.jobId,
    name: master.graph.name,
    graph: master.graph,
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
    get failures() {
      return master.failures;
    },
    get restartDelayMs() {
      return master.restartDelayMs;
    },
    get waitingFor() {
      return master.waitingFor;
    },
    get placement() {
      return master.placement;
    },
    get executions() {
      return master.executions;
    },
    checkpoints: () => master.checkpoints(),
    counters: () => master.metrics(),
    savepoint: (request) => {
      // One that is asked for while the job comes to its end is not made any more.
      const ended = master.result.then(({ state }): never => {
        throw schedulerErrors.create('MR-JOB-SAVEPOINT-FAILED', { reason: `the job is ${state}` });
      });
      return Promise.race([master.savepoint(request), ended]);
    },
    async cancel() {
      master.cancel();
      await master.result;
    },
    running: master.running,
    get demands() {
      return master.demands;
    },
    result: master.result,
  };
}
