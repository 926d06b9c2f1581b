/**
 * Entries that live in slots while they are used, and in a store on the disk else (docs/design/015): a write-back cache
 * in front of the store, by the clock algorithm (second chance), and the account of what has changed since when, for
 * snapshots that hold changes only.
 *
 * All reading and writing happens while a batch is prepared, awaited, so nothing is under way when a barrier passes:
 * an entry is either in a slot or in the store, and what is in a slot counts.
 */
import { keyGroupOf } from '../../core/index.ts';
import type {
  Macrotasks,
  OperatorContext,
  SnapshotBasis,
  SpilledEntry,
  SpillSpace,
  SpillStore,
  StateSnapshot,
} from '../../core/index.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { SpanLog } from './change-log.ts';
import { GroupOrder } from './group-order.ts';
import { grown, sized } from './grown.ts';
import { GrowthLimit } from './growth-limit.ts';
import { KeyFilter } from './key-filter.ts';
import type { KeyTable } from './key-table.ts';
import type { RowRoom } from './row-room.ts';
import { growInTurns } from './slot-growth.ts';
import { behind, firstKeyOf, writeGroup } from './spill-keys.ts';
import type { SlotSnapshots, SnapshotEntries } from './slot-snapshots.ts';
import { SpilledSnapshot } from './spilled-snapshot.ts';

/** What the owner of the slots tells, and does with them. */
export interface SpillableEntries extends SnapshotEntries {
  readonly stepId: string;
  readonly keyGroupCount: number;
  /** Has the slots, those without an entry too. */
  readonly table: KeyTable;
  /** Memory of all slots, the table's included, without `rows`. */
  readonly sizeBytes: number;
  /** Makes room for slots [0, slotCount), one array at a time; the table's included. */
  growing(slotCount: number): Iterator<void>;
  /** Whether it has to stay in memory. */
  isPinned(slot: number): boolean;
  /** Reads what encode() wrote into a slot that has the key already, and else nothing. */
  decode(slot: number, from: ByteReader): void;
  /** Frees the slot; snapshots are told. */
  free(slot: number): void;
  /** Absent where nothing expires. */
  readonly expiry?: Expiry;
  /** Where entries have rows beside their slots: how many, what encode() wrote says first. */
  readonly rows?: RowRoom;
  /** Present where a key may have an entry in each of many spaces of the table. */
  readonly spaces?: SpillSpaces;
}

export interface SpillSpaces {
  /** Writes what tells the space of a slot, of one length for all: keys in the store are key group, this, key. */
  encode(slot: number, to: ByteWriter): void;
  /** False: the store certainly has no entry for the key and the space of a slot. */
  mayHave(slot: number): boolean;
  /** From now on the store has one. */
  add(slot: number): void;
  /** What it takes to know that. */
  readonly sizeBytes: number;
}

export interface Expiry {
  /** The time that decides, as it is now. */
  nowMs(): number;
  /** Whether what encode() wrote is not needed any more at a time that nowMs() told. */
  isOver(from: ByteReader, atMs: number): boolean;
}

/** Used since the clock's hand came by. */
const REFERENCED = 1;
/** Not in the store as it is. */
const CHANGED = 2;
const CHOSEN = 4;

/** Entries that leave, come back in a restore, or are swept, at a time: some milliseconds of the thread. */
const PIECE = 1024;
/** As much leaves, or comes back, at a time, where entries are large: a share of the memory. */
const PIECE_SHARE = 1 / 64;
const FEWEST_CHOSEN = 16;
/** Keys that are read at a time: their entries are decoded while the next ones are being read. */
const LOADED = 1024;
/**
 * Slots that the clock's hand passes for each that leaves. Where all have been used since it came by last, the next
 * ones leave all the same: to go once around would take as long as there are slots.
 */
const PASSED_PER_CHOSEN = 32;
/** Entries of the store that are looked at for each that is written, where they expire. */
const SWEPT_PER_WRITTEN = 2;
/** The share of the memory that slots may take: snapshots and growing arrays need some, too. */
const SLOTS_SHARE = 0.8;
/** The share that the log of changes may gather, for chunks of a useful size. */
const LOG_SHARE = 1 / 64;
const MAX_LOG_BYTES = 2 * 1024 * 1024;
/** Of a slot with an entry, before anything is known of them. */
const GUESSED_SLOT_BYTES = 64;
/** What entries may take that wait for their snapshot to be written: a share of the memory. */
const KEPT_SHARE = 1 / 64;
const LEAST_KEPT_BYTES = 64 * 1024;

export class SpilledSlots {
  readonly #entries: SpillableEntries;
  readonly #snapshots: SlotSnapshots;
  #store: SpillStore | null = null;
  #macrotasks: Macrotasks | null = null;
  #storeBytes = 0;
  #slotsBytes = Infinity;
  #pieceBytes = 0;
  #keptBytes = 0;
  /** Of slots that are taken. */
  readonly #limit = new GrowthLimit();
  #flags = new Uint8Array(0);
  /** Per slot: the span between snapshots in which it has changed last; 0 for those that a checkpoint has. */
  #spans = new Int32Array(0);
  /** Per slot, where entries have rows: the batch, by number, that needs it last; those of the present one stay. */
  #holders = new Int32Array(0);
  #batch = 0;
  #span = 1;
  #confirmedSpan = 0;
  /** What the present snapshot holds: changes since that span, and all entries of these key groups (null: of all). */
  #baseSpan = 0;
  #whole: ReadonlySet<number> | null = null;
  #isSnapshotting = false;
  #logs: readonly SpanLog[] = [];
  #isLogging = false;
  #logBytes = 0;
  readonly #filter = new KeyFilter();
  #hand = 0;
  #victims = new Int32Array(0);
  #groups = new Int32Array(0);
  readonly #order = new GroupOrder();
  readonly #encoded = new ByteWriter();
  /** Entries that leave at a time, by what those before took. */
  #chosenAtOnce = FEWEST_CHOSEN;
  /** Of a chunk that is being restored. */
  #unread: { readonly from: ByteReader; readonly readOne: () => void } | null = null;
  #needed = new Int32Array(0);
  #neededCount = 0;
  #sweepCredit = 0;
  #sweptUpTo = firstKeyOf(0);

  constructor(entries: SpillableEntries, snapshots: SlotSnapshots) {
    this.#entries = entries;
    this.#snapshots = snapshots;
  }

  /** False: all entries stay in memory, and nothing else here is called but close(). */
  get isOpen(): boolean {
    return this.#store !== null;
  }

  get sizeBytes(): number {
    const logs = this.#logs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return this.#storeBytes + this.#slotBytes + this.#filterBytes + this.#encoded.capacity + logs;
  }

  async open(space: SpillSpace, { ports }: Pick<OperatorContext, 'ports'>): Promise<void> {
    this.#macrotasks = ports.macrotasks;
    this.#storeBytes = space.storeBytes;
    this.#isLogging = space.takesCheckpoints;
    this.#logBytes = Math.min(MAX_LOG_BYTES, space.memoryBytes * LOG_SHARE);
    this.#logs = [this.#newLog()];
    this.#pieceBytes = space.memoryBytes * PIECE_SHARE;
    this.#keptBytes = Math.max(LEAST_KEPT_BYTES, space.memoryBytes * KEPT_SHARE);
    this.#slotsBytes = Math.max(0, space.memoryBytes - space.storeBytes) * SLOTS_SHARE;
    this.#store = await space.open();
  }

  /** Where entries are that are in no slot, for walks through all of a space. Only where isOpen. */
  get store(): SpillStore {
    return this.#store as SpillStore;
  }

  /** Undefined, or resolves, where so little waits for a snapshot that more slots may change. */
  drained(): Promise<void> | undefined {
    return this.#snapshots.drained(this.#keptBytes);
  }

  /** What may be brought in at a time. */
  get pieceBytes(): number {
    return this.#pieceBytes;
  }

  async close(): Promise<void> {
    await this.#store?.close();
    this.#store = null;
  }

  /** Called before a batch takes up to `count` slots: lets others go where there is no room. */
  makeRoom(count: number): Promise<void> | undefined {
    this.#batch++;
    const waiting = this.drained();
    if (waiting !== undefined) return waiting.then(() => this.#makeRoom(count));
    return this.#makeRoom(count);
  }

  /** A slot was taken for a key that was not in memory. True where load() has to look for it in the store. */
  taken(slot: number): boolean {
    if (slot >= this.#flags.length) {
      this.#flags = sized(this.#flags, this.#entries.table.capacity);
      this.#spans = sized(this.#spans, this.#entries.table.capacity);
    }
    this.#flags[slot] = CHANGED;
    this.#spans[slot] = 0;
    this.hold(slot);
    if (!this.#mayBeStored(slot)) return false;
    this.#needed = grown(this.#needed, this.#neededCount + 1);
    this.#needed[this.#neededCount++] = slot;
    return true;
  }

  /** The batch that is prepared needs the entry of a slot: where entries have rows, it stays until the next one. */
  hold(slot: number): void {
    if (this.#entries.rows === undefined) return;
    if (slot >= this.#holders.length) this.#holders = sized(this.#holders, this.#entries.table.capacity);
    this.#holders[slot] = this.#batch;
  }

  /** Brings the entries of taken slots into memory, as far as the store has them. */
  load(): Promise<void> | undefined {
    return this.#neededCount === 0 ? undefined : this.#load();
  }

  /** The entries of these slots have changed. */
  changed(slots: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const slot = slots[i] as number;
      if (slot >= 0) this.changedOne(slot);
    }
  }

  changedOne(slot: number): void {
    this.#flags[slot] = (this.#flags[slot] as number) | REFERENCED | CHANGED;
    this.#spans[slot] = this.#span;
  }

  /** Takes back the entries of a chunk, each by a call of `readOne`; in settle() where there may be no room for all. */
  restore(from: ByteReader, readOne: () => void): void {
    if (this.isOpen) this.#unread = { from, readOne };
    else while (!from.atEnd) readOne();
  }

  /** A restored entry stands in a slot that was just taken: the checkpoint has it, the store has not. */
  restored(slot: number): void {
    const count = this.#neededCount;
    this.taken(slot);
    this.#neededCount = count;
  }

  /** As restored(), of a part of an entry: settle() brings back the rest where the slot is new and the store has it. */
  restoredPart(slot: number, isNew: boolean): void {
    if (isNew) this.taken(slot);
    this.hold(slot);
    this.#flags[slot] = (this.#flags[slot] as number) | CHANGED;
  }

  /** Called after each chunk that is restored. */
  async settle(): Promise<void> {
    if (this.#unread === null) return;
    const { from, readOne } = this.#unread;
    this.#unread = null;
    while (!from.atEnd) {
      await this.makeRoom(PIECE);
      if (!this.isOpen) return;
      const enough = from.remaining - this.#pieceBytes;
      // The first one in any case: a single entry may be larger.
      let left = PIECE;
      do readOne();
      while (--left > 0 && from.remaining > Math.max(0, enough) && this.#entries.rows?.isFull !== true);
      await this.#loadRest();
    }
  }

  /** What was restored in parts differs from what the store has. */
  async #loadRest(): Promise<void> {
    const count = this.#neededCount;
    await this.load();
    for (let i = 0; i < count; i++) {
      const slot = this.#needed[i] as number;
      this.#flags[slot] = (this.#flags[slot] as number) | CHANGED;
    }
  }

  /** Whether the entry of a slot is part of the snapshot that is being taken. */
  includes(slot: number): boolean {
    if (this.#store === null || (this.#spans[slot] as number) > this.#baseSpan) return true;
    if (((this.#flags[slot] as number) & CHANGED) === 0) return false;
    return this.#whole === null || this.#whole.has(this.#groupOf(slot));
  }

  /** Fixes the entries as they are. */
  snapshot(basis: SnapshotBasis | undefined): StateSnapshot {
    const store = this.#store as SpillStore;
    const { keyGroupCount } = this.#entries;
    const span = this.#span++;
    const logs = this.#logs;
    this.#logs = [...logs, this.#newLog()];
    this.#baseSpan = this.#confirmedSpan;
    this.#whole = basis?.whole ?? null;
    this.#isSnapshotting = true;
    return new SpilledSnapshot({
      slots: this.#snapshots.take(keyGroupCount),
      // No write is under way: see above.
      frozen: this.#whole?.size === 0 ? null : store.freeze(),
      whole: [...(this.#whole ?? Array.from({ length: keyGroupCount }, (_, group) => group))],
      logs,
      isExpired: this.#expiredNow(),
      onReleased: () => {
        this.#isSnapshotting = false;
        this.#dropLogs();
      },
      onConfirmed: () => {
        this.#confirmedSpan = Math.max(this.#confirmedSpan, span);
        this.#dropLogs();
      },
    });
  }

  #makeRoom(count: number): Promise<void> | undefined {
    const { size, capacity } = this.#entries.table;
    const slotCount = this.#slotsFor(count);
    const excess = Math.min(size, size + count - this.#limit.max);
    const room =
      excess > 0
        ? this.#letGo(excess).then(() => this.#grow(slotCount))
        : slotCount > capacity
          ? this.#grow(slotCount)
          : undefined;
    const { rows } = this.#entries;
    if (rows === undefined) return room;
    return room === undefined ? this.#makeRoomForRows(rows) : room.then(() => this.#makeRoomForRows(rows));
  }

  #makeRoomForRows(rows: RowRoom): Promise<void> | undefined {
    const excess = rows.plan(this.#slotsBytes, this.#heldBytes);
    if (excess === 0) return rows.isGrowing ? this.#growRows(rows) : undefined;
    return this.#letRowsGo(rows, excess);
  }

  async #letRowsGo(rows: RowRoom, first: number): Promise<void> {
    for (let excess = first; excess > 0; excess = rows.plan(this.#slotsBytes, this.#heldBytes)) {
      if ((await this.#letGo(Math.min(excess, this.#chosenAtOnce))) > 0) continue;
      // The batch needs all that there is: whether that is too much, the runtime says.
      rows.planAll();
      break;
    }
    await this.#growRows(rows);
  }

  #growRows(rows: RowRoom): Promise<void> | undefined {
    return growInTurns(rows.growing(), rows.largest, this.#macrotasks as Macrotasks);
  }

  /** How many slots there should be for `count` new ones; where there is no room for so many, that is the most. */
  #slotsFor(count: number): number {
    const { table } = this.#entries;
    const { size, capacity } = table;
    const held = this.#heldBytes;
    const limit = this.#slotsBytes - (this.#entries.rows?.claimOf(this.#slotsBytes) ?? 0);
    this.#limit.held(held, limit, size);
    const wanted = Math.min(size + count, Math.max(this.#limit.max, count));
    if (wanted <= capacity) return capacity;
    const places = table.placesBytes;
    const others = this.#filterBytes;
    const slotBytes = capacity === 0 ? GUESSED_SLOT_BYTES : (held - places - others) / capacity;
    const fits = (slots: number): boolean => others + table.placesBytesFor(slots) + slotBytes * slots <= limit;
    return this.#limit.grown(wanted, capacity, fits) ?? Math.max(capacity, count);
  }

  get #heldBytes(): number {
    return this.#entries.sizeBytes + this.#slotBytes + this.#filterBytes;
  }

  get #slotBytes(): number {
    return this.#flags.byteLength + this.#spans.byteLength + this.#holders.byteLength;
  }

  #grow(slotCount: number): Promise<void> | undefined {
    if (slotCount <= this.#entries.table.capacity) return undefined;
    return growInTurns(this.#growing(slotCount), slotCount, this.#macrotasks as Macrotasks);
  }

  *#growing(slotCount: number): Generator<void> {
    this.#flags = sized(this.#flags, slotCount);
    yield;
    this.#spans = sized(this.#spans, slotCount);
    yield;
    if (this.#entries.rows !== undefined) this.#holders = sized(this.#holders, slotCount);
    yield;
    yield* { [Symbol.iterator]: () => this.#entries.growing(slotCount) };
  }

  /** Returns how many have gone. */
  async #letGo(count: number): Promise<number> {
    const store = this.#store as SpillStore;
    let left = count;
    while (left > 0) {
      const chosen = this.#choose(Math.min(left, this.#chosenAtOnce));
      if (chosen === 0) break;
      left -= chosen;
      const entries = this.#takeOut(chosen);
      if (entries.length > 0) await store.write(entries);
      await this.#lastLog.flush(store);
      this.#sweepCredit += entries.length * SWEPT_PER_WRITTEN;
    }
    if (this.#entries.expiry !== undefined && this.#sweepCredit >= PIECE) await this.#sweep(store);
    return count - left;
  }

  #newLog(): SpanLog {
    return new SpanLog(this.#span, this.#entries.keyGroupCount, this.#logBytes);
  }

  get #lastLog(): SpanLog {
    return this.#logs.at(-1) as SpanLog;
  }

  /** Finds slots that were not used since the hand came by last, if they are not too far. */
  #choose(count: number): number {
    const entries = this.#entries;
    const limit = entries.slotLimit;
    this.#victims = grown(this.#victims, count);
    let found = 0;
    for (let seen = 0; seen < limit * 2 && found < count; seen++) {
      const slot = this.#hand < limit ? this.#hand : 0;
      this.#hand = slot + 1;
      if (!entries.table.isUsed(slot) || this.#isHeld(slot) || entries.isPinned(slot)) continue;
      const flags = this.#flags[slot] as number;
      this.#flags[slot] = flags & ~REFERENCED;
      if ((flags & CHOSEN) !== 0) continue;
      if ((flags & REFERENCED) !== 0 && seen < count * PASSED_PER_CHOSEN) continue;
      this.#flags[slot] = (flags & ~REFERENCED) | CHOSEN;
      this.#victims[found++] = slot;
    }
    return found;
  }

  #isHeld(slot: number): boolean {
    return this.#entries.rows !== undefined && this.#holders[slot] === this.#batch;
  }

  /** Frees the chosen slots; what the store has to have of them is returned, and logged for the next checkpoint. */
  #takeOut(count: number): readonly SpilledEntry[] {
    const entries = this.#entries;
    const encoded = this.#encoded;
    const log = this.#lastLog;
    this.#groups = grown(this.#groups, count);
    for (let i = 0; i < count; i++) this.#groups[i] = this.#groupOf(this.#victims[i] as number);
    this.#order.sort(this.#victims, this.#groups, count, entries.keyGroupCount);
    encoded.truncate(0);
    const ends: number[] = [];
    for (let i = 0; i < count; i++) {
      const slot = this.#order.items[i] as number;
      if (entries.isUsed(slot) && ((this.#flags[slot] as number) & CHANGED) !== 0) {
        this.#encodeKey(slot, this.#order.groupAt(i));
        const start = encoded.length;
        entries.encode(slot, encoded);
        ends.push(start, encoded.length);
        const hash = entries.hashOf(slot);
        if (this.#isLogging && (this.#spans[slot] as number) > this.#confirmedSpan) {
          log.add(encoded, start, encoded.length, hash);
        }
        if (entries.spaces === undefined) this.#filter.add(hash);
        else entries.spaces.add(slot);
      }
      entries.free(slot);
    }
    const bytes = encoded.written.slice();
    const fitting = Math.floor((this.#pieceBytes * count) / Math.max(1, bytes.length));
    this.#chosenAtOnce = Math.max(FEWEST_CHOSEN, Math.min(PIECE, fitting, this.#chosenAtOnce * 2));
    return Array.from({ length: ends.length / 2 }, (_, i) => {
      const [start, keyEnd, end] = [ends[i * 2 - 1] ?? 0, ends[i * 2], ends[i * 2 + 1]];
      return { key: bytes.subarray(start, keyEnd), value: bytes.subarray(keyEnd, end) };
    });
  }

  async #load(): Promise<void> {
    const count = this.#neededCount;
    this.#neededCount = 0;
    const pieces: Promise<void>[] = [];
    for (let first = 0; first < count; first += LOADED) {
      const piece = this.#loadPiece(first, Math.min(count, first + LOADED));
      // Rows need room, which one piece has to leave for the next.
      if (this.#entries.rows === undefined) pieces.push(piece);
      else await piece;
    }
    await Promise.all(pieces);
  }

  /** What is asked for is encoded at once, before anything is awaited. */
  async #loadPiece(first: number, end: number): Promise<void> {
    const encoded = this.#encoded;
    encoded.truncate(0);
    const ends: number[] = [0];
    for (let i = first; i < end; i++) {
      const slot = this.#needed[i] as number;
      this.#encodeKey(slot, this.#groupOf(slot));
      ends.push(encoded.length);
    }
    const bytes = encoded.written.slice();
    const keys = Array.from({ length: end - first }, (_, i) => bytes.subarray(ends[i], ends[i + 1]));
    const values = await (this.#store as SpillStore).read(keys);
    const { rows } = this.#entries;
    if (rows !== undefined) {
      for (const value of values) if (value !== null) rows.expectEntry(new ByteReader(value, this.#entries.stepId));
      await this.#makeRoomForRows(rows);
      rows.arrived();
    }
    for (let i = first; i < end; i++) {
      const value = values[i - first] ?? null;
      if (value === null) continue;
      const slot = this.#needed[i] as number;
      this.#flags[slot] = REFERENCED;
      this.#entries.decode(slot, new ByteReader(value, this.#entries.stepId));
    }
  }

  /** Removes entries of the store that have expired, those of some keys at a time. */
  async #sweep(store: SpillStore): Promise<void> {
    const isExpired = this.#expiredNow();
    const below = firstKeyOf(this.#entries.keyGroupCount);
    for (; this.#sweepCredit >= PIECE; this.#sweepCredit -= PIECE) {
      const found = await store.scan(this.#sweptUpTo, below, PIECE);
      const expired = found.filter(({ value }) => isExpired(value)).map(({ key }) => key);
      if (expired.length > 0) await store.remove(expired);
      const last = found.at(-1);
      this.#sweptUpTo = last === undefined || found.length < PIECE ? firstKeyOf(0) : behind(last.key);
    }
  }

  /** What has expired by now. Asked later, too: a snapshot holds what was not over when it was begun. */
  #expiredNow(): (value: Uint8Array) => boolean {
    const { expiry, stepId } = this.#entries;
    if (expiry === undefined) return () => false;
    const nowMs = expiry.nowMs();
    return (value) => expiry.isOver(new ByteReader(value, stepId), nowMs);
  }

  #encodeKey(slot: number, group: number): void {
    writeGroup(group, this.#encoded);
    this.#entries.spaces?.encode(slot, this.#encoded);
    this.#entries.table.encode(slot, this.#encoded);
  }

  #mayBeStored(slot: number): boolean {
    const { spaces } = this.#entries;
    return spaces === undefined ? this.#filter.mayHave(this.#entries.hashOf(slot)) : spaces.mayHave(slot);
  }

  get #filterBytes(): number {
    return this.#entries.spaces?.sizeBytes ?? this.#filter.sizeBytes;
  }

  #groupOf(slot: number): number {
    return keyGroupOf(this.#entries.hashOf(slot), this.#entries.keyGroupCount);
  }

  /** What a completed checkpoint holds need not be told again; but a snapshot may be reading it. */
  #dropLogs(): void {
    if (this.#isSnapshotting) return;
    for (const log of this.#logs) {
      // A file that cannot be removed goes with the store.
      if (log.span <= this.#confirmedSpan) log.remove().catch(() => undefined);
    }
    this.#logs = this.#logs.filter(({ span }) => span > this.#confirmedSpan);
  }
}
