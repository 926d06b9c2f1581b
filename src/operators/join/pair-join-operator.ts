/**
 * Joins of two streams of rows, of which any two may meet: all (regular), or, where rows may leave memory for a store
 * on the disk, those whose times are near enough (interval, window; with all rows in memory these are
 * bounded-join-operator.ts, which says what such a join does). A row that comes is kept, then meets the rows of its
 * key on the other side one by one; the place in that chain is remembered where the output is full.
 *
 * Without bounds a row without a partner leaves alone at once, and is taken back when one comes (as Flink does it: a
 * delete, then the pair as an insert). Of a semi or an anti join, left rows are kept only as long as they have no
 * partner.
 *
 * Regular joins keep rows for ever, or for `ttlMs` by the clock; what is forgotten says nothing. Their keys may leave
 * memory (join-state.ts); then rows that are forgotten are passed over when they are met, and go by a sweep four times
 * per ttl. Within bounds rows are forgotten by event time, in the same way. Those that leave alone when the watermark
 * has passed all that they could meet have to be found then: a key with such rows stays in memory.
 */
import { RowKind } from '../../core/index.ts';
import type { ColumnBatch, Operator, OperatorContext, OperatorState } from '../../core/index.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import type { RowChains } from '../state/row-chains.ts';
import { storedState } from '../state/stored-state.ts';
import { ENTRIES_PER_CALL } from '../state/time-heap.ts';
import { createReach } from './join-reach.ts';
import type { JoinReach } from './join-reach.ts';
import { isOneSided, other, padsRows, Side, staysAlone } from './join-spec.ts';
import type { JoinSpec, PairBounds } from './join-spec.ts';
import { JoinState } from './join-state.ts';
import { openJoin } from './opened-join.ts';
import type { OpenedJoin } from './opened-join.ts';

/** The spec of a join that is not temporal. */
export type PairJoinSpec = Omit<JoinSpec, 'bounds'> & { readonly bounds: PairBounds | null };

const NONE = -1;
const SWEEPS_PER_TTL = 4;
const SIDES = [Side.left, Side.right] as const;

export class PairJoinOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: PairJoinSpec;
  readonly #state: JoinState;
  readonly #reach: JoinReach;
  readonly #isBounded: boolean;
  readonly #isOneSided: boolean;
  /** By side: whether its rows leave alone, with NULLs for the other. */
  readonly #pads: readonly [boolean, boolean];
  #watermarkMs = -Infinity;
  #alarmMs = Infinity;
  #opened: OpenedJoin | null = null;
  /** The row at hand: -1 between two; the next of the other side that it meets; whether it has met one. */
  #slot = NONE;
  #other = NONE;
  #hasMet = false;
  #isResuming = false;
  /** How far the present sweep has come, by slots of keys. */
  #sweptTo = 0;
  /** Within bounds: when the next one begins, by event time, and how much later the one after. */
  #sweepAtMs = -Infinity;
  readonly #sweepEveryMs: number;

  constructor(spec: PairJoinSpec) {
    this.#spec = spec;
    this.#state = new JoinState(spec, {
      expires: spec.ttlMs !== null || spec.bounds !== null || isOneSided(spec.type),
      skipsNulls: true,
      take: (input, slot, key) => {
        const side = input as Side;
        this.#state.side(side).link(slot, key);
        this.#schedule(side, slot);
      },
      isPinned: (key) => this.#isBounded && SIDES.some((side) => this.#isAwaited(side, key)),
      nowMs: () => this.#nowMs,
      forgottenMs: (input, nowMs) => this.#forgottenMs(input as Side, nowMs),
    });
    this.#reach = createReach(spec.bounds);
    this.#sweepEveryMs = Math.max(1, Math.floor(this.#reachMs / SWEEPS_PER_TTL));
    this.#isBounded = spec.bounds !== null;
    this.#isOneSided = isOneSided(spec.type);
    this.#pads = [padsRows(spec.type, Side.left), padsRows(spec.type, Side.right)];
    this.state = this.#describeState();
  }

  open(context: OperatorContext): Promise<void> | undefined {
    this.#watermarkMs = context.restoredWatermarkMs;
    this.#opened = openJoin(context, this.#spec, this.#state);
    return this.#state.open(context);
  }

  prepare(batch: ColumnBatch, input: number): Promise<void> | undefined {
    return this.#state.prepareBatch((this.#opened as OpenedJoin).rows, batch, input as Side);
  }

  process(batch: ColumnBatch, fromRow: number, input: number): number {
    const { rows, output } = this.#opened as OpenedJoin;
    const side = input as Side;
    if (!this.#isResuming) {
      refuseUpdates(batch, this.#spec.stepId);
      rows.begin(batch, side);
    }
    for (let row = fromRow; row < batch.rowCount; row++) {
      this.#isResuming = true;
      if (this.#slot === NONE && !this.#take(row, side)) continue;
      if (!this.#meetAll(row, side) || !this.#conclude(side)) return row;
      this.#slot = NONE;
    }
    this.#isResuming = false;
    output.emit();
    this.#setAlarm();
    return batch.rowCount;
  }

  onWatermark(timestampMs: number): boolean {
    if (!this.#isBounded) return true;
    this.#watermarkMs = Math.max(this.#watermarkMs, timestampMs);
    for (const side of SIDES) if (!this.#free(side, timestampMs)) return false;
    (this.#opened as OpenedJoin).output.emit();
    if (this.#watermarkMs < this.#sweepAtMs) return true;
    if (!this.#sweep()) return false;
    this.#sweepAtMs = this.#watermarkMs + this.#sweepEveryMs;
    return true;
  }

  onTimer(nowMs: number): boolean {
    this.#alarmMs = Infinity;
    if (this.#state.spilled.isOpen) return this.#sweep();
    // A row that is due now goes, and one that has to stay until the watermark has passed its time does not.
    for (const side of SIDES) if (!this.#free(side, nowMs + 1)) return false;
    this.#setAlarm();
    return true;
  }

  finish(): boolean {
    return this.onWatermark(Infinity);
  }

  close(): Promise<void> {
    this.#opened = null;
    return this.#state.spilled.close();
  }

  /** Keeps a row that comes; false where it is of no use. */
  #take(row: number, side: Side): boolean {
    const { rows, context } = this.#opened as OpenedJoin;
    const time = this.#isBounded ? rows.timeOf(row) : this.#clockTime(context);
    if (time !== time) return false;
    if (this.#isBounded && rows.isLate(this.#reach.closes(time), this.#watermarkMs)) return false;
    const own = this.#state.side(side);
    this.#hasMet = false;
    this.#other = NONE;
    if (rows.hasNullKey(row)) {
      if (!staysAlone(this.#spec.type, side)) return false;
      this.#slot = own.add(row, time);
      return true;
    }
    const key = this.#state.keyOf(rows.keyed.hashes[row] as number, row);
    this.#state.changing(key);
    this.#slot = own.add(row, time);
    own.link(this.#slot, key);
    this.#schedule(side, this.#slot);
    this.#other = this.#state.side(other(side)).head(key);
    return true;
  }

  /** Whether rows of a key leave alone unless a partner comes. */
  #isAwaited(side: Side, key: number): boolean {
    if (!staysAlone(this.#spec.type, side)) return false;
    const own = this.#state.side(side);
    for (let slot = own.head(key); slot !== NONE; slot = own.next(slot)) if (!own.isMarked(slot)) return true;
    return false;
  }

  #clockTime({ ports }: OperatorContext): number {
    return this.#spec.ttlMs === null ? 0 : ports.clock.nowMs();
  }

  /** How far apart two rows that meet may be. */
  get #reachMs(): number {
    return this.#isBounded ? this.#reach.last(Side.left, 0) - this.#reach.first(Side.left, 0) : 0;
  }

  get #nowMs(): number {
    return this.#isBounded ? this.#watermarkMs : this.#clockTime((this.#opened as OpenedJoin).context);
  }

  /** Rows with a time up to that are forgotten. */
  #forgottenMs(side: Side, nowMs: number): number {
    if (this.#isBounded) return this.#reach.past(side, nowMs);
    const { ttlMs } = this.#spec;
    return ttlMs === null ? -Infinity : nowMs - ttlMs;
  }

  /** When the row goes, or Infinity. */
  #dueOf(side: Side, slot: number): number {
    const time = this.#state.side(side).stampOf(slot);
    if (this.#isBounded) return this.#reach.last(side, time);
    return time + (this.#spec.ttlMs ?? Infinity);
  }

  #schedule(side: Side, slot: number): void {
    const own = this.#state.side(side);
    if (this.#state.spilled.isOpen && !(this.#isBounded && staysAlone(this.#spec.type, side))) return;
    if (this.#isBounded && own.isMarked(slot)) return;
    const due = this.#dueOf(side, slot);
    if (due < Infinity) own.due.push(due, slot);
  }

  /** False where the output is full; then the place is remembered. */
  #meetAll(row: number, side: Side): boolean {
    const { rows } = this.#opened as OpenedJoin;
    const own = this.#state.side(side);
    const others = this.#state.side(other(side));
    const slot = this.#slot;
    const time = own.stampOf(slot);
    const first = this.#isBounded ? this.#reach.first(side, time) : this.#forgottenMs(side, time) + 1;
    const last = this.#reach.last(side, time);
    while (this.#other !== NONE) {
      const met = this.#other;
      const next = others.next(met);
      const metTime = others.stampOf(met);
      if (metTime >= first && metTime <= last) {
        const [left, right] = side === Side.left ? [slot, met] : [met, slot];
        if (rows.holds(left, right, rows.batch, row) && !this.#meet(side, met, left, right)) return false;
      }
      this.#other = this.#isOneSided && side === Side.left && this.#hasMet ? NONE : next;
    }
    return true;
  }

  #meet(side: Side, met: number, left: number, right: number): boolean {
    return this.#isOneSided ? this.#meetOneSided(side, left, right) : this.#meetPair(side, met, left, right);
  }

  #meetPair(side: Side, met: number, left: number, right: number): boolean {
    const { output } = this.#opened as OpenedJoin;
    const own = this.#state.side(side);
    const others = this.#state.side(other(side));
    if (this.#pads[other(side)] && !others.isMarked(met)) {
      if (!this.#isBounded) {
        if (!output.hasRoom()) return false;
        output.alone(other(side), met, RowKind.delete, NaN);
      }
      others.mark(met);
    }
    if (!output.hasRoom()) return false;
    output.pair(left, right, this.#pairTime(left, right));
    if (this.#pads[side]) own.mark(this.#slot);
    return true;
  }

  /** A left row has found a partner: of a semi join it leaves, of an anti join it is not to leave, or is taken back. */
  #meetOneSided(side: Side, left: number, right: number): boolean {
    const { output } = this.#opened as OpenedJoin;
    const isSemi = this.#spec.type === 'semi';
    if (isSemi || (side === Side.right && !this.#isBounded)) {
      if (!output.hasRoom()) return false;
      // A left row that comes has its own time, whichever partner it met first.
      const isOwn = side === Side.left && this.#isBounded;
      const time = isOwn ? this.#reach.closes(this.#state.left.stampOf(left)) : this.#pairTime(left, right);
      output.alone(Side.left, left, isSemi ? RowKind.insert : RowKind.delete, time);
    }
    this.#hasMet = true;
    if (side === Side.right) this.#state.remove(Side.left, left);
    return true;
  }

  #pairTime(left: number, right: number): number {
    if (!this.#isBounded) return NaN;
    return this.#reach.closes(Math.max(this.#state.left.stampOf(left), this.#state.right.stampOf(right)));
  }

  /** What is left to say of a row that has met all that are there. */
  #conclude(side: Side): boolean {
    const { output } = this.#opened as OpenedJoin;
    const slot = this.#slot;
    const own = this.#state.side(side);
    const isNull = own.keyOf(slot) === NONE;
    if (this.#isOneSided && side === Side.left && this.#hasMet) {
      this.#state.remove(side, slot);
      return true;
    }
    if (staysAlone(this.#spec.type, side) && !own.isMarked(slot) && (isNull || !this.#isBounded)) {
      if (!output.hasRoom()) return false;
      output.alone(side, slot, RowKind.insert, this.#isBounded ? this.#reach.closes(own.stampOf(slot)) : NaN);
    }
    if (isNull) this.#state.remove(side, slot);
    return true;
  }

  /** Rows that are due before `untilMs` go; false where there are more. */
  #free(side: Side, untilMs: number): boolean {
    const own = this.#state.side(side);
    const { due } = own;
    for (let done = 0; due.time < untilMs; due.pop(), done++) {
      if (done === ENTRIES_PER_CALL) return false;
      const slot = due.id;
      // It has gone before, and perhaps another row has its slot.
      if (!own.rows.isUsed(slot) || this.#dueOf(side, slot) !== due.time) continue;
      if (this.#isBounded) {
        if (own.isMarked(slot)) continue;
        if (!this.#leaveAlone(side, slot, own)) return false;
        this.#state.changing(own.keyOf(slot));
      }
      this.#state.remove(side, slot);
    }
    return true;
  }

  #leaveAlone(side: Side, slot: number, own: RowChains): boolean {
    const { output } = this.#opened as OpenedJoin;
    if (!output.hasRoom()) return false;
    output.alone(side, slot, RowKind.insert, Math.max(own.stampOf(slot), own.due.time));
    return true;
  }

  #setAlarm(): void {
    if (this.#isBounded) return;
    const { left, right, spilled } = this.#state;
    const next = spilled.isOpen ? this.#nextSweepMs() : Math.min(left.due.time, right.due.time);
    if (next >= this.#alarmMs) return;
    this.#alarmMs = next;
    (this.#opened as OpenedJoin).context.setAlarm(next);
  }

  #nextSweepMs(): number {
    const { ttlMs } = this.#spec;
    if (ttlMs === null) return Infinity;
    const atMs = this.#clockTime((this.#opened as OpenedJoin).context);
    return atMs + Math.max(1, Math.floor(ttlMs / SWEEPS_PER_TTL));
  }

  /** Frees rows in memory that are forgotten, of some keys at a time; false where there are more. */
  #sweep(): boolean {
    const { table } = this.#state;
    const end = Math.min(table.slotLimit, this.#sweptTo + ENTRIES_PER_CALL);
    const nowMs = this.#nowMs;
    for (let key = this.#sweptTo; key < end; key++) {
      if (table.isUsed(key)) this.#state.removeForgotten(key, nowMs);
    }
    this.#sweptTo = end < table.slotLimit ? end : 0;
    if (this.#sweptTo > 0) return false;
    this.#setAlarm();
    return true;
  }

  #describeState(): OperatorState {
    const state = this.#state;
    return storedState(state, {
      target: undefined,
      keyGroupCount: () => (this.#opened as OpenedJoin).context.maxParallelism,
      onRestored: () => {
        this.#setAlarm();
      },
    });
  }
}
