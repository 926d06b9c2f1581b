/**
 * Writes dates, times and timestamps of ISO 8601 in UTC. The second of the last timestamp is kept as text, because
 * consecutive ones mostly share it. The caller has made room; every method returns where it stopped.
 */
import { formatDate, formatTime, formatTimestamp } from '../../expr/index.ts';
import { viewOf } from './byte-view.ts';
import { write3, writeAscii } from './digit-writer.ts';

const MS_PER_SECOND = 1000;
const LETTER_Z = 0x5a;

/** The longest of them, `-271821-04-20T00:00:00.000Z`. */
export const MAX_ISO_BYTES = 27;

export class IsoWriter {
  /** When the second begins whose text is kept. */
  #secondMs = NaN;
  /** The 20 bytes `2026-01-02T03:04:05.`. */
  readonly #text = new Uint8Array(20);
  readonly #words = viewOf(this.#text);

  timestamp(bytes: Uint8Array, view: DataView, at: number, ms: number): number {
    let milli = ms - this.#secondMs;
    if (!(milli >= 0 && milli < MS_PER_SECOND)) {
      if (!this.#keep(ms)) return writeAscii(bytes, at, formatTimestamp(ms));
      milli = ms - this.#secondMs;
    }
    const text = this.#words;
    view.setInt32(at, text.getInt32(0, true), true);
    view.setInt32(at + 4, text.getInt32(4, true), true);
    view.setInt32(at + 8, text.getInt32(8, true), true);
    view.setInt32(at + 12, text.getInt32(12, true), true);
    view.setInt32(at + 16, text.getInt32(16, true), true);
    return write3(view, at + 20, milli, LETTER_Z);
  }

  /** False for years that have a sign and six digits. */
  #keep(ms: number): boolean {
    this.#secondMs = this.second(this.#text, ms);
    return !Number.isNaN(this.#secondMs);
  }

  /** Writes a timestamp as far as its milliseconds; returns when that second begins, NaN where it is not 20 bytes. */
  second(into: Uint8Array, ms: number): number {
    const text = formatTimestamp(ms);
    if (text.length !== 24) return NaN;
    for (let i = 0; i < 20; i++) into[i] = text.charCodeAt(i);
    return Math.floor(ms / MS_PER_SECOND) * MS_PER_SECOND;
  }

  date(bytes: Uint8Array, at: number, days: number): number {
    return writeAscii(bytes, at, formatDate(days));
  }

  time(bytes: Uint8Array, at: number, ms: number): number {
    return writeAscii(bytes, at, formatTime(ms));
  }
}
