import type { Clock } from '../../core/index.ts';

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
  /** Rows that barriers have overtaken. */
  readonly inFlightBytes: number;
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

/** So many are remembered. */
const REMEMBERED = 20;

interface Remembered {
  summary: Omit<CheckpointSummary, 'durationMs'>;
  readonly startedAtMs: number;
  durationMs: number | null;
}

type Cost = Pick<CheckpointSummary, 'stateBytes' | 'alignmentMs' | 'syncMs' | 'asyncMs'> &
  Partial<Pick<CheckpointSummary, 'inFlightBytes'>>;

/** Remembers the newest checkpoints of a job, over its restarts. */
export class CheckpointLog {
  readonly #clock: Clock;
  readonly #recent: Remembered[] = [];
  #completedCount = 0;
  #abortedCount = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the time that stands for its start. */
  triggered(checkpointId: number, subtasks: number): number {
    const triggeredAtMs = this.#clock.nowMs();
    const none = { acknowledged: 0, stateBytes: 0, inFlightBytes: 0, alignmentMs: 0, syncMs: 0, asyncMs: 0 };
    this.#recent.unshift({
      summary: { checkpointId, state: 'pending', triggeredAtMs, endedAtMs: null, subtasks, ...none, failure: null },
      startedAtMs: this.#clock.monotonicMs(),
      durationMs: null,
    });
    this.#recent.splice(REMEMBERED);
    return triggeredAtMs;
  }

  acknowledged(checkpointId: number, cost: Cost): void {
    const pending = this.#pending(checkpointId);
    if (pending === null) return;
    const { summary } = pending;
    pending.summary = {
      ...summary,
      acknowledged: summary.acknowledged + 1,
      stateBytes: summary.stateBytes + cost.stateBytes,
      inFlightBytes: summary.inFlightBytes + (cost.inFlightBytes ?? 0),
      alignmentMs: Math.max(summary.alignmentMs, cost.alignmentMs),
      syncMs: Math.max(summary.syncMs, cost.syncMs),
      asyncMs: Math.max(summary.asyncMs, cost.asyncMs),
    };
  }

  /** All have contributed, those that had ended among them. */
  collected(checkpointId: number, sizes: Pick<CheckpointSummary, 'stateBytes' | 'inFlightBytes'>): void {
    const pending = this.#pending(checkpointId);
    if (pending === null) return;
    pending.summary = { ...pending.summary, acknowledged: pending.summary.subtasks, ...sizes };
  }

  completed(checkpointId: number): void {
    this.#completedCount++;
    this.#end(checkpointId, 'completed', null);
  }

  aborted(checkpointId: number, failure: string): void {
    this.#abortedCount++;
    this.#end(checkpointId, 'aborted', failure);
  }

  read(): CheckpointHistory {
    const nowMs = this.#clock.monotonicMs();
    return {
      completedCount: this.#completedCount,
      abortedCount: this.#abortedCount,
      recent: this.#recent.map(({ summary, startedAtMs, durationMs }) => ({
        ...summary,
        durationMs: durationMs ?? nowMs - startedAtMs,
      })),
    };
  }

  #end(checkpointId: number, state: 'completed' | 'aborted', failure: string | null): void {
    const pending = this.#pending(checkpointId);
    if (pending === null) return;
    pending.summary = { ...pending.summary, state, endedAtMs: this.#clock.nowMs(), failure };
    pending.durationMs = this.#clock.monotonicMs() - pending.startedAtMs;
  }

  #pending(checkpointId: number): Remembered | null {
    const isIt = ({ summary }: Remembered): boolean =>
      summary.checkpointId === checkpointId && summary.state === 'pending';
    return this.#recent.find(isIt) ?? null;
  }
}
