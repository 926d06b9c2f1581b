/**
 * Which failures of an attempt restart a part of it (docs/design/022), and what bounds that: while a part is away no
 * checkpoint completes, and the transactions of the others wait.
 */
import type { CheckpointSettings, Timer } from '../../core/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import { schedulerErrors } from '../errors.ts';
import { slotsNeeded } from '../slice-plan.ts';
import { failoverRegions, slicesToRestart } from './failover-regions.ts';
import { RegionRestart } from './region-restart.ts';
import type { RegionRestartOptions } from './region-restart.ts';

export interface PartFailoverOptions extends Omit<RegionRestartOptions, 'slices' | 'delayMs'> {
  readonly graph: JobGraph;
  readonly settings: CheckpointSettings;
}

/** Each may leave a prepared transaction to the next checkpoint, and a subtask's pool of ids has room for so many. */
const MOST_IN_ROW = 2;
/** A delay that is longer is waited for by the whole job. */
export const LONGEST_DELAY_MS = 10_000;

/** Of one attempt; made when it is deployed or taken over. */
export class PartFailover {
  readonly #options: PartFailoverOptions;
  readonly #regions: readonly (readonly number[])[];
  readonly #startedAtMs: number;
  #restart: RegionRestart | null = null;
  #isAborted = false;
  /** When the last completed checkpoint began, at the last restart; and how many there were since. */
  #sinceMs: number;
  #inRow = 0;
  #timer: Timer | null = null;

  constructor(options: PartFailoverOptions) {
    this.#options = options;
    this.#regions = failoverRegions(options.graph);
    this.#startedAtMs = options.clock.nowMs();
    this.#sinceMs = this.#startedAtMs;
  }

  /** What has to restart where these slices have failed; null where that is the whole job. */
  slicesFor(failed: readonly number[]): readonly number[] | null {
    const { graph, attempt, checkpointer } = this.#options;
    const slices = slicesToRestart(this.#regions, failed);
    const isPart = slices.length > 0 && slices.length < slotsNeeded(graph);
    if (!isPart || this.#isAborted || this.#restart !== null) return null;
    // It takes the slots that are left instead of waiting for others.
    if (graph.rescale !== undefined) return null;
    if (!attempt.canRestartPart || checkpointer.isSavepointWanted) return null;
    const isRepeated = this.#lastCheckpointMs === this.#sinceMs && this.#inRow >= MOST_IN_ROW;
    return isRepeated || this.#leftMs <= 0 ? null : slices;
  }

  /** Their tasks end, and start anew after the delay. */
  begin(slices: readonly number[], delayMs: number): void {
    const { clock, checkpointer, settings } = this.#options;
    const lastMs = this.#lastCheckpointMs;
    this.#inRow = lastMs === this.#sinceMs ? this.#inRow + 1 : 1;
    this.#sinceMs = lastMs;
    this.#timer?.cancel();
    this.#timer = clock.schedule(this.#leftMs, () => {
      if (this.#lastCheckpointMs !== lastMs || checkpointer.isLastDone) return;
      const seconds = Math.round(promisedMs(settings) / 1000);
      this.#options.failed(
        schedulerErrors.create('MR-JOB-PART-LATE', { what: 'no checkpoint has completed', seconds }),
      );
    }, true);
    this.#restart = new RegionRestart({ ...this.#options, slices, delayMs });
  }

  /** Whether these are ending for a restart already: that they fail as well is nothing new. */
  isEnding(slice: number): boolean {
    return this.#restart?.isEnding === true && this.#restart.slices.has(slice);
  }

  /** The state of a task has changed. Returns whether no part is away (any more). */
  taskChanged(): boolean {
    if (this.#restart === null) return true;
    const isOver = this.#restart.taskChanged();
    if (isOver) this.#restart = null;
    return isOver;
  }

  get waitingFor(): string | null {
    return this.#restart?.waitingFor ?? null;
  }

  /** Nothing restarts in part any more. Resolves when nothing is under way. Harmless when repeated. */
  abort(): Promise<void> {
    this.#isAborted = true;
    this.#timer?.cancel();
    this.#restart?.abort();
    return this.#restart?.done ?? Promise.resolve();
  }

  get #lastCheckpointMs(): number {
    return Math.max(this.#startedAtMs, this.#options.checkpointer.lastTriggeredAtMs ?? 0);
  }

  /** Until the next checkpoint must have completed. */
  get #leftMs(): number {
    return this.#lastCheckpointMs + promisedMs(this.#options.settings) - this.#options.clock.nowMs();
  }
}

/** What note 012 says that a transaction may have to wait for its checkpoint. */
function promisedMs({ intervalMs, tolerableFailures, timeoutMs, minPauseMs }: CheckpointSettings): number {
  return intervalMs + (tolerableFailures + 1) * (timeoutMs + minPauseMs);
}
