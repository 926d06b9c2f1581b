import { MAX_WATERMARK_MS } from '../core/index.ts';
import type { ColumnBatch, Split, SplitId } from '../core/index.ts';
import type { WatermarkSpec } from '../graph/index.ts';
import type { SourceProgress } from '../rpc/index.ts';
import type { ControlElement } from './exchange/channel.ts';

type Watermark = Extract<ControlElement, { readonly kind: 'watermark' }>;

interface SplitTime {
  maxTimestampMs: number;
  isIdle: boolean;
  /** When it last had rows, in time that counts for idleness. */
  seenAtMs: number;
}

/**
 * Event time at a source: a watermark per split, that of bounded out-of-orderness (the greatest timestamp less the
 * delay), and the least of them all. Splits that are silent for `idleMs` hold nobody back until they have rows again.
 */
export class SplitWatermarks {
  readonly #spec: WatermarkSpec;
  readonly #splits = new Map<SplitId, SplitTime>();
  #currentId: SplitId | null = null;
  #current: SplitTime | null = null;
  /** Event time per row where the batch's own column cannot serve. */
  #scratch = new Float64Array(0);
  /** Whether it is known which splits there are at first. */
  #isDecided = false;
  #activeMs = 0;
  #emittedMs: number;
  #wasIdle = false;
  /** What was reached before a restart has to be said again: those who hear it have forgotten who said it. */
  #mustTell: boolean;

  /** `restoredMs`: what it had reached before, and never goes back behind; -Infinity for nothing. */
  constructor(spec: WatermarkSpec, restoredMs: number) {
    this.#spec = spec;
    this.#emittedMs = restoredMs;
    this.#mustTell = restoredMs > -Infinity;
  }

  addSplits(splits: readonly Split[]): void {
    this.#isDecided = true;
    this.#current = null;
    for (const { id, eventTime } of splits) {
      const { maxTimestampMs = -Infinity, isIdle = false } = eventTime ?? {};
      this.#splits.set(id, { maxTimestampMs, isIdle, seenAtMs: this.#activeMs });
    }
  }

  noMoreSplits(): void {
    this.#isDecided = true;
  }

  removeSplits(ids: readonly SplitId[]): void {
    for (const id of ids) this.#splits.delete(id);
    this.#current = null;
  }

  /** Gives the rows of a batch their event time, NaN where the field is NULL, and looks for the greatest. */
  stamp(batch: ColumnBatch, id: SplitId | null): void {
    const split = this.#splitOf(id);
    const timestamps = this.#timestampsOf(batch);
    const { rowCount } = batch;
    let max = split.maxTimestampMs;
    // A comparison with NaN is false.
    for (let row = 0; row < rowCount; row++) if ((timestamps[row] as number) > max) max = timestamps[row] as number;
    split.maxTimestampMs = max;
    split.isIdle = false;
    split.seenAtMs = this.#activeMs;
    batch.timestamps = timestamps;
  }

  /** Time has passed in which splits with rows could have shown them. */
  elapse(elapsedMs: number): void {
    this.#activeMs += elapsedMs;
    const { idleMs } = this.#spec;
    if (idleMs === null) return;
    for (const split of this.#splits.values()) {
      if (this.#activeMs - split.seenAtMs >= idleMs) split.isIdle = true;
    }
  }

  /** The watermark, where it has changed since the last call. */
  next(): Watermark | null {
    let least = Infinity;
    let latest = -Infinity;
    for (const { maxTimestampMs, isIdle } of this.#splits.values()) {
      latest = Math.max(latest, maxTimestampMs);
      if (!isIdle) least = Math.min(least, maxTimestampMs);
    }
    const isIdle = least === Infinity && this.#isDecided;
    const reached = (isIdle ? latest : this.#isDecided ? least : -Infinity) - this.#spec.delayMs;
    return this.#tell(Math.max(reached, this.#emittedMs), isIdle);
  }

  /** The last watermark of all, where it has not been taken yet. */
  last(): Watermark | null {
    return this.#tell(MAX_WATERMARK_MS, false);
  }

  /** What was told last; null where the source takes no notice of others. */
  get progress(): Omit<SourceProgress, 'attemptId'> | null {
    if (this.#spec.maxDriftMs === undefined) return null;
    // At the end nobody has to wait any more.
    return { watermarkMs: this.#emittedMs, isIdle: this.#wasIdle || this.#emittedMs === MAX_WATERMARK_MS };
  }

  /** Splits as a checkpoint stores them. */
  withEventTime(splits: readonly Split[]): readonly Split[] {
    return splits.map((split) => {
      const { maxTimestampMs = -Infinity, isIdle = false } = this.#splits.get(split.id) ?? {};
      // A split that has shown no row yet has nothing to store, and infinity would not survive JSON.
      return maxTimestampMs === -Infinity ? split : { ...split, eventTime: { maxTimestampMs, isIdle } };
    });
  }

  #tell(timestampMs: number, idle: boolean): Watermark | null {
    if (timestampMs === this.#emittedMs && idle === this.#wasIdle && !this.#mustTell) return null;
    this.#mustTell = false;
    this.#emittedMs = timestampMs;
    this.#wasIdle = idle;
    return { kind: 'watermark', timestampMs, idle };
  }

  #splitOf(id: SplitId | null): SplitTime {
    if (this.#current !== null && id === this.#currentId) return this.#current;
    const name = id ?? ('' as SplitId);
    let split = this.#splits.get(name);
    if (split === undefined) {
      split = { maxTimestampMs: -Infinity, isIdle: false, seenAtMs: this.#activeMs };
      this.#splits.set(name, split);
    }
    this.#currentId = id;
    this.#current = split;
    return split;
  }

  #timestampsOf(batch: ColumnBatch): Float64Array {
    const column = batch.columns[this.#spec.column];
    if (column?.kind !== 'double') throw new TypeError(`field ${this.#spec.column} is no timestamp`);
    if (!column.hasNulls) return column.values;
    const { rowCount } = batch;
    if (this.#scratch.length < rowCount) this.#scratch = new Float64Array(batch.capacity);
    const { values, nulls } = column;
    for (let row = 0; row < rowCount; row++) this.#scratch[row] = nulls[row] === 1 ? NaN : (values[row] as number);
    return this.#scratch;
  }
}
