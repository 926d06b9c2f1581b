/** What other commands may ask of a job that `millrace run` runs. */
export interface JobControl {
  status(): Promise<ControlStatus>;
  /** Resolves to where the savepoint is; `to`, absolute or a URL, is where it is put; null for the job's own place. */
  savepoint(to: string | null): Promise<ControlSavepoint>;
  /** Resolves when the job has ended. Without a savepoint the next run resumes the last checkpoint. */
  stop(savepoint: StopSavepoint | null): Promise<ControlStop>;
}

export interface StopSavepoint {
  readonly to: string | null;
  /** Event time comes to its end first: all windows fire. */
  readonly drains: boolean;
}

export interface ControlStatus {
  readonly job: string;
  readonly state: string;
  /** The last completed checkpoint; null where there is none yet. */
  readonly checkpointId: number | null;
}

export interface ControlSavepoint {
  readonly path: string;
}

export interface ControlStop {
  readonly state: string;
  /** Where the savepoint is; null where none was asked for. */
  readonly path: string | null;
}
