/** When a job that takes as many slots as there are is to have more of them, or fewer: docs/design/018. Pure. */
import type { ReactiveRescale } from '../../graph/index.ts';

export interface RescaleFacts {
  /** `waits`: for slots; `changes`: neither that, nor do all its tasks run. */
  readonly phase: 'runs' | 'waits' | 'changes';
  /** How many slots it has, or asks for. */
  readonly slots: number;
  /** How many it could have at most: its own and its share of those that nobody has. */
  readonly available: number;
  /** So long slots have neither come nor gone. */
  readonly steadyMs: number;
  /** So long it has been waiting. */
  readonly waitingMs: number;
  /** So long ago it was rescaled, or somebody tried to; null for never. */
  readonly sinceRescaleMs: number | null;
}

export type RescaleDecision =
  | { readonly kind: 'rescale'; readonly slots: number }
  /** To be decided again after so long; null: when something changes. */
  | { readonly kind: 'keep'; readonly forMs: number | null };

/** What a job that changes will do is seen soon. */
const LOOK_AGAIN_MS = 500;
const KEEP: RescaleDecision = { kind: 'keep', forMs: null };

/** It grows slowly, as that stops it, and shrinks soon, as it stands still. */
export function decideRescale(settings: ReactiveRescale, facts: RescaleFacts): RescaleDecision {
  const { phase, slots, available, steadyMs, waitingMs, sinceRescaleMs } = facts;
  const wanted = Math.min(available, settings.maxParallelism);
  if (wanted === slots || wanted < settings.minParallelism) return KEEP;
  if (phase === 'changes') return { kind: 'keep', forMs: LOOK_AGAIN_MS };
  // Whoever waits for fewer than there are is about to get them; whoever runs has all that it runs in.
  if (wanted > slots !== (phase === 'runs')) return KEEP;
  const left =
    phase === 'waits'
      ? settings.resourceWaitMs - waitingMs
      : Math.max(settings.stabilizationMs - steadyMs, settings.minIntervalMs - (sinceRescaleMs ?? Infinity));
  return left > 0 ? { kind: 'keep', forMs: left } : { kind: 'rescale', slots: wanted };
}
