import { isTerminalTask } from '../rpc/index.ts';
import type { JobState, TaskState } from '../rpc/index.ts';

/** What follows for the job from the states of its tasks, or null where nothing does. */
export function nextJobState(job: JobState, tasks: readonly TaskState[], willRestart: boolean): JobState | null {
  switch (job) {
    case 'RUNNING':
      if (tasks.includes('FAILED')) return 'FAILING';
      return tasks.every((task) => task === 'FINISHED') ? 'FINISHED' : null;
    case 'FAILING':
      if (!tasks.every(isTerminalTask)) return null;
      return willRestart ? 'RESTARTING' : 'FAILED';
    case 'CANCELLING':
      return tasks.every(isTerminalTask) ? 'CANCELED' : null;
    case 'INITIALIZING':
    case 'CREATED':
    case 'RESTARTING':
    case 'FINISHED':
    case 'FAILED':
    case 'CANCELED':
      return null;
  }
}
