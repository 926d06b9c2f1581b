/**
 * One row per key: the last, each replacing the one before, or the first.
 *
 * With event time the first row is the earliest: it waits until the watermark reaches its time, because an earlier one
 * may still come; of several of one time the one that came first counts. A row older than the last one of its key is
 * dropped. So what leaves depends on the rows and the watermarks, not on the order of arrival. Without event time, rows
 * are told apart by arrival.
 *
 * Remembered per key is the time of its row (of the last, or first); with the row itself while it waits.
 */
import { counterNames, formatType, RowKind } from '../../core/index.ts';
import type {
  ColumnBatch,
  Counter,
  Field,
  Operator,
  OperatorContext,
  OperatorState,
  RowSchema,
  StateChunk,
  StateSchema,
} from '../../core/index.ts';
import { BufferedOutput } from '../buffered-output.ts';
import { operatorErrors } from '../errors.ts';
import { KeyedBatch } from '../keyed-batch.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { SelectedRows } from '../selected-rows.ts';
import { ByteReader } from '../state/byte-reader.ts';
import { grown } from '../state/grown.ts';
import { KeyTable } from '../state/key-table.ts';
import { RowSlots } from '../state/row-slots.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { SlotSnapshots } from '../state/slot-snapshots.ts';
import { layoutSchema, matchSchemas } from '../state/state-schema.ts';
import { readTime } from '../state/time-codec.ts';
import { ENTRIES_PER_CALL, TimeHeap } from '../state/time-heap.ts';

/** The DedupeNode of a job graph. */
export interface DedupeSpec {
  readonly stepId: string;
  readonly keys: readonly number[];
  readonly keep: 'first' | 'last';
  readonly ttlMs: number | null;
  readonly input: RowSchema;
  readonly output: RowSchema;
}

interface Opened {
  readonly context: OperatorContext;
  readonly selected: SelectedRows;
  readonly output: BufferedOutput;
  readonly late: Counter;
}

const SPACE = 0;

/** What an entry is. */
const Entry = Object.freeze({ seenByClock: 0, seen: 1, waiting: 2 });

export class DedupeOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: DedupeSpec;
  readonly #keyFields: readonly Field[];
  readonly #batch: KeyedBatch;
  readonly #table: KeyTable;
  /** Rows that wait for their time. */
  readonly #rows: RowSlots;
  readonly #waiting = new TimeHeap();
  readonly #expiries = new TimeHeap();
  readonly #snapshots: SlotSnapshots;
  /** Per slot of a key: the time of its row, and where the row waits, + 1. */
  #times = new Float64Array(0);
  #waits = new Int32Array(0);
  /** Whether rows have event time; as the first row, or what was remembered, has told. */
  #hasTime = false;
  #watermarkMs = -Infinity;
  #alarmMs = Infinity;
  #opened: Opened | null = null;

  constructor(spec: DedupeSpec) {
    this.#spec = spec;
    this.#keyFields = spec.keys.map((key) => spec.input.fields[key] as Field);
    this.#batch = new KeyedBatch(spec.keys);
    this.#table = new KeyTable(this.#keyFields.map(({ type }) => type));
    this.#rows = new RowSlots(spec.input.fields.map(({ type }) => type));
    this.#snapshots = this.#createSnapshots();
    this.state = this.#describeState();
  }

  open(context: OperatorContext): void {
    this.#watermarkMs = context.restoredWatermarkMs;
    this.#opened = {
      context,
      selected: new SelectedRows(context.output, this.#spec.output),
      output: new BufferedOutput(context, this.#spec.output, false),
      late: context.counter(counterNames.lateRecords.name),
    };
  }

  process(batch: ColumnBatch, fromRow: number): number {
    refuseUpdates(batch, this.#spec.stepId);
    const { selected } = this.#opened as Opened;
    this.#batch.read(batch);
    this.#table.bind(this.#batch.columns);
    this.#hasTime = batch.timestamps !== null;
    if (this.#spec.keep === 'first' && batch.timestamps !== null) this.#keepEarliest(batch, batch.timestamps, fromRow);
    else this.#passOn(batch, fromRow);
    selected.emit(batch);
    this.#setAlarm();
    return batch.rowCount;
  }

  onWatermark(timestampMs: number): boolean {
    const { output } = this.#opened as Opened;
    this.#watermarkMs = Math.max(this.#watermarkMs, timestampMs);
    let done = 0;
    for (; this.#waiting.time <= timestampMs && this.#waiting.time < Infinity; this.#waiting.pop()) {
      if (done++ === ENTRIES_PER_CALL) return false;
      const slot = this.#waiting.id;
      const isStale = this.#waits[slot] === 0 || this.#times[slot] !== this.#waiting.time;
      if (isStale) continue;
      if (!output.hasRoom()) return false;
      this.#release(slot, output);
    }
    output.emit();
    return !this.#hasTime || this.#expire(timestampMs);
  }

  onTimer(nowMs: number): boolean {
    this.#alarmMs = Infinity;
    if (!this.#expire(nowMs)) return false;
    this.#setAlarm();
    return true;
  }

  finish(): boolean {
    return !this.#hasTime || this.onWatermark(Infinity);
  }

  close(): void {
    this.#opened = null;
  }

  /** The first by arrival, or the last. */
  #passOn(batch: ColumnBatch, fromRow: number): void {
    const { context, selected } = this.#opened as Opened;
    const { timestamps, rowCount } = batch;
    const { hashes } = this.#batch;
    const { isTaking } = this.#snapshots;
    const keepsLast = this.#spec.keep === 'last';
    const nowMs = context.ports.clock.nowMs();
    for (let row = fromRow; row < rowCount; row++) {
      const time = timestamps === null ? nowMs : (timestamps[row] as number);
      if (time !== time) {
        this.#refuse(batch, row);
        continue;
      }
      const slot = this.#table.find(hashes[row] as number, row, SPACE);
      if (slot < 0) {
        if (timestamps !== null && this.#isForgotten(time)) continue;
        this.#insert(row, time, true);
        selected.add(batch, row);
      } else if (keepsLast && (timestamps === null || time >= (this.#times[slot] as number))) {
        if (isTaking) this.#snapshots.beforeChange(slot);
        this.#times[slot] = time;
        selected.add(batch, row, RowKind.updateAfter);
      }
    }
  }

  /** Of a key that is not known any more nobody can tell whether it had a later row. */
  #isForgotten(time: number): boolean {
    const { ttlMs } = this.#spec;
    if (ttlMs === null || time + ttlMs > this.#watermarkMs) return false;
    (this.#opened as Opened).late.value++;
    return true;
  }

  #keepEarliest(batch: ColumnBatch, timestamps: Float64Array, fromRow: number): void {
    const { late } = this.#opened as Opened;
    const { hashes } = this.#batch;
    this.#rows.bind(batch.columns);
    for (let row = fromRow; row < batch.rowCount; row++) {
      const time = timestamps[row] as number;
      if (time !== time) {
        this.#refuse(batch, row);
        continue;
      }
      if (time < this.#watermarkMs) {
        late.value++;
        continue;
      }
      const slot = this.#table.find(hashes[row] as number, row, SPACE);
      if (slot < 0) this.#await(this.#insert(row, time, false), row, time);
      else if (this.#waits[slot] !== 0 && time < (this.#times[slot] as number)) this.#replace(slot, row, time);
    }
  }

  #await(slot: number, row: number, time: number): void {
    this.#waits[slot] = this.#rows.add(row) + 1;
    this.#waiting.push(time, slot);
  }

  /** An earlier row takes the place of the one that waits; the later time that is in the heap is passed over. */
  #replace(slot: number, row: number, time: number): void {
    if (this.#snapshots.isTaking) this.#snapshots.beforeChange(slot);
    this.#times[slot] = time;
    this.#rows.replace((this.#waits[slot] as number) - 1, row);
    this.#waiting.push(time, slot);
  }

  /** A key that was not known. */
  #insert(row: number, time: number, isSeen: boolean): number {
    const slot = this.#table.insert(this.#batch.hashes[row] as number, row, SPACE);
    if (this.#snapshots.isTaking) this.#snapshots.added(slot);
    this.#keep(slot, time, isSeen);
    return slot;
  }

  #keep(slot: number, time: number, isSeen: boolean): void {
    this.#times = grown(this.#times, slot + 1);
    this.#waits = grown(this.#waits, slot + 1);
    this.#times[slot] = time;
    this.#waits[slot] = 0;
    const { ttlMs } = this.#spec;
    if (isSeen && ttlMs !== null) this.#expiries.push(time + ttlMs, slot);
  }

  /** The time of a row that waits has come. */
  #release(slot: number, output: BufferedOutput): void {
    const waiting = (this.#waits[slot] as number) - 1;
    const time = this.#times[slot] as number;
    this.#rows.writeAll(waiting, output.columns, 0, output.row);
    output.add(RowKind.insert, time);
    if (this.#snapshots.isTaking) this.#snapshots.beforeChange(slot);
    this.#rows.remove(waiting);
    this.#keep(slot, time, true);
  }

  /** Forgets keys; false where there are more to forget. */
  #expire(untilMs: number): boolean {
    const ttlMs = this.#spec.ttlMs ?? Infinity;
    const expiries = this.#expiries;
    for (let done = 0; expiries.time <= untilMs && expiries.time < Infinity; done++) {
      if (done === ENTRIES_PER_CALL) return false;
      const { time, id: slot } = expiries;
      expiries.pop();
      // The key was seen again since.
      const expiry = (this.#times[slot] as number) + ttlMs;
      if (expiry > time && expiry > untilMs) {
        expiries.push(expiry, slot);
        continue;
      }
      if (this.#snapshots.isTaking) this.#snapshots.beforeChange(slot);
      this.#table.remove(slot);
    }
    return true;
  }

  #setAlarm(): void {
    if (this.#hasTime || this.#expiries.time >= this.#alarmMs) return;
    this.#alarmMs = this.#expiries.time;
    (this.#opened as Opened).context.setAlarm(this.#alarmMs);
  }

  #refuse(batch: ColumnBatch, row: number): void {
    const { stepId } = this.#spec;
    const error = operatorErrors.create('MR-OPERATOR-NO-EVENT-TIME', { step: stepId, what: 'none' });
    (this.#opened as Opened).context.errors.handle(batch, row, stepId, error);
  }

  #createSnapshots(): SlotSnapshots {
    const table = this.#table;
    return new SlotSnapshots({
      get slotLimit() {
        return table.slotLimit;
      },
      isUsed: (slot) => table.isUsed(slot),
      hashOf: (slot) => table.hashOf(slot),
      encode: (slot, to) => {
        const waiting = (this.#waits[slot] as number) - 1;
        to.byte(waiting >= 0 ? Entry.waiting : this.#hasTime ? Entry.seen : Entry.seenByClock);
        to.integer(this.#times[slot] as number, null);
        if (waiting >= 0) this.#rows.encode(waiting, to);
        else table.encode(slot, to);
      },
    });
  }

  #describeState(): OperatorState {
    const { keep, input } = this.#spec;
    const [table, rows, waiting, expiries, snapshots] =
      [this.#table, this.#rows, this.#waiting, this.#expiries, this.#snapshots];
    const schema = layoutSchema({
      kind: 'dedupe',
      version: 1,
      key: { fields: this.#keyFields },
      values: [],
      settings: { keep, row: keep === 'last' ? null : input.fields.map(({ type }) => formatType(type)) },
    });
    const others = (): number =>
      expiries.sizeBytes + snapshots.sizeBytes + this.#times.byteLength + this.#waits.byteLength;
    return {
      schema,
      get sizeBytes() {
        return table.sizeBytes + rows.sizeBytes + waiting.sizeBytes + others();
      },
      snapshot: () => snapshots.take((this.#opened as Opened).context.maxParallelism),
      restore: (chunk, written) => {
        this.#restore(chunk, written, schema);
      },
    };
  }

  #restore({ bytes, keyGroup }: StateChunk, written: StateSchema, schema: StateSchema): void {
    matchSchemas(written, schema, this.#spec.stepId);
    const from = new ByteReader(bytes, this.#spec.stepId);
    const key = new ScratchRow(schema.key);
    const whole = new ScratchRow(this.#spec.input, this.#spec.keys);
    const { maxParallelism } = (this.#opened as Opened).context;
    while (!from.atEnd) {
      const sort = from.byte();
      if (sort > Entry.waiting) from.fail(`there is no kind of entry ${sort}`);
      const isWaiting = sort === Entry.waiting;
      const time = readTime(from);
      const entry = isWaiting ? whole : key;
      const hash = entry.readKey(from, keyGroup, maxParallelism);
      this.#table.bind(entry.keys);
      if (this.#table.find(hash, 0, SPACE) >= 0) from.fail('a key comes twice');
      const slot = this.#table.insert(hash, 0, SPACE);
      this.#hasTime = sort !== Entry.seenByClock;
      this.#keep(slot, time, !isWaiting);
      if (!isWaiting) continue;
      this.#rows.bind(whole.columns);
      this.#await(slot, 0, time);
    }
    this.#setAlarm();
  }
}
