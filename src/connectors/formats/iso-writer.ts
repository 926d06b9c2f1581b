/**
 * Writes dates, times and timestamps of ISO 8601 in UTC. The minute of the last timestamp is kept as text, because
 * consecutive ones mostly share it. The caller has made room; every method returns where it stopped.
 */
import { formatDate, formatTime, formatTimestamp } from '../../expr/index.ts';
import { viewOf } from './byte-view.ts';
import { write2, writeAscii } from './digit-writer.ts';

const MS_PER_MINUTE = 60_000;

/** The longest of them, `-271821-04-20T00:00:00.000Z`. */
export const MAX_ISO_BYTES = 27;

export class IsoWriter {
  #minute = NaN;
  /** The 16 bytes `2026-01-02T03:04`. */
  readonly #text = viewOf(new Uint8Array(16));

  timestamp(bytes: Uint8Array, view: DataView, at: number, ms: number): number {
    const minute = Math.floor(ms / MS_PER_MINUTE);
    if (minute !== this.#minute && !this.#keep(minute)) return writeAscii(bytes, at, formatTimestamp(ms));
    const text = this.#text;
    view.setInt32(at, text.getInt32(0, true), true);
    view.setInt32(at + 4, text.getInt32(4, true), true);
    view.setInt32(at + 8, text.getInt32(8, true), true);
    view.setInt32(at + 12, text.getInt32(12, true), true);
    const rest = ms - minute * MS_PER_MINUTE;
    const second = (rest / 1000) | 0;
    const milli = rest - second * 1000;
    const tens = (milli / 10) | 0;
    bytes[at + 16] = 0x3a;
    write2(view, at + 17, second);
    bytes[at + 19] = 0x2e;
    write2(view, at + 20, tens);
    bytes[at + 22] = 0x30 + milli - tens * 10;
    bytes[at + 23] = 0x5a;
    return at + 24;
  }

  /** False for years that have a sign and six digits. */
  #keep(minute: number): boolean {
    const text = formatTimestamp(minute * MS_PER_MINUTE);
    if (text.length !== 24) return false;
    for (let i = 0; i < 16; i++) this.#text.setUint8(i, text.charCodeAt(i));
    this.#minute = minute;
    return true;
  }

  date(bytes: Uint8Array, at: number, days: number): number {
    return writeAscii(bytes, at, formatDate(days));
  }

  time(bytes: Uint8Array, at: number, ms: number): number {
    return writeAscii(bytes, at, formatTime(ms));
  }
}
