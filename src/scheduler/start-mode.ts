/** What a job that takes checkpoints starts from. Jobs that take none always start anew. */
export type StartMode =
  /** The last completed checkpoint of the job of this name; anew where there is none or where it had finished. */
  | { readonly kind: 'resume' }
  /** Anew. Earlier checkpoints of the job are forgotten. */
  | { readonly kind: 'fresh' }
  /** The checkpoint or savepoint at a path or URL. Earlier checkpoints of the job are forgotten. */
  | { readonly kind: 'from'; readonly location: string };

/** What a job has started from, as far as whoever started it wants to know. */
export type JobOrigin = (
  | { readonly kind: 'anew' }
  /** Resumed, but the job had finished: it started anew. */
  | { readonly kind: 'anew-after-finish'; readonly checkpointId: number }
  | {
      readonly kind: 'restored';
      readonly checkpointId: number;
      readonly completedAtMs: number;
      readonly isSavepoint: boolean;
      /** Steps whose state was in the checkpoint and is not needed any more (`allowDroppedState`). */
      readonly droppedSteps: readonly string[];
    }
) & {
  /** What was not as it should be, though the job could start. */
  readonly warnings?: readonly string[];
};
