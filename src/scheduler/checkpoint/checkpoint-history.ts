/** One checkpoint, as those who watch the job see it. Sizes in bytes; of several subtasks the slowest counts. */
export interface CheckpointSummary {
  readonly checkpointId: number;
  readonly state: 'pending' | 'completed' | 'aborted';
  readonly triggeredAtMs: number;
  /** Null while it is pending. */
  readonly endedAtMs: number | null;
  /** Until its end, or until now. */
  readonly durationMs: number;
  readonly subtasks: number;
  readonly acknowledged: number;
  readonly stateBytes: number;
  readonly alignmentMs: number;
  readonly syncMs: number;
  readonly asyncMs: number;
  /** Why it was aborted; null otherwise. */
  readonly failure: string | null;
}

export interface CheckpointHistory {
  readonly completedCount: number;
  readonly abortedCount: number;
  /** The newest, newest first. */
  readonly recent: readonly CheckpointSummary[];
}
