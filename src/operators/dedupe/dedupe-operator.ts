/**
 * One row per key: the last, each replacing the one before, or the first.
 *
 * With event time the first row is the earliest: it waits until the watermark reaches its time, because an earlier one
 * may still come; of several of one time the one that came first counts. A row older than the last one of its key is
 * dropped. So what leaves depends on the rows and the watermarks, not on the order of arrival. Without event time, rows
 * are told apart by arrival.
 *
 * Remembered per key is the time of its row (of the last, or first); with the row itself while it waits. Keys that
 * memory has no room for are in a store on the disk, where the job says so, but for those whose rows wait: prepare()
 * brings those of a batch back.
 */
import { counterNames, RowKind } from '../../core/index.ts';
import type {
  ColumnBatch,
  Counter,
  Field,
  Operator,
  OperatorContext,
  OperatorState,
  RowSchema,
  SnapshotBasis,
  StateChunk,
  StateSchema,
} from '../../core/index.ts';
import { BufferedOutput } from '../buffered-output.ts';
import { operatorErrors } from '../errors.ts';
import { KeyedBatch } from '../keyed-batch.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { SelectedRows } from '../selected-rows.ts';
import { ByteReader } from '../state/byte-reader.ts';
import { grown, sized } from '../state/grown.ts';
import { KeyTable } from '../state/key-table.ts';
import { keptRows, keptRowsSchema, migrationOf } from '../state/row-migration.ts';
import { RowSlots } from '../state/row-slots.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { growInTurns, wantedSlots } from '../state/slot-growth.ts';
import { SlotSnapshots } from '../state/slot-snapshots.ts';
import type { SnapshotEntries } from '../state/slot-snapshots.ts';
import { SpilledSlots } from '../state/spilled-slots.ts';
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
  readonly #spilled: SpilledSlots;
  readonly #scratchKey: ScratchRow;
  /** Per slot of a key: the time of its row (NaN where nothing is known of the key), and where the row waits, + 1. */
  #times = new Float64Array(0);
  #waits = new Int32Array(0);
  /** Whether rows have event time; as the first row, or what was remembered, has told. */
  #hasTime = false;
  #watermarkMs = -Infinity;
  /** By the clock. */
  #nowMs = -Infinity;
  #alarmMs = Infinity;
  #opened: Opened | null = null;

  constructor(spec: DedupeSpec) {
    this.#spec = spec;
    this.#keyFields = spec.keys.map((key) => spec.input.fields[key] as Field);
    this.#batch = new KeyedBatch(spec.keys);
    this.#table = new KeyTable(this.#keyFields.map(({ type }) => type));
    this.#rows = new RowSlots(spec.input.fields.map(({ type }) => type));
    this.#scratchKey = new ScratchRow({ fields: this.#keyFields });
    const isKnown = (slot: number): boolean => this.#table.isUsed(slot) && this.#times[slot] === this.#times[slot];
    this.#snapshots = new SlotSnapshots(this.#describeEntries((slot) => isKnown(slot) && this.#spilled.includes(slot)));
    this.#spilled = this.#createSpilled(this.#describeEntries(isKnown));
    this.state = this.#describeState();
  }

  async open(context: OperatorContext): Promise<void> {
    this.#watermarkMs = context.restoredWatermarkMs;
    this.#opened = {
      context,
      selected: new SelectedRows(context.output, this.#spec.output),
      output: new BufferedOutput(context, this.#spec.output, false),
      late: context.counter(counterNames.lateRecords.name),
    };
    if (context.spill !== undefined) await this.#spilled.open(context.spill, context);
  }

  prepare(batch: ColumnBatch): Promise<void> | undefined {
    if (!this.#spilled.isOpen) return this.#growInMemory(batch.rowCount);
    this.#begin(batch);
    const room = this.#spilled.makeRoom(batch.rowCount);
    return room === undefined ? this.#findKeys(batch) : room.then(() => this.#findKeys(batch));
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const { selected } = this.#opened as Opened;
    this.#begin(batch);
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

  async close(): Promise<void> {
    this.#opened = null;
    await this.#spilled.close();
  }

  #begin(batch: ColumnBatch): void {
    refuseUpdates(batch, this.#spec.stepId);
    this.#batch.read(batch);
    this.#table.bind(this.#batch.columns);
    this.#hasTime = batch.timestamps !== null;
    this.#nowMs = (this.#opened as Opened).context.ports.clock.nowMs();
  }

  #growInMemory(count: number): Promise<void> | undefined {
    const slotCount = wantedSlots(this.#table, count);
    if (slotCount === 0) return undefined;
    return growInTurns(this.#growing(slotCount), slotCount, (this.#opened as Opened).context.ports.macrotasks);
  }

  /** Makes room for slots [0, slotCount), one array at a time. */
  *#growing(slotCount: number): Generator<void> {
    this.#times = sized(this.#times, slotCount);
    yield;
    this.#waits = sized(this.#waits, slotCount);
    yield;
    yield* this.#table.growing(slotCount);
  }

  /** Gives every key of the batch a slot, and what the store knows of it. */
  #findKeys({ rowCount }: ColumnBatch): Promise<void> | undefined {
    for (let row = 0; row < rowCount; row++) {
      const hash = this.#batch.hashes[row] as number;
      if (this.#table.find(hash, row, SPACE) < 0) this.#spilled.taken(this.#takeSlot(hash, row));
    }
    return this.#spilled.load();
  }

  /** The slot of a row's key; -1 where nothing is known of it. */
  #find(row: number): number {
    const slot = this.#table.find(this.#batch.hashes[row] as number, row, SPACE);
    if (slot < 0 || !this.#spilled.isOpen) return slot;
    const time = this.#times[slot] as number;
    if (this.#waits[slot] === 0 && this.#isOver(time)) this.#forget(slot);
    const known = this.#times[slot] as number;
    return known === known ? slot : -1;
  }

  /** Whether its `ttl` has ended; asked where no list of what expires is kept. */
  #isOver(time: number, atMs = this.#timeMs): boolean {
    const { ttlMs } = this.#spec;
    return ttlMs !== null && time + ttlMs <= atMs;
  }

  get #timeMs(): number {
    return this.#hasTime ? this.#watermarkMs : this.#nowMs;
  }

  #takeSlot(hash: number, row: number): number {
    const slot = this.#table.insert(hash, row, SPACE);
    if (this.#snapshots.isTaking) this.#snapshots.added(slot);
    this.#times = grown(this.#times, slot + 1);
    this.#waits = grown(this.#waits, slot + 1);
    this.#times[slot] = NaN;
    this.#waits[slot] = 0;
    return slot;
  }

  /** The slot stays its key's. */
  #forget(slot: number): void {
    if (this.#snapshots.isTaking) this.#snapshots.beforeChange(slot);
    if (this.#waits[slot] !== 0) this.#rows.remove((this.#waits[slot] as number) - 1);
    this.#times[slot] = NaN;
    this.#waits[slot] = 0;
  }

  #free(slot: number): void {
    this.#forget(slot);
    this.#table.remove(slot);
  }

  /** The first by arrival, or the last. */
  #passOn(batch: ColumnBatch, fromRow: number): void {
    const { selected } = this.#opened as Opened;
    const { timestamps, rowCount } = batch;
    const { isTaking } = this.#snapshots;
    const keepsLast = this.#spec.keep === 'last';
    const nowMs = this.#nowMs;
    for (let row = fromRow; row < rowCount; row++) {
      const time = timestamps === null ? nowMs : (timestamps[row] as number);
      if (time !== time) {
        this.#refuse(batch, row);
        continue;
      }
      const slot = this.#find(row);
      if (slot < 0) {
        if (timestamps !== null && this.#isForgotten(time)) continue;
        this.#insert(row, time, true);
        selected.add(batch, row);
      } else if (keepsLast && (timestamps === null || time >= (this.#times[slot] as number))) {
        if (isTaking) this.#snapshots.beforeChange(slot);
        this.#times[slot] = time;
        if (this.#spilled.isOpen) this.#spilled.changedOne(slot);
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
      const slot = this.#find(row);
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
    if (this.#spilled.isOpen) this.#spilled.changedOne(slot);
    this.#rows.replace((this.#waits[slot] as number) - 1, row);
    this.#waiting.push(time, slot);
  }

  /** A key that was not known. It may have a slot all the same: prepare() takes one for every key that it looks for. */
  #insert(row: number, time: number, isSeen: boolean): number {
    const hash = this.#batch.hashes[row] as number;
    const prepared = this.#spilled.isOpen ? this.#table.find(hash, row, SPACE) : -1;
    if (prepared >= 0 && this.#snapshots.isTaking) this.#snapshots.beforeChange(prepared);
    const slot = prepared < 0 ? this.#takeSlot(hash, row) : prepared;
    this.#keep(slot, time, isSeen);
    return slot;
  }

  #keep(slot: number, time: number, isSeen: boolean): void {
    this.#times[slot] = time;
    this.#waits[slot] = 0;
    const { ttlMs } = this.#spec;
    if (this.#spilled.isOpen) this.#spilled.changedOne(slot);
    else if (isSeen && ttlMs !== null) this.#expiries.push(time + ttlMs, slot);
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
      // The key is in the list twice where checkpoints of changes had it twice, and has gone with the first.
      if (!this.#table.isUsed(slot)) continue;
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

  #describeEntries(isUsed: SnapshotEntries['isUsed']): SnapshotEntries {
    const table = this.#table;
    return {
      get slotLimit() {
        return table.slotLimit;
      },
      isUsed,
      hashOf: (slot) => table.hashOf(slot),
      encode: (slot, to) => {
        const waiting = (this.#waits[slot] as number) - 1;
        to.byte(waiting >= 0 ? Entry.waiting : this.#hasTime ? Entry.seen : Entry.seenByClock);
        to.integer(this.#times[slot] as number, null);
        if (waiting >= 0) this.#rows.encode(waiting, to);
        else table.encode(slot, to);
      },
    };
  }

  #createSpilled(entries: SnapshotEntries): SpilledSlots {
    const table = this.#table;
    const heldBytes = (): number => table.sizeBytes + this.#times.byteLength + this.#waits.byteLength;
    const context = (): OperatorContext => (this.#opened as Opened).context;
    return new SpilledSlots(
      {
        ...entries,
        stepId: this.#spec.stepId,
        get slotLimit() {
          return table.slotLimit;
        },
        get keyGroupCount() {
          return context().maxParallelism;
        },
        table,
        get sizeBytes() {
          return heldBytes();
        },
        growing: (slotCount) => this.#growing(slotCount),
        isPinned: (slot) => this.#waits[slot] !== 0,
        decode: (slot, from) => {
          from.byte();
          const time = readTime(from);
          if (!this.#isOver(time)) this.#times[slot] = time;
        },
        free: (slot) => {
          this.#free(slot);
        },
        expiry: {
          nowMs: () => this.#timeMs,
          isOver: (from, atMs) => {
            from.byte();
            return this.#isOver(readTime(from), atMs);
          },
        },
      },
      this.#snapshots,
    );
  }

  #describeState(): OperatorState {
    const { keep, input } = this.#spec;
    const [table, rows, waiting, expiries, snapshots] =
      [this.#table, this.#rows, this.#waiting, this.#expiries, this.#snapshots];
    const kept = keep === 'last' ? [] : [keptRows(input)];
    const schema = keptRowsSchema('dedupe', { fields: this.#keyFields }, kept, { keep });
    const spilled = this.#spilled;
    const others = (): number =>
      expiries.sizeBytes + snapshots.sizeBytes + spilled.sizeBytes + this.#times.byteLength + this.#waits.byteLength;
    return {
      schema,
      get sizeBytes() {
        return table.sizeBytes + rows.sizeBytes + waiting.sizeBytes + others();
      },
      snapshot: (basis?: SnapshotBasis) =>
        spilled.isOpen
          ? spilled.snapshot(basis)
          : snapshots.take((this.#opened as Opened).context.maxParallelism),
      restore: (chunk, written) => {
        this.#restore(chunk, written, schema);
      },
      settle: () => (spilled.isOpen ? spilled.settle() : Promise.resolve()),
    };
  }

  #restore({ bytes, keyGroup, replaces }: StateChunk, written: StateSchema, schema: StateSchema): void {
    const { input, keys, stepId } = this.#spec;
    const from = new ByteReader(bytes, stepId);
    const key = this.#scratchKey;
    const whole = new ScratchRow(input, keys, migrationOf(written, schema, keptRows(input), stepId));
    const { maxParallelism, ports } = (this.#opened as Opened).context;
    this.#nowMs = ports.clock.nowMs();
    this.#spilled.restore(from, () => {
      const sort = from.byte();
      if (sort > Entry.waiting) from.fail(`there is no kind of entry ${sort}`);
      const isWaiting = sort === Entry.waiting;
      const time = readTime(from);
      const entry = isWaiting ? whole : key;
      const hash = entry.readKey(from, keyGroup, maxParallelism);
      this.#table.bind(entry.keys);
      const known = this.#table.find(hash, 0, SPACE);
      if (known >= 0 && replaces !== true) from.fail('a key comes twice');
      if (known >= 0) this.#free(known);
      this.#hasTime = sort !== Entry.seenByClock;
      // The disk keeps keys for a while after their `ttl`; the memory forgets them at the watermark that ends it.
      if (!isWaiting && this.#isOver(time)) return;
      const slot = this.#takeSlot(hash, 0);
      this.#keep(slot, time, !isWaiting);
      if (this.#spilled.isOpen) this.#spilled.restored(slot);
      if (!isWaiting) return;
      this.#rows.bind(whole.columns);
      this.#await(slot, 0, time);
    });
    this.#setAlarm();
  }
}
