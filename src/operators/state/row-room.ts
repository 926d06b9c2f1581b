import type { ByteReader } from './byte-reader.ts';
import type { RowChains } from './row-chains.ts';
import { GrowthLimit } from './growth-limit.ts';

/** Of a row, before anything is known of them. */
const GUESSED_ROW_BYTES = 64;
/** While entries are restored, nobody knows how many rows the next ones have. */
const RESTORED_ROWS = 64;

interface Part {
  readonly chains: RowChains;
  /** Rows of the batch that is prepared, and of entries that are being read. */
  ofBatch: number;
  ofEntries: number;
  /** Of rows that are kept. */
  readonly limit: GrowthLimit;
  /** As many there should be room for. */
  target: number;
}

/**
 * Room for the rows of entries that may leave memory (docs/design/015). What arrays have taken they do not give back:
 * so keys and the rows of each side are each sure of a share, and who comes first may have what is left.
 */
export class RowRoom {
  readonly #parts: readonly Part[];

  constructor(chains: readonly RowChains[]) {
    this.#parts = chains.map((each) => ({
      chains: each,
      ofBatch: RESTORED_ROWS,
      ofEntries: 0,
      limit: new GrowthLimit(),
      target: 0,
    }));
  }

  /** Whether some rows of a chain may have no room. */
  get isFull(): boolean {
    return this.#parts.some(({ chains }) => chains.rows.size >= chains.capacity);
  }

  get isGrowing(): boolean {
    return this.#parts.some(({ chains, target }) => target > chains.capacity);
  }

  /** The most rows of one sort that there should be room for. */
  get largest(): number {
    return Math.max(...this.#parts.map(({ target }) => target));
  }

  /** A batch is prepared, all of whose rows may be kept in one of the chains. */
  expectBatch(index: number, rowCount: number): void {
    for (const [at, part] of this.#parts.entries()) part.ofBatch = at === index ? rowCount : 0;
  }

  /** An entry is about to be decoded: after its first byte, it says how many rows it has. */
  expectEntry(from: ByteReader): void {
    from.byte();
    for (const part of this.#parts) part.ofEntries += from.count();
  }

  /** What was expected of entries comes now. */
  arrived(): void {
    for (const part of this.#parts) part.ofEntries = 0;
  }

  /** Of so many bytes, what keys may not take. */
  claimOf(totalBytes: number): number {
    return this.#parts.reduce((sum, part) => sum + this.#claim(part, totalBytes), 0);
  }

  /** Finds out what there should be room for; returns how many rows have to leave first. */
  plan(totalBytes: number, keyBytes: number): number {
    const claims = Math.max(keyBytes, this.#shareOf(totalBytes)) + this.claimOf(totalBytes);
    let excess = 0;
    for (const part of this.#parts) {
      excess = Math.max(excess, this.#planPart(part, totalBytes - claims + this.#claim(part, totalBytes)));
    }
    return excess;
  }

  /** Plans for all that is expected, whatever it takes. */
  planAll(): void {
    for (const part of this.#parts) part.target = Math.max(part.chains.capacity, this.#wanted(part));
  }

  /** Makes the room that was planned, one array at a time. */
  *growing(): Generator<void> {
    for (const { chains, target } of this.#parts) if (target > chains.capacity) yield* chains.growing(target);
  }

  #shareOf(totalBytes: number): number {
    return totalBytes / (this.#parts.length + 2);
  }

  #claim({ chains }: Part, totalBytes: number): number {
    return Math.max(chains.rowBytes, this.#shareOf(totalBytes));
  }

  #wanted({ chains, ofBatch, ofEntries }: Part): number {
    return chains.rows.size + ofBatch + ofEntries;
  }

  #planPart(part: Part, limitBytes: number): number {
    const { chains, limit } = part;
    const { capacity } = chains;
    const held = chains.rowBytes;
    limit.held(held, limitBytes, chains.rows.size);
    const wanted = this.#wanted(part);
    part.target = capacity;
    if (wanted > limit.max) return wanted - limit.max;
    if (wanted <= capacity) return 0;
    const rowBytes = capacity === 0 ? GUESSED_ROW_BYTES : held / capacity;
    const grown = limit.grown(wanted, capacity, (rows) => rows * rowBytes <= limitBytes);
    if (grown === null) return wanted - limit.max;
    part.target = grown;
    return 0;
  }
}
