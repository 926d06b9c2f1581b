/**
 * What user code remembers, by key: named states and timers of one slot each. An entry lives as long as it holds
 * anything. While a call of user code runs, one key is the present one, and states are read and written by it.
 *
 * Objects that states hold are the user's to change as soon as get() has returned them. So while a snapshot is taken,
 * an entry is written when a call for its key begins, and not when it is changed.
 *
 * Where entries may leave memory for a store on the disk, prepare() takes a slot for each key of a batch, and a slot
 * stays when its entry has come to hold nothing: the store and earlier checkpoints may have it, so that it is empty has
 * to be written, too. Keys with timers stay in memory, since nobody would know when to read them.
 */
import type {
  Column,
  ColumnBatch,
  Field,
  OperatorContext,
  OperatorState,
  StateChunk,
  StateSchema,
} from '../../core/index.ts';
import { messageOf, types } from '../../core/index.ts';
import { KeyedBatch } from '../keyed-batch.ts';
import { ByteReader } from '../state/byte-reader.ts';
import { ByteWriter } from '../state/byte-writer.ts';
import { grown, sized } from '../state/grown.ts';
import { KeyTable } from '../state/key-table.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { SlotSnapshots } from '../state/slot-snapshots.ts';
import type { SnapshotEntries } from '../state/slot-snapshots.ts';
import { SpilledSlots } from '../state/spilled-slots.ts';
import { layoutSchema, matchSchemas } from '../state/state-schema.ts';
import { tableEntries } from '../state/table-entries.ts';
import { readTime } from '../state/time-codec.ts';
import { codeErrors } from './code-errors.ts';
import type { ProcessSpec } from './process-spec.ts';
import { SlotAlarms } from './slot-alarms.ts';
import { TimerSlots } from './timer-slots.ts';
import { StateSlots } from './user-state.ts';
import type { CurrentKey, StateKind } from './user-state.ts';
import { decodeUserValue, encodeUserValue } from './user-value-codec.ts';

const SPACE = 0;
/** No call of user code runs. */
const NO_CALL = -2;
/** Nothing is kept for the present key. */
const NO_SLOT = -1;
/** Calls from one look at the size of an entry to the next. */
const CALLS_PER_SAMPLE = 1024;
/** What V8's objects take beyond the bytes of their serialised form, roughly. */
const OBJECT_FACTOR = 3;

export interface KeyTimes {
  /** The time by which things are forgotten: the watermark, or the clock. */
  readonly reachedMs: () => number;
  /** The time of the present row or timer, not before that; -Infinity where none is known. */
  readonly writeTimeMs: () => number;
}

export class UserKeys implements CurrentKey {
  readonly events = new TimerSlots();
  readonly clock = new TimerSlots();
  readonly #spec: ProcessSpec;
  readonly #times: KeyTimes;
  readonly #keyFields: readonly Field[];
  readonly #batch: KeyedBatch;
  readonly #table: KeyTable;
  readonly #states: StateSlots[] = [];
  readonly #expiries = new SlotAlarms();
  readonly #snapshots: SlotSnapshots;
  readonly #spilled: SpilledSlots;
  readonly #scratchKey: ScratchRow;
  #keyGroupCount = 1;
  /** Per slot, whether it has or had an entry, while entries may leave memory: else it was only looked for. */
  #known = new Uint8Array(0);
  /** Per slot, how many states and sorts of timers have something. */
  #holds = new Int32Array(0);
  #slot = NO_CALL;
  #row = 0;
  #calls = 0;
  #entryBytes = 0;
  readonly #sample = new ByteWriter();

  constructor(spec: ProcessSpec, times: KeyTimes) {
    this.#spec = spec;
    this.#times = times;
    this.#keyFields = spec.keys.map((key) => spec.input.fields[key] as Field);
    this.#batch = new KeyedBatch(spec.keys);
    const table = new KeyTable(this.#keyFields.map(({ type }) => type));
    this.#table = table;
    this.#scratchKey = new ScratchRow({ fields: this.#keyFields });
    const encode = (slot: number, to: ByteWriter): void => {
      this.#encode(slot, to);
    };
    const isEntry = (slot: number): boolean => (this.#spilled.isOpen ? this.#known[slot] === 1 : table.isUsed(slot));
    const isInSnapshot = (slot: number): boolean => isEntry(slot) && this.#spilled.includes(slot);
    this.#snapshots = new SlotSnapshots(tableEntries(table, encode, isInSnapshot));
    this.#spilled = this.#createSpilled(tableEntries(table, encode, isEntry));
  }

  async open({ spill, ports, maxParallelism }: OperatorContext): Promise<void> {
    this.#keyGroupCount = maxParallelism;
    if (spill !== undefined) await this.#spilled.open(spill, { ports });
  }

  close(): Promise<void> {
    return this.#spilled.close();
  }

  /** Called before the calls for a batch's rows: brings what is kept for their keys into memory. */
  prepare(batch: ColumnBatch): Promise<void> | undefined {
    if (!this.#spilled.isOpen) return undefined;
    this.read(batch);
    const room = this.#spilled.makeRoom(batch.rowCount);
    return room === undefined ? this.#findKeys(batch) : room.then(() => this.#findKeys(batch));
  }

  /** A new state; its name is none of an earlier one. */
  declare(name: string, kind: StateKind, ttlMs: number): StateSlots {
    const slots = new StateSlots(name, kind, ttlMs, this);
    this.#states.push(slots);
    return slots;
  }

  isDeclared(name: string): boolean {
    return this.#states.some((state) => state.name === name);
  }

  /** When something is to be forgotten; Infinity for never. */
  get expiryMs(): number {
    return this.#expiries.time;
  }

  /** The batch whose rows come next. */
  read(batch: ColumnBatch): void {
    this.#batch.read(batch);
    this.#table.bind(this.#batch.columns);
  }

  /** A call for the key of a row begins. */
  beginRow(row: number): void {
    this.#row = row;
    this.#slot = this.#table.find(this.#batch.hashes[row] as number, row, SPACE);
    if (this.#snapshots.isTaking && this.#slot >= 0) this.#snapshots.beforeChange(this.#slot);
  }

  /** The slot of a timer whose time has come by `until`, which is gone then; -1 where it was none. */
  takeTimer(timers: TimerSlots, until: number): number {
    const slot = timers.take(until);
    if (slot < 0) return -1;
    // The timer is gone, but not for the snapshot.
    if (this.#snapshots.isTaking) this.#beforeTaken(timers, slot);
    if (!timers.has(slot)) this.released(slot);
    return slot;
  }

  /** A call for the key of a slot begins. */
  beginSlot(slot: number): void {
    this.#slot = slot;
    if (this.#snapshots.isTaking) this.#snapshots.beforeChange(slot);
  }

  /** The call has ended. */
  end(): void {
    const slot = this.#slot;
    this.#slot = NO_CALL;
    if (slot < 0) return;
    const isEmpty = this.#holds[slot] === 0;
    this.forgetIfEmpty(slot);
    if (!isEmpty && this.#calls++ % CALLS_PER_SAMPLE === 0) this.#measure(slot);
  }

  /** The entry of a slot goes where it holds nothing; outside of calls. */
  forgetIfEmpty(slot: number): void {
    if (this.#spilled.isOpen) {
      if (this.#known[slot] === 1) this.#spilled.changedOne(slot);
    } else if (this.#holds[slot] === 0) this.#table.remove(slot);
  }

  /** Writes the key of a slot to row 0 of columns. */
  writeKey(slot: number, columns: readonly Column[]): void {
    for (let index = 0; index < columns.length; index++) this.#table.write(slot, index, columns[index] as Column, 0);
  }

  get slot(): number {
    if (this.#slot === NO_CALL) throw new Error('state can be used only while process() or onTimer() runs');
    return this.#slot;
  }

  ensureSlot(): number {
    const { slot } = this;
    if (slot !== NO_SLOT) return slot;
    this.#slot = this.#table.insert(this.#batch.hashes[this.#row] as number, this.#row, SPACE);
    if (this.#snapshots.isTaking) this.#snapshots.added(this.#slot);
    this.#use(this.#slot);
    return this.#slot;
  }

  held(slot: number): void {
    this.#holds[slot] = (this.#holds[slot] as number) + 1;
    this.#known[slot] = 1;
  }

  released(slot: number): void {
    this.#holds[slot] = (this.#holds[slot] as number) - 1;
  }

  get writeTimeMs(): number {
    return this.#times.writeTimeMs();
  }

  get reachedMs(): number {
    return this.#times.reachedMs();
  }

  expiresAt(slot: number, timeMs: number): void {
    this.#expiries.set(slot, timeMs);
  }

  check(state: StateSlots, value: unknown): void {
    this.#sample.truncate(0);
    this.#encodeValue(state, value, this.#sample);
    state.isChecked = true;
  }

  setTimer(timers: TimerSlots, time: number): void {
    const slot = this.ensureSlot();
    if (!timers.has(slot)) this.held(slot);
    timers.add(slot, time);
  }

  deleteTimer(timers: TimerSlots, time: number): void {
    const { slot } = this;
    if (slot < 0 || !timers.has(slot)) return;
    timers.remove(slot, time);
    if (!timers.has(slot)) this.released(slot);
  }

  /** Forgets what the earliest expiry is about. */
  expireNext(reachedMs: number): void {
    const slot = this.#expiries.take();
    if (slot < 0 || !this.#table.isUsed(slot)) return;
    if (this.#snapshots.isTaking) this.#snapshots.beforeChange(slot);
    let next = Infinity;
    for (const state of this.#states) {
      if (state.ttlMs === Infinity || state.at(slot) === undefined) continue;
      state.startCounting(slot, reachedMs);
      if (state.isExpired(slot, reachedMs)) state.forget(slot);
      else next = Math.min(next, state.writtenAt(slot) + state.ttlMs);
    }
    if (next < Infinity) this.#expiries.set(slot, next);
    this.forgetIfEmpty(slot);
  }

  /** By the states that are declared. */
  schema(): StateSchema {
    return layoutSchema({
      kind: 'process',
      version: 1,
      key: { fields: this.#keyFields },
      values: this.#states.map(({ name, kind }) => ({ name, type: types.bytes, layout: kind })),
      settings: {},
    });
  }

  /** What the engine sees of all this; `restored` is called after each chunk that came back. */
  describe(maxParallelism: number, restored: () => void): OperatorState {
    const schema = this.schema();
    const sizeOf = (): number => this.#sizeBytes;
    const spilled = this.#spilled;
    return {
      schema,
      get sizeBytes() {
        return sizeOf();
      },
      snapshot: (basis) => (spilled.isOpen ? spilled.snapshot(basis) : this.#snapshots.take(maxParallelism)),
      restore: (chunk, written) => {
        this.#restore(chunk, written, schema);
        restored();
      },
      settle: async () => {
        if (!spilled.isOpen) return;
        await spilled.settle();
        restored();
      },
    };
  }

  get #sizeBytes(): number {
    const timers = this.events.sizeBytes + this.clock.sizeBytes;
    return this.#heldBytes + timers + this.#snapshots.sizeBytes + this.#spilled.sizeBytes;
  }

  get #heldBytes(): number {
    const own = this.#holds.byteLength + this.#known.length + this.#expiries.sizeBytes;
    const indexes = this.#table.sizeBytes + own;
    const states = this.#states.reduce((sum, state) => sum + state.sizeBytes, 0);
    const objects = this.#table.size * this.#entryBytes * OBJECT_FACTOR;
    return Math.round(indexes + states + objects);
  }

  #createSpilled(entries: SnapshotEntries): SpilledSlots {
    const table = this.#table;
    const heldBytes = (): number => this.#heldBytes;
    const keyGroupCount = (): number => this.#keyGroupCount;
    return new SpilledSlots(
      {
        ...entries,
        stepId: this.#spec.stepId,
        table,
        get slotLimit() {
          return table.slotLimit;
        },
        get keyGroupCount() {
          return keyGroupCount();
        },
        get sizeBytes() {
          return heldBytes();
        },
        growing: (slotCount) => this.#growing(slotCount),
        isPinned: (slot) => this.events.has(slot) || this.clock.has(slot),
        decode: (slot, from) => {
          this.#scratchKey.read(from);
          this.#restoreEntry(slot, this.#states.map((_, index) => index), from);
        },
        free: (slot) => {
          this.#free(slot);
        },
        expiry: {
          nowMs: () => this.#times.reachedMs(),
          isOver: (from, atMs) => this.#isOver(from, atMs),
        },
      },
      this.#snapshots,
    );
  }

  /** Makes room for slots [0, slotCount), one array at a time. */
  *#growing(slotCount: number): Generator<void> {
    this.#holds = sized(this.#holds, slotCount);
    yield;
    this.#known = sized(this.#known, slotCount);
    yield;
    yield* this.#table.growing(slotCount);
  }

  /** Gives every key of the batch a slot, and what the store knows of it. */
  #findKeys({ rowCount }: ColumnBatch): Promise<void> | undefined {
    for (let row = 0; row < rowCount; row++) {
      const hash = this.#batch.hashes[row] as number;
      if (this.#table.find(hash, row, SPACE) >= 0) continue;
      const slot = this.#table.insert(hash, row, SPACE);
      if (this.#snapshots.isTaking) this.#snapshots.added(slot);
      this.#use(slot);
      this.#spilled.taken(slot);
    }
    return this.#spilled.load();
  }

  /** Whether nothing is left in an entry of the store. */
  #isOver(from: ByteReader, atMs: number): boolean {
    this.#scratchKey.read(from);
    for (let left = from.count(); left > 0; left--) {
      const ttlMs = this.#states[from.varint()]?.ttlMs ?? Infinity;
      const time = readTime(from);
      if (ttlMs === Infinity || time === 0 || time + ttlMs > atMs) return false;
      from.within(from.varint(), null);
    }
    return true;
  }

  #free(slot: number): void {
    if (this.#snapshots.isTaking) this.#snapshots.beforeChange(slot);
    for (const state of this.#states) state.forget(slot);
    for (const timers of [this.events, this.clock]) timers.clear(slot);
    this.#known[slot] = 0;
    this.#table.remove(slot);
  }

  /** The slot was just taken into use. */
  #use(slot: number): void {
    this.#holds = grown(this.#holds, slot + 1);
    this.#known = grown(this.#known, slot + 1);
    this.#holds[slot] = 0;
    this.#known[slot] = 0;
  }

  /** For the snapshot the timer is still there: it is put back while the entry is written. */
  #beforeTaken(timers: TimerSlots, slot: number): void {
    const { taken } = timers;
    timers.add(slot, taken);
    this.#snapshots.beforeChange(slot);
    timers.remove(slot, taken);
  }

  #measure(slot: number): void {
    this.#sample.truncate(0);
    this.#encode(slot, this.#sample);
    this.#entryBytes += (this.#sample.length - this.#entryBytes) / (this.#entryBytes === 0 ? 1 : 16);
  }

  #encode(slot: number, to: ByteWriter): void {
    const states = this.#states;
    let count = 0;
    for (const state of states) if (state.at(slot) !== undefined) count++;
    to.varint(count);
    for (let index = 0; index < states.length; index++) {
      const state = states[index] as StateSlots;
      const value = state.at(slot);
      if (value === undefined) continue;
      const written = state.writtenAt(slot);
      to.varint(index);
      to.integer(written === -Infinity ? 0 : written, null);
      const start = to.beginPart();
      this.#encodeValue(state, value, to);
      to.endPart(start);
    }
    encodeTimers(this.events.of(slot), to);
    encodeTimers(this.clock.of(slot), to);
  }

  #encodeValue(state: StateSlots, value: unknown, to: ByteWriter): void {
    try {
      encodeUserValue(value, to);
    } catch (error) {
      const fields = { step: this.#spec.stepId, state: state.name, reason: messageOf(error) };
      throw codeErrors.create('MR-CODE-STATE-VALUE', fields, error);
    }
  }

  #restore({ bytes, keyGroup, replaces }: StateChunk, written: StateSchema, schema: StateSchema): void {
    const places = matchSchemas(written, schema, this.#spec.stepId);
    const from = new ByteReader(bytes, this.#spec.stepId);
    const key = this.#scratchKey;
    this.#spilled.restore(from, () => {
      const hash = key.readKey(from, keyGroup, this.#keyGroupCount);
      this.#table.bind(key.columns);
      const earlier = this.#table.find(hash, 0, SPACE);
      if (earlier >= 0 && replaces !== true) from.fail('a key comes twice');
      if (earlier >= 0) this.#free(earlier);
      const slot = this.#table.insert(hash, 0, SPACE);
      this.#use(slot);
      if (this.#spilled.isOpen) this.#spilled.restored(slot);
      this.#restoreEntry(slot, places, from);
      // All that it held was dropped since, or it was forgotten; in the store there may be an earlier one.
      if (this.#holds[slot] === 0 && !this.#spilled.isOpen) this.#table.remove(slot);
      else if (this.#entryBytes === 0) this.#measure(slot);
    });
  }

  #restoreEntry(slot: number, places: readonly number[], from: ByteReader): void {
    this.#known[slot] = 1;
    this.#restoreStates(slot, places, from);
    for (const timers of [this.events, this.clock]) this.#restoreTimers(slot, timers, from);
  }

  #restoreStates(slot: number, places: readonly number[], from: ByteReader): void {
    for (let left = from.count(); left > 0; left--) {
      const place = places[from.varint()];
      if (place === undefined) from.fail('there is no such state');
      const time = readTime(from);
      const state = this.#states[place];
      const length = from.varint();
      if (state === undefined) {
        from.within(length, null);
        continue;
      }
      from.within(length, () => {
        const value = decodeUserValue(from);
        if (!isOfKind(value, state.kind)) from.fail(`${state.name} is no ${state.kind}`);
        state.put(slot, value, time === 0 ? -Infinity : time);
      });
    }
  }

  #restoreTimers(slot: number, timers: TimerSlots, from: ByteReader): void {
    const count = from.count();
    if (count > 0) this.held(slot);
    for (let left = count; left > 0; left--) timers.add(slot, readTime(from));
  }
}

function encodeTimers(times: readonly number[], to: ByteWriter): void {
  to.varint(times.length);
  for (const time of times) to.integer(time, null);
}

function isOfKind(value: unknown, kind: StateKind): boolean {
  switch (kind) {
    case 'value':
      return value !== undefined;
    case 'list':
      return Array.isArray(value);
    case 'map':
      // Not by instanceof: under test runners, what V8 makes is of another realm.
      return Object.prototype.toString.call(value) === '[object Map]';
  }
}
