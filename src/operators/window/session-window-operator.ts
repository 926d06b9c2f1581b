/**
 * Session windows over event time: rows of a key belong to one session as long as each is less than the gap after the
 * one before it. A session fires when the watermark reaches its end, which is its last row's time and the gap.
 *
 * With lateness, sessions stay that long after their end. A late row that changes a session that was emitted makes it
 * fire again at the next flush(); where that moves its bounds, or makes one session of two, the rows that were emitted
 * with the old bounds are deleted first.
 */
import { keyGroupOf, MAX_TIMESTAMP_MS, RowKind } from '../../core/index.ts';
import type { ColumnBatch, Operator, OperatorContext, OperatorState } from '../../core/index.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { grown } from '../state/grown.ts';
import { storedState } from '../state/stored-state.ts';
import { TimeHeap } from '../state/time-heap.ts';
import { EmittedBounds } from './emitted-bounds.ts';
import { MarkedSlots } from './marked-slots.ts';
import { RowVerdict, RowVerdicts } from './row-verdicts.ts';
import { NO_SESSION } from './session-chains.ts';
import type { SessionChains } from './session-chains.ts';
import { SessionStore } from './session-store.ts';
import { WindowOutput } from './window-output.ts';
import type { SessionWindow, WindowSpec } from './window-spec.ts';

/** Sessions that one call of onWatermark() looks at at most: a few milliseconds' work. */
const CHECKED_SESSIONS = 8192;

/** What exists from open() on. */
interface Opened {
  readonly context: OperatorContext;
  readonly output: WindowOutput;
  readonly verdicts: RowVerdicts;
}

export class SessionWindowOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: WindowSpec<SessionWindow>;
  readonly #gapMs: number;
  readonly #latenessMs: number;
  readonly #store: SessionStore;
  readonly #chains: SessionChains;
  /** When sessions may have to fire or to go; one that is here too early is put back. */
  readonly #dues = new TimeHeap();
  /** Per session, the time under which it stands in #dues; other mentions of it there do not count. */
  #dueOf = new Float64Array(0);
  readonly #emitted = new EmittedBounds();
  /** Sessions that have ended and have changed since. */
  readonly #late = new MarkedSlots();
  /** Those that are being emitted again. */
  #refiring: Int32Array | null = null;
  #refiringAt = 0;
  /** Rows of the batch at hand below this one are added to their sessions. */
  #addedRows = 0;
  #watermarkMs = -Infinity;
  /** Whether some key groups had come further before they were restored. */
  #isAhead = false;
  #opened: Opened | null = null;

  constructor(spec: WindowSpec<SessionWindow>) {
    this.#spec = spec;
    this.#gapMs = spec.window.gapMs;
    this.#latenessMs = spec.latenessMs;
    this.#store = new SessionStore(spec);
    this.#chains = this.#store.chains;
    this.state = this.#describeState();
  }

  open(context: OperatorContext): void {
    const { table, calls } = this.#store;
    const isUpsert = this.#latenessMs > 0;
    this.#opened = {
      context,
      output: new WindowOutput(this.#spec, { isUpsert, hasTime: true }, { table, calls, context }),
      verdicts: new RowVerdicts(context, this.#spec),
    };
    this.#watermarkMs = context.restoredWatermarkMs;
    this.#isAhead = context.restoredAhead !== undefined;
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const { context, verdicts } = this.#opened as Opened;
    refuseUpdates(batch, this.#spec.stepId);
    const { rows: input, calls } = this.#store;
    input.compute(batch, fromRow, context.errors);
    const { rows, hashes, slots } = input;
    const times = verdicts.timesOf(rows);
    const sessions = slots.values;
    calls.beginRows(rows, slots);
    this.#addedRows = 0;
    let isComplete = true;
    for (let row = 0; row < rows.rowCount; row++) {
      const session = this.#sessionOf(row, hashes[row] as number, times[row] as number);
      sessions[row] = session;
      if (session < 0) isComplete = false;
    }
    this.#addRows(rows.rowCount);
    calls.endRows(rows.rowCount);
    if (!isComplete) verdicts.report(batch, input, sessions);
    return batch.rowCount;
  }

  onWatermark(timestampMs: number): boolean {
    const { output } = this.#opened as Opened;
    if (!this.flush()) return false;
    const dues = this.#dues;
    for (let budget = CHECKED_SESSIONS; dues.time <= timestampMs && dues.time < Infinity; budget--) {
      const { time, id: session } = dues;
      // A session that fires writes a row; this is where it stops when there is no room.
      if (!output.canWrite() || budget === 0) return false;
      dues.pop();
      if (this.#dueOf[session] === time) this.#onDue(session, time);
    }
    this.#watermarkMs = Math.max(this.#watermarkMs, timestampMs);
    output.emit();
    return true;
  }

  flush(): boolean {
    const { output } = this.#opened as Opened;
    if (this.#refiring === null) {
      if (this.#late.isEmpty) return true;
      this.#refiring = this.#late.slots();
      this.#refiringAt = 0;
    }
    while (this.#emitted.hasOrphans) {
      if (!output.canWrite()) return false;
      this.#emitted.takeOrphan((key, startMs, endMs) => {
        output.write(key, this.#store.emptySession(), startMs, endMs, RowKind.delete);
      });
    }
    for (; this.#refiringAt < this.#refiring.length; this.#refiringAt++) {
      if (!this.#refire(this.#refiring[this.#refiringAt] as number, output)) return false;
    }
    this.#late.clear();
    this.#refiring = null;
    output.emit();
    return true;
  }

  finish(): boolean {
    return this.onWatermark(Infinity);
  }

  close(): void {
    this.#opened = null;
  }

  /** The session that the row belongs to, which now includes its time; or a RowVerdict. */
  #sessionOf(row: number, hash: number, time: number): number {
    if (time !== time) return RowVerdict.noTime;
    const endMs = time + this.#gapMs;
    if (!(time >= -MAX_TIMESTAMP_MS && endMs <= MAX_TIMESTAMP_MS)) return RowVerdict.outOfRange;
    const chains = this.#chains;
    const key = this.#store.findKey(row, hash);
    const near = key < 0 ? NO_SESSION : chains.newestBefore(key, endMs);
    if (near !== NO_SESSION && chains.endOf(near) > time) return this.#join(near, time, row);
    if (endMs + this.#latenessMs <= this.#reachedFor(hash)) return RowVerdict.late;
    const session = this.#store.insert(key < 0 ? this.#store.addKey(row, hash) : key, time, near);
    if (this.#isEnded(session)) this.#late.mark(session);
    else this.#schedule(session);
    return session;
  }

  /** The row's time becomes part of a session, and perhaps joins it with the one before. */
  #join(near: number, time: number, row: number): number {
    const chains = this.#chains;
    let session = near;
    if (this.#isEnded(near)) this.#late.mark(near);
    if (time < chains.startOf(near)) {
      const before = chains.older(near);
      if (before !== NO_SESSION && chains.endOf(before) > time) {
        if (this.#isEnded(before)) this.#late.mark(before);
        this.#addRows(row);
        this.#emitted.orphan(near, chains.keyOf(near));
        this.#forget(near);
        this.#store.merge(before, near);
        session = before;
      }
    }
    this.#store.extend(session, time);
    return session;
  }

  #addRows(until: number): void {
    const { calls, rows } = this.#store;
    calls.loops.addRows(rows.slots.values, this.#addedRows, until);
    this.#addedRows = until;
  }

  #isEnded(session: number): boolean {
    const endMs = this.#chains.endOf(session);
    if (endMs <= this.#watermarkMs) return true;
    // Asked of every row: most subtasks have no key group that is ahead.
    return this.#isAhead && endMs <= this.#reachedFor(this.#store.hashOf(session));
  }

  /** How far event time has come for a key. */
  #reachedFor(hash: number): number {
    return this.#reachedBy(keyGroupOf(hash, (this.#opened as Opened).context.maxParallelism));
  }

  #reachedBy(keyGroup: number): number {
    const { restoredAhead } = (this.#opened as Opened).context;
    return Math.max(this.#watermarkMs, restoredAhead?.of(keyGroup) ?? -Infinity);
  }

  /** A session stands in #dues for `time`. */
  #onDue(session: number, time: number): void {
    const endMs = this.#chains.endOf(session);
    if (endMs === time) this.#fire(session);
    else if (endMs < time && endMs + this.#latenessMs <= time) this.#free(session);
    else this.#setDue(session, endMs > time ? endMs : endMs + this.#latenessMs);
  }

  #fire(session: number): void {
    const chains = this.#chains;
    const [startMs, endMs] = [chains.startOf(session), chains.endOf(session)];
    const { output } = this.#opened as Opened;
    const isWritten = output.write(chains.keyOf(session), session, startMs, endMs, RowKind.insert);
    if (this.#latenessMs === 0) {
      this.#free(session);
      return;
    }
    if (isWritten) this.#emitted.set(session, startMs, endMs);
    this.#setDue(session, endMs + this.#latenessMs);
  }

  /** Emits a session that has changed after its end. Returns false where the output was not ready. */
  #refire(session: number, output: WindowOutput): boolean {
    const [chains, emitted] = [this.#chains, this.#emitted];
    const [startMs, endMs] = [chains.startOf(session), chains.endOf(session)];
    const key = chains.keyOf(session);
    if (emitted.has(session) && !emitted.isWith(session, startMs, endMs)) {
      if (!output.canWrite()) return false;
      const empty = this.#store.emptySession();
      output.write(key, empty, emitted.startOf(session), emitted.endOf(session), RowKind.delete);
      emitted.clear(session);
    }
    if (this.#isEnded(session)) {
      if (!output.canWrite()) return false;
      if (output.write(key, session, startMs, endMs, RowKind.updateAfter)) emitted.set(session, startMs, endMs);
    }
    this.#schedule(session);
    return true;
  }

  /** Puts a session under its next time: its end, or when it goes. */
  #schedule(session: number): void {
    const endMs = this.#chains.endOf(session);
    this.#setDue(session, this.#isEnded(session) ? endMs + this.#latenessMs : endMs);
  }

  #setDue(session: number, time: number): void {
    const before = this.#dueOf.length;
    this.#dueOf = grown(this.#dueOf, session + 1).fill(NaN, before);
    if (this.#dueOf[session] === time) return;
    this.#dueOf[session] = time;
    this.#dues.push(time, session);
  }

  #free(session: number): void {
    this.#forget(session);
    this.#store.free(session);
  }

  #forget(session: number): void {
    this.#dueOf[session] = NaN;
    this.#emitted.clear(session);
    this.#late.unmark(session);
  }

  #describeState(): OperatorState {
    const [dues, emitted] = [this.#dues, this.#emitted];
    const target = {
      isGone: (endMs: number, keyGroup: number) => endMs + this.#latenessMs <= this.#reachedBy(keyGroup),
      onSession: (session: number) => {
        const [startMs, endMs] = [this.#chains.startOf(session), this.#chains.endOf(session)];
        if (this.#isEnded(session)) emitted.set(session, startMs, endMs);
        this.#schedule(session);
      },
    };
    return storedState(this.#store, {
      target,
      keyGroupCount: () => (this.#opened as Opened).context.maxParallelism,
      otherBytes: () => dues.sizeBytes + emitted.sizeBytes,
    });
  }
}
