import type { JobState } from '../rpc/index.ts';
import type { TransitionTable } from './state-machine.ts';

/** The life of a job: Flink's JobStatus. A job that has no task deployed yet fails or is cancelled at once. */
export const jobTransitions: TransitionTable<JobState> = Object.freeze({
  INITIALIZING: ['CREATED', 'FAILING', 'CANCELLING'],
  CREATED: ['RUNNING', 'FAILING', 'CANCELLING'],
  RUNNING: ['FINISHED', 'FAILING', 'CANCELLING'],
  FAILING: ['FAILED', 'RESTARTING', 'CANCELLING'],
  RESTARTING: ['CREATED', 'FAILING', 'CANCELLING'],
  CANCELLING: ['CANCELED'],
  FAILED: [],
  CANCELED: [],
  FINISHED: [],
});
