/** Comparisons and searches of byte ranges. All ends are exclusive. */

export function bytesEqual(
  a: Uint8Array,
  startA: number,
  endA: number,
  b: Uint8Array,
  startB: number,
  endB: number,
): boolean {
  if (endA - startA !== endB - startB) return false;
  for (let i = startA, j = startB; i < endA; i++, j++) if (a[i] !== b[j]) return false;
  return true;
}

/** -1, 0 or 1 by unsigned byte, which for UTF-8 is the order of code points. */
export function compareSlices(
  a: Uint8Array,
  startA: number,
  endA: number,
  b: Uint8Array,
  startB: number,
  endB: number,
): number {
  const length = Math.min(endA - startA, endB - startB);
  for (let i = 0; i < length; i++) {
    const difference = (a[startA + i] as number) - (b[startB + i] as number);
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return Math.sign(endA - startA - (endB - startB));
}

export function startsWith(
  data: Uint8Array,
  start: number,
  end: number,
  prefix: Uint8Array,
  prefixStart: number,
  prefixEnd: number,
): boolean {
  const length = prefixEnd - prefixStart;
  if (end - start < length) return false;
  for (let i = 0; i < length; i++) if (data[start + i] !== prefix[prefixStart + i]) return false;
  return true;
}

export function endsWith(
  data: Uint8Array,
  start: number,
  end: number,
  suffix: Uint8Array,
  suffixStart: number,
  suffixEnd: number,
): boolean {
  const length = suffixEnd - suffixStart;
  if (end - start < length) return false;
  for (let i = 1; i <= length; i++) if (data[end - i] !== suffix[suffixEnd - i]) return false;
  return true;
}

/** Where `needle` first stands in `data[start .. end)`, or -1; an empty needle stands at the start. */
export function indexOfBytes(
  data: Uint8Array,
  start: number,
  end: number,
  needle: Uint8Array,
  needleStart: number,
  needleEnd: number,
): number {
  const length = needleEnd - needleStart;
  if (length === 0) return start;
  const first = needle[needleStart];
  const last = end - length;
  for (let at = start; at <= last; at++) {
    if (data[at] !== first) continue;
    let i = 1;
    while (i < length && data[at + i] === needle[needleStart + i]) i++;
    if (i === length) return at;
  }
  return -1;
}

/** The number of code points of valid UTF-8: all bytes but continuations. */
export function codePointCount(data: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if (((data[i] as number) & 0xc0) !== 0x80) count++;
  return count;
}

/** The offset of code point `index` (from 0), or `end` where there are fewer. */
export function codePointOffset(data: Uint8Array, start: number, end: number, index: number): number {
  let at = start;
  for (let left = index; left > 0 && at < end; left--) {
    at++;
    while (at < end && ((data[at] as number) & 0xc0) === 0x80) at++;
  }
  return at;
}

/** A set of byte strings, open-addressed, made once from literals. */
export class ByteSet {
  readonly #slots: (Uint8Array | null)[];
  readonly #mask: number;

  constructor(members: readonly Uint8Array[]) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(4, members.length * 3)));
    this.#mask = size - 1;
    this.#slots = new Array<Uint8Array | null>(size).fill(null);
    for (const member of members) {
      let slot = hashBytes(member, 0, member.length) & this.#mask;
      while (this.#slots[slot] !== null) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = member;
    }
  }

  has(data: Uint8Array, start: number, end: number): boolean {
    let slot = hashBytes(data, start, end) & this.#mask;
    for (;;) {
      const member = this.#slots[slot] as Uint8Array | null;
      if (member === null) return false;
      if (bytesEqual(member, 0, member.length, data, start, end)) return true;
      slot = (slot + 1) & this.#mask;
    }
  }
}

function hashBytes(data: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (data[i] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
