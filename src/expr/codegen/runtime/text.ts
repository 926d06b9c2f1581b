/** UTF-8 to JavaScript strings and back, fast for the short ASCII texts that records are made of. */
import { Buffer } from 'node:buffer';
import type { Scratch } from './scratch.ts';

/** Works on any Uint8Array, without a Buffer around it. */
const utf8Slice = (Buffer.prototype as unknown as Record<'utf8Slice', Utf8Slice>).utf8Slice;
type Utf8Slice = (this: Uint8Array, start: number, end: number) => string;
const encoder = new TextEncoder();

/** Below this many bytes a loop is faster than a call into Node. */
const SHORT = 12;

/** `data[start .. end)` as a string. */
export function decodeText(data: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT) return utf8Slice.call(data, start, end);
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = data[i] as number;
    if (byte > 127) return utf8Slice.call(data, start, end);
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Puts the UTF-8 of `text` at the end of the scratch; returns where it starts, `scratch.used` is its end. */
export function encodeText(scratch: Scratch, text: string): number {
  const { length } = text;
  const start = scratch.reserve(length * 3);
  const { data } = scratch;
  if (length > 64) {
    scratch.used = start + encoder.encodeInto(text, data.subarray(start)).written;
    return start;
  }
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 127) {
      scratch.used = start + encoder.encodeInto(text, data.subarray(start)).written;
      return start;
    }
    data[start + i] = unit;
  }
  scratch.used = start + length;
  return start;
}

/** Puts the decimal digits of a safe integer at the end of the scratch, as encodeText does. */
export function encodeInteger(scratch: Scratch, value: number): number {
  const start = scratch.reserve(17);
  const { data } = scratch;
  let at = start;
  let rest = value;
  if (rest < 0) {
    data[at++] = 0x2d;
    rest = -rest;
  }
  let digits = 1;
  for (let power = 10; digits < 16 && rest >= power; power *= 10) digits++;
  const end = at + digits;
  for (let i = end - 1; i >= at; i--) {
    const next = Math.trunc(rest / 10);
    data[i] = 0x30 + (rest - next * 10);
    rest = next;
  }
  scratch.used = end;
  return start;
}
