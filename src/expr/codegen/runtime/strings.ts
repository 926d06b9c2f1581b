/**
 * String functions on UTF-8 slices. They return offsets; results that are parts of their argument stay where they are.
 * All assume valid UTF-8, whose bytes below 128 are ASCII characters and nothing else.
 */
import { codePointCount, codePointOffset, indexOfBytes, startsWith, endsWith } from './bytes.ts';
import type { Scratch } from './scratch.ts';
import { decodeText, encodeText } from './text.ts';

/** Upper case into the scratch: where it starts; `scratch.used` is its end. */
export function upperSlice(scratch: Scratch, data: Uint8Array, start: number, end: number): number {
  const target = scratch.reserve(end - start);
  const bytes = scratch.data;
  for (let i = start, to = target; i < end; i++, to++) {
    const byte = data[i] as number;
    if (byte > 127) {
      scratch.used = target;
      return encodeText(scratch, decodeText(data, start, end).toUpperCase());
    }
    bytes[to] = byte >= 0x61 && byte <= 0x7a ? byte - 32 : byte;
  }
  return target;
}

/** As upperSlice. */
export function lowerSlice(scratch: Scratch, data: Uint8Array, start: number, end: number): number {
  const target = scratch.reserve(end - start);
  const bytes = scratch.data;
  for (let i = start, to = target; i < end; i++, to++) {
    const byte = data[i] as number;
    if (byte > 127) {
      scratch.used = target;
      return encodeText(scratch, decodeText(data, start, end).toLowerCase());
    }
    bytes[to] = byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte;
  }
  return target;
}

/** Where SUBSTRING(text FROM from) starts: from 1, 0 is 1, negative from the end; `end` where it is empty. */
export function substringStart(data: Uint8Array, start: number, end: number, from: number): number {
  if (from > 0) return codePointOffset(data, start, end, from - 1);
  if (from === 0) return start;
  const first = codePointCount(data, start, end) + from;
  return first < 0 ? end : codePointOffset(data, start, end, first);
}

/** The end of `count` code points from `start` on; `start` where the count is not positive. */
export function countedEnd(data: Uint8Array, start: number, end: number, count: number): number {
  // Every code point has a byte at least.
  return count >= end - start ? end : codePointOffset(data, start, end, count);
}

/** The start of the last `count` code points. */
export function lastStart(data: Uint8Array, start: number, end: number, count: number): number {
  if (count >= end - start) return start;
  let at = end;
  for (let left = count; left > 0 && at > start; left--) {
    at--;
    while (at > start && ((data[at] as number) & 0xc0) === 0x80) at--;
  }
  return at;
}

const BLANK = 0x20;

export function blanksEnd(data: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && data[at] === BLANK) at++;
  return at;
}

export function blanksStart(data: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && data[at - 1] === BLANK) at--;
  return at;
}

/**
 * Where the piece behind the next `count` separators starts, or -1 where there are fewer. `start` is the start of a
 * piece; the separator is not empty.
 */
export function pieceStart(
  data: Uint8Array,
  start: number,
  end: number,
  separator: Uint8Array,
  separatorStart: number,
  separatorEnd: number,
  count: number,
): number {
  if (separatorEnd - separatorStart === 1)
    return pieceStartByte(data, start, end, separator[separatorStart] as number, count);
  let at = start;
  for (let left = count; left > 0; left--) {
    at = indexOfBytes(data, at, end, separator, separatorStart, separatorEnd);
    if (at < 0) return -1;
    at += separatorEnd - separatorStart;
  }
  return at;
}

function pieceStartByte(data: Uint8Array, start: number, end: number, separator: number, count: number): number {
  if (count === 0) return start;
  let left = count;
  for (let at = start; at < end; at++) {
    if (data[at] === separator && --left === 0) return at + 1;
  }
  return -1;
}

/** Where the piece that starts at `start` ends; -1 for `start` -1. */
export function pieceEnd(
  data: Uint8Array,
  start: number,
  end: number,
  separator: Uint8Array,
  separatorStart: number,
  separatorEnd: number,
): number {
  if (start < 0) return -1;
  if (separatorEnd - separatorStart === 1) {
    const byte = separator[separatorStart];
    for (let at = start; at < end; at++) if (data[at] === byte) return at;
    return end;
  }
  const at = indexOfBytes(data, start, end, separator, separatorStart, separatorEnd);
  return at < 0 ? end : at;
}

/** How many pieces a separator cuts a text into; the separator is not empty. */
export function pieceCount(
  data: Uint8Array,
  start: number,
  end: number,
  separator: Uint8Array,
  separatorStart: number,
  separatorEnd: number,
): number {
  let count = 1;
  const step = separatorEnd - separatorStart;
  for (let at = start; ; at += step, count++) {
    at = indexOfBytes(data, at, end, separator, separatorStart, separatorEnd);
    if (at < 0) return count;
  }
}

/** SPLIT_INDEX for separators that are not known beforehand: where the piece starts, or -1 for NULL. */
export function splitStart(
  data: Uint8Array,
  start: number,
  end: number,
  separator: Uint8Array,
  separatorStart: number,
  separatorEnd: number,
  index: number,
): number {
  if (index < 0 || start === end) return -1;
  if (separatorStart === separatorEnd) return index === 0 ? start : -1;
  return pieceStart(data, start, end, separator, separatorStart, separatorEnd, index);
}

/** As pieceEnd, where an empty separator ends no piece. */
export function splitEnd(
  data: Uint8Array,
  start: number,
  end: number,
  separator: Uint8Array,
  separatorStart: number,
  separatorEnd: number,
): number {
  if (separatorStart === separatorEnd) return end;
  return pieceEnd(data, start, end, separator, separatorStart, separatorEnd);
}

/** The position of a part, in code points from 1; 0 where it does not occur. */
export function positionOf(
  data: Uint8Array,
  start: number,
  end: number,
  part: Uint8Array,
  partStart: number,
  partEnd: number,
): number {
  const at = indexOfBytes(data, start, end, part, partStart, partEnd);
  return at < 0 ? 0 : codePointCount(data, start, at) + 1;
}

/** Copies a slice to `at` of the scratch's bytes, which are reserved; returns the end. */
export function copySlice(target: Uint8Array, at: number, data: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > 32) target.set(data.subarray(start, end), at);
  else for (let i = 0; i < length; i++) target[at + i] = data[start + i] as number;
  return at + length;
}

/** A LIKE pattern without `_`: pieces of text with anything between them. */
export class PieceMatcher {
  readonly #pieces: readonly Uint8Array[];
  readonly #isAnchoredStart: boolean;
  readonly #isAnchoredEnd: boolean;

  /** The pattern begins (ends) with its first (last) piece unless anything may stand before (behind) it. */
  constructor(pieces: readonly Uint8Array[], isAnchoredStart: boolean, isAnchoredEnd: boolean) {
    this.#pieces = pieces;
    this.#isAnchoredStart = isAnchoredStart;
    this.#isAnchoredEnd = isAnchoredEnd;
  }

  matches(data: Uint8Array, start: number, end: number): boolean {
    const pieces = this.#pieces;
    let from = start;
    let to = end;
    let first = 0;
    let last = pieces.length;
    if (this.#isAnchoredStart) {
      const piece = pieces[first++] as Uint8Array;
      if (!startsWith(data, from, to, piece, 0, piece.length)) return false;
      from += piece.length;
    }
    if (this.#isAnchoredEnd) {
      const piece = pieces[--last] as Uint8Array;
      if (!endsWith(data, from, to, piece, 0, piece.length)) return false;
      to -= piece.length;
    }
    for (; first < last; first++) {
      const piece = pieces[first] as Uint8Array;
      const at = indexOfBytes(data, from, to, piece, 0, piece.length);
      if (at < 0) return false;
      from = at + piece.length;
    }
    return true;
  }
}
