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
 *
 * Where the job keeps state on the disk, prepare() brings in what a batch needs, and firing is a walk (walk.ts) through
 * what is on the disk and what is in memory.
 */
import { RowKind } from '../../core/index.ts';
import type { ColumnBatch, Operator, OperatorContext, OperatorState } from '../../core/index.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { storedState } from '../state/stored-state.ts';
import { TimeHeap } from '../state/time-heap.ts';
import type { MarkedSlots } from './marked-slots.ts';
import { RowVerdicts } from './row-verdicts.ts';
import { SliceLookup } from './slice-lookup.ts';
import { planSlices } from './slice-plan.ts';
import type { SlicePlan } from './slice-plan.ts';
import { SliceStore } from './slice-store.ts';
import { StoredWindows } from './stored-windows.ts';
import { Walks } from './walk.ts';
import type { Walk } from './walk.ts';
import { WindowFiring } from './window-firing.ts';
import { WindowOutput } from './window-output.ts';
import { WindowRefiring, endsOf } from './window-refiring.ts';
import type { SlicedWindow, WindowSpec } from './window-spec.ts';

/** Slots that one call of onWatermark() frees at most: a millisecond's work. */
const DRAINED_SLOTS = 8192;
/**
 * Marked slots stay in memory. Once there are more than that, and more than half of all slots are marked, the marks
 * are given up, and whole windows are emitted again.
 */
const MOST_MARKED = 1024;

/** What exists from open() on. */
interface Opened {
  readonly context: OperatorContext;
  readonly output: WindowOutput;
  readonly firing: WindowFiring;
  readonly refiring: WindowRefiring;
  readonly verdicts: RowVerdicts;
  /** Where entries may leave memory. */
  readonly disk: Disk | null;
}

interface Disk {
  readonly windows: StoredWindows;
  /** Of windows that are emitted although they have fired, or have not ended. */
  readonly again: WindowFiring;
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
  #hasVerdicts = false;
  #isAlarmSet = false;
  /** Whether all windows have to be emitted again, or early, because the marks were given up. */
  #isAllLate = false;
  #isAllEarly = false;
  readonly #walks = new Walks();
  #opened: Opened | null = null;

  constructor(spec: WindowSpec<SlicedWindow>) {
    this.#spec = spec;
    this.#plan = planSlices(spec.window);
    this.#store = new SliceStore(spec, this.#plan.hasManySlices);
    this.#hasExpiries = spec.latenessMs > 0 || spec.window.kind === 'cumulate';
    this.#lookup = new SliceLookup(this.#plan, this.#store.slices, spec.latenessMs, (start) => this.#addSlice(start));
    this.state = this.#describeState();
  }

  async open(context: OperatorContext): Promise<void> {
    const { latenessMs, earlyMs } = this.#spec;
    const [plan, store] = [this.#plan, this.#store];
    const isUpsert = latenessMs > 0 || earlyMs !== null;
    const parts = { table: store.table, calls: store.calls, context };
    const { restoredAhead: ahead } = context;
    const output = new WindowOutput(this.#spec, { isUpsert, hasTime: true, ahead }, parts);
    this.#opened = {
      context,
      output,
      firing: new WindowFiring(plan, store, output, { kind: this.#firedKind, freesSlices: !this.#hasExpiries }),
      refiring: new WindowRefiring(plan, store, output),
      verdicts: new RowVerdicts(context, this.#spec),
      disk: context.spill === undefined ? null : this.#describeDisk(output),
    };
    this.#advance(context.restoredWatermarkMs);
    if (context.spill !== undefined) await store.openSpill(context.spill, context);
  }

  prepare(batch: ColumnBatch): Promise<void> | undefined {
    const { disk } = this.#opened as Opened;
    if (disk === null) return undefined;
    const store = this.#store;
    this.#isAllLate = givesUp(store.late, store) || this.#isAllLate;
    this.#isAllEarly = givesUp(store.early, store) || this.#isAllEarly;
    this.#findSlices(batch, 0);
    const room = store.spilled.makeRoom(store.slotsFor(store.rows.rows.rowCount));
    return room === undefined ? this.#findSlots() : room.then(() => this.#findSlots());
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const { disk, verdicts } = this.#opened as Opened;
    const store = this.#store;
    // Else prepare() has done so.
    if (disk === null) {
      this.#findSlices(batch, fromRow);
      store.assignSlots(this.#slices);
    }
    const { rows, slots } = store.rows;
    if (this.#hasVerdicts) verdicts.report(batch, store.rows, this.#slices);
    store.addRows();
    if (disk !== null) store.spilled.changed(slots.values, rows.rowCount);
    if (this.#lookup.foundFired) this.#markLate(rows.rowCount);
    if (this.#spec.earlyMs !== null) this.#markEarly(rows.rowCount, this.#spec.earlyMs);
    return batch.rowCount;
  }

  onWatermark(timestampMs: number): boolean {
    const { firing, output, disk } = this.#opened as Opened;
    if (disk !== null) return this.#walks.goOn(() => this.#pass(timestampMs, disk));
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
    const { refiring, output, disk } = this.#opened as Opened;
    if (disk !== null) return this.#walks.goOn(() => this.#emitEarly(disk));
    if (!refiring.isActive) refiring.begin(this.#store.early, this.#watermarkMs, Infinity);
    if (!refiring.continue()) return false;
    output.emit();
    this.#isAlarmSet = false;
    return true;
  }

  flush(): boolean {
    const { refiring, output, disk } = this.#opened as Opened;
    if (disk !== null) return this.#walks.goOn(() => this.#emitLate(disk));
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

  reading(): Promise<void> | undefined {
    return this.#walks.reading();
  }

  async close(): Promise<void> {
    this.#opened = null;
    await this.#store.spilled.close();
  }

  /** The slice of each row, or why it has none. */
  #findSlices(batch: ColumnBatch, fromRow: number): void {
    const { context, verdicts } = this.#opened as Opened;
    refuseUpdates(batch, this.#spec.stepId);
    this.#store.rows.compute(batch, fromRow, context.errors);
    const { rows } = this.#store.rows;
    if (this.#slices.length < rows.rowCount) this.#slices = new Int32Array(rows.capacity);
    this.#hasVerdicts = this.#lookup.assign(verdicts.timesOf(rows), rows.rowCount, this.#slices);
  }

  #findSlots(): Promise<void> | undefined {
    this.#store.assignSlots(this.#slices);
    return this.#store.spilled.load();
  }

  get #firedKind(): RowKind {
    return this.#spec.earlyMs === null ? RowKind.insert : RowKind.updateAfter;
  }

  #describeDisk(output: WindowOutput): Disk {
    const [plan, store] = [this.#plan, this.#store];
    return {
      windows: new StoredWindows(plan, store, output),
      again: new WindowFiring(plan, store, output, { kind: RowKind.updateAfter, freesSlices: false }),
    };
  }

  /** As onWatermark(). */
  *#pass(timestampMs: number, disk: Disk): Walk {
    const { firing, output } = this.#opened as Opened;
    yield* this.#emitLate(disk);
    for (;;) {
      const next = Math.min(this.#ends.time, this.#expiries.time);
      if (next > timestampMs || next === Infinity) break;
      this.#advance(next);
      if (this.#ends.time === next) {
        this.#fire(next);
        yield* disk.windows.fire(firing, next, this.#firedKind);
        this.#leaving.push(...firing.leaving);
      } else this.#expire();
      while (this.#leaving.length > 0) yield* this.#leave(this.#leaving.pop() as number, disk.windows);
    }
    this.#advance(timestampMs);
    output.emit();
  }

  /** As flush(). */
  *#emitLate({ windows, again }: Disk): Walk {
    const { late } = this.#store;
    const afterMs = this.#watermarkMs - this.#spec.latenessMs;
    if (this.#isAllLate) yield* this.#emitAll(windows, again, afterMs, this.#watermarkMs);
    else if (!late.isEmpty) yield* windows.refire(late, afterMs, this.#watermarkMs);
    else return;
    this.#isAllLate = false;
    late.clear();
    (this.#opened as Opened).output.emit();
  }

  /** As onTimer(). */
  *#emitEarly({ windows, again }: Disk): Walk {
    const { early } = this.#store;
    if (this.#isAllEarly) yield* this.#emitAll(windows, again, this.#watermarkMs, Infinity);
    else yield* windows.refire(early, this.#watermarkMs, Infinity);
    this.#isAllEarly = false;
    early.clear();
    (this.#opened as Opened).output.emit();
    this.#isAlarmSet = false;
  }

  /** All windows that end after `afterMs`, and not after `untilMs`. */
  *#emitAll(windows: StoredWindows, again: WindowFiring, afterMs: number, untilMs: number): Walk {
    for (const endMs of endsOf(this.#plan, this.#store.slices.starts(), afterMs, untilMs)) {
      again.begin(endMs);
      yield* windows.fire(again, endMs, RowKind.updateAfter);
    }
  }

  /** A slice goes, into its base where there is one. */
  #leave(slice: number, windows: StoredWindows): Walk {
    const base = this.#baseOf(slice);
    return base === null ? windows.free(slice) : windows.merge(slice, base);
  }

  /** Event time has come to here, and windows that end until then have fired. */
  #advance(watermarkMs: number): void {
    if (watermarkMs <= this.#watermarkMs) return;
    this.#watermarkMs = watermarkMs;
    this.#lookup.advance(watermarkMs);
  }

  /** How far a key group had come where it was restored from. */
  #reachedBy(keyGroup: number): number {
    return (this.#opened as Opened).context.restoredAhead?.of(keyGroup) ?? -Infinity;
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
    return this.#store.drain(slice, this.#baseOf(slice), budget);
  }

  /** The slice into which another one goes; null for none. */
  #baseOf(slice: number): number | null {
    const { slices } = this.#store;
    const start = slices.startOf(slice);
    const base = this.#plan.baseOf(start);
    if (base === start) return null;
    const known = slices.find(base);
    return known < 0 ? this.#addSlice(base) : known;
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
    if (this.#isAlarmSet || (this.#store.early.isEmpty && !this.#isAllEarly)) return;
    this.#isAlarmSet = true;
    context.setAlarm(context.ports.clock.nowMs() + earlyMs);
  }

  #describeState(): OperatorState {
    const store = this.#store;
    const plan = this.#plan;
    const target = {
      isSlice: (start: number) => plan.sliceOf(start) === start && plan.lastEnd(start) > -Infinity,
      isGone: (start: number, keyGroup: number) => this.#lookup.isGone(start, this.#reachedBy(keyGroup)),
      handleOf: (start: number) => {
        const known = store.slices.find(start);
        return known < 0 ? this.#addSlice(start) : known;
      },
    };
    return storedState(store, {
      target,
      keyGroupCount: () => (this.#opened as Opened).context.maxParallelism,
      onRestored: () => {
        if (this.#spec.earlyMs === null) {
          store.early.clear();
          return;
        }
        this.#isAllEarly = store.spilled.isOpen;
        this.#setAlarm(this.#spec.earlyMs);
      },
    });
  }
}

/** Forgets which slots are marked where they are too many to be kept in memory. */
function givesUp(marks: MarkedSlots, { table }: SliceStore): boolean {
  if (marks.count <= Math.max(MOST_MARKED, table.size / 2)) return false;
  marks.clear();
  return true;
}
