import { toMillraceError } from '../../core/index.ts';
import type { Clock, MillraceError, TaskManagerId, Timer } from '../../core/index.ts';
import type { ClusterRecords } from '../../ha/index.ts';
import type { ResourceManager } from '../slots/resource-manager.ts';

export interface VanishedDrainsOptions {
  readonly clock: Clock;
  readonly records: Pick<ClusterRecords, 'clearDrain'>;
  readonly slots: Pick<ResourceManager, 'drainedIds' | 'undrain' | 'taskManagers'>;
  readonly onProblem: (error: MillraceError) => void;
}

const LOOK_MS = 300_000;
/** Longer than tasks go on without a leader. */
const ABSENCE_MS = 3_600_000;

/**
 * Removes drain marks of TaskManagers that have been away for an hour. A process has an id of its own: one that has
 * ended never comes back, and its mark would be kept for ever.
 */
export class VanishedDrains {
  readonly #options: VanishedDrainsOptions;
  readonly #absentSinceMs = new Map<TaskManagerId, number>();
  #timer: Timer;

  constructor(options: VanishedDrainsOptions) {
    this.#options = options;
    this.#timer = this.#schedule();
  }

  close(): void {
    this.#timer.cancel();
  }

  #schedule(): Timer {
    return this.#options.clock.schedule(LOOK_MS, () => this.#look(), true);
  }

  #look(): void {
    const { clock, slots } = this.#options;
    this.#timer = this.#schedule();
    const nowMs = clock.monotonicMs();
    const present = new Set(slots.taskManagers.map(({ id }) => id));
    const absent = slots.drainedIds.filter((id) => !present.has(id));
    for (const id of [...this.#absentSinceMs.keys()]) if (!absent.includes(id)) this.#absentSinceMs.delete(id);
    for (const id of absent) {
      const sinceMs = this.#absentSinceMs.get(id) ?? nowMs;
      this.#absentSinceMs.set(id, sinceMs);
      if (nowMs - sinceMs >= ABSENCE_MS) this.#remove(id);
    }
  }

  #remove(id: TaskManagerId): void {
    const { records, slots, onProblem } = this.#options;
    records.clearDrain(id).then(
      () => slots.undrain(id),
      // Tried again at the next look.
      (error: unknown) => onProblem(toMillraceError(error)),
    );
  }
}
