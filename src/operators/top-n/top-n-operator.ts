/**
 * The first `count` rows per key, in an order; ties by arrival. NULL is the least value, NaN the greatest. The rows of
 * a key are a chain in that order, searched from its end: most rows come behind the last, and cost one comparison.
 *
 * Where the job keeps state on the disk, keys with their rows may leave memory (state/rows-by-key.ts).
 *
 * What leaves: with places, each place whose row changes says so by an update (the old row, then the new one), and a
 * new place by an insert, so the place is a key of the output. Without, the row that leaves is deleted, then the one
 * that enters is inserted: never more than `count` are there.
 */
import { RowKind } from '../../core/index.ts';
import type { ColumnBatch, Field, Operator, OperatorContext, OperatorState, RowSchema } from '../../core/index.ts';
import { BufferedOutput } from '../buffered-output.ts';
import { KeyedBatch } from '../keyed-batch.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { grown } from '../state/grown.ts';
import type { RowChains } from '../state/row-chains.ts';
import { keptRows } from '../state/row-migration.ts';
import { RowsByKey } from '../state/rows-by-key.ts';
import type { KeptInput } from '../state/rows-by-key.ts';
import { storedState } from '../state/stored-state.ts';
import { sayRow, topNSchema } from './top-n-rows.ts';

/** The TopNNode of a job graph. */
export interface TopNSpec {
  readonly stepId: string;
  readonly keys: readonly number[];
  readonly by: readonly { readonly column: number; readonly descending: boolean }[];
  readonly count: number;
  readonly hasRank: boolean;
  readonly input: RowSchema;
  readonly output: RowSchema;
}

interface Opened {
  readonly context: OperatorContext;
  readonly output: BufferedOutput;
}

const NONE = -1;

export class TopNOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: TopNSpec;
  readonly #batch: KeyedBatch;
  readonly #state: RowsByKey;
  /** Stamped with their arrival. */
  readonly #chains: RowChains;
  /** Per slot of a key: its last row, + 1, and how many there are. */
  #tails = new Int32Array(0);
  #counts = new Int32Array(0);
  #arrivals = 0;
  #opened: Opened | null = null;
  /** The row that enters: -1 between two; its key, and the row behind which it comes. */
  #entering = NONE;
  #key = NONE;
  #after = NONE;
  /** How far its entry was said: the place that changes, the row there, and the row that takes it. */
  #place = 0;
  #old = NONE;
  #mover = NONE;
  #isOldGone = false;
  #isResuming = false;

  constructor(spec: TopNSpec) {
    const fields = spec.keys.map((key) => spec.input.fields[key] as Field);
    this.#spec = spec;
    this.#batch = new KeyedBatch(spec.keys);
    const input: KeptInput = { ...keptRows(spec.input), keys: spec.keys };
    this.#state = new RowsByKey(spec.stepId, [input], topNSchema('top-n', { fields }, spec), {
      expires: false,
      skipsNulls: false,
      take: (_, slot, key) => {
        this.#takeBack(slot, key);
      },
      cleared: (key) => {
        this.#tails[key] = 0;
        this.#counts[key] = 0;
      },
      isPinned: () => false,
      nowMs: () => -Infinity,
      forgottenMs: () => -Infinity,
    });
    this.#chains = this.#state.chains[0] as RowChains;
    this.state = storedState(this.#state, {
      target: undefined,
      keyGroupCount: () => (this.#opened as Opened).context.maxParallelism,
      otherBytes: () => this.#tails.byteLength + this.#counts.byteLength,
    });
  }

  open(context: OperatorContext): Promise<void> | undefined {
    this.#opened = { context, output: new BufferedOutput(context, this.#spec.output, true) };
    return this.#state.open(context);
  }

  prepare(batch: ColumnBatch): Promise<void> | undefined {
    if (!this.#state.spilled.isOpen) return undefined;
    this.#read(batch);
    return this.#state.prepare(0, this.#batch, batch.rowCount);
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const { output } = this.#opened as Opened;
    if (!this.#isResuming) {
      refuseUpdates(batch, this.#spec.stepId);
      this.#read(batch);
    }
    this.#isResuming = true;
    for (let row = fromRow; row < batch.rowCount; row++) {
      if (this.#entering === NONE && !this.#enter(row)) continue;
      if (!(this.#spec.hasRank ? this.#sayPlaces(output) : this.#sayRows(output))) return row;
      this.#settle();
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

  #read(batch: ColumnBatch): void {
    this.#batch.read(batch);
    this.#state.table.bind(this.#batch.columns);
    this.#chains.rows.bind(batch.columns);
  }

  /** Finds the place of a row; false where it is behind the last that counts. */
  #enter(row: number): boolean {
    const key = this.#state.keyOf(this.#batch.hashes[row] as number, row);
    this.#reserve(key);
    const count = this.#counts[key] as number;
    let after = this.#tail(key);
    let place = count;
    while (after !== NONE && this.#compare(after, row) < 0) {
      after = this.#chains.previous(after);
      place--;
    }
    if (place >= this.#spec.count) return false;
    this.#key = key;
    this.#after = after;
    this.#entering = this.#chains.add(row, this.#arrivals++);
    this.#place = place;
    this.#old = after === NONE ? this.#chains.head(key) : this.#chains.next(after);
    this.#mover = this.#entering;
    return true;
  }

  #reserve(key: number): void {
    if (key < this.#counts.length) return;
    this.#tails = grown(this.#tails, key + 1);
    this.#counts = grown(this.#counts, key + 1);
  }

  #tail(key: number): number {
    return (this.#tails[key] as number) - 1;
  }

  /** The order of a row to one that is kept: below zero where it comes first. */
  #compare(slot: number, row: number): number {
    for (const { column, descending } of this.#spec.by) {
      const order = this.#chains.rows.compareRow(slot, column, row);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  }

  /** False where the output is full; how far it came is remembered. */
  #sayPlaces(output: BufferedOutput): boolean {
    while (this.#old !== NONE) {
      if (!this.#isOldGone) {
        if (!output.hasRoom()) return false;
        this.#say(output, this.#old, RowKind.updateBefore);
        this.#isOldGone = true;
      }
      if (!output.hasRoom()) return false;
      this.#say(output, this.#mover, RowKind.updateAfter);
      this.#isOldGone = false;
      this.#mover = this.#old;
      this.#old = this.#chains.next(this.#old);
      this.#place++;
    }
    if (this.#place >= this.#spec.count) return true;
    if (!output.hasRoom()) return false;
    this.#say(output, this.#mover, RowKind.insert);
    return true;
  }

  #sayRows(output: BufferedOutput): boolean {
    if (!this.#isOldGone && this.#counts[this.#key] === this.#spec.count) {
      if (!output.hasRoom()) return false;
      this.#say(output, this.#tail(this.#key), RowKind.delete);
      this.#isOldGone = true;
    }
    if (!output.hasRoom()) return false;
    this.#say(output, this.#entering, RowKind.insert);
    this.#isOldGone = false;
    return true;
  }

  #say(output: BufferedOutput, slot: number, kind: RowKind): void {
    sayRow(output, this.#chains.rows, slot, kind, this.#spec.hasRank ? this.#place : null);
  }

  /** All has been said: the row takes its place, and the one that has none any more goes. */
  #settle(): void {
    const key = this.#key;
    this.#state.changing(key);
    this.#link(this.#entering, key, this.#after);
    this.#entering = NONE;
    this.#trim(key);
  }

  /** Forgets the last row where there is one too many. */
  #trim(key: number): void {
    if ((this.#counts[key] as number) <= this.#spec.count) return;
    const last = this.#tail(key);
    this.#tails[key] = this.#chains.previous(last) + 1;
    this.#counts[key] = this.#spec.count;
    this.#chains.remove(last);
  }

  #link(slot: number, key: number, after: number): void {
    this.#chains.link(slot, key, after);
    if (after === this.#tail(key)) this.#tails[key] = slot + 1;
    this.#counts[key] = (this.#counts[key] as number) + 1;
  }

  /** A row comes back, which is in row 0 of what `rows` of the chains is bound to. */
  #takeBack(slot: number, key: number): void {
    this.#reserve(key);
    const arrival = this.#chains.stampOf(slot);
    let after = this.#tail(key);
    while (after !== NONE && this.#isBefore(arrival, after)) after = this.#chains.previous(after);
    this.#link(slot, key, after);
    this.#trim(key);
    this.#arrivals = Math.max(this.#arrivals, arrival + 1);
  }

  /** Whether the row that is read back comes in front of one that is kept. */
  #isBefore(arrival: number, slot: number): boolean {
    const order = this.#compare(slot, 0);
    return order < 0 || (order === 0 && arrival < this.#chains.stampOf(slot));
  }
}
