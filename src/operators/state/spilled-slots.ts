/**
 * Entries that live in slots while they are used, and in a store on the disk else (docs/design/015): a write-back cache
 * in front of the store, by the clock algorithm (second chance), and the account of what has changed since when, for
 * snapshots that hold changes only.
 *
 * All reading and writing happens while a batch is prepared, awaited, so nothing is under way when a barrier passes:
 * an entry is either in a slot or in the store, and what is in a slot counts.
 */
import { keyGroupOf } from '../../core/index.ts';
import type { SnapshotBasis, SpilledEntry, SpillSpace, SpillStore, StateSnapshot } from '../../core/index.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { SpanLog } from './change-log.ts';
import { GroupOrder } from './group-order.ts';
import { grown } from './grown.ts';
import { KeyFilter } from './key-filter.ts';
import { behind, firstKeyOf, writeGroup } from './spill-keys.ts';
import type { SlotSnapshots, SnapshotEntries } from './slot-snapshots.ts';
import { SpilledSnapshot } from './spilled-snapshot.ts';

/** What the owner of the slots tells, and does with them. */
export interface SpillableEntries extends SnapshotEntries {
  readonly stepId: string;
  readonly keyGroupCount: number;
  /** Slots that are taken, with an entry or without. */
  readonly size: number;
  /** Memory of all slots. */
  readonly sizeBytes: number;
  isTaken(slot: number): boolean;
  /** Whether it has to stay in memory. */
  isPinned(slot: number): boolean;
  encodeKey(slot: number, to: ByteWriter): void;
  /** Reads what encode() wrote into a slot that has the key already, and else nothing. */
  decode(slot: number, from: ByteReader): void;
  /** Frees the slot; snapshots are told. */
  free(slot: number): void;
  /** Whether what encode() wrote is not needed any more. Absent where nothing expires. */
  isExpired?(from: ByteReader): boolean;
}

/** Used since the clock's hand came by. */
const REFERENCED = 1;
/** Not in the store as it is. */
const CHANGED = 2;
const CHOSEN = 4;

/** Entries that leave, or are swept, at a time: some milliseconds of the thread. */
const PIECE = 1024;
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
const FIRST_SLOTS = 256;
/** As many entries may be restored between two calls of settle(). */
const RESTORED_AT_ONCE = 1 << 14;

export class SpilledSlots {
  readonly #entries: SpillableEntries;
  readonly #snapshots: SlotSnapshots;
  #store: SpillStore | null = null;
  #storeBytes = 0;
  #slotsBytes = Infinity;
  /** No more slots are taken than that, once memory is full. */
  #maxSlots = Infinity;
  #flags = new Uint8Array(0);
  /** Per slot: the span between snapshots in which it has changed last; 0 for those that a checkpoint has. */
  #spans = new Int32Array(0);
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
    const perSlot = this.#flags.byteLength + this.#spans.byteLength;
    return this.#storeBytes + perSlot + this.#filter.sizeBytes + this.#encoded.capacity + logs;
  }

  async open(space: SpillSpace): Promise<void> {
    this.#storeBytes = space.storeBytes;
    this.#isLogging = space.takesCheckpoints;
    this.#logBytes = Math.min(MAX_LOG_BYTES, space.memoryBytes * LOG_SHARE);
    this.#logs = [this.#newLog()];
    this.#slotsBytes = Math.max(0, space.memoryBytes - space.storeBytes) * SLOTS_SHARE;
    this.#store = await space.open();
  }

  async close(): Promise<void> {
    await this.#store?.close();
    this.#store = null;
  }

  /** Called before a batch takes up to `count` slots: lets others go where there is no room. */
  makeRoom(count: number): Promise<void> | undefined {
    const excess = this.#excess(count);
    return excess > 0 ? this.#letGo(excess) : undefined;
  }

  /** A slot was taken for a key that was not in memory. True where load() has to look for it in the store. */
  taken(slot: number): boolean {
    if (slot >= this.#flags.length) {
      this.#flags = grown(this.#flags, slot + 1);
      this.#spans = grown(this.#spans, slot + 1);
    }
    this.#flags[slot] = CHANGED;
    this.#spans[slot] = 0;
    if (!this.#filter.mayHave(this.#entries.hashOf(slot))) return false;
    this.#needed = grown(this.#needed, this.#neededCount + 1);
    this.#needed[this.#neededCount++] = slot;
    return true;
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

  /** A restored entry stands in a slot that was just taken: the checkpoint has it, the store has not. */
  restored(slot: number): void {
    this.taken(slot);
    this.#neededCount = 0;
  }

  /** Called while entries are restored. */
  async settle(): Promise<void> {
    await this.makeRoom(RESTORED_AT_ONCE);
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
      isExpired: (value) => this.#isExpired(value),
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

  /** Slots that have to go for `count` new ones. Arrays double when they grow, and then what is in them does. */
  #excess(count: number): number {
    const { size, sizeBytes } = this.#entries;
    const held = sizeBytes + this.#flags.byteLength + this.#spans.byteLength + this.#filter.sizeBytes;
    const capacity = Math.max(FIRST_SLOTS, this.#flags.length);
    if (held > this.#slotsBytes) this.#maxSlots = Math.min(this.#maxSlots, size);
    else if (size + count > capacity && held * 2 > this.#slotsBytes) {
      this.#maxSlots = Math.min(this.#maxSlots, capacity);
    }
    return Math.min(size, size + count - this.#maxSlots);
  }

  async #letGo(count: number): Promise<void> {
    const store = this.#store as SpillStore;
    for (let left = count; left > 0; ) {
      const chosen = this.#choose(Math.min(left, PIECE));
      if (chosen === 0) break;
      left -= chosen;
      const entries = this.#takeOut(chosen);
      if (entries.length > 0) await store.write(entries);
      await this.#lastLog.flush(store);
      this.#sweepCredit += entries.length * SWEPT_PER_WRITTEN;
    }
    if (this.#entries.isExpired !== undefined && this.#sweepCredit >= PIECE) await this.#sweep(store);
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
      if (!entries.isTaken(slot) || entries.isPinned(slot)) continue;
      const flags = this.#flags[slot] as number;
      this.#flags[slot] = flags & ~REFERENCED;
      if ((flags & CHOSEN) !== 0) continue;
      if ((flags & REFERENCED) !== 0 && seen < count * PASSED_PER_CHOSEN) continue;
      this.#flags[slot] = (flags & ~REFERENCED) | CHOSEN;
      this.#victims[found++] = slot;
    }
    return found;
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
        this.#filter.add(hash);
      }
      entries.free(slot);
    }
    const bytes = encoded.written.slice();
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
      pieces.push(this.#loadPiece(first, Math.min(count, first + LOADED)));
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
    const below = firstKeyOf(this.#entries.keyGroupCount);
    for (; this.#sweepCredit >= PIECE; this.#sweepCredit -= PIECE) {
      const found = await store.scan(this.#sweptUpTo, below, PIECE);
      const expired = found.filter(({ value }) => this.#isExpired(value)).map(({ key }) => key);
      if (expired.length > 0) await store.remove(expired);
      const last = found.at(-1);
      this.#sweptUpTo = last === undefined || found.length < PIECE ? firstKeyOf(0) : behind(last.key);
    }
  }

  #isExpired(value: Uint8Array): boolean {
    return this.#entries.isExpired?.(new ByteReader(value, this.#entries.stepId)) ?? false;
  }

  #encodeKey(slot: number, group: number): void {
    writeGroup(group, this.#encoded);
    this.#entries.encodeKey(slot, this.#encoded);
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
