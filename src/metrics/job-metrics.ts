import type { AttemptId } from '../core/index.ts';

/** What one step of one subtask has counted since the subtask started. Plain data: it travels in progress reports. */
export interface StepCounters {
  readonly stepId: string;
  readonly subtaskIndex: number;
  readonly attemptId: AttemptId;
  /** By name (core/counter-names.ts), as totals. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface CounterReading {
  /** The sum over all subtasks; of a gauge such as `pendingRecords`, the sum of the newest readings. */
  readonly total: number;
  /** The change per second over the last few seconds; 0 once the job has ended. */
  readonly perSecond: number;
}

export interface StepMetrics {
  readonly stepId: string;
  readonly counters: Readonly<Record<string, CounterReading>>;
  /** Totals by subtask index; a hole where a subtask has not reported yet. */
  readonly subtasks: readonly (Readonly<Record<string, number>> | undefined)[];
}

/** Every counter of a job at one moment. */
export interface JobMetrics {
  readonly atMs: number;
  /** In the order of the job graph; steps that have counted nothing yet are there with no counters. */
  readonly steps: readonly StepMetrics[];
}
