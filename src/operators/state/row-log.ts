/**
 * Rows that are kept for some time and then go, all of them by event time: a log in segments, in the order of arrival.
 * A row is copied once, column by column, and freed with its segment. The few that stay much longer than those that
 * came with them are copied to the end, so that a segment is never kept for an eighth of its rows.
 *
 * A row is found by the hash of its key: those of one hash are in a chain from the newest to the oldest. Chains have
 * other hashes and keys among them, so whoever walks one compares keys. Rows are not put into chains before there are
 * so many look-ups that looking through them all would cost more: what hardly anybody asks for (bids, of which a window
 * asks for those of one price) costs nothing but its copy. Each row that comes allows for SCANNED_PER_ROW comparisons.
 * Of very many rows the older ones are put into chains as others come, so that no look-up has to do that for all.
 *
 * The id of a row is its place in the log, modulo 2^30. Ids hold until free() is called.
 */
import type { Column, DataType, StateSnapshot } from '../../core/index.ts';
import type { ByteWriter } from './byte-writer.ts';
import { copyValue, sameValue } from './column-values.ts';
import { encodeRow } from './row-codec.ts';
import { MARKED } from './row-chains.ts';
import { RowSegment, RowState } from './row-segment.ts';
import type { SlotRows } from './row-slots.ts';
import { SlotSnapshots } from './slot-snapshots.ts';
import { ENTRIES_PER_CALL } from './time-heap.ts';

const NONE = -1;
const SEGMENT_BITS = 12;
const SEGMENT_ROWS = 1 << SEGMENT_BITS;
const FIRST_SEGMENT_ROWS = 256;
const ID_MASK = (1 << 30) - 1;
const NUMBER_MASK = ID_MASK >> SEGMENT_BITS;
const OFFSET_MASK = SEGMENT_ROWS - 1;

const SCANNED_PER_ROW = 8;
const MOST_CREDITS = 1 << 22;
/** So many rows may be in no chain; some milliseconds' work. Beyond, each row that comes puts in so many older ones. */
const MOST_UNLINKED = 1 << 18;
const LINKED_PER_ROW = 4;
/** A segment is given up, and its rows copied, when fewer than one of so many are left. */
const LEFT_SHARE = 8;
/** Due times that are looked at to find when most of a segment's rows are due. */
const SAMPLES = 64;
/** Segments that are kept for the next rows. */
const MOST_POOLED = 8;

const FIRST_HEADS = 512;
/** Making the array anew takes time for each row that is kept; with more rows than that chains become longer. */
const MOST_HEADS = 1 << 20;
const GOLDEN = 0x9e3779b1;

/** How the rows of a log go. */
export interface RowLife {
  /** When a row of a time is due: free() of a later time removes it. Grows with the time. */
  dueMs(timeMs: number): number;
  /** Whether free() asks leave() for each row that is due and not marked. */
  readonly waits: boolean;
}

/** Says a row that goes without a mark; false where there is no room for it now. */
type Leave = (id: number, dueMs: number) => boolean;

export class RowLog implements SlotRows {
  readonly snapshots = { take: (keyGroupCount: number): StateSnapshot => this.#takeSnapshot(keyGroupCount) };
  readonly #sort: 0 | 1;
  readonly #types: readonly DataType[];
  readonly #keys: readonly number[];
  readonly #life: RowLife;
  readonly #snapshots: SlotSnapshots;
  /** Rows come into the last one. Those without rows at the front are removed, others when there are too many. */
  #segments: RowSegment[] = [];
  /**
   * The number of the first segment; those after it count on. Ids are made of numbers and places. It begins with the
   * last one, so that numbers begin anew in every log, and not in old ones alone.
   */
  #firstNumber = NUMBER_MASK;
  readonly #pool: RowSegment[] = [];
  #live = 0;
  /** When a segment has to be looked at. */
  #examineAtMs = Infinity;
  /** The newest row of each chain, by the high bits of the hash; it may be gone. */
  #heads = new Int32Array(FIRST_HEADS).fill(NONE);
  /** Rows from this id on are in no chain. */
  #linkedTo = NUMBER_MASK << SEGMENT_BITS;
  #credits = 0;
  /** The id that the snapshot that is being taken counts from. */
  #snapshotBase = 0;
  readonly #samples = new Float64Array(SAMPLES);
  #survivors = new Int32Array(0);

  /** `sort` tells the entries of two logs apart; `keys` are the fields that hashes are of. */
  constructor(sort: 0 | 1, types: readonly DataType[], keys: readonly number[], life: RowLife) {
    this.#sort = sort;
    this.#types = types;
    this.#keys = keys;
    this.#life = life;
    this.#snapshots = this.#createSnapshots();
  }

  get sizeBytes(): number {
    let sum = this.#heads.byteLength + this.#snapshots.sizeBytes;
    for (const segment of this.#segments) sum += segment.sizeBytes;
    for (const segment of this.#pool) sum += segment.sizeBytes;
    return sum;
  }

  /**
   * Keeps rows of a batch: those of the list, or the first `count` where it is null. `times`, `hashes` and `ids` (which
   * are set) are by the rows of the batch.
   */
  append(
    columns: readonly Column[],
    times: Float64Array,
    hashes: Int32Array,
    rows: Int32Array | null,
    count: number,
    ids: Int32Array,
  ): void {
    for (let done = 0; done < count; ) {
      const segment = this.#openSegment();
      const at = segment.count;
      const taken = Math.min(segment.capacity - at, count - done);
      segment.append(columns, times, hashes, rows, done, taken);
      const first = this.#idOf(this.#segments.length - 1, at);
      for (let i = 0; i < taken; i++) ids[rows === null ? done + i : (rows[done + i] as number)] = first + i;
      this.#appended(segment, at);
      done += taken;
    }
  }

  /** The newest row that may have a key of this hash, or -1. */
  first(hash: number): number {
    const end = this.#end;
    const unlinked = (end - this.#linkedTo) & ID_MASK;
    if (unlinked > 0 && this.#credits < unlinked) this.#link(Infinity);
    else if (unlinked > 0) {
      this.#credits -= unlinked;
      return this.#scan(hash, end);
    }
    return this.#chained(this.#heads[this.#placeOf(hash)] as number, hash);
  }

  /** The next older one after `id`, or -1. */
  next(id: number): number {
    const segment = this.#segmentOf(id);
    const hash = segment.hashes[id & OFFSET_MASK] as number;
    if (((id - this.#linkedTo) & ID_MASK) < ((this.#end - this.#linkedTo) & ID_MASK)) return this.#scan(hash, id);
    return this.#chained(segment.next[id & OFFSET_MASK] as number, hash);
  }

  /** Whether a row's key is that of row `row` of the columns. */
  hasKey(id: number, keys: readonly Column[], row: number): boolean {
    const { columns } = this.#segmentOf(id);
    for (let i = 0; i < keys.length; i++) {
      const own = columns[this.#keys[i] as number] as Column;
      if (!sameValue(own, id & OFFSET_MASK, keys[i] as Column, row)) return false;
    }
    return true;
  }

  timeOf(id: number): number {
    return this.#segmentOf(id).times[id & OFFSET_MASK] as number;
  }

  isMarked(id: number): boolean {
    return this.#segmentOf(id).states[id & OFFSET_MASK] === RowState.marked;
  }

  /** Marks a row that is not gone: free() says nothing of it. */
  mark(id: number): void {
    if (this.#snapshots.isTaking) this.#beforeChange(id);
    this.#segmentOf(id).states[id & OFFSET_MASK] = RowState.marked;
  }

  /** Forgets a row. It can be written until free() is called. */
  remove(id: number): void {
    const segment = this.#segmentOf(id);
    this.#go(segment, id);
    if (segment.isFull && segment.live * LEFT_SHARE <= segment.count) this.#examineAt(segment, -Infinity);
  }

  /** Removes what is due before `untilMs`; false where there is more, or `leave` had no room. */
  free(untilMs: number, leave: Leave): boolean {
    if (this.#examineAtMs >= untilMs) return true;
    let examined = 0;
    this.#examineAtMs = -Infinity;
    for (let index = 0; index < this.#segments.length; index++) {
      const segment = this.#segments[index] as RowSegment;
      if (segment.examineAtMs >= untilMs) continue;
      if (examined > ENTRIES_PER_CALL) return false;
      examined += segment.count;
      if (!this.#examine(segment, index, untilMs, leave)) return false;
    }
    this.#trim();
    this.#examineAtMs = this.#segments.reduce((least, { examineAtMs }) => Math.min(least, examineAtMs), Infinity);
    return true;
  }

  write(id: number, index: number, output: Column, row: number): void {
    copyValue(this.#segmentOf(id).columns[index] as Column, id & OFFSET_MASK, output, row);
  }

  writeAll(id: number, outputs: readonly Column[], first: number, row: number): void {
    const { columns } = this.#segmentOf(id);
    const at = id & OFFSET_MASK;
    for (let i = 0; i < columns.length; i++) copyValue(columns[i] as Column, at, outputs[first + i] as Column, row);
  }

  get #firstId(): number {
    return this.#firstNumber << SEGMENT_BITS;
  }

  /** The id after that of the newest row. */
  get #end(): number {
    const last = this.#segments.length - 1;
    return last < 0 ? this.#firstId : this.#idOf(last, (this.#segments[last] as RowSegment).count);
  }

  #idOf(index: number, at: number): number {
    return ((((this.#firstNumber + index) & NUMBER_MASK) << SEGMENT_BITS) + at) & ID_MASK;
  }

  #segmentOf(id: number): RowSegment {
    return this.#segments[((id >> SEGMENT_BITS) - this.#firstNumber) & NUMBER_MASK] as RowSegment;
  }

  /** Whether the log has come to a row and not freed it since. */
  #has(id: number): boolean {
    const first = this.#firstId;
    return ((id - first) & ID_MASK) < ((this.#end - first) & ID_MASK);
  }

  #openSegment(): RowSegment {
    const last = this.#segments.at(-1);
    if (last !== undefined && !last.isFull) return last;
    let capacity = FIRST_SEGMENT_ROWS;
    while (capacity < SEGMENT_ROWS && capacity < this.#live) capacity *= 2;
    const pooled = capacity === SEGMENT_ROWS ? this.#pool.pop() : undefined;
    const segment = pooled ?? new RowSegment(this.#types, capacity);
    this.#segments.push(segment);
    return segment;
  }

  /** Rows from `at` on are new in the segment. */
  #appended(segment: RowSegment, at: number): void {
    const { times, count } = segment;
    const added = count - at;
    this.#live += added;
    this.#credits = Math.min(MOST_CREDITS, this.#credits + added * SCANNED_PER_ROW);
    const unlinked = (this.#end - this.#linkedTo) & ID_MASK;
    if (unlinked > MOST_UNLINKED) this.#link(added * LINKED_PER_ROW);
    let least = Infinity;
    let most = -Infinity;
    for (let row = at; row < count; row++) {
      const time = times[row] as number;
      if (time < least) least = time;
      if (time > most) most = time;
    }
    segment.lastDueMs = Math.max(segment.lastDueMs, this.#life.dueMs(most));
    if (this.#life.waits) this.#examineAt(segment, Math.min(segment.examineAtMs, this.#life.dueMs(least)));
    else this.#examineAt(segment, segment.isFull ? this.#mostlyDueMs(segment) : segment.lastDueMs);
  }

  #examineAt(segment: RowSegment, atMs: number): void {
    segment.examineAtMs = atMs;
    this.#examineAtMs = Math.min(this.#examineAtMs, atMs);
  }

  #go(segment: RowSegment, id: number): void {
    if (this.#snapshots.isTaking) this.#beforeChange(id);
    segment.states[id & OFFSET_MASK] = RowState.gone;
    segment.live--;
    this.#live--;
  }

  #goAll(segment: RowSegment): void {
    segment.states.fill(RowState.gone, 0, segment.count);
    this.#live -= segment.live;
    segment.live = 0;
  }

  #examine(segment: RowSegment, index: number, untilMs: number, leave: Leave): boolean {
    const { states, times, count } = segment;
    const { waits } = this.#life;
    const first = this.#idOf(index, 0);
    let nextMs = Infinity;
    if (!waits && segment.lastDueMs < untilMs && !this.#snapshots.isTaking) this.#goAll(segment);
    for (let row = 0; row < count && segment.live > 0; row++) {
      if (states[row] === RowState.gone) continue;
      const dueMs = this.#life.dueMs(times[row] as number);
      const isWaiting = waits && states[row] === RowState.waiting;
      if (dueMs < untilMs) {
        if (isWaiting && !leave(first + row, dueMs)) return false;
        this.#go(segment, first + row);
      } else if (isWaiting && dueMs < nextMs) nextMs = dueMs;
    }
    if (segment.isFull && segment.live > 0 && segment.live * LEFT_SHARE <= count) this.#moveOn(segment, first);
    const mostlyDueMs = segment.isFull ? this.#mostlyDueMs(segment) : segment.lastDueMs;
    segment.examineAtMs = segment.live === 0 ? Infinity : Math.min(nextMs, mostlyDueMs);
    return true;
  }

  /** Copies what is left of a segment to the end. */
  #moveOn(segment: RowSegment, first: number): void {
    const { states, columns, times, hashes, count } = segment;
    if (this.#survivors.length < count) this.#survivors = new Int32Array(SEGMENT_ROWS * 2);
    const ids = this.#survivors.subarray(SEGMENT_ROWS);
    let left = 0;
    for (let row = 0; row < count; row++) if (states[row] !== RowState.gone) this.#survivors[left++] = row;
    this.append(columns, times, hashes, this.#survivors, left, ids);
    for (let i = 0; i < left; i++) {
      const row = this.#survivors[i] as number;
      const id = ids[row] as number;
      this.#segmentOf(id).states[id & OFFSET_MASK] = states[row] as number;
      this.#go(segment, first + row);
    }
  }

  /** A time at which seven of eight of the segment's rows are due, or about so many. */
  #mostlyDueMs({ states, times, count, live }: RowSegment): number {
    const step = Math.max(1, Math.floor(live / SAMPLES));
    let seen = 0;
    let taken = 0;
    for (let row = 0; row < count && taken < SAMPLES; row++) {
      if (states[row] === RowState.gone || seen++ % step !== 0) continue;
      this.#samples[taken++] = times[row] as number;
    }
    const sorted = this.#samples.subarray(0, taken).sort();
    return this.#life.dueMs(sorted[Math.ceil(taken * (1 - 1 / LEFT_SHARE)) - 1] as number);
  }

  /** Removes segments without rows: those at the front, and the others once there are more of them than with rows. */
  #trim(): void {
    let front = 0;
    while (front < this.#segments.length && this.#isOver(this.#segments[front] as RowSegment)) front++;
    if (front > 0) {
      if (((this.#linkedTo - this.#firstId) & ID_MASK) < front << SEGMENT_BITS) {
        this.#linkedTo = ((this.#firstNumber + front) << SEGMENT_BITS) & ID_MASK;
      }
      this.#segments.splice(0, front).forEach((segment) => {
        this.#recycle(segment);
      });
      this.#firstNumber = (this.#firstNumber + front) & NUMBER_MASK;
    }
    if (this.#snapshots.isTaking) return;
    const over = this.#segments.filter((segment) => this.#isOver(segment)).length;
    if (over * 2 > this.#segments.length) this.#renumber();
  }

  #isOver(segment: RowSegment): boolean {
    return segment.live === 0 && segment.count * 2 >= segment.capacity;
  }

  /** All rows get new ids, and chains are made anew. */
  #renumber(): void {
    const [over, left] = [[] as RowSegment[], [] as RowSegment[]];
    for (const segment of this.#segments) (this.#isOver(segment) ? over : left).push(segment);
    for (const segment of over) this.#recycle(segment);
    this.#segments = left;
    this.#unlink(this.#heads.length);
  }

  #recycle(segment: RowSegment): void {
    const isPlain = segment.columns.every(({ kind }) => kind !== 'object');
    if (segment.capacity < SEGMENT_ROWS || this.#pool.length >= MOST_POOLED || !isPlain) return;
    segment.reset();
    this.#pool.push(segment);
  }

  #unlink(headCount: number): void {
    this.#heads = headCount === this.#heads.length ? this.#heads.fill(NONE) : new Int32Array(headCount).fill(NONE);
    this.#linkedTo = this.#firstId;
  }

  #placeOf(hash: number): number {
    return Math.imul(hash, GOLDEN) >>> Math.clz32(this.#heads.length - 1);
  }

  /** Puts rows that are in none into chains, the oldest first, up to `most` or a few more. */
  #link(most: number): void {
    if (this.#live > this.#heads.length && this.#heads.length < MOST_HEADS) {
      let headCount = this.#heads.length;
      while (headCount < this.#live && headCount < MOST_HEADS) headCount *= 2;
      this.#unlink(Math.min(MOST_HEADS, headCount * 2));
    }
    const oldest = this.#firstId;
    let left = most;
    for (let index = this.#indexOf(this.#linkedTo); index < this.#segments.length && left > 0; index++) {
      const { count } = this.#segments[index] as RowSegment;
      const first = this.#idOf(index, 0);
      const begin = first === (this.#linkedTo & ~OFFSET_MASK) ? this.#linkedTo & OFFSET_MASK : 0;
      this.#linkRows(index, begin, first, oldest);
      this.#linkedTo = this.#idOf(index, count);
      left -= count - begin;
    }
  }

  /** Those of a segment from `begin` on. */
  #linkRows(index: number, begin: number, first: number, oldest: number): void {
    const heads = this.#heads;
    const { hashes, next, states, count } = this.#segments[index] as RowSegment;
    for (let row = begin; row < count; row++) {
      if (states[row] === RowState.gone) continue;
      const place = this.#placeOf(hashes[row] as number);
      const head = heads[place] as number;
      // A head that has gone long ago may have the number of a row of today: chains lead to older rows only.
      next[row] = ((head - oldest) & ID_MASK) < ((first + row - oldest) & ID_MASK) ? head : NONE;
      heads[place] = first + row;
    }
  }

  #indexOf(id: number): number {
    return ((id >> SEGMENT_BITS) - this.#firstNumber) & NUMBER_MASK;
  }

  /** The newest row before `before` of the hash: of those in no chain by looking at each, then of its chain. */
  #scan(hash: number, before: number): number {
    const lowest = this.#indexOf(this.#linkedTo);
    let at = before & OFFSET_MASK;
    for (let index = this.#indexOf(before); index >= lowest; index--) {
      const segment = this.#segments[index];
      if (segment !== undefined) {
        const least = index === lowest ? this.#linkedTo & OFFSET_MASK : 0;
        const row = lastOf(segment, hash, at, least);
        if (row >= least) return this.#idOf(index, row);
      }
      at = this.#segments[index - 1]?.count ?? 0;
    }
    return this.#chained(this.#heads[this.#placeOf(hash)] as number, hash);
  }

  /** The first row of a chain, from `id` on, that has the hash and is not gone. */
  #chained(id: number, hash: number): number {
    const first = this.#firstId;
    const linked = (this.#linkedTo - first) & ID_MASK;
    // What is older than the log has gone; a chain's end may have any number that is none of the log's.
    for (let at = id; at !== NONE && ((at - first) & ID_MASK) < linked; ) {
      const segment = this.#segmentOf(at);
      const row = at & OFFSET_MASK;
      if (segment.hashes[row] === hash && segment.states[row] !== RowState.gone) return at;
      at = segment.next[row] as number;
    }
    return NONE;
  }

  #beforeChange(id: number): void {
    this.#snapshots.beforeChange((id - this.#snapshotBase) & ID_MASK);
  }

  #takeSnapshot(keyGroupCount: number): StateSnapshot {
    this.#snapshotBase = this.#firstId;
    return this.#snapshots.take(keyGroupCount);
  }

  #createSnapshots(): SlotSnapshots {
    const idOf = (slot: number): number => (this.#snapshotBase + slot) & ID_MASK;
    const limit = (): number => (this.#end - this.#snapshotBase) & ID_MASK;
    return new SlotSnapshots({
      get slotLimit() {
        return limit();
      },
      isUsed: (slot) => {
        const id = idOf(slot);
        if (!this.#has(id)) return false;
        const segment = this.#segmentOf(id);
        return (id & OFFSET_MASK) < segment.count && segment.states[id & OFFSET_MASK] !== RowState.gone;
      },
      hashOf: (slot) => this.#segmentOf(idOf(slot)).hashes[idOf(slot) & OFFSET_MASK] as number,
      encode: (slot, to) => {
        this.#encode(idOf(slot), to);
      },
    });
  }

  #encode(id: number, to: ByteWriter): void {
    const { states, times, columns } = this.#segmentOf(id);
    const row = id & OFFSET_MASK;
    to.byte(this.#sort | (states[row] === RowState.marked ? MARKED : 0));
    to.integer(times[row] as number, null);
    encodeRow(columns, row, to);
  }
}

/** The last row of the hash before `before` that is not gone; less than `least` for none. */
function lastOf({ hashes, states }: RowSegment, hash: number, before: number, least: number): number {
  let row = before - 1;
  while (row >= least && (hashes[row] !== hash || states[row] === RowState.gone)) row--;
  return row;
}
