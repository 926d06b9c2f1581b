/**
 * Joins without bounds of rows that are taken back (of retract streams), as Flink's StreamingJoinOperator and
 * StreamingSemiAntiJoinOperator: what leaves is what the pairs of the rows that are there now differ by from those
 * before. All rows of both sides are kept, equal ones as often as they came. A row whose leaving alone depends on its
 * partners is stamped with their number: with the first it is taken back (or, of a semi join, leaves), with the last it
 * comes again. A row that is taken back is looked for among those of its key; one that is not there never was.
 *
 * A pair for which the rest of the condition cannot be computed is no pair, each time it is looked at; and each time an
 * error. Rows with a NULL in their key are not kept: they leave alone, or not, by themselves.
 */
import { RowKind } from '../../core/index.ts';
import type { ColumnBatch, Operator, OperatorContext, OperatorState } from '../../core/index.ts';
import type { RowChains } from '../state/row-chains.ts';
import { storedState } from '../state/stored-state.ts';
import type { JoinRows } from './join-rows.ts';
import { isOneSided, other, padsRows, Side } from './join-spec.ts';
import type { JoinSpec } from './join-spec.ts';
import { JoinState, updatingJoinSchema } from './join-state.ts';
import { openJoin } from './opened-join.ts';
import type { OpenedJoin } from './opened-join.ts';

const NONE = -1;
const NO_TIME = NaN;

export class UpdatingJoinOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: JoinSpec;
  readonly #state: JoinState;
  readonly #isOneSided: boolean;
  /** By side: whether the number of partners decides about what its rows say alone. */
  readonly #counts: readonly [boolean, boolean];
  #opened: OpenedJoin | null = null;
  /** The row at hand: -1 between two; whether it comes or is taken back. */
  #slot = NONE;
  #isTaken = false;
  /** The next of the other side that it meets, whether the first half of that has been said, and how many it met. */
  #met = NONE;
  #isHalf = false;
  #partners = 0;
  #isResuming = false;

  constructor(spec: JoinSpec) {
    this.#spec = spec;
    this.#isOneSided = isOneSided(spec.type);
    this.#counts = [padsRows(spec.type, Side.left) || this.#isOneSided, padsRows(spec.type, Side.right)];
    const use = {
      expires: true,
      skipsNulls: true,
      take: (side: number, slot: number, key: number) => {
        this.#state.side(side as Side).link(slot, key);
      },
      isPinned: () => false,
      nowMs: () => -Infinity,
      forgottenMs: () => -Infinity,
    };
    this.#state = new JoinState(spec, use, updatingJoinSchema(spec));
    const keyGroupCount = (): number => (this.#opened as OpenedJoin).context.maxParallelism;
    this.state = storedState(this.#state, { target: undefined, keyGroupCount });
  }

  open(context: OperatorContext): Promise<void> | undefined {
    this.#opened = openJoin(context, this.#spec, this.#state);
    return this.#state.open(context);
  }

  prepare(batch: ColumnBatch, input: number): Promise<void> | undefined {
    return this.#state.prepareBatch((this.#opened as OpenedJoin).rows, batch, input as Side);
  }

  process(batch: ColumnBatch, fromRow: number, input: number): number {
    const { rows, output } = this.#opened as OpenedJoin;
    const side = input as Side;
    if (!this.#isResuming) rows.begin(batch, side);
    for (let row = fromRow; row < batch.rowCount; row++) {
      this.#isResuming = true;
      if (this.#slot === NONE && !this.#begin(batch, row, side, rows)) continue;
      if (!this.#meetAll(row, side) || !this.#conclude(side)) return row;
      this.#slot = NONE;
    }
    this.#isResuming = false;
    output.emit();
    return batch.rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): Promise<void> {
    this.#opened = null;
    return this.#state.spilled.close();
  }

  /** Keeps a row that comes, or finds the one that is taken back; false where nothing follows from it. */
  #begin({ rowKinds }: ColumnBatch, row: number, side: Side, rows: JoinRows): boolean {
    const kind = rowKinds === null ? RowKind.insert : rowKinds[row];
    const own = this.#state.side(side);
    this.#isTaken = kind === RowKind.delete || kind === RowKind.updateBefore;
    this.#met = NONE;
    this.#partners = 0;
    if (rows.hasNullKey(row)) {
      // It stands in no chain, for as long as it takes to say it.
      if (this.#counts[side]) this.#slot = own.add(row, 0);
      return this.#counts[side];
    }
    const hash = rows.keyed.hashes[row] as number;
    const key = this.#isTaken ? this.#state.findKey(hash, row) : this.#state.keyOf(hash, row);
    const slot = this.#isTaken ? find(own, key, row) : NONE;
    if (this.#isTaken && slot === NONE) return false;
    this.#state.changing(key);
    this.#slot = this.#isTaken ? slot : own.add(row, 0);
    if (!this.#isTaken) own.link(this.#slot, key);
    this.#met = this.#state.side(other(side)).head(key);
    return true;
  }

  /** False where the output is full; then the place is remembered. */
  #meetAll(row: number, side: Side): boolean {
    const { rows } = this.#opened as OpenedJoin;
    const others = this.#state.side(other(side));
    for (; this.#met !== NONE; this.#met = others.next(this.#met)) {
      const [left, right] = side === Side.left ? [this.#slot, this.#met] : [this.#met, this.#slot];
      if (!rows.holds(left, right, rows.batch, row)) continue;
      if (!(this.#isTaken ? this.#part(side, left, right) : this.#pair(side, left, right))) return false;
      this.#isHalf = false;
      this.#partners++;
    }
    return true;
  }

  /** A row has come, and meets another: that one has its first partner, perhaps, and then they are a pair. */
  #pair(side: Side, left: number, right: number): boolean {
    const { output } = this.#opened as OpenedJoin;
    if (!this.#isHalf && !this.#count(other(side), 1)) return false;
    this.#isHalf = true;
    if (this.#isOneSided) return true;
    if (!output.hasRoom()) return false;
    output.pair(left, right, NO_TIME);
    return true;
  }

  /** The reverse. */
  #part(side: Side, left: number, right: number): boolean {
    const { output } = this.#opened as OpenedJoin;
    if (!this.#isHalf && !this.#isOneSided) {
      if (!output.hasRoom()) return false;
      output.pair(left, right, NO_TIME, RowKind.delete);
    }
    this.#isHalf = true;
    return this.#count(other(side), -1);
  }

  /** The row that is met has one partner more, or less. */
  #count(side: Side, change: 1 | -1): boolean {
    if (!this.#counts[side]) return true;
    const own = this.#state.side(side);
    const before = own.stampOf(this.#met);
    const after = before + change;
    if ((before === 0) !== (after === 0)) {
      const comes = (after > 0) === (this.#spec.type === 'semi');
      if (!this.#say(side, this.#met, comes ? RowKind.insert : RowKind.delete)) return false;
    }
    own.restamp(this.#met, after);
    return true;
  }

  /** What the row says alone, once it has met all that are there. */
  #conclude(side: Side): boolean {
    const own = this.#state.side(side);
    const slot = this.#slot;
    if (this.#counts[side]) {
      const isSaid = (this.#partners > 0) === (this.#spec.type === 'semi');
      if (isSaid && !this.#say(side, slot, this.#isTaken ? RowKind.delete : RowKind.insert)) return false;
      own.restamp(slot, this.#partners);
    }
    if (this.#isTaken || own.keyOf(slot) === NONE) this.#state.remove(side, slot);
    return true;
  }

  #say(side: Side, slot: number, kind: RowKind): boolean {
    const { output } = this.#opened as OpenedJoin;
    if (!output.hasRoom()) return false;
    output.alone(side, slot, kind, NO_TIME);
    return true;
  }
}

/** A row of the key that is as the one at hand, or -1. */
function find(own: RowChains, key: number, row: number): number {
  let slot = key === NONE ? NONE : own.head(key);
  while (slot !== NONE && !own.rows.equals(slot, row)) slot = own.next(slot);
  return slot;
}
