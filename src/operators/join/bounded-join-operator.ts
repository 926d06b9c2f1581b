/**
 * Joins of rows whose times are near enough (interval, window), with all rows in memory. The rows of a batch are kept
 * first, all at once, and then meet the rows of their keys on the other side one by one; row and partner are remembered
 * where the output is full.
 *
 * Nothing is said before it is certain. A row goes once the watermark has passed all that it could meet, and leaves
 * alone then if its side is an outer one, with the time of the last row that it could have met (so that it is not late
 * behind the join). In windows a row is late only once its window is over, as it is for an aggregate, and whatever
 * leaves has the time of the window's last millisecond. Left rows of a semi or an anti join go with their first
 * partner.
 */
import { RowKind } from '../../core/index.ts';
import type { ColumnBatch, Operator, OperatorContext } from '../../core/index.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { BoundedJoinState } from './bounded-join-state.ts';
import { createReach } from './join-reach.ts';
import type { JoinReach } from './join-reach.ts';
import type { JoinRows } from './join-rows.ts';
import { isOneSided, other, padsRows, Side, staysAlone } from './join-spec.ts';
import type { JoinSpec, PairBounds } from './join-spec.ts';
import { openJoin } from './opened-join.ts';
import type { OpenedJoin } from './opened-join.ts';

/** The spec of a join within bounds. */
export type BoundedJoinSpec = Omit<JoinSpec, 'bounds'> & { readonly bounds: PairBounds };

type Leave = (id: number, dueMs: number) => boolean;

const NONE = -1;
const SIDES = [Side.left, Side.right] as const;

export class BoundedJoinOperator implements Operator {
  readonly state: BoundedJoinState;
  readonly #spec: BoundedJoinSpec;
  readonly #reach: JoinReach;
  readonly #isOneSided: boolean;
  /** By side: whether its rows leave alone, with NULLs for the other. */
  readonly #pads: readonly [boolean, boolean];
  readonly #leave: readonly [Leave, Leave];
  #watermarkMs = -Infinity;
  #opened: OpenedJoin | null = null;
  #side: Side = Side.left;
  /** Whether the row at hand has met what is before `#met`, which it meets next. */
  #isMeeting = false;
  #met = NONE;
  #isResuming = false;

  constructor(spec: BoundedJoinSpec) {
    this.#spec = spec;
    this.#reach = createReach(spec.bounds);
    this.#isOneSided = isOneSided(spec.type);
    this.#pads = [padsRows(spec.type, Side.left), padsRows(spec.type, Side.right)];
    const waits = [staysAlone(spec.type, Side.left), staysAlone(spec.type, Side.right)] as const;
    this.state = new BoundedJoinState(spec, this.#reach, waits);
    const leave = (side: Side): Leave => (id, dueMs) => this.#leaveAlone(side, id, dueMs);
    this.#leave = [leave(Side.left), leave(Side.right)];
  }

  open(context: OperatorContext): void {
    this.#watermarkMs = context.restoredWatermarkMs;
    this.state.keyGroupCount = context.maxParallelism;
    this.#opened = openJoin(context, this.#spec, this.state);
  }

  process(batch: ColumnBatch, fromRow: number, input: number): number {
    const { rows, output } = this.#opened as OpenedJoin;
    const { ids } = this.#isResuming ? this.state : this.#keep(batch, input as Side, rows);
    for (let row = fromRow; row < batch.rowCount; row++) {
      const id = ids[row] as number;
      if (id !== NONE && !this.#meetAll(row, id)) return row;
    }
    this.#isResuming = false;
    output.emit();
    return batch.rowCount;
  }

  onWatermark(timestampMs: number): boolean {
    this.#watermarkMs = Math.max(this.#watermarkMs, timestampMs);
    for (const side of SIDES) {
      if (!this.state.side(side).free(timestampMs, this.#leave[side])) return false;
    }
    (this.#opened as OpenedJoin).output.emit();
    return true;
  }

  finish(): boolean {
    return this.onWatermark(Infinity);
  }

  close(): void {
    this.#opened = null;
  }

  /** Keeps the rows of a batch that can meet others, or leave alone. */
  #keep(batch: ColumnBatch, side: Side, rows: JoinRows): BoundedJoinState {
    refuseUpdates(batch, this.#spec.stepId);
    rows.begin(batch, side);
    this.#side = side;
    const stays = staysAlone(this.#spec.type, side);
    this.state.keep(side, (row) => {
      const time = rows.timeOf(row);
      if (time !== time || rows.isLate(this.#reach.closes(time), this.#watermarkMs)) return false;
      return stays || !rows.hasNullKey(row);
    });
    this.#isResuming = true;
    return this.state;
  }

  /** False where the output is full; then the place is remembered. */
  #meetAll(row: number, id: number): boolean {
    const { rows } = this.#opened as OpenedJoin;
    const side = this.#side;
    const own = this.state.side(side);
    if (rows.hasNullKey(row)) return this.#leaveAtOnce(side, id, own.timeOf(id));
    const { hashes, columns } = rows.keyed;
    const others = this.state.side(other(side));
    if (!this.#isMeeting) {
      this.#met = others.first(hashes[row] as number);
      if (this.#met === NONE) return true;
      this.#isMeeting = true;
    }
    const time = own.timeOf(id);
    const first = this.#reach.first(side, time);
    const last = this.#reach.last(side, time);
    for (; this.#met !== NONE; this.#met = others.next(this.#met)) {
      const met = this.#met;
      const metTime = others.timeOf(met);
      if (metTime < first || metTime > last || !others.hasKey(met, columns, row)) continue;
      const [left, right] = side === Side.left ? [id, met] : [met, id];
      if (!rows.holds(left, right, rows.batch, row)) continue;
      if (!(this.#isOneSided ? this.#meetOneSided(side, left, right) : this.#meetPair(left, right))) return false;
      if (this.#isOneSided && side === Side.left) break;
    }
    this.#isMeeting = false;
    return true;
  }

  #meetPair(left: number, right: number): boolean {
    const { output } = this.#opened as OpenedJoin;
    if (!output.hasRoom()) return false;
    output.pair(left, right, this.#pairTime(left, right));
    const { left: lefts, right: rights } = this.state;
    if (this.#pads[Side.left] && !lefts.isMarked(left)) lefts.mark(left);
    if (this.#pads[Side.right] && !rights.isMarked(right)) rights.mark(right);
    return true;
  }

  /** A left row has found a partner: of a semi join it leaves, of an anti join it is not to leave. */
  #meetOneSided(side: Side, left: number, right: number): boolean {
    const { output } = this.#opened as OpenedJoin;
    if (this.#spec.type === 'semi') {
      if (!output.hasRoom()) return false;
      // A left row that comes has its own time, whichever partner it met first.
      const isOwn = side === Side.left;
      const time = isOwn ? this.#reach.closes(this.state.left.timeOf(left)) : this.#pairTime(left, right);
      output.alone(Side.left, left, RowKind.insert, time);
    }
    this.state.left.remove(left);
    return true;
  }

  #pairTime(left: number, right: number): number {
    return this.#reach.closes(Math.max(this.state.left.timeOf(left), this.state.right.timeOf(right)));
  }

  /** A row without a key never meets another. */
  #leaveAtOnce(side: Side, id: number, timeMs: number): boolean {
    const { output } = this.#opened as OpenedJoin;
    if (!output.hasRoom()) return false;
    output.alone(side, id, RowKind.insert, this.#reach.closes(timeMs));
    this.state.side(side).remove(id);
    return true;
  }

  #leaveAlone(side: Side, id: number, dueMs: number): boolean {
    const { output } = this.#opened as OpenedJoin;
    if (!output.hasRoom()) return false;
    output.alone(side, id, RowKind.insert, Math.max(this.state.side(side).timeOf(id), dueMs));
    return true;
  }
}
