import { keyGroupOf, keyGroupsOf } from '../../core/index.ts';
import type { KeyRange, OperatorContext, SpilledEntry, SpillStore } from '../../core/index.ts';
import { ByteWriter } from '../state/byte-writer.ts';
import { KeyFilter } from '../state/key-filter.ts';
import { behind, writeGroup } from '../state/spill-keys.ts';

/** Slices are many, and some have few keys. */
const FIRST_FILTER_BITS = 10;
/** Starts are integers of less than 2^53 either way: the low 32 bits; the high ones, made positive, in 3 bytes. */
const HIGH_OFFSET = 2 ** 22;
const START_BYTES = 7;
/** Where the key stands in a key of the store. */
const KEY_AT = 2 + START_BYTES;

/** Entries that are asked for at a time, of all slices together; fewer where they are large. */
const READ_AT_ONCE = 512;
const FEWEST_READ = 16;

/** Which slices have entries in the store, and under which keys: key group, start of the slice, key. */
export class StoredSlices {
  /** By start. A slice that has none has no entries. */
  readonly #filters = new Map<number, KeyFilter>();
  #groups: readonly number[] = [];
  #groupCount = 1;

  open({ maxParallelism, parallelism, subtaskIndex }: OperatorContext): void {
    this.#groupCount = maxParallelism;
    this.#groups = keyGroupsOf(subtaskIndex, maxParallelism, parallelism);
  }

  /** The key groups of this subtask. */
  get groups(): readonly number[] {
    return this.#groups;
  }

  get sizeBytes(): number {
    let bytes = 0;
    for (const { sizeBytes } of this.#filters.values()) bytes += sizeBytes;
    return bytes;
  }

  has(startMs: number): boolean {
    return this.#filters.has(startMs);
  }

  /** Whether the slice may have an entry for a key with this hash. */
  mayHave(startMs: number, hash: number): boolean {
    return this.#filters.get(startMs)?.mayHave(hash) ?? false;
  }

  add(startMs: number, hash: number): void {
    let filter = this.#filters.get(startMs);
    if (filter === undefined) {
      filter = new KeyFilter(FIRST_FILTER_BITS);
      this.#filters.set(startMs, filter);
    }
    filter.add(hash);
  }

  /** Writes the key under which the store has an entry, but for the key itself. */
  writePrefix(hash: number, startMs: number, to: ByteWriter): void {
    writeGroup(keyGroupOf(hash, this.#groupCount), to);
    writeStart(startMs, to);
  }

  /** Removes all entries of a slice. */
  async remove(startMs: number, store: SpillStore): Promise<void> {
    this.#filters.delete(startMs);
    await store.removeRanges(this.#groups.map((group) => rangeOf(group, startMs)));
  }

  /** The entries of some slices, in a key group, by their keys. */
  merge(starts: readonly number[], group: number): StoredEntries {
    return new StoredEntries(starts.map((startMs) => new Cursor(startMs, rangeOf(group, startMs))));
  }
}

/** What the store has of one key in one slice: what encode() wrote. */
export interface StoredEntry {
  readonly startMs: number;
  readonly value: Uint8Array;
}

/** Reads entries of several slices side by side, in the order of keys. */
class StoredEntries {
  readonly #cursors: readonly Cursor[];

  constructor(cursors: readonly Cursor[]) {
    this.#cursors = cursors;
  }

  /** Reads on; undefined where there is no need before the next call of next(). */
  read(store: SpillStore, bytes: number): Promise<void> | undefined {
    const empty = this.#cursors.filter((cursor) => cursor.entry === undefined && !cursor.isDone);
    if (empty.length === 0) return undefined;
    const [most, share] = [READ_AT_ONCE / this.#cursors.length, bytes / this.#cursors.length];
    return Promise.all(empty.map((cursor) => cursor.read(store, most, share))).then(() => undefined);
  }

  /** The entries of the next key, in the order of slices; empty after the last. Where read() has nothing to do. */
  next(): readonly StoredEntry[] {
    let least: Uint8Array | null = null;
    let found: Cursor[] = [];
    for (const cursor of this.#cursors) {
      if (cursor.entry === undefined) continue;
      const key = cursor.entry.key.subarray(KEY_AT);
      const order = least === null ? -1 : Buffer.compare(key, least);
      if (order > 0) continue;
      if (order < 0) {
        least = key;
        found = [];
      }
      found.push(cursor);
    }
    return found.map((cursor) => ({ startMs: cursor.startMs, value: cursor.take() }));
  }

  /** All entries that were read. */
  taken(): readonly StoredEntry[] {
    const taken: StoredEntry[] = [];
    for (const cursor of this.#cursors) {
      while (cursor.entry !== undefined) taken.push({ startMs: cursor.startMs, value: cursor.take() });
    }
    return taken;
  }
}

class Cursor {
  readonly startMs: number;
  readonly #range: KeyRange;
  #from: Uint8Array;
  #limit = FEWEST_READ;
  #entries: readonly SpilledEntry[] = [];
  #at = 0;
  isDone = false;

  constructor(startMs: number, range: KeyRange) {
    this.startMs = startMs;
    this.#range = range;
    this.#from = range.from;
  }

  /** The next one, if it was read. */
  get entry(): SpilledEntry | undefined {
    return this.#entries[this.#at];
  }

  take(): Uint8Array {
    return (this.#entries[this.#at++] as SpilledEntry).value;
  }

  /** Not much more than so many bytes, by what came before. */
  async read(store: SpillStore, most: number, bytes: number): Promise<void> {
    const found = await store.scan(this.#from, this.#range.below, this.#limit);
    this.#entries = found;
    this.#at = 0;
    const last = found.at(-1);
    if (last === undefined || found.length < this.#limit) this.isDone = true;
    else this.#from = behind(last.key);
    const read = found.reduce((sum, { value }) => sum + value.length, 0);
    const fitting = Math.floor((bytes * found.length) / Math.max(1, read));
    this.#limit = Math.max(FEWEST_READ, Math.min(Math.floor(most), fitting));
  }
}

function rangeOf(group: number, startMs: number): KeyRange {
  return { from: prefixOf(group, startMs), below: prefixOf(group, startMs + 1) };
}

function prefixOf(group: number, startMs: number): Uint8Array {
  const to = new ByteWriter();
  writeGroup(group, to);
  writeStart(startMs, to);
  return to.written;
}

/** The high byte first, so that slices are in the order of time. */
export function writeStart(startMs: number, to: ByteWriter): void {
  const high = Math.floor(startMs / 2 ** 32);
  const low = startMs - high * 2 ** 32;
  for (const shift of [16, 8, 0]) to.byte(((high + HIGH_OFFSET) >>> shift) & 255);
  for (const shift of [24, 16, 8, 0]) to.byte((low >>> shift) & 255);
}
