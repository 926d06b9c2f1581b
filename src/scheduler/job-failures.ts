import type { MillraceError, Ports } from '../core/index.ts';
import type { RestartStrategy } from '../graph/index.ts';
import { decideRestart, noFailures } from './recovery/restart-strategy.ts';
import type { RestartMemory } from './recovery/restart-strategy.ts';

export interface JobFailure {
  readonly atMs: number;
  readonly error: MillraceError;
}

const REMEMBERED = 32;

/** The failures of a job, and what its restart strategy makes of them. */
export class JobFailures {
  readonly #strategy: RestartStrategy;
  readonly #ports: Pick<Ports, 'clock' | 'randomness'>;
  #memory: RestartMemory = noFailures;
  #recent: readonly JobFailure[] = [];

  constructor(strategy: RestartStrategy, ports: Pick<Ports, 'clock' | 'randomness'>) {
    this.#strategy = strategy;
    this.#ports = ports;
  }

  /** Newest first. */
  get recent(): readonly JobFailure[] {
    return this.#recent;
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
}
