/**
 * Byte strings that come and go, in large pieces of memory that are never moved. A string has an address; its owner
 * remembers the length. Freed room is used again for strings of about the same length (size classes, at most a quarter
 * apart).
 *
 * An address is the number of a piece × PIECE_BYTES + the place in it. A string larger than a quarter of a piece has a
 * piece of its own, of its own size.
 */
const PIECE_BITS = 20;
const PIECE_BYTES = 1 << PIECE_BITS;
const PLACE_MASK = PIECE_BYTES - 1;
const FIRST_PIECE_BYTES = 1 << 12;
/** So a piece more is little against what is held. */
const PIECES_PER_DOUBLING = 8;
const MAX_PIECES = 4096;
const OWN_PIECE_FROM = PIECE_BYTES >> 2;
const EMPTY = new Uint8Array(0);

export class BytesStore {
  readonly #pieces: Uint8Array[] = [];
  /** Numbers of pieces that were freed whole. */
  readonly #freePieces: number[] = [];
  /** Addresses by size class. */
  readonly #free: number[][] = [];
  /** The piece that is being filled, and how far it is. */
  #filling = -1;
  #used = 0;
  #sizeBytes = 0;

  /** Memory held. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Copies data[start .. end) and returns its address. */
  store(data: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const address = this.#allocate(length);
    if (length === 0) return address;
    const piece = this.piece(address);
    const at = address & PLACE_MASK;
    // A call to set() costs more than a few bytes.
    if (length <= 16) for (let i = 0; i < length; i++) piece[at + i] = data[start + i] as number;
    else piece.set(data.subarray(start, end), at);
    return address;
  }

  free(address: number, length: number): void {
    if (length === 0) return;
    if (length > OWN_PIECE_FROM) {
      const number = address >>> PIECE_BITS;
      this.#sizeBytes -= this.piece(address).length;
      this.#pieces[number] = EMPTY;
      this.#freePieces.push(number);
      return;
    }
    const sizeClass = classOf(length);
    let list = this.#free[sizeClass];
    if (list === undefined) {
      while (this.#free.length <= sizeClass) this.#free.push([]);
      list = this.#free[sizeClass] as number[];
    }
    list.push(address);
  }

  /** The memory in which the string stands, from place(address) on. */
  piece(address: number): Uint8Array {
    return this.#pieces[address >>> PIECE_BITS] as Uint8Array;
  }

  place(address: number): number {
    return address & PLACE_MASK;
  }

  /** Whether the string of `length` bytes at the address is data[start .. start + length). */
  equals(address: number, length: number, data: Uint8Array, start: number): boolean {
    if (length === 0) return true;
    const piece = this.piece(address);
    const at = address & PLACE_MASK;
    for (let i = 0; i < length; i++) if (piece[at + i] !== data[start + i]) return false;
    return true;
  }

  #allocate(length: number): number {
    if (length === 0) return 0;
    if (length > OWN_PIECE_FROM) return this.#addPiece(length) * PIECE_BYTES;
    const sizeClass = classOf(length);
    const list = this.#free[sizeClass];
    if (list !== undefined && list.length > 0) return list.pop() as number;
    const size = sizeOf(sizeClass);
    if (this.#filling < 0 || this.#used + size > (this.#pieces[this.#filling] as Uint8Array).length) {
      const share = Math.floor(this.#sizeBytes / PIECES_PER_DOUBLING);
      this.#filling = this.#addPiece(Math.min(PIECE_BYTES, Math.max(FIRST_PIECE_BYTES, share, size)));
      this.#used = 0;
    }
    const address = this.#filling * PIECE_BYTES + this.#used;
    this.#used += size;
    return address;
  }

  #addPiece(size: number): number {
    const number = this.#freePieces.pop() ?? this.#pieces.length;
    if (number >= MAX_PIECES) throw new RangeError('more than 4 GiB of keys or values in one step of one subtask');
    this.#pieces[number] = new Uint8Array(size);
    this.#sizeBytes += size;
    return number;
  }
}

/** 8, 16, … 64, then four sizes per doubling: 80, 96, 112, 128, 160, … */
function classOf(length: number): number {
  if (length <= 64) return (length + 7) >> 3;
  const doubling = 31 - Math.clz32(length - 1);
  return 8 + (doubling - 6) * 4 + (((length - 1) >> (doubling - 2)) & 3) + 1;
}

function sizeOf(sizeClass: number): number {
  if (sizeClass <= 8) return sizeClass * 8;
  const above = sizeClass - 9;
  const doubling = 6 + (above >> 2);
  return (1 << doubling) + ((above & 3) + 1) * (1 << (doubling - 2));
}
