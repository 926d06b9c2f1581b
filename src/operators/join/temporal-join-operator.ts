/**
 * Temporal joins: every left row with the version of its key that was the newest at the left row's time. A left row
 * waits until the watermark has passed its time, because versions up to then may still come; then it meets the first
 * version that is not younger, in a chain from the newest to the oldest. If that one does not satisfy the rest of the
 * condition, or says that the key was deleted, the row has no partner.
 *
 * A version goes once the watermark has reached the time of a newer one. A version that comes late is of use, as the
 * newest of its key, to rows that are not late; one that is hidden by a newer version is late. The last version of a
 * key stays for ever.
 *
 * Keys may leave memory for a store on the disk (join-state.ts) while nothing of them is due by the watermark: no left
 * row waits, and there is one version at most.
 */
import { RowKind } from '../../core/index.ts';
import type { ColumnBatch, Operator, OperatorContext, OperatorState } from '../../core/index.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { storedState } from '../state/stored-state.ts';
import { ENTRIES_PER_CALL } from '../state/time-heap.ts';
import type { JoinOutput } from './join-output.ts';
import type { JoinRows } from './join-rows.ts';
import { padsRows, Side } from './join-spec.ts';
import type { JoinSpec } from './join-spec.ts';
import { JoinState } from './join-state.ts';
import { openJoin } from './opened-join.ts';
import type { OpenedJoin } from './opened-join.ts';

const NONE = -1;

export class TemporalJoinOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: JoinSpec;
  /** `due` of the left has rows by their time; that of the right keys, by the time of what hides older versions. */
  readonly #state: JoinState;
  readonly #pads: boolean;
  #watermarkMs = -Infinity;
  #opened: OpenedJoin | null = null;

  constructor(spec: JoinSpec) {
    this.#spec = spec;
    this.#state = new JoinState(spec, {
      expires: true,
      skipsNulls: true,
      take: (side, slot, key) => {
        if (side === Side.left) this.#await(slot, key);
        else this.#addVersion(slot, key);
      },
      isPinned: (key) => this.#isDue(key),
      nowMs: () => -Infinity,
      forgottenMs: () => -Infinity,
    });
    this.#pads = padsRows(spec.type, Side.left);
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
    rows.begin(batch, input as Side);
    if (input === Side.right) {
      for (let row = fromRow; row < batch.rowCount; row++) this.#takeVersion(batch, row, rows);
      return batch.rowCount;
    }
    refuseUpdates(batch, this.#spec.stepId);
    for (let row = fromRow; row < batch.rowCount; row++) {
      if (this.#pads && rows.hasNullKey(row) && !output.hasRoom()) return row;
      this.#takeLeft(row, rows, output);
    }
    output.emit();
    return batch.rowCount;
  }

  onWatermark(timestampMs: number): boolean {
    const { output } = this.#opened as OpenedJoin;
    const { left, right } = this.#state;
    this.#watermarkMs = Math.max(this.#watermarkMs, timestampMs);
    let done = 0;
    for (; left.due.time < timestampMs; left.due.pop()) {
      if (done++ === ENTRIES_PER_CALL || !output.hasRoom()) return false;
      this.#leave(left.due.id, output);
      this.#state.changing(left.keyOf(left.due.id));
      this.#state.remove(Side.left, left.due.id);
    }
    output.emit();
    for (; right.due.time <= timestampMs && right.due.time < Infinity; right.due.pop()) {
      if (done++ === ENTRIES_PER_CALL) return false;
      this.#forget(right.due.id);
    }
    return true;
  }

  finish(): boolean {
    return this.onWatermark(Infinity);
  }

  close(): Promise<void> {
    this.#opened = null;
    return this.#state.spilled.close();
  }

  #takeLeft(row: number, rows: JoinRows, output: JoinOutput): void {
    const { left } = this.#state;
    const time = rows.timeOf(row);
    if (time !== time || rows.isLate(time, this.#watermarkMs)) return;
    if (!rows.hasNullKey(row)) {
      const key = this.#state.keyOf(rows.keyed.hashes[row] as number, row);
      this.#state.changing(key);
      this.#await(left.add(row, time), key);
    } else if (this.#pads) {
      const slot = left.add(row, time);
      output.alone(Side.left, slot, RowKind.insert, time);
      left.remove(slot);
    }
  }

  #await(slot: number, key: number): void {
    const { left } = this.#state;
    left.link(slot, key);
    left.due.push(left.stampOf(slot), slot);
  }

  #takeVersion({ rowKinds }: ColumnBatch, row: number, rows: JoinRows): void {
    const kind = rowKinds === null ? RowKind.insert : rowKinds[row];
    // The version that follows says it all.
    if (kind === RowKind.updateBefore) return;
    const { right } = this.#state;
    const time = rows.timeOf(row);
    if (time !== time || rows.hasNullKey(row)) return;
    const key = this.#state.keyOf(rows.keyed.hashes[row] as number, row);
    if (time < this.#watermarkMs && this.#isHidden(key, time)) {
      rows.isLate(time, this.#watermarkMs);
      return;
    }
    this.#state.changing(key);
    const slot = right.add(row, time);
    if (kind === RowKind.delete) right.mark(slot);
    this.#addVersion(slot, key);
  }

  /** Whether all rows that may still come meet a newer version. */
  #isHidden(key: number, time: number): boolean {
    const version = this.#versionAt(key, this.#watermarkMs);
    return version !== NONE && this.#state.right.stampOf(version) > time;
  }

  /** The newest version that is not younger, or -1. */
  #versionAt(key: number, time: number): number {
    const { right } = this.#state;
    let version = right.head(key);
    while (version !== NONE && right.stampOf(version) > time) version = right.next(version);
    return version;
  }

  /** Puts a version into its place; it replaces one of the same time. */
  #addVersion(slot: number, key: number): void {
    const { right } = this.#state;
    const time = right.stampOf(slot);
    let newer = NONE;
    let older = right.head(key);
    while (older !== NONE && right.stampOf(older) > time) {
      newer = older;
      older = right.next(older);
    }
    right.link(slot, key, newer);
    if (older !== NONE && right.stampOf(older) === time) {
      const same = older;
      older = right.next(same);
      this.#state.remove(Side.right, same);
    }
    if (older !== NONE || right.isMarked(slot)) right.due.push(time, key);
    if (newer !== NONE) right.due.push(right.stampOf(newer), key);
  }

  /** The time of a left row has passed. */
  #leave(slot: number, output: JoinOutput): void {
    const { rows } = this.#opened as OpenedJoin;
    const { left, right } = this.#state;
    const time = left.stampOf(slot);
    const version = this.#versionAt(left.keyOf(slot), time);
    const isPair =
      version !== NONE && !right.isMarked(version) && rows.holds(slot, version, output.batch, output.batch.rowCount);
    if (isPair) output.pair(slot, version, time);
    else if (this.#pads) output.alone(Side.left, slot, RowKind.insert, time);
  }

  /** Whether the watermark will make something of a key leave, or go. */
  #isDue(key: number): boolean {
    const { left, right } = this.#state;
    const version = right.head(key);
    return left.head(key) !== NONE || (version !== NONE && (right.next(version) !== NONE || right.isMarked(version)));
  }

  /** Removes the versions of a key that nobody can meet any more. */
  #forget(key: number): void {
    const { right } = this.#state;
    const version = this.#versionAt(key, this.#watermarkMs);
    if (version === NONE) return;
    this.#state.changing(key);
    for (let older = right.next(version); older !== NONE; older = right.next(version)) {
      this.#state.remove(Side.right, older);
    }
    if (right.isMarked(version)) this.#state.remove(Side.right, version);
  }

  #describeState(): OperatorState {
    return storedState(this.#state, {
      target: undefined,
      keyGroupCount: () => (this.#opened as OpenedJoin).context.maxParallelism,
    });
  }
}
