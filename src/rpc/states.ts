/** States carry Flink's names and spelling. The moves between them are tables in `scheduler`. */

export type TaskState =
  | 'CREATED'
  /** Waits for a slot. */
  | 'SCHEDULED'
  /** Sent to its TaskManager. */
  | 'DEPLOYING'
  /** Opens its source, operators and sink. */
  | 'INITIALIZING'
  | 'RUNNING'
  | 'FINISHED'
  | 'CANCELING'
  | 'CANCELED'
  | 'FAILED';

export type JobState =
  /** The JobMaster starts: sources look for splits, sinks check what they will write to. */
  | 'INITIALIZING'
  /** Checked; not yet scheduled. */
  | 'CREATED'
  /** Scheduled: waits for slots, deploys or runs. */
  | 'RUNNING'
  /** A task has failed; the others are being cancelled. */
  | 'FAILING'
  | 'FAILED'
  | 'CANCELLING'
  | 'CANCELED'
  | 'FINISHED'
  /** Between a failure and the next attempt. */
  | 'RESTARTING';

export type TerminalJobState = 'FAILED' | 'CANCELED' | 'FINISHED';

export function isTerminalTask(state: TaskState): boolean {
  return state === 'FINISHED' || state === 'CANCELED' || state === 'FAILED';
}

export function isTerminalJob(state: JobState): state is TerminalJobState {
  return state === 'FINISHED' || state === 'CANCELED' || state === 'FAILED';
}
