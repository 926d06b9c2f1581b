/** Writes numbers as text into bytes. The caller has made room. Every function returns where it stopped. */

/** `00` to `99` as little-endian 16-bit words. */
const PAIRS = Int16Array.from({ length: 100 }, (_, n) => (0x30 + Math.floor(n / 10)) | ((0x30 + (n % 10)) << 8));

/** `0000` to `9999` as little-endian 32-bit words. */
const QUADS = Int32Array.from({ length: 10_000 }, (_, n) => {
  return ((PAIRS[Math.floor(n / 100)] as number) & 0xffff) | ((PAIRS[n % 100] as number) << 16);
});

/** What writeInteger() may touch; the number itself may be shorter. */
export const MAX_INTEGER_BYTES = 20;

/** A safe integer. */
export function writeInteger(bytes: Uint8Array, view: DataView, at: number, value: number): number {
  let o = at;
  let v = value;
  if (v < 0) {
    bytes[o++] = 0x2d;
    v = -v;
  }
  if (v < 100_000_000) return writeUpTo8(view, o, v);
  const high = Math.floor(v / 100_000_000);
  const low = v - high * 100_000_000;
  o = high < 100_000_000 ? writeUpTo8(view, o, high) : writeInteger(bytes, view, o, high);
  return write8(view, o, low);
}

function writeUpTo8(view: DataView, at: number, v: number): number {
  if (v >= 10_000) {
    const high = (v / 10_000) | 0;
    return write4(view, writeUpTo4(view, at, high), v - high * 10_000);
  }
  return writeUpTo4(view, at, v);
}

/** Stores four bytes, of which the number is the first ones. */
function writeUpTo4(view: DataView, at: number, v: number): number {
  const length = v < 100 ? (v < 10 ? 1 : 2) : v < 1000 ? 3 : 4;
  view.setInt32(at, (QUADS[v] as number) >>> ((4 - length) << 3), true);
  return at + length;
}

function write8(view: DataView, at: number, v: number): number {
  const high = (v / 10_000) | 0;
  return write4(view, write4(view, at, high), v - high * 10_000);
}

function write4(view: DataView, at: number, v: number): number {
  view.setInt32(at, QUADS[v] as number, true);
  return at + 4;
}

/** Three digits and one more byte. */
export function write3(view: DataView, at: number, v: number, behind: number): number {
  view.setInt32(at, ((QUADS[v] as number) >>> 8) | (behind << 24), true);
  return at + 4;
}

/** A safe integer that stands for value × 10^-scale, in plain notation with all its places. */
export function writeDecimal(bytes: Uint8Array, view: DataView, at: number, unscaled: number, scale: number): number {
  let o = at;
  let v = unscaled;
  if (v < 0) {
    bytes[o++] = 0x2d;
    v = -v;
  }
  if (scale === 0) return writeInteger(bytes, view, o, v);
  let end = writeInteger(bytes, view, o, v);
  const missing = scale + 1 - (end - o);
  if (missing > 0) {
    bytes.copyWithin(o + missing, o, end);
    bytes.fill(0x30, o, o + missing);
    end += missing;
  }
  for (let i = end; i > end - scale; i--) bytes[i] = bytes[i - 1] as number;
  bytes[end - scale] = 0x2e;
  return end + 1;
}

/** More than this and ECMAScript writes an exponent; fewer than 16 significant digits survive a double. */
const MAX_PLAIN = 1e15;
const MICROS = 1e6;

/**
 * A finite double, as the shortest text that reads back the same (ECMAScript's Number::toString). Doubles of few
 * decimal places are written as integers of millionths: below 1e15 that text has at most 15 significant digits and so
 * is the shortest.
 */
export function writeDouble(bytes: Uint8Array, view: DataView, at: number, value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude < MAX_PLAIN) {
    const whole = Math.floor(value);
    if (whole === value) return writeInteger(bytes, view, at, value);
    const micros = Math.round(magnitude * MICROS);
    if (micros < MAX_PLAIN && micros / MICROS === magnitude && magnitude >= 1e-6) {
      let o = at;
      if (value < 0) bytes[o++] = 0x2d;
      o = writeDecimal(bytes, view, o, micros, 6);
      while (bytes[o - 1] === 0x30) o--;
      return o;
    }
  }
  return writeAscii(bytes, at, String(value));
}

export const MAX_DOUBLE_BYTES = 26;

export function writeAscii(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}
