import { isUtf8 } from 'node:buffer';
import { formatErrors } from './errors.ts';

/** Shorter ranges are looked at here; a call into native code costs as much as about this many bytes. */
const NATIVE_BYTES = 64;

/** Fails where bytes[start .. end) is no well-formed UTF-8; positions in messages count from `recordStart`. */
export function checkUtf8(bytes: Uint8Array, start: number, end: number, recordStart: number): void {
  if (end - start < NATIVE_BYTES) {
    let p = start;
    while (p < end && (bytes[p] as number) < 0x80) p++;
    if (p === end) return;
  } else if (isUtf8(bytes.subarray(start, end))) {
    return;
  }
  const invalid = findInvalidUtf8(bytes, start, end);
  if (invalid < 0) return;
  const problem = `0x${(bytes[invalid] as number).toString(16)} begins no character`;
  throw formatErrors.create('MR-FORMAT-UTF8', { problem, position: invalid - recordStart });
}

/**
 * The length of the well-formed UTF-8 sequence that begins at `p` with a byte ≥ 0x80 and ends before `end`, or 0 where
 * there is none (Unicode 16, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
 */
export function utf8SequenceLength(bytes: Uint8Array, p: number, end: number): number {
  const lead = bytes[p] as number;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (p + length > end) return 0;
  const second = bytes[p + 1] as number;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if (((bytes[p + i] as number) & 0xc0) !== 0x80) return 0;
  return length;
}

/** The position of the first byte of [start, end) that is not part of well-formed UTF-8, or -1. */
function findInvalidUtf8(bytes: Uint8Array, start: number, end: number): number {
  let p = start;
  while (p < end) {
    if ((bytes[p] as number) < 0x80) {
      p++;
      continue;
    }
    const length = utf8SequenceLength(bytes, p, end);
    if (length === 0) return p;
    p += length;
  }
  return -1;
}
