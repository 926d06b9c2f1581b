import type { MillraceError, Ports, Timer } from '../core/index.ts';
import type { RestartStrategy } from '../graph/index.ts';
import { decideRestart, noFailures } from './recovery/restart-strategy.ts';
import type { RestartMemory } from './recovery/restart-strategy.ts';

export interface JobFailure {
  readonly atMs: number;
  readonly error: MillraceError;
}

/** What went wrong under earlier JobMasters of the same leader; none of it counts for the restart strategy. */
export interface EarlierFailures {
  readonly failures: readonly JobFailure[];
  readonly restarts: number;
}

const REMEMBERED = 32;

/** The failures of a job, what its restart strategy makes of them, and the wait for the restart that follows. */
export class JobFailures {
  readonly #strategy: RestartStrategy;
  readonly #ports: Pick<Ports, 'clock' | 'randomness'>;
  #memory: RestartMemory = noFailures;
  #recent: readonly JobFailure[] = [];
  #restarts = 0;
  #last: MillraceError | null = null;
  #restartDelayMs: number | null = null;
  #timer: Timer | null = null;

  constructor(strategy: RestartStrategy, ports: Pick<Ports, 'clock' | 'randomness'>, earlier?: EarlierFailures) {
    this.#strategy = strategy;
    this.#ports = ports;
    this.#recent = earlier?.failures ?? [];
    this.#restarts = earlier?.restarts ?? 0;
  }

  /** Newest first. */
  get recent(): readonly JobFailure[] {
    return this.#recent;
  }

  /** How often the job was restarted after a failure. */
  get restarts(): number {
    return this.#restarts;
  }

  /** What led to the last restart, or has just made the job fail. */
  get last(): MillraceError | null {
    return this.#last;
  }

  /** What passes between that failure and the next attempt; null where none follows, or once it has begun. */
  get restartDelayMs(): number | null {
    return this.#restartDelayMs;
  }

  get isDelayingRestart(): boolean {
    return this.#timer !== null;
  }

  /** One that decides nothing. */
  note(error: MillraceError): void {
    this.#recent = [{ atMs: this.#ports.clock.nowMs(), error }, ...this.#recent].slice(0, REMEMBERED);
  }

  /** Takes a failure in. Returns the delay before the next attempt, or null for none. */
  add(error: MillraceError, mayRestart: boolean): number | null {
    const { clock, randomness } = this.#ports;
    this.note(error);
    if (!mayRestart || error.retry === 'never') return null;
    // Somebody has asked for it: it counts as no failure, and nothing is to be waited for.
    if (error.code === 'MR-TASK-MANAGER-DRAINED') return 0;
    const decision = decideRestart(this.#strategy, this.#memory, clock.monotonicMs(), randomness.next());
    if (decision.kind === 'give-up') return null;
    this.#memory = decision.memory;
    return decision.delayMs;
  }

  /** A part of the attempt restarts after this one. */
  restartsPart(error: MillraceError): void {
    this.#last = error;
    this.#restarts++;
  }

  /** The attempt ends by this one; null for no restart. */
  endsAttempt(error: MillraceError, restartDelayMs: number | null): void {
    this.#last = error;
    this.#restartDelayMs = restartDelayMs;
  }

  /** The attempt has ended: calls `restart` after the delay. */
  delayRestart(restart: () => void): void {
    this.#restarts++;
    this.#timer = this.#ports.clock.schedule(this.#restartDelayMs ?? 0, () => {
      this.#timer = null;
      this.#restartDelayMs = null;
      restart();
    });
  }

  /** Nothing restarts by itself any more. */
  cancelRestart(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
