/**
 * When entries were touched last, and which have not been for a `ttl`: by event time where rows have it, else by the
 * clock. An entry counts as gone from the instant on; its slot is freed by a sweep over all slots, which comes round
 * four times per ttl, or by whoever needs room.
 */
import type { Field } from '../../core/index.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { grown } from './grown.ts';
import { ENTRIES_PER_CALL } from './time-heap.ts';

/** What decides when an entry of a step with a ttl goes, as one of its values. No field can have the name. */
export const LAST_TIME: Field & { readonly layout: string } = Object.freeze({
  name: '(time of the last row)',
  type: Object.freeze({ kind: 'timestamp' }),
  layout: 'time',
});

const SWEEPS_PER_TTL = 4;

export class SlotExpiry {
  readonly #ttlMs: number;
  #times = new Float64Array(0);
  #nowMs = -Infinity;
  /** The next slot that the present sweep looks at; -1 between two. */
  #hand = -1;
  #nextSweepMs = -Infinity;
  /** Whether rows have event time; as they, or what was remembered, have told. */
  hasEventTime = false;

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
  }

  get sizeBytes(): number {
    return this.#times.byteLength;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** When the next sweep is due, by the same time; Infinity while one goes on. */
  get nextSweepMs(): number {
    return this.#nextSweepMs;
  }

  /** Time does not go back. */
  advanceTo(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }

  reserve(slotCount: number): void {
    this.#times = grown(this.#times, slotCount);
  }

  /** A slot is taken into use; its first row follows. */
  begin(slot: number): void {
    this.#times[slot] = -Infinity;
  }

  /** A row of the entry has come; one that is late, or has no time, came now. */
  touch(slot: number, timeMs: number): void {
    const now = timeMs > this.#nowMs ? timeMs : this.#nowMs;
    if (now > (this.#times[slot] as number)) this.#times[slot] = now;
  }

  /** As touch(), of an entry that is read back. */
  touchAt(slot: number, timeMs: number): void {
    if (timeMs > (this.#times[slot] as number)) this.#times[slot] = timeMs;
  }

  isExpired(slot: number): boolean {
    return this.isOver(this.#times[slot] as number);
  }

  isOver(timeMs: number, atMs = this.#nowMs): boolean {
    return timeMs + this.#ttlMs <= atMs && atMs > -Infinity;
  }

  /** Frees expired slots below `limit`, if it is time; false where it has to be called again. */
  sweep(limit: number, isTaken: (slot: number) => boolean, free: (slot: number) => void): boolean {
    if (this.#hand < 0) {
      if (this.#nowMs < this.#nextSweepMs) return true;
      this.#hand = 0;
    }
    const end = Math.min(limit, this.#hand + ENTRIES_PER_CALL);
    for (let slot = this.#hand; slot < end; slot++) if (isTaken(slot) && this.isExpired(slot)) free(slot);
    this.#hand = end;
    if (end < limit) return false;
    this.#hand = -1;
    this.#nextSweepMs = this.#nowMs + Math.max(1, Math.floor(this.#ttlMs / SWEEPS_PER_TTL));
    return true;
  }

  /** One byte: 1 by the clock, 2 by event time; then the time. */
  encode(slot: number, to: ByteWriter): void {
    to.byte(this.hasEventTime ? 2 : 1);
    to.double(this.#times[slot] as number);
  }

  decode(from: ByteReader): number {
    const sort = from.byte();
    if (sort !== 1 && sort !== 2) from.fail(`there is no kind of time ${sort}`);
    this.hasEventTime = sort === 2;
    return from.double();
  }
}
