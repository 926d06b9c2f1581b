import { grown } from '../state/grown.ts';

/** With which bounds sessions were emitted last, and which rows have to be deleted because their session is gone. */
export class EmittedBounds {
  /** Per session; NaN where it was not emitted, or that was taken back. */
  #starts = new Float64Array(0);
  #ends = new Float64Array(0);
  /** Triples: key, start, end. */
  readonly #orphans: number[] = [];

  get sizeBytes(): number {
    return this.#starts.byteLength * 2;
  }

  get hasOrphans(): boolean {
    return this.#orphans.length > 0;
  }

  startOf(session: number): number {
    return this.#starts[session] as number;
  }

  endOf(session: number): number {
    return this.#ends[session] as number;
  }

  has(session: number): boolean {
    const end = this.#ends[session];
    return end !== undefined && end === end;
  }

  isWith(session: number, startMs: number, endMs: number): boolean {
    return this.#starts[session] === startMs && this.#ends[session] === endMs;
  }

  set(session: number, startMs: number, endMs: number): void {
    const before = this.#ends.length;
    this.#starts = grown(this.#starts, session + 1);
    this.#ends = grown(this.#ends, session + 1).fill(NaN, before);
    this.#starts[session] = startMs;
    this.#ends[session] = endMs;
  }

  clear(session: number): void {
    if (session < this.#ends.length) this.#ends[session] = NaN;
  }

  /** The session has become part of another one: what was emitted of it has to go. */
  orphan(session: number, key: number): void {
    if (!this.has(session)) return;
    this.#orphans.push(key, this.startOf(session), this.endOf(session));
    this.clear(session);
  }

  /** Gives the newest orphan to `use`. */
  takeOrphan(use: (key: number, startMs: number, endMs: number) => void): void {
    const [key, startMs, endMs] = this.#orphans.splice(-3) as [number, number, number];
    use(key, startMs, endMs);
  }
}
