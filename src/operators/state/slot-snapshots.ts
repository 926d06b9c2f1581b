/**
 * Snapshots of entries that live in slots, by copy on write at the level of rows (docs/design/013).
 *
 * Taking one only marks which slots there are. From then on every entry is written once: by next(), which walks the
 * slots, or by whoever is about to change it, into a buffer that next() gives out later. Between snapshots all this
 * costs its owner one branch per batch (`isTaking`).
 *
 * Chunks are per key group, while slots are in order of arrival, so next() sorts a stretch of slots by key group at a
 * time: the groups of a stretch are long enough for chunks of a useful size, and sorting it takes a millisecond or two.
 */
import { keyGroupOf } from '../../core/index.ts';
import type { StateChunk, StateSnapshot } from '../../core/index.ts';
import { ByteWriter } from './byte-writer.ts';
import { GroupOrder } from './group-order.ts';
import { grown } from './grown.ts';
import { KeptEntries } from './kept-entries.ts';

/** What the owner of the entries tells. */
export interface SnapshotEntries {
  /** All slots in use are below. */
  readonly slotLimit: number;
  /** Whether the slot holds an entry. */
  isUsed(slot: number): boolean;
  /** The hash of the entry's key. */
  hashOf(slot: number): number;
  /** Writes the entry: one byte or more. */
  encode(slot: number, to: ByteWriter): void;
}

const CHUNK_BYTES = 64 * 1024;
/** Slots that are sorted at a time. */
const STRETCH_SLOTS = 1 << 16;
/** Entries kept for the snapshot that wait longer than this would take too much memory. */
const KEPT_BYTES = 8 * 1024 * 1024;

export class SlotSnapshots {
  readonly #entries: SnapshotEntries;
  #keyGroupCount = 1;
  /** Whether a snapshot wants to hear of changes: before anything changes a slot, beforeChange() has to be called. */
  isTaking = false;
  /** One bit per slot: written, or not part of the snapshot. */
  #done = new Uint8Array(0);
  /** Slots from here on are newer than the snapshot. */
  #limit = 0;
  /** Slots below were sorted. */
  #sorted = 0;
  readonly #walk = new GroupOrder();
  #scratchSlots = new Int32Array(0);
  #scratchGroups = new Int32Array(0);
  #kept = new KeptEntries();
  /** Kept entries that are being given out. */
  #leaving = new KeptEntries();
  readonly #leavingOrder = new GroupOrder();
  readonly #chunk = new ByteWriter();
  #onDrained: (() => void) | null = null;

  constructor(entries: SnapshotEntries) {
    this.#entries = entries;
  }

  get sizeBytes(): number {
    return this.#done.length + this.#kept.bytes.capacity + this.#leaving.bytes.capacity + this.#chunk.capacity;
  }

  /** Fixes the entries as they are. Key groups are numbered below `keyGroupCount`. */
  take(keyGroupCount: number): StateSnapshot {
    if (this.isTaking) throw new Error('a snapshot is being taken already');
    this.isTaking = true;
    this.#keyGroupCount = keyGroupCount;
    this.#limit = this.#entries.slotLimit;
    this.#sorted = 0;
    this.#walk.count = 0;
    this.#walk.at = 0;
    const bytes = (this.#limit + 7) >> 3;
    if (this.#done.length < bytes) this.#done = new Uint8Array(bytes);
    else this.#done.fill(0);
    return {
      next: () => this.#next(),
      release: () => {
        this.#release();
      },
    };
  }

  /** Undefined, or resolves, where no more entries wait for the snapshot than that: then batches may go on. */
  drained(keptBytes: number): Promise<void> | undefined {
    if (this.#kept.bytes.length + this.#leaving.bytes.length <= keptBytes) return undefined;
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }

  /** The entry of a slot is about to change or to go; or the slot was just taken into use. */
  beforeChange(slot: number): void {
    if (slot >= this.#limit || this.#isDone(slot)) return;
    this.#markDone(slot);
    if (!this.#entries.isUsed(slot)) return;
    const { bytes } = this.#kept;
    const start = bytes.length;
    this.#entries.encode(slot, bytes);
    this.#kept.add(start, this.#groupOf(slot));
  }

  /** As beforeChange(), for all of a batch; negative ones are none. */
  beforeChanges(slots: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const slot = slots[i] as number;
      if (slot >= 0) this.beforeChange(slot);
    }
  }

  /** A slot that was free has been taken into use: it is not of the snapshot. */
  added(slot: number): void {
    if (slot < this.#limit) this.#markDone(slot);
  }

  #next(): StateChunk | null {
    for (;;) {
      if (!this.#leavingOrder.isDone) return this.#chunkOfKept();
      this.#leaving.clear();
      if (this.#kept.count === 0) this.#tellDrained();
      if (this.#kept.bytes.length < KEPT_BYTES && this.#onDrained === null) {
        const chunk = this.#chunkOfSlots();
        if (chunk !== null) return chunk;
      }
      if (this.#kept.count === 0) {
        this.#release();
        return null;
      }
      this.#sortKept();
    }
  }

  /** The entries of the next key group that has any, of the stretch that is sorted or of the next ones. */
  #chunkOfSlots(): StateChunk | null {
    const chunk = this.#chunk;
    const walk = this.#walk;
    chunk.truncate(0);
    for (;;) {
      if (walk.isDone) {
        if (this.#sorted >= this.#limit) return null;
        this.#sortStretch();
        continue;
      }
      const group = walk.groupAt(walk.at);
      while (walk.at < walk.count && walk.groupAt(walk.at) === group && chunk.length < CHUNK_BYTES) {
        const slot = walk.items[walk.at++] as number;
        if (this.#isDone(slot)) continue;
        this.#markDone(slot);
        this.#entries.encode(slot, chunk);
      }
      if (chunk.length > 0) return { keyGroup: group, bytes: chunk.written };
    }
  }

  #sortStretch(): void {
    const end = Math.min(this.#limit, this.#sorted + STRETCH_SLOTS);
    this.#scratchSlots = grown(this.#scratchSlots, end - this.#sorted);
    this.#scratchGroups = grown(this.#scratchGroups, end - this.#sorted);
    let count = 0;
    for (let slot = this.#sorted; slot < end; slot++) {
      if (this.#isDone(slot) || !this.#entries.isUsed(slot)) continue;
      this.#scratchSlots[count] = slot;
      this.#scratchGroups[count++] = this.#groupOf(slot);
    }
    this.#sorted = end;
    this.#walk.sort(this.#scratchSlots, this.#scratchGroups, count, this.#keyGroupCount);
  }

  #sortKept(): void {
    [this.#kept, this.#leaving] = [this.#leaving, this.#kept];
    this.#kept.clear();
    const { count, groups } = this.#leaving;
    this.#scratchSlots = grown(this.#scratchSlots, count);
    for (let entry = 0; entry < count; entry++) this.#scratchSlots[entry] = entry;
    this.#leavingOrder.sort(this.#scratchSlots, groups, count, this.#keyGroupCount);
  }

  #chunkOfKept(): StateChunk {
    const chunk = this.#chunk;
    chunk.truncate(0);
    const order = this.#leavingOrder;
    const group = order.groupAt(order.at);
    const { starts, bytes } = this.#leaving;
    const all = bytes.written;
    while (!order.isDone && order.groupAt(order.at) === group && chunk.length < CHUNK_BYTES) {
      const entry = order.items[order.at++] as number;
      chunk.raw(all, starts[entry] as number, starts[entry + 1] as number);
    }
    return { keyGroup: group, bytes: chunk.written };
  }

  #tellDrained(): void {
    this.#onDrained?.();
    this.#onDrained = null;
  }

  #release(): void {
    this.#tellDrained();
    this.isTaking = false;
    this.#kept = new KeptEntries();
    this.#leaving = new KeptEntries();
    this.#leavingOrder.count = 0;
    this.#leavingOrder.at = 0;
  }

  #groupOf(slot: number): number {
    return keyGroupOf(this.#entries.hashOf(slot), this.#keyGroupCount);
  }

  #isDone(slot: number): boolean {
    return (((this.#done[slot >> 3] as number) >> (slot & 7)) & 1) === 1;
  }

  #markDone(slot: number): void {
    this.#done[slot >> 3] = (this.#done[slot >> 3] as number) | (1 << (slot & 7));
  }
}
