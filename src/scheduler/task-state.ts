import { isTerminalTask } from '../rpc/index.ts';
import type { TaskState } from '../rpc/index.ts';
import type { TransitionTable } from './state-machine.ts';

/** The life of one attempt of a subtask: Flink's ExecutionState. */
export const taskTransitions: TransitionTable<TaskState> = Object.freeze({
  CREATED: ['SCHEDULED', 'CANCELED', 'FAILED'],
  SCHEDULED: ['DEPLOYING', 'CANCELED', 'FAILED'],
  DEPLOYING: ['INITIALIZING', 'CANCELING', 'FAILED'],
  INITIALIZING: ['RUNNING', 'CANCELING', 'FAILED'],
  RUNNING: ['FINISHED', 'CANCELING', 'FAILED'],
  CANCELING: ['CANCELED'],
  FINISHED: [],
  CANCELED: [],
  FAILED: [],
});

/**
 * What a report of a TaskManager makes of a task, or null where it changes nothing. Reports cross cancellations on
 * their way: a task that is being cancelled is cancelled however it ended.
 */
export function reported(current: TaskState, report: TaskState): TaskState | null {
  if (isTerminalTask(current) || current === report) return null;
  if (current === 'CANCELING') return isTerminalTask(report) ? 'CANCELED' : null;
  return report;
}

/** What a cancellation makes of a task, or null where it changes nothing. Before it is deployed it ends at once. */
export function cancelled(current: TaskState): 'CANCELED' | 'CANCELING' | null {
  if (isTerminalTask(current) || current === 'CANCELING') return null;
  return current === 'CREATED' || current === 'SCHEDULED' ? 'CANCELED' : 'CANCELING';
}
