/**
 * Tumbling, hopping and cumulating windows over event time. A slot of the table is a key in a slice (slice-plan.ts),
 * and holds what the calls have seen there. When the watermark reaches the end of a window, each key that is in one of
 * its slices becomes a row: the slot itself where it is alone, else the slots of the key merged.
 *
 * With lateness, slices stay until their last window can no longer change. A row that comes when windows of its slice
 * have fired marks its slot; the next flush() emits those windows again for the marked keys. Early firing marks in the
 * same way, and the alarm emits the windows that have not ended.
 *
 * The slices of a cumulating window are merged into its first slice, the base, once no window ends between them that
 * can still change, so that a window has few slices to merge however long it is.
 */
import { RowKind } from '../../core/index.ts';
import type { ColumnBatch, Operator, OperatorContext, OperatorState } from '../../core/index.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { storedState } from '../state/stored-state.ts';
import { TimeHeap } from '../state/time-heap.ts';
import { RowVerdicts } from './row-verdicts.ts';
import { SliceLookup } from './slice-lookup.ts';
import { planSlices } from './slice-plan.ts';
import type { SlicePlan } from './slice-plan.ts';
import { SliceStore } from './slice-store.ts';
import { WindowFiring } from './window-firing.ts';
import { WindowOutput } from './window-output.ts';
import { WindowRefiring } from './window-refiring.ts';
import type { SlicedWindow, WindowSpec } from './window-spec.ts';

/** Slots that one call of onWatermark() frees at most: a millisecond's work. */
const DRAINED_SLOTS = 8192;

/** What exists from open() on. */
interface Opened {
  readonly context: OperatorContext;
  readonly output: WindowOutput;
  readonly firing: WindowFiring;
  readonly refiring: WindowRefiring;
  readonly verdicts: RowVerdicts;
}

export class SliceWindowOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: WindowSpec<SlicedWindow>;
  readonly #plan: SlicePlan;
  readonly #store: SliceStore;
  readonly #lookup: SliceLookup;
  /** Whether slices stay after their last window has fired, or are merged before: then they have a time to go. */
  readonly #hasExpiries: boolean;
  /** Ends of windows that have to fire, each once. */
  readonly #ends = new TimeHeap();
  readonly #pendingEnds = new Set<number>();
  /** When slices go, or go into their base. */
  readonly #expiries = new TimeHeap();
  /** Slices that are on their way out, the last one first. */
  readonly #leaving: number[] = [];
  #watermarkMs = -Infinity;
  #slices = new Int32Array(0);
  #isAlarmSet = false;
  #opened: Opened | null = null;

  constructor(spec: WindowSpec<SlicedWindow>) {
    this.#spec = spec;
    this.#plan = planSlices(spec.window);
    this.#store = new SliceStore(spec, this.#plan.hasManySlices);
    this.#hasExpiries = spec.latenessMs > 0 || spec.window.kind === 'cumulate';
    this.#lookup = new SliceLookup(this.#plan, this.#store.slices, spec.latenessMs, (start) => this.#addSlice(start));
    this.state = this.#describeState();
  }

  open(context: OperatorContext): void {
    const { latenessMs, earlyMs } = this.#spec;
    const [plan, store] = [this.#plan, this.#store];
    const isUpsert = latenessMs > 0 || earlyMs !== null;
    const parts = { table: store.table, calls: store.calls, context };
    const output = new WindowOutput(this.#spec, { isUpsert, hasTime: true }, parts);
    const kind = earlyMs === null ? RowKind.insert : RowKind.updateAfter;
    this.#opened = {
      context,
      output,
      firing: new WindowFiring(plan, store, output, { kind, freesSlices: !this.#hasExpiries }),
      refiring: new WindowRefiring(plan, store, output),
      verdicts: new RowVerdicts(context, this.#spec),
    };
    this.#advance(context.restoredWatermarkMs);
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const { context, verdicts } = this.#opened as Opened;
    refuseUpdates(batch, this.#spec.stepId);
    const store = this.#store;
    store.rows.compute(batch, fromRow, context.errors);
    const { rows } = store.rows;
    if (this.#slices.length < rows.rowCount) this.#slices = new Int32Array(rows.capacity);
    const times = verdicts.timesOf(rows);
    if (this.#lookup.assign(times, rows.rowCount, this.#slices)) verdicts.report(batch, store.rows, this.#slices);
    store.addRows(this.#slices);
    if (this.#lookup.foundFired) this.#markLate(rows.rowCount);
    if (this.#spec.earlyMs !== null) this.#markEarly(rows.rowCount, this.#spec.earlyMs);
    return batch.rowCount;
  }

  onWatermark(timestampMs: number): boolean {
    const { firing, output } = this.#opened as Opened;
    if (!firing.isActive && !this.flush()) return false;
    let budget = DRAINED_SLOTS;
    for (;;) {
      if (firing.isActive) {
        if (!firing.continue()) return false;
        this.#leaving.push(...firing.leaving);
      }
      while (this.#leaving.length > 0) {
        budget = this.#drain(this.#leaving.at(-1) as number, budget);
        if (budget < 0) return false;
        this.#leaving.pop();
      }
      const next = Math.min(this.#ends.time, this.#expiries.time);
      if (next > timestampMs || next === Infinity) break;
      this.#advance(next);
      if (this.#ends.time === next) this.#fire(next);
      else this.#expire();
    }
    this.#advance(timestampMs);
    output.emit();
    return true;
  }

  onTimer(): boolean {
    const { refiring, output } = this.#opened as Opened;
    if (!refiring.isActive) refiring.begin(this.#store.early, this.#watermarkMs, Infinity);
    if (!refiring.continue()) return false;
    output.emit();
    this.#isAlarmSet = false;
    return true;
  }

  flush(): boolean {
    const { refiring, output } = this.#opened as Opened;
    if (!refiring.isActive) {
      if (this.#store.late.isEmpty) return true;
      refiring.begin(this.#store.late, this.#watermarkMs - this.#spec.latenessMs, this.#watermarkMs);
    }
    if (!refiring.continue()) return false;
    output.emit();
    return true;
  }

  finish(): boolean {
    return this.onWatermark(Infinity);
  }

  close(): void {
    this.#opened = null;
  }

  /** Event time has come to here, and windows that end until then have fired. */
  #advance(watermarkMs: number): void {
    if (watermarkMs <= this.#watermarkMs) return;
    this.#watermarkMs = watermarkMs;
    this.#lookup.advance(watermarkMs);
  }

  #fire(endMs: number): void {
    this.#ends.pop();
    this.#pendingEnds.delete(endMs);
    const slices = (this.#opened as Opened).firing.begin(endMs);
    for (const slice of slices) this.#scheduleEnd(this.#store.slices.startOf(slice), endMs);
  }

  /** The earliest of the slices that have to go begins to go. */
  #expire(): void {
    this.#leaving.push(this.#expiries.id);
    this.#expiries.pop();
  }

  /** As SliceStore.drain(): into the base, where there is one. */
  #drain(slice: number, budget: number): number {
    const { slices } = this.#store;
    const start = slices.startOf(slice);
    const base = this.#plan.baseOf(start);
    if (base === start) return this.#store.drain(slice, null, budget);
    const known = slices.find(base);
    return this.#store.drain(slice, known < 0 ? this.#addSlice(base) : known, budget);
  }

  #addSlice(startMs: number): number {
    const slice = this.#store.slices.add(startMs);
    this.#scheduleEnd(startMs, this.#watermarkMs);
    if (this.#hasExpiries) {
      const isBase = this.#plan.baseOf(startMs) === startMs;
      const lastEnd = isBase ? this.#plan.lastEnd(startMs) : startMs + this.#plan.sliceMs;
      this.#expiries.push(lastEnd + this.#spec.latenessMs, slice);
    }
    return slice;
  }

  #scheduleEnd(sliceStart: number, afterMs: number): void {
    const end = this.#plan.nextEnd(sliceStart, afterMs);
    if (end === Infinity || this.#pendingEnds.has(end)) return;
    this.#pendingEnds.add(end);
    this.#ends.push(end, 0);
  }

  #markLate(rowCount: number): void {
    const { late, rows } = this.#store;
    const slots = rows.slots.values;
    for (let row = 0; row < rowCount; row++) {
      const slice = this.#slices[row] as number;
      if (slice >= 0 && this.#lookup.hasFired(slice)) late.mark(slots[row] as number);
    }
  }

  #markEarly(rowCount: number, earlyMs: number): void {
    const { early, rows } = this.#store;
    const slots = rows.slots.values;
    for (let row = 0; row < rowCount; row++) {
      const slot = slots[row] as number;
      if (slot >= 0) early.mark(slot);
    }
    this.#setAlarm(earlyMs);
  }

  #setAlarm(earlyMs: number): void {
    const { context } = this.#opened as Opened;
    if (this.#isAlarmSet || this.#store.early.isEmpty) return;
    this.#isAlarmSet = true;
    context.setAlarm(context.ports.clock.nowMs() + earlyMs);
  }

  #describeState(): OperatorState {
    const store = this.#store;
    const plan = this.#plan;
    const target = {
      isSlice: (start: number) => plan.sliceOf(start) === start && plan.lastEnd(start) > -Infinity,
      isGone: (start: number) => this.#lookup.isGone(start),
      handleOf: (start: number) => {
        const known = store.slices.find(start);
        return known < 0 ? this.#addSlice(start) : known;
      },
    };
    return storedState(store, {
      target,
      keyGroupCount: () => (this.#opened as Opened).context.maxParallelism,
      onRestored: () => {
        if (this.#spec.earlyMs === null) store.early.clear();
        else this.#setAlarm(this.#spec.earlyMs);
      },
    });
  }
}
