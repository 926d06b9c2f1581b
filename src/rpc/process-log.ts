/** The name of a TaskManager's ProcessLogGateway. */
export const PROCESS_LOG = 'process-log';

/** What a process has written: to standard error, which is its log, and to standard output. */
export const LOG_KINDS = ['log', 'stdout'] as const;
export type LogKind = (typeof LOG_KINDS)[number];

/** The end of what a process has written. */
export interface WrittenLog {
  readonly text: string;
  /** All that it has ever written. */
  readonly writtenBytes: number;
  /** When it last wrote; null where it never has. */
  readonly lastWrittenAtMs: number | null;
}

/** A TaskManager's process serves its log beside it. */
export function processLogAddress(taskManagerAddress: string): string {
  return taskManagerAddress.slice(0, taskManagerAddress.lastIndexOf('taskmanager/')) + PROCESS_LOG;
}
