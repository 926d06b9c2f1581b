/**
 * Keyed running aggregation: for every input row one output row with the key and the new values of its group, an insert
 * the first time and an update after it (an upsert stream by key). Without a key there is one group, and nothing is
 * emitted before its first row.
 *
 * A row that fails (an argument that cannot be computed, a sum that does not fit) changes no value.
 *
 * With a `ttl`, a group whose last row is so long ago is forgotten, and begins anew. Groups that memory has no room for
 * are in a store on the disk, where the job says so: prepare() brings those of a batch back.
 */
import { ColumnBatch, RowKind } from '../../core/index.ts';
import type {
  AggregateCall,
  Column,
  Operator,
  OperatorContext,
  OperatorState,
  RowSchema,
  SnapshotBasis,
  StateChunk,
  StateSchema,
  StateSnapshot,
} from '../../core/index.ts';
import { gatherColumn, gatherFloat64 } from '../../expr/index.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';
import { grown, sized } from '../state/grown.ts';
import { KeyTable } from '../state/key-table.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { LAST_TIME, SlotExpiry } from '../state/slot-expiry.ts';
import { growInTurns, wantedSlots } from '../state/slot-growth.ts';
import { SlotSnapshots } from '../state/slot-snapshots.ts';
import { SpilledSlots } from '../state/spilled-slots.ts';
import type { Expiry } from '../state/spilled-slots.ts';
import { layoutSchema, matchSchemas } from '../state/state-schema.ts';
import { tableEntries } from '../state/table-entries.ts';
import { AggregateCalls } from './aggregate-calls.ts';
import { compileRunningLoop } from './call-loops.ts';
import type { RunningState } from './call-loops.ts';
import { KeyedRows } from './keyed-rows.ts';

/** The AggregateNode of a job graph. */
export interface AggregateSpec {
  readonly stepId: string;
  readonly keys: readonly number[];
  readonly calls: readonly AggregateCall[];
  /** A group is forgotten so long after its last row; null or absent for never. */
  readonly ttlMs?: number | null;
  readonly input: RowSchema;
  readonly output: RowSchema;
}

/** What belongs to one capacity of batches. */
interface Buffers {
  readonly out: ColumnBatch;
  readonly timestamps: Float64Array;
  readonly originRows: Int32Array;
}

/** All groups are in one space of the table. */
const SPACE = 0;

export class AggregateOperator implements Operator {
  readonly state: OperatorState;
  readonly #spec: AggregateSpec;
  readonly #calls: AggregateCalls;
  readonly #table: KeyTable;
  readonly #rows: KeyedRows;
  readonly #snapshots: SlotSnapshots;
  readonly #spilled: SpilledSlots;
  /** Null where groups stay for ever. */
  readonly #expiry: SlotExpiry | null;
  readonly #scratchKey: ScratchRow;
  readonly #accumulate: (state: RunningState) => void;
  readonly #running: RunningState;
  #buffers: Buffers | null = null;
  #context: OperatorContext | null = null;
  #alarmMs = Infinity;
  #watermarkMs = -Infinity;

  constructor(spec: AggregateSpec) {
    this.#spec = spec;
    this.#calls = new AggregateCalls(spec);
    this.#table = new KeyTable(this.#calls.keyFields.map(({ type }) => type));
    this.#rows = new KeyedRows(this.#calls, this.#table);
    const { ttlMs = null } = spec;
    this.#expiry = ttlMs === null ? null : new SlotExpiry(ttlMs);
    this.#scratchKey = new ScratchRow({ fields: this.#calls.keyFields });
    const isInSnapshot = (slot: number): boolean => this.#isEmitted(slot) && this.#spilled.includes(slot);
    this.#snapshots = new SlotSnapshots(tableEntries(this.#table, this.#encode, isInSnapshot));
    this.#accumulate = compileRunningLoop(this.#calls.accumulators);
    this.#running = {
      row: 0,
      end: 0,
      outRow: 0,
      slots: new Int32Array(0),
      nextKinds: new Uint8Array(0),
      rowKinds: new Uint8Array(0),
      sourceRows: new Int32Array(0),
      failure: undefined,
    };
    this.#spilled = this.#createSpilled();
    this.state = this.#describeState();
  }

  async open(context: OperatorContext): Promise<void> {
    this.#context = context;
    this.#expiry?.advanceTo(context.restoredWatermarkMs);
    if (context.spill !== undefined) await this.#spilled.open(context.spill, context);
  }

  prepare(batch: ColumnBatch): Promise<void> | undefined {
    if (!this.#spilled.isOpen) return this.#growInMemory(batch.rowCount);
    this.#compute(batch, 0);
    const room = this.#spilled.makeRoom(this.#rows.rows.rowCount);
    return room === undefined ? this.#findGroups() : room.then(() => this.#findGroups());
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const context = this.#context as OperatorContext;
    const buffers = this.#buffersFor(batch);
    // Else prepare() has done so.
    if (!this.#spilled.isOpen) {
      this.#compute(batch, fromRow);
      this.#assignSlots();
    }
    this.#accumulateAll(buffers, context);
    context.output.emit(buffers.out);
    if (this.#expiry?.hasEventTime === false) this.#setAlarm(this.#expiry);
    return batch.rowCount;
  }

  onWatermark(timestampMs: number): boolean {
    this.#watermarkMs = timestampMs;
    if (this.#expiry?.hasEventTime !== true) return true;
    this.#expiry.advanceTo(timestampMs);
    return this.#sweep(this.#expiry);
  }

  onTimer(nowMs: number): boolean {
    if (this.#expiry?.hasEventTime !== false) return true;
    this.#expiry.advanceTo(nowMs);
    if (!this.#sweep(this.#expiry)) return false;
    this.#alarmMs = Infinity;
    if (this.#table.size > 0) this.#setAlarm(this.#expiry);
    return true;
  }

  finish(): boolean {
    return true;
  }

  async close(): Promise<void> {
    this.#buffers = null;
    await this.#spilled.close();
  }

  #compute(batch: ColumnBatch, fromRow: number): void {
    refuseUpdates(batch, this.#spec.stepId);
    const { errors, ports } = this.#context as OperatorContext;
    this.#rows.compute(batch, fromRow, errors);
    if (this.#expiry === null) return;
    this.#expiry.hasEventTime = batch.timestamps !== null;
    // Watermarks may have come before the first row said that they count.
    this.#expiry.advanceTo(batch.timestamps === null ? ports.clock.nowMs() : this.#watermarkMs);
  }

  #growInMemory(count: number): Promise<void> | undefined {
    const slotCount = wantedSlots(this.#table, count);
    if (slotCount === 0) return undefined;
    return growInTurns(this.#growing(slotCount), slotCount, (this.#context as OperatorContext).ports.macrotasks);
  }

  /** Makes room for slots [0, slotCount), one array at a time. */
  *#growing(slotCount: number): Generator<void> {
    yield* this.#calls.growing(slotCount);
    this.#running.nextKinds = sized(this.#running.nextKinds, slotCount);
    yield;
    this.#expiry?.reserve(slotCount);
    yield;
    yield* this.#table.growing(slotCount);
  }

  #findGroups(): Promise<void> | undefined {
    this.#assignSlots();
    return this.#spilled.load();
  }

  /** One output row per input row at most, so a batch is always done in one call. */
  #buffersFor({ capacity }: ColumnBatch): Buffers {
    if (this.#buffers === null || this.#buffers.out.capacity < capacity) {
      this.#buffers = {
        out: new ColumnBatch(this.#spec.output, capacity),
        timestamps: new Float64Array(capacity),
        originRows: new Int32Array(capacity),
      };
      this.#running.rowKinds = new Uint8Array(capacity);
      this.#running.sourceRows = new Int32Array(capacity);
    }
    return this.#buffers;
  }

  #assignSlots(): void {
    const { rows, hashes, slots } = this.#rows;
    const table = this.#table;
    const target = slots.values;
    const { rowCount } = rows;
    const isTaking = this.#snapshots.isTaking;
    const expiry = this.#expiry;
    for (let row = 0; row < rowCount; row++) {
      const hash = hashes[row] as number;
      let slot = table.find(hash, row, SPACE);
      if (slot < 0) {
        slot = table.insert(hash, row, SPACE);
        if (isTaking) this.#snapshots.added(slot);
        if (this.#spilled.isOpen) this.#spilled.taken(slot);
        expiry?.reserve(slot + 1);
        expiry?.begin(slot);
      } else if (expiry?.isExpired(slot) === true) {
        this.#forget(slot);
      }
      if (expiry !== null) expiry.touch(slot, rows.timestamps === null ? NaN : (rows.timestamps[row] as number));
      target[row] = slot;
    }
    this.#calls.reserve(table.slotLimit);
    this.#running.nextKinds = grown(this.#running.nextKinds, table.slotLimit);
    if (isTaking) this.#snapshots.beforeChanges(target, rowCount);
  }

  #accumulateAll(buffers: Buffers, context: OperatorContext): void {
    const { rows, slots } = this.#rows;
    const { out } = buffers;
    const state = this.#running;
    out.reset();
    this.#calls.beginRows(rows, slots);
    this.#calls.bindOutputs(out.columns.slice(this.#spec.keys.length));
    state.row = 0;
    state.outRow = 0;
    state.end = rows.rowCount;
    state.slots = slots.values;
    for (;;) {
      state.failure = undefined;
      this.#accumulate(state);
      if (state.failure === undefined) break;
      context.errors.handle(rows, state.row, this.#spec.stepId, state.failure);
      state.row++;
    }
    this.#calls.endRows(rows.rowCount);
    if (this.#spilled.isOpen) this.#spilled.changed(slots.values, rows.rowCount);
    out.rowCount = state.outRow;
    this.#passOn(buffers);
  }

  /** Keys, times and origins of the rows that did not fail. */
  #passOn({ out, timestamps, originRows }: Buffers): void {
    const { rows } = this.#rows;
    const { sourceRows, outRow, rowKinds } = this.#running;
    const isComplete = outRow === rows.rowCount;
    out.rowKinds = rowKinds;
    for (let key = 0; key < this.#spec.keys.length; key++) {
      const column = rows.columns[key] as Column;
      if (isComplete) out.columns[key] = column;
      else gatherColumn(column, out.columns[key] as Column, sourceRows, 0, outRow);
    }
    out.origin = rows.origin;
    out.timestamps = rows.timestamps;
    out.originRows = rows.originRows;
    if (isComplete) return;
    if (rows.timestamps !== null) {
      gatherFloat64(rows.timestamps, timestamps, sourceRows, 0, outRow);
      out.timestamps = timestamps;
    }
    if (rows.origin === null) return;
    for (let row = 0; row < outRow; row++) {
      const source = sourceRows[row] as number;
      originRows[row] = rows.originRows === null ? source : (rows.originRows[source] as number);
    }
    out.originRows = originRows;
  }

  /** A group of which every row has failed has not been emitted, and has nothing to remember. */
  #isEmitted(slot: number): boolean {
    return this.#running.nextKinds[slot] === RowKind.updateAfter;
  }

  /** Its values go; the slot stays its group's. */
  #forget(slot: number): void {
    if (this.#snapshots.isTaking) this.#snapshots.beforeChange(slot);
    if (this.#isEmitted(slot)) this.#calls.loops.clear(slot);
    this.#running.nextKinds[slot] = RowKind.insert;
    this.#expiry?.begin(slot);
  }

  #free(slot: number): void {
    this.#forget(slot);
    this.#table.remove(slot);
  }

  #sweep(expiry: SlotExpiry): boolean {
    const table = this.#table;
    return expiry.sweep(table.slotLimit, (slot) => table.isUsed(slot), (slot) => this.#free(slot));
  }

  #setAlarm(expiry: SlotExpiry): void {
    const dueMs = Math.max(expiry.nextSweepMs, expiry.nowMs);
    if (dueMs >= this.#alarmMs) return;
    this.#alarmMs = dueMs;
    (this.#context as OperatorContext).setAlarm(dueMs);
  }

  /** Behind the key. */
  readonly #encode = (slot: number, to: ByteWriter): void => {
    this.#calls.encode(slot, to);
    if (this.#expiry === null) return;
    const part = to.beginPart();
    this.#expiry.encode(slot, to);
    to.endPart(part);
  };

  get #heldBytes(): number {
    const others = this.#running.nextKinds.length + (this.#expiry?.sizeBytes ?? 0);
    return this.#table.sizeBytes + this.#calls.sizeBytes + others;
  }

  #createSpilled(): SpilledSlots {
    const [table, calls] = [this.#table, this.#calls];
    const context = (): OperatorContext => this.#context as OperatorContext;
    const places = calls.values.map((_, index) => index);
    const heldBytes = (): number => this.#heldBytes;
    return new SpilledSlots(
      {
        stepId: this.#spec.stepId,
        get keyGroupCount() {
          return context().maxParallelism;
        },
        table,
        get slotLimit() {
          return table.slotLimit;
        },
        get sizeBytes() {
          return heldBytes();
        },
        growing: (slotCount) => this.#growing(slotCount),
        isUsed: (slot) => this.#isEmitted(slot),
        hashOf: (slot) => table.hashOf(slot),
        encode: (slot, to) => {
          table.encode(slot, to);
          this.#encode(slot, to);
        },
        isPinned: () => false,
        decode: (slot, from) => {
          this.#scratchKey.read(from);
          this.#decode(slot, from, places, this.#expiry !== null);
        },
        free: (slot) => {
          this.#free(slot);
        },
        ...(this.#expiry === null ? {} : { expiry: this.#describeExpiry(this.#expiry) }),
      },
      this.#snapshots,
    );
  }

  /** Reads what #encode wrote into a slot that remembers nothing, unless it has expired. */
  #decode(slot: number, from: ByteReader, places: readonly number[], hasTime: boolean): void {
    const expiry = this.#expiry;
    this.#calls.decode(slot, from, places);
    this.#running.nextKinds[slot] = RowKind.updateAfter;
    if (!hasTime) {
      // It was not remembered then: the ttl begins now.
      expiry?.touch(slot, NaN);
      return;
    }
    let time = -Infinity;
    from.within(from.varint(), expiry === null ? null : () => (time = expiry.decode(from)));
    if (expiry === null) return;
    if (expiry.isOver(time)) {
      this.#calls.loops.clear(slot);
      this.#running.nextKinds[slot] = RowKind.insert;
    } else expiry.touchAt(slot, time);
  }

  #describeExpiry(expiry: SlotExpiry): Expiry {
    return {
      nowMs: () => expiry.nowMs,
      isOver: (from, atMs) => {
        this.#scratchKey.read(from);
        this.#calls.skip(from, this.#calls.accumulators.length);
        let time = -Infinity;
        from.within(from.varint(), () => (time = expiry.decode(from)));
        return expiry.isOver(time, atMs);
      },
    };
  }

  #describeState(): OperatorState {
    const [calls, snapshots, spilled, expiry] = [this.#calls, this.#snapshots, this.#spilled, this.#expiry];
    const heldBytes = (): number => this.#heldBytes;
    const schema = layoutSchema({
      kind: 'aggregate',
      version: 1,
      key: { fields: calls.keyFields },
      values: expiry === null ? calls.values : [...calls.values, LAST_TIME],
      settings: {},
    });
    return {
      schema,
      get sizeBytes() {
        return heldBytes() + snapshots.sizeBytes + spilled.sizeBytes;
      },
      snapshot: (basis) => this.#snapshot(basis),
      restore: (chunk, written) => {
        this.#restore(chunk, written, schema);
      },
      settle: () => (spilled.isOpen ? spilled.settle() : Promise.resolve()),
    };
  }

  #snapshot(basis: SnapshotBasis | undefined): StateSnapshot {
    const { maxParallelism } = this.#context as OperatorContext;
    return this.#spilled.isOpen ? this.#spilled.snapshot(basis) : this.#snapshots.take(maxParallelism);
  }

  #restore({ bytes, keyGroup, replaces }: StateChunk, written: StateSchema, schema: StateSchema): void {
    const all = matchSchemas(written, schema, this.#spec.stepId);
    const hasTime = written.values.fields.at(-1)?.name === LAST_TIME.name;
    const places = hasTime ? all.slice(0, -1) : all;
    const from = new ByteReader(bytes, this.#spec.stepId);
    const key = this.#scratchKey;
    const { maxParallelism } = this.#context as OperatorContext;
    const [table, calls, running] = [this.#table, this.#calls, this.#running];
    this.#spilled.restore(from, () => {
      const hash = key.readKey(from, keyGroup, maxParallelism);
      table.bind(key.columns);
      const known = table.find(hash, 0, SPACE);
      if (known >= 0 && replaces !== true) from.fail('a key comes twice');
      if (known >= 0) this.#free(known);
      const slot = table.insert(hash, 0, SPACE);
      if (this.#spilled.isOpen) this.#spilled.restored(slot);
      calls.reserve(table.slotLimit);
      running.nextKinds = grown(running.nextKinds, slot + 1);
      this.#expiry?.reserve(slot + 1);
      this.#expiry?.begin(slot);
      this.#decode(slot, from, places, hasTime);
    });
  }
}
