import { reserveBytes } from '../../core/index.ts';
import type { BytesColumn, Column } from '../../core/index.ts';
import type { RowRandom } from './row-random.ts';

const LETTERS = 26;
const LETTER_A = 0x61;
/** 26^6 is below 2^31. */
const LETTERS_PER_NUMBER = 6;

/** Writes ASCII text into one row of a bytes column, piece by piece, without making strings. */
export class TextColumn {
  #column: BytesColumn | null = null;
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #at = 0;

  /** Begins the text of a row; at most `maxBytes` are put. */
  start(column: Column, row: number, maxBytes: number): void {
    if (column.kind !== 'bytes') throw new TypeError(`text into a column of kind ${column.kind}`);
    this.#column = column;
    this.#bytes = reserveBytes(column, row, maxBytes);
    this.#start = column.used;
    this.#at = this.#start;
    column.starts[row] = this.#at;
    if (column.hasNulls) column.nulls[row] = 0;
  }

  put(byte: number): void {
    this.#bytes[this.#at++] = byte;
  }

  putAll(bytes: Uint8Array): void {
    const to = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < bytes.length; i++) to[at++] = bytes[i] as number;
    this.#at = at;
  }

  /** Small letters, six of every random number. */
  putLetters(random: RowRandom, count: number): void {
    const to = this.#bytes;
    const end = this.#at + count;
    let at = this.#at;
    while (at < end) {
      let bits = random.bits() >>> 1;
      const next = Math.min(end, at + LETTERS_PER_NUMBER);
      while (at < next) {
        const rest = (bits / LETTERS) | 0;
        to[at++] = LETTER_A + bits - rest * LETTERS;
        bits = rest;
      }
    }
    this.#at = at;
  }

  /** What has been put since start(). */
  copy(): Uint8Array {
    return this.#bytes.slice(this.#start, this.#at);
  }

  /** A whole number that is not negative, with leading zeros up to `width` digits. */
  putNumber(value: number, width = 1): void {
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    const end = this.#at + Math.max(width, digits);
    let rest = value;
    for (let at = end - 1; at >= this.#at; at--) {
      const next = Math.floor(rest / 10);
      this.#bytes[at] = 0x30 + rest - next * 10;
      rest = next;
    }
    this.#at = end;
  }

  end(row: number): void {
    if (this.#column === null) return;
    this.#column.used = this.#at;
    this.#column.ends[row] = this.#at;
  }
}
