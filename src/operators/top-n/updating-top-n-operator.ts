/**
 * The first `count` rows per key of a stream that takes rows back (a retract stream). All rows are kept: those of a key
 * are a chain, the first ones in order, the rest behind them in none. One that goes is found by its hash; where it was
 * among the first, the rest is searched for the one that takes the last place.
 *
 * What leaves is what TopNOperator says: places whose row changes, or rows that enter and leave. Each change is done at
 * once, and then said; rows that have gone are freed when all is said.
 */
import { RowKind } from '../../core/index.ts';
import type {
  ColumnBatch,
  Field,
  Operator,
  OperatorContext,
  OperatorState,
  RowKind as Kind,
  RowSchema,
  StateChunk,
  StateSchema,
} from '../../core/index.ts';
import { BufferedOutput } from '../buffered-output.ts';
import { KeyedBatch } from '../keyed-batch.ts';
import { ByteReader } from '../state/byte-reader.ts';
import { grown } from '../state/grown.ts';
import { KeyTable } from '../state/key-table.ts';
import { RowChains } from '../state/row-chains.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { matchSchemas } from '../state/state-schema.ts';
import { readTime } from '../state/time-codec.ts';
import { RowIndex } from './row-index.ts';
import { Sayings } from './sayings.ts';
import type { TopNSpec } from './top-n-operator.ts';
import { sayRow, topNSchema } from './top-n-rows.ts';

interface Opened {
  readonly context: OperatorContext;
  readonly output: BufferedOutput;
}

const SPACE = 0;
const NONE = -1;

export class UpdatingTopNOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: TopNSpec;
  readonly #batch: KeyedBatch;
  readonly #table: KeyTable;
  /** Stamped with their arrival. */
  readonly #chains: RowChains;
  readonly #index: RowIndex;
  readonly #scratch: ScratchRow;
  /** Per slot of a key: the last of its first rows, + 1, and how many rows there are, and first ones. */
  #lasts = new Int32Array(0);
  #counts = new Int32Array(0);
  #firsts = new Int32Array(0);
  #arrivals = 0;
  #opened: Opened | null = null;
  readonly #sayings = new Sayings();
  /** A row that is freed once all is said. */
  #gone = NONE;
  #isResuming = false;

  constructor(spec: TopNSpec) {
    const keyFields = spec.keys.map((key) => spec.input.fields[key] as Field);
    const rowTypes = spec.input.fields.map(({ type }) => type);
    this.#spec = spec;
    this.#batch = new KeyedBatch(spec.keys);
    this.#table = new KeyTable(keyFields.map(({ type }) => type));
    this.#chains = new RowChains(0, rowTypes, this.#table);
    this.#index = new RowIndex(rowTypes, this.#chains);
    this.#scratch = new ScratchRow(spec.input);
    this.state = this.#describeState({ fields: keyFields });
  }

  open(context: OperatorContext): void {
    this.#opened = { context, output: new BufferedOutput(context, this.#spec.output, true) };
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const { output } = this.#opened as Opened;
    if (!this.#isResuming) {
      this.#batch.read(batch);
      this.#table.bind(this.#batch.columns);
      this.#index.bind(batch);
      this.#chains.rows.bind(batch.columns);
    }
    for (let row = fromRow; row < batch.rowCount; row++) {
      if (!this.#isResuming) this.#change(batch, row);
      this.#isResuming = !this.#sayAll(output);
      if (this.#isResuming) return row;
    }
    output.emit();
    return batch.rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#opened = null;
  }

  #change(batch: ColumnBatch, row: number): void {
    const kind = batch.rowKinds === null ? RowKind.insert : (batch.rowKinds[row] as Kind);
    const hash = this.#batch.hashes[row] as number;
    const known = this.#table.find(hash, row, SPACE);
    if (kind === RowKind.insert || kind === RowKind.updateAfter) {
      const key = known < 0 ? this.#insertKey(hash, row) : known;
      this.#enter(this.#keep(row, key, this.#arrivals++), key, row);
      return;
    }
    const slot = known < 0 ? NONE : this.#index.earliest(row, known);
    // What is taken back and is not there never was.
    if (slot !== NONE) this.#leave(slot, known, batch);
  }

  #insertKey(hash: number, row: number): number {
    const key = this.#table.insert(hash, row, SPACE);
    this.#lasts = grown(this.#lasts, key + 1);
    this.#counts = grown(this.#counts, key + 1);
    this.#firsts = grown(this.#firsts, key + 1);
    return key;
  }

  #keep(row: number, key: number, arrival: number): number {
    const slot = this.#chains.add(row, arrival);
    this.#index.add(slot, row, key);
    this.#counts[key] = (this.#counts[key] as number) + 1;
    return slot;
  }

  /** Puts a row, which is bound, into its place. */
  #enter(slot: number, key: number, row: number): void {
    const { count } = this.#spec;
    const firsts = this.#firsts[key] as number;
    const last = this.#last(key);
    let [after, place] = [last, firsts];
    while (after !== NONE && this.#isBefore(row, this.#chains.stampOf(slot), after)) {
      after = this.#chains.previous(after);
      place--;
    }
    this.#chains.link(slot, key, after);
    if (place >= count) return;
    const isFull = firsts === count;
    if (after === last) this.#lasts[key] = slot + 1;
    if (isFull) this.#lasts[key] = this.#chains.previous(this.#last(key)) + 1;
    else this.#firsts[key] = firsts + 1;
    if (this.#spec.hasRank) this.#sayMoved(slot, place, isFull ? count : firsts, isFull);
    else {
      if (isFull) this.#sayings.add(RowKind.delete, this.#chains.next(this.#last(key)), 0);
      this.#sayings.add(RowKind.insert, slot, 0);
    }
  }

  /** From `place` on each row has the place of the one that was behind; the last one has a new place, or none. */
  #sayMoved(entered: number, place: number, firsts: number, isFull: boolean): void {
    let mover = entered;
    for (let at = place; at < firsts; at++) {
      const old = this.#chains.next(mover);
      this.#sayings.add(RowKind.updateBefore, old, at);
      this.#sayings.add(RowKind.updateAfter, mover, at);
      mover = old;
    }
    if (!isFull) this.#sayings.add(RowKind.insert, mover, firsts);
  }

  #leave(slot: number, key: number, batch: ColumnBatch): void {
    const place = this.#placeOf(slot, key);
    const isFirst = place < (this.#firsts[key] as number);
    this.#gone = slot;
    this.#index.remove(slot);
    this.#counts[key] = (this.#counts[key] as number) - 1;
    if (isFirst) this.#closeUp(slot, key, place, batch);
    else this.#chains.unlink(slot);
    if (this.#counts[key] === 0) this.#table.remove(key);
  }

  /** The place among the first rows; beyond them for the rest. */
  #placeOf(slot: number, key: number): number {
    const firsts = this.#firsts[key] as number;
    let [at, place] = [this.#chains.head(key), 0];
    while (place < firsts && at !== slot) {
      at = this.#chains.next(at);
      place++;
    }
    return place;
  }

  #closeUp(slot: number, key: number, place: number, batch: ColumnBatch): void {
    const firsts = this.#firsts[key] as number;
    const last = this.#last(key);
    const behind = this.#chains.next(slot);
    if (slot === last) this.#lasts[key] = this.#chains.previous(slot) + 1;
    this.#chains.unlink(slot);
    const promoted = this.#promote(key, batch);
    if (promoted === NONE) this.#firsts[key] = firsts - 1;
    if (this.#spec.hasRank) {
      this.#sayClosed(slot, slot === last ? promoted : behind, place, firsts, promoted);
      return;
    }
    this.#sayings.add(RowKind.delete, slot, 0);
    if (promoted !== NONE) this.#sayings.add(RowKind.insert, promoted, 0);
  }

  #sayClosed(gone: number, behind: number, place: number, firsts: number, promoted: number): void {
    let [old, next] = [gone, behind];
    const places = promoted === NONE ? firsts - 1 : firsts;
    for (let at = place; at < places; at++) {
      this.#sayings.add(RowKind.updateBefore, old, at);
      this.#sayings.add(RowKind.updateAfter, next, at);
      [old, next] = [next, this.#chains.next(next)];
    }
    if (promoted === NONE) this.#sayings.add(RowKind.delete, old, places);
  }

  /** The first of the rest becomes the last of the first rows; -1 where there is no rest. */
  #promote(key: number, batch: ColumnBatch): number {
    const last = this.#last(key);
    let best = last === NONE ? this.#chains.head(key) : this.#chains.next(last);
    if (best === NONE) return NONE;
    for (let slot = this.#chains.next(best); slot !== NONE; slot = this.#chains.next(slot)) {
      if (this.#isSlotBefore(slot, best)) best = slot;
    }
    this.#chains.rows.bind(batch.columns);
    this.#chains.unlink(best);
    this.#chains.link(best, key, last);
    this.#lasts[key] = best + 1;
    return best;
  }

  #last(key: number): number {
    return (this.#lasts[key] as number) - 1;
  }

  #isBefore(row: number, arrival: number, other: number): boolean {
    for (const { column, descending } of this.#spec.by) {
      const order = this.#chains.rows.compareRow(other, column, row);
      if (order !== 0) return descending ? order > 0 : order < 0;
    }
    return arrival < this.#chains.stampOf(other);
  }

  #isSlotBefore(slot: number, other: number): boolean {
    for (const { column, descending } of this.#spec.by) {
      const order = this.#chains.rows.compareSlots(other, slot, column, this.#scratch.columns);
      if (order !== 0) return descending ? order > 0 : order < 0;
    }
    return this.#chains.stampOf(slot) < this.#chains.stampOf(other);
  }

  /** False where the output is full; how far it came is remembered. */
  #sayAll(output: BufferedOutput): boolean {
    const sayings = this.#sayings;
    for (; !sayings.isDone; sayings.next()) {
      if (!output.hasRoom()) return false;
      sayRow(output, this.#chains.rows, sayings.slot, sayings.kind, this.#spec.hasRank ? sayings.place : null);
    }
    sayings.clear();
    if (this.#gone !== NONE) this.#chains.rows.remove(this.#gone);
    this.#gone = NONE;
    return true;
  }

  #describeState(key: RowSchema): OperatorState {
    const schema = topNSchema('updating-top-n', key, this.#spec);
    const [table, chains, index] = [this.#table, this.#chains, this.#index];
    const perKey = (): number => this.#lasts.byteLength + this.#counts.byteLength + this.#firsts.byteLength;
    return {
      schema,
      get sizeBytes() {
        return table.sizeBytes + chains.sizeBytes + index.sizeBytes + perKey();
      },
      snapshot: () => chains.snapshots.take((this.#opened as Opened).context.maxParallelism),
      restore: (chunk, written) => {
        this.#restore(chunk, written, schema);
      },
    };
  }

  #restore({ bytes, keyGroup }: StateChunk, written: StateSchema, schema: StateSchema): void {
    const { stepId, input, keys } = this.#spec;
    matchSchemas(written, schema, stepId);
    const from = new ByteReader(bytes, stepId);
    const entry = new ScratchRow(input, keys);
    const { maxParallelism } = (this.#opened as Opened).context;
    while (!from.atEnd) {
      if (from.byte() !== 0) from.fail('there is only one kind of entry');
      const arrival = readTime(from);
      const hash = entry.readKey(from, keyGroup, maxParallelism);
      this.#table.bind(entry.keys);
      this.#chains.rows.bind(entry.columns);
      this.#index.bind({ columns: [...entry.columns], rowCount: 1 });
      const known = this.#table.find(hash, 0, SPACE);
      const key = known < 0 ? this.#insertKey(hash, 0) : known;
      this.#enter(this.#keep(0, key, arrival), key, 0);
      this.#sayings.clear();
      this.#arrivals = Math.max(this.#arrivals, arrival + 1);
    }
  }
}
