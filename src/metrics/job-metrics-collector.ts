import type { Clock } from '../core/index.ts';
import type { CounterReading, JobMetrics, StepCounters, StepMetrics } from './job-metrics.ts';

/** Rates are the change over about this long. */
const RATE_WINDOW_MS = 5000;
/** Samples for rates are at least this far apart. */
const SAMPLE_INTERVAL_MS = 250;

interface SubtaskTotals {
  attemptId: string;
  counters: Readonly<Record<string, number>>;
}

interface Sample {
  readonly atMs: number;
  /** By `step counter`. */
  readonly totals: ReadonlyMap<string, number>;
}

/** Gathers the reports of one job's subtasks. */
export class JobMetricsCollector {
  readonly #steps: readonly string[];
  readonly #clock: Clock;
  readonly #subtasks = new Map<string, (SubtaskTotals | undefined)[]>();
  #samples: Sample[] = [];
  #hasEnded = false;

  /** `steps` in the order in which they are to be listed. */
  constructor(steps: readonly string[], clock: Clock) {
    this.#steps = steps;
    this.#clock = clock;
    for (const step of steps) this.#subtasks.set(step, []);
  }

  /** Takes a report; totals of an attempt replace those of the attempt before. */
  report(reports: readonly StepCounters[]): void {
    for (const { stepId, subtaskIndex, attemptId, counters } of reports) {
      const subtasks = this.#subtasks.get(stepId);
      if (subtasks !== undefined) subtasks[subtaskIndex] = { attemptId, counters };
    }
    const nowMs = this.#clock.monotonicMs();
    const newest = this.#samples.at(-1);
    if (newest !== undefined && nowMs - newest.atMs < SAMPLE_INTERVAL_MS) return;
    this.#samples.push({ atMs: nowMs, totals: this.#totals() });
    // The oldest that is kept is the newest one outside the window.
    while ((this.#samples[1]?.atMs ?? Infinity) <= nowMs - RATE_WINDOW_MS) this.#samples.shift();
  }

  /** No more reports: rates become 0. */
  end(): void {
    this.#hasEnded = true;
  }

  snapshot(): JobMetrics {
    return { atMs: this.#clock.nowMs(), steps: this.#steps.map((step) => this.#step(step)) };
  }

  #step(stepId: string): StepMetrics {
    const subtasks = this.#subtasks.get(stepId) ?? [];
    const names = new Set(subtasks.flatMap((subtask) => Object.keys(subtask?.counters ?? {})));
    const counters: Record<string, CounterReading> = {};
    for (const name of names) {
      const total = sum(subtasks, name);
      counters[name] = { total, perSecond: this.#rate(stepId, name, total) };
    }
    return { stepId, counters, subtasks: Array.from(subtasks, (subtask) => subtask?.counters) };
  }

  #rate(stepId: string, name: string, total: number): number {
    const oldest = this.#samples[0];
    const newest = this.#samples.at(-1);
    if (this.#hasEnded || oldest === undefined || newest === undefined) return 0;
    // Up to now, not up to the newest sample: a job whose reports have stopped slows down.
    const nowMs = Math.max(newest.atMs, this.#clock.monotonicMs() - SAMPLE_INTERVAL_MS * 4);
    const elapsedMs = nowMs - oldest.atMs;
    if (elapsedMs <= 0) return 0;
    const before = oldest.totals.get(`${stepId} ${name}`) ?? 0;
    return Math.max(0, ((total - before) * 1000) / elapsedMs);
  }

  #totals(): ReadonlyMap<string, number> {
    const totals = new Map<string, number>();
    for (const [step, subtasks] of this.#subtasks) {
      for (const subtask of subtasks) {
        for (const [name, value] of Object.entries(subtask?.counters ?? {})) {
          const key = `${step} ${name}`;
          totals.set(key, (totals.get(key) ?? 0) + value);
        }
      }
    }
    return totals;
  }
}

function sum(subtasks: readonly (SubtaskTotals | undefined)[], name: string): number {
  return subtasks.reduce((total, subtask) => total + (subtask?.counters[name] ?? 0), 0);
}
