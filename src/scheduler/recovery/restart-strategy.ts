import type { RestartStrategy } from '../../graph/index.ts';

/** What a strategy remembers of the failures so far. */
export interface RestartMemory {
  /** Of failures that were followed by a restart, oldest first; as many as the strategy looks back. */
  readonly failedAtMs: readonly number[];
  /** The last delay, before jitter. */
  readonly delayMs: number | null;
}

export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number; readonly memory: RestartMemory }
  | { readonly kind: 'give-up' };

export const noFailures: RestartMemory = Object.freeze({ failedAtMs: [], delayMs: null });

const GIVE_UP: RestartDecision = { kind: 'give-up' };

/**
 * What follows a failure at `nowMs` (of a clock that never goes back) that a restart may cure. `chance` is in [0, 1).
 */
export function decideRestart(
  strategy: RestartStrategy,
  memory: RestartMemory,
  nowMs: number,
  chance: number,
): RestartDecision {
  const { failedAtMs } = memory;
  switch (strategy.kind) {
    case 'none':
      return GIVE_UP;
    case 'fixed-delay':
      if (failedAtMs.length >= strategy.attempts) return GIVE_UP;
      return restart(strategy.delayMs, [...failedAtMs, nowMs]);
    case 'failure-rate': {
      const recent = failedAtMs.filter((atMs) => nowMs - atMs < strategy.intervalMs);
      if (recent.length >= strategy.failures) return GIVE_UP;
      return restart(strategy.delayMs, [...recent, nowMs]);
    }
    case 'exponential-delay': {
      const { initialMs, maxMs, multiplier, jitter, resetMs } = strategy;
      const lastMs = failedAtMs.at(-1);
      const isCalm = lastMs === undefined || nowMs - lastMs - (memory.delayMs ?? 0) >= resetMs;
      const delayMs = Math.min(maxMs, isCalm || memory.delayMs === null ? initialMs : memory.delayMs * multiplier);
      const jittered = Math.min(maxMs, delayMs * (1 + jitter * (2 * chance - 1)));
      return { kind: 'restart', delayMs: Math.round(jittered), memory: { failedAtMs: [nowMs], delayMs } };
    }
  }
}

function restart(delayMs: number, failedAtMs: readonly number[]): RestartDecision {
  return { kind: 'restart', delayMs, memory: { failedAtMs, delayMs } };
}
