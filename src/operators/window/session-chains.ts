/**
 * The sessions of each key, in a chain from the newest to the oldest. Sessions of a key never touch: between the last
 * row of one and the first row of the next there is at least the gap.
 */
import { grown } from '../state/grown.ts';
import { SlotAllocator } from '../state/slot-allocator.ts';

export const NO_SESSION = -1;

export class SessionChains {
  readonly #gapMs: number;
  readonly #sessions = new SlotAllocator();
  /** Per key. */
  #newest = new Int32Array(0);
  #oldest = new Int32Array(0);
  /** Per session. */
  #keys = new Int32Array(0);
  #newer = new Int32Array(0);
  #older = new Int32Array(0);
  #starts = new Float64Array(0);
  #ends = new Float64Array(0);

  constructor(gapMs: number) {
    this.#gapMs = gapMs;
  }

  get limit(): number {
    return this.#sessions.limit;
  }

  get sizeBytes(): number {
    const perSession = this.#keys.byteLength * 3 + this.#starts.byteLength * 2;
    return this.#sessions.sizeBytes + this.#newest.byteLength * 2 + perSession;
  }

  isUsed(session: number): boolean {
    return this.#sessions.isUsed(session);
  }

  keyOf(session: number): number {
    return this.#keys[session] as number;
  }

  /** The time of the first row. */
  startOf(session: number): number {
    return this.#starts[session] as number;
  }

  /** The time of the last row, and the gap. */
  endOf(session: number): number {
    return this.#ends[session] as number;
  }

  older(session: number): number {
    return this.#older[session] as number;
  }

  /** A key that has no sessions yet. */
  addKey(key: number): void {
    this.#newest = grown(this.#newest, key + 1);
    this.#oldest = grown(this.#oldest, key + 1);
    this.#newest[key] = NO_SESSION;
    this.#oldest[key] = NO_SESSION;
  }

  hasSessions(key: number): boolean {
    return this.#newest[key] !== NO_SESSION;
  }

  /** The newest session of a key that begins before `timeMs`, or NO_SESSION. Looked for from the nearer end. */
  newestBefore(key: number, timeMs: number): number {
    let session = this.#newest[key] as number;
    if (session === NO_SESSION || this.startOf(session) < timeMs) return session;
    const oldest = this.#oldest[key] as number;
    if (timeMs - this.startOf(oldest) > this.startOf(session) - timeMs) {
      while (session !== NO_SESSION && this.startOf(session) >= timeMs) session = this.#older[session] as number;
      return session;
    }
    let found = NO_SESSION;
    for (let next = oldest; next !== NO_SESSION && this.startOf(next) < timeMs; next = this.#newer[next] as number) {
      found = next;
    }
    return found;
  }

  /** A session of one row, as the next newer one of `older` (NO_SESSION for the oldest of the key). */
  insert(key: number, timeMs: number, older: number): number {
    const session = this.#sessions.allocate();
    this.#keys = grown(this.#keys, session + 1);
    this.#newer = grown(this.#newer, session + 1);
    this.#older = grown(this.#older, session + 1);
    this.#starts = grown(this.#starts, session + 1);
    this.#ends = grown(this.#ends, session + 1);
    const newer = older === NO_SESSION ? (this.#oldest[key] as number) : (this.#newer[older] as number);
    this.#keys[session] = key;
    this.#starts[session] = timeMs;
    this.#ends[session] = timeMs + this.#gapMs;
    this.#older[session] = older;
    this.#newer[session] = newer;
    if (older === NO_SESSION) this.#oldest[key] = session;
    else this.#newer[older] = session;
    if (newer === NO_SESSION) this.#newest[key] = session;
    else this.#older[newer] = session;
    return session;
  }

  /** The session has a row at this time. */
  extend(session: number, timeMs: number): void {
    if (timeMs < this.startOf(session)) this.#starts[session] = timeMs;
    if (timeMs + this.#gapMs > this.endOf(session)) this.#ends[session] = timeMs + this.#gapMs;
  }

  /** The newer of two neighbours becomes part of the older one. */
  absorb(older: number, newer: number): void {
    this.#ends[older] = this.endOf(newer);
    this.remove(newer);
  }

  /** A session that belongs to no key. */
  reserve(): number {
    return this.#sessions.allocate();
  }

  remove(session: number): void {
    const [newer, older] = [this.#newer[session] as number, this.#older[session] as number];
    const key = this.keyOf(session);
    if (newer === NO_SESSION) this.#newest[key] = older;
    else this.#older[newer] = older;
    if (older === NO_SESSION) this.#oldest[key] = newer;
    else this.#newer[older] = newer;
    this.#sessions.release(session);
  }
}
