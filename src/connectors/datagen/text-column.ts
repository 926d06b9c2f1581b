import { reserveBytes } from '../../core/index.ts';
import type { BytesColumn, Column } from '../../core/index.ts';

/** Writes ASCII text into one row of a bytes column, piece by piece, without making strings. */
export class TextColumn {
  #column: BytesColumn | null = null;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** Begins the text of a row; at most `maxBytes` are put. */
  start(column: Column, row: number, maxBytes: number): void {
    if (column.kind !== 'bytes') throw new TypeError(`text into a column of kind ${column.kind}`);
    this.#column = column;
    this.#bytes = reserveBytes(column, row, maxBytes);
    this.#at = column.used;
    column.starts[row] = this.#at;
    if (column.hasNulls) column.nulls[row] = 0;
  }

  put(byte: number): void {
    this.#bytes[this.#at++] = byte;
  }

  putAll(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.#bytes[this.#at++] = bytes[i] as number;
  }

  /** A whole number that is not negative, with leading zeros up to `width` digits. */
  putNumber(value: number, width = 1): void {
    const digits = String(value).padStart(width, '0');
    for (let i = 0; i < digits.length; i++) this.put(digits.charCodeAt(i));
  }

  end(row: number): void {
    if (this.#column === null) return;
    this.#column.used = this.#at;
    this.#column.ends[row] = this.#at;
  }
}
