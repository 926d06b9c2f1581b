import type { AttemptId } from '../core/index.ts';
import type { SourceProgress } from '../rpc/index.ts';

/**
 * Lets no source run further ahead of the others in event time than it may (FLIP-182): how far each may go, from how
 * far all have come. Sources that are idle or at their end hold nobody back, nor (as in Flink) do those without any
 * event time yet: one whose topic is empty would stop all others for good.
 */
export class WatermarkAlignment {
  /** By task, how far it may be ahead. */
  #drifts: ReadonlyMap<AttemptId, number>;
  readonly #reached = new Map<AttemptId, SourceProgress>();
  /** What each task was told last. */
  readonly #limits = new Map<AttemptId, number>();

  constructor(drifts: ReadonlyMap<AttemptId, number>) {
    this.#drifts = drifts;
  }

  /** Some of the tasks are replaced by others: from now on these are all, and nobody waits for those that are gone. */
  replace(drifts: ReadonlyMap<AttemptId, number>): void {
    this.#drifts = drifts;
    for (const gone of [...this.#reached.keys()].filter((id) => !drifts.has(id))) this.#reached.delete(gone);
    for (const gone of [...this.#limits.keys()].filter((id) => !drifts.has(id))) this.#limits.delete(gone);
  }

  /** Takes in how far sources have come. Returns the tasks that may go to another time now, and to which. */
  report(sources: readonly SourceProgress[]): ReadonlyMap<AttemptId, number> {
    for (const source of sources) if (this.#drifts.has(source.attemptId)) this.#reached.set(source.attemptId, source);
    const active = [...this.#reached.values()].filter(({ isIdle, watermarkMs }) => !isIdle && watermarkMs > -Infinity);
    const least = Math.min(...active.map(({ watermarkMs }) => watermarkMs));
    const changed = new Map<AttemptId, number>();
    for (const [attemptId, driftMs] of this.#drifts) {
      const limitMs = least + driftMs;
      if (limitMs === (this.#limits.get(attemptId) ?? Infinity)) continue;
      this.#limits.set(attemptId, limitMs);
      changed.set(attemptId, limitMs);
    }
    return changed;
  }

  /** What the task was told last has perhaps not arrived: the next report tells it again. */
  unheard(attemptId: AttemptId): void {
    this.#limits.set(attemptId, Number.NaN);
  }
}
