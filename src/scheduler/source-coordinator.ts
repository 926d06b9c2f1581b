import { toMillraceError } from '../core/index.ts';
import type { Clock, Split, SplitEnumerator, SplitId, Timer } from '../core/index.ts';
import { localityOf, NOWHERE } from './placement/locality.ts';
import type { Place } from './placement/locality.ts';
import { placeSplits } from './placement/place-splits.ts';
import type { SourceDemand } from './placement/placement-request.ts';
import type { ReadSplits } from './placement/placement-report.ts';
import type { RestoredSplits } from './recovery/restored-tasks.ts';
import { assignSplits } from './split-assignment.ts';

/** A discovery that fails for a passing reason is repeated this often before the job fails. */
const MAX_FAILED_DISCOVERIES = 10;

export interface SourceCallbacks {
  addSplits(subtaskIndex: number, splits: readonly Split[]): void;
  noMoreSplits(subtaskIndex: number): void;
  failed(error: unknown): void;
}

/** What a subtask was given by an earlier leader. */
export interface GivenSplits {
  readonly splits: readonly Split[];
  /** It was told that there are no more. */
  readonly isComplete: boolean;
}

/** Finds the splits of one source and spreads them over its subtasks, beside the JobMaster. */
export class SourceCoordinator {
  readonly stepId: string;
  readonly #enumerator: SplitEnumerator;
  readonly #clock: Clock;
  readonly #callbacks: SourceCallbacks;
  #restored: RestoredSplits | null;
  /** Splits that the checkpoint holds, or that subtasks have: whatever the enumerator says, they are not new. */
  #known: ReadonlySet<SplitId>;
  /** Found before it was known where subtasks run. */
  #unplaced: readonly Split[] = [];
  /** Where each subtask runs. */
  #places: readonly Place[];
  /** Whose splits are whose. */
  readonly #given: Split[][];
  /** Splits that have the subtask which had them in the checkpoint. */
  readonly #staying = new Set<SplitId>();
  /** Per subtask: splits that wait until it runs, or null once it does. */
  readonly #waiting: (Split[] | null)[];
  #isComplete = false;
  #isClosed = false;
  #failures = 0;
  #timer: Timer | null = null;

  constructor(
    stepId: string,
    parallelism: number,
    enumerator: SplitEnumerator,
    clock: Clock,
    callbacks: SourceCallbacks,
    restored: RestoredSplits | null,
  ) {
    this.stepId = stepId;
    this.#enumerator = enumerator;
    this.#clock = clock;
    this.#callbacks = callbacks;
    this.#restored = restored;
    this.#known = new Set(restored?.splits.map(({ split }) => split.id));
    this.#given = Array.from({ length: parallelism }, () => []);
    this.#waiting = this.#given.map(() => []);
    this.#places = this.#given.map(() => NOWHERE);
  }

  /** Looks for the first splits; rejects where the source cannot be read. */
  async open(): Promise<void> {
    if (this.#restored !== null) this.#enumerator.restore?.([...this.#known]);
    await this.#enumerator.open();
    const found = await this.#enumerator.discover();
    this.#unplaced = found.filter(({ id }) => !this.#known.has(id));
    this.#restored = this.#restored && this.#located(this.#restored);
  }

  /** What was near when a checkpoint was taken need not be near any more. */
  #located({ splits, parallelism }: RestoredSplits): RestoredSplits {
    return {
      parallelism,
      splits: splits.map(({ split, ...whose }) => ({ ...whose, split: { ...split, racks: this.#racksOf(split) } })),
    };
  }

  #racksOf({ id, racks }: Pick<Split, 'id' | 'racks'>): readonly string[] {
    return this.#enumerator.locate?.(id) ?? racks;
  }

  /** What is to be read, before it is known where subtasks run. */
  get demand(): SourceDemand {
    const restored = this.#restored?.splits ?? [];
    const stay = this.#restored?.parallelism === this.#given.length;
    const splits = [
      ...restored.map(({ split: { racks }, subtaskIndex }) => ({ racks, subtaskIndex: stay ? subtaskIndex : null })),
      ...this.#unplaced.map(({ racks }) => ({ racks, subtaskIndex: null })),
    ];
    return { parallelism: this.#given.length, splits };
  }

  /** Called once after open(), before any subtask runs: where each will. Decides who reads what. */
  place(places: readonly Place[]): void {
    this.#places = places;
    if (this.#restored !== null) this.#takeBack(this.#restored);
    this.#assign(this.#unplaced);
    this.#unplaced = [];
    if (this.#enumerator.discoveryIntervalMs === null) this.#isComplete = true;
    else this.#schedule(this.#enumerator.discoveryIntervalMs);
  }

  /** Who reads what, and where. */
  get readers(): readonly ReadSplits[] {
    const { stepId } = this;
    return this.#given.map((splits, subtaskIndex) => {
      const located = splits.map(({ id, racks }) => {
        return { id, racks: this.#racksOf({ id, racks }), stays: this.#staying.has(id) };
      });
      return { stepId, subtaskIndex, place: this.#placeOf(subtaskIndex), splits: located };
    });
  }

  /**
   * Instead of open(), where all subtasks run under an earlier leader's care and have been told of their first splits.
   * Those that it had found and not given out are found again.
   */
  async resume(given: readonly GivenSplits[], places: readonly Place[]): Promise<void> {
    this.#known = new Set(given.flatMap(({ splits }) => splits.map(({ id }) => id)));
    this.#places = places;
    given.forEach(({ splits }, index) => this.#given[index]?.push(...splits));
    this.#waiting.fill(null);
    const intervalMs = this.#enumerator.discoveryIntervalMs;
    this.#isComplete = intervalMs === null;
    if (intervalMs === null) {
      // All splits were given with the first ones.
      given.forEach(({ isComplete }, index) => {
        if (!isComplete) this.#callbacks.noMoreSplits(index);
      });
      return;
    }
    this.#enumerator.restore?.([...this.#known]);
    await this.#enumerator.open();
    if (!this.#isClosed) await this.#discover(intervalMs);
  }

  /** A subtask runs and can be given its splits. */
  subtaskRunning(index: number): void {
    const splits = this.#waiting[index];
    if (splits === null || splits === undefined) return;
    this.#waiting[index] = null;
    // Also without any: the subtask then knows that it holds no event time back.
    if (splits.length > 0 || !this.#isComplete) this.#callbacks.addSplits(index, splits);
    if (this.#isComplete) this.#callbacks.noMoreSplits(index);
  }

  /**
   * These subtasks start anew, where they will run in other places perhaps. What `restored` does not say of the splits
   * that they have was given to them after it, and is given to them again as it was.
   */
  restart(subtasks: readonly number[], places: readonly Place[], restored: RestoredSplits | null): void {
    this.#places = places;
    const positions = new Map(restored?.splits.map(({ split }) => [split.id, split]));
    for (const index of subtasks) {
      const given = this.#given[index];
      if (given === undefined) continue;
      this.#waiting[index] = given.map((split) => positions.get(split.id) ?? split);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#enumerator.close();
  }

  /** Splits stay where they were, unless the parallelism is another. */
  #takeBack({ splits, parallelism }: RestoredSplits): void {
    if (parallelism !== this.#given.length) {
      this.#give(this.#spread(splits.map(({ split }) => split)));
      return;
    }
    for (const { split } of splits) this.#staying.add(split.id);
    this.#give(
      this.#given.map((_, index) => splits.filter((each) => each.subtaskIndex === index).map(({ split }) => split)),
    );
  }

  #assign(found: readonly Split[]): void {
    this.#give(this.#spread(found.filter(({ id }) => !this.#known.has(id))));
  }

  #spread(splits: readonly Split[]): readonly (readonly Split[])[] {
    const counts = this.#given.map(({ length }) => length);
    const places = counts.map((_, index) => this.#placeOf(index));
    const isNearness = splits.some(({ racks }) => places.some((place) => localityOf(racks, place) !== 'indifferent'));
    if (!isNearness) return assignSplits(splits, counts);
    const readers = places.map((place, index) => ({ place, splitCount: counts[index] ?? 0 }));
    const readerOf = placeSplits(splits.map(({ racks }) => racks), readers);
    return counts.map((_, index) => splits.filter((__, split) => readerOf[split] === index));
  }

  #placeOf(index: number): Place {
    return this.#places[index] ?? NOWHERE;
  }

  #give(assigned: readonly (readonly Split[])[]): void {
    assigned.forEach((splits, index) => {
      if (splits.length === 0) return;
      this.#given[index]?.push(...splits);
      const waiting = this.#waiting[index];
      if (waiting === null) this.#callbacks.addSplits(index, splits);
      else waiting?.push(...splits);
    });
  }

  #schedule(intervalMs: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#clock.schedule(intervalMs, () => void this.#discover(intervalMs), true);
  }

  async #discover(intervalMs: number): Promise<void> {
    try {
      const found = await this.#enumerator.discover();
      if (this.#isClosed) return;
      this.#failures = 0;
      this.#assign(found);
    } catch (error) {
      if (this.#isClosed) return;
      this.#failures++;
      if (toMillraceError(error).retry !== 'backoff' || this.#failures >= MAX_FAILED_DISCOVERIES) {
        this.#callbacks.failed(error);
        return;
      }
    }
    this.#schedule(intervalMs);
  }
}
