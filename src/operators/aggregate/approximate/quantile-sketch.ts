/**
 * Quantiles with a bounded relative error: DDSketch (Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile
 * sketch with relative-error guarantees", PVLDB 12(12), 2019). Bin i counts values in (γ^(i-1), γ^i], of either sign,
 * with γ = (1 + α) / (1 - α): its middle is at most α away from each of them.
 *
 * There are so many bins of a sign at most; beyond that those nearest to zero are put together. What a multiset of
 * values leaves is the same in whatever order they came and however they were merged.
 */
import type { ByteReader } from '../../state/byte-reader.ts';
import type { ByteWriter } from '../../state/byte-writer.ts';

/** α: how far, as a share of it, a result may be from the value that is asked for. */
const RELATIVE_ERROR = 0.01;
const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);
/** They cover a range of e^41, 17 orders of magnitude. */
const MOST_BINS = 2048;
const MORE_BINS = 32;
/** What log() of a double can give, in bins, and room. */
const MOST_INDEX = 40_000;

export class QuantileSketch {
  readonly #negative = new Bins();
  readonly #positive = new Bins();
  /** -Infinity, 0, Infinity, NaN: which stand where a sort puts them, NaN as the greatest. */
  readonly #special = new Float64Array(4);
  #count = 0;

  get sizeBytes(): number {
    return this.#negative.sizeBytes + this.#positive.sizeBytes + 128;
  }

  get count(): number {
    return this.#count;
  }

  add(value: number): void {
    this.#count++;
    if (value > 0 && value < Infinity) this.#positive.add(indexOf(value), 1);
    else if (value < 0 && value > -Infinity) this.#negative.add(indexOf(-value), 1);
    else this.#special[specialOf(value)] = (this.#special[specialOf(value)] as number) + 1;
  }

  merge(other: QuantileSketch): void {
    this.#count += other.#count;
    this.#negative.merge(other.#negative);
    this.#positive.merge(other.#positive);
    other.#special.forEach((count, index) => {
      this.#special[index] = (this.#special[index] as number) + count;
    });
  }

  /** The value of rank floor(p (n - 1)) from 0; only where `count` is not 0. */
  quantile(p: number): number {
    const [infinitelySmall = 0, zeros = 0, infinitelyGreat = 0] = this.#special;
    let rank = Math.floor(p * (this.#count - 1)) - infinitelySmall;
    if (rank < 0) return -Infinity;
    if (rank < this.#negative.total) return -this.#negative.valueAt(this.#negative.total - 1 - rank);
    rank -= this.#negative.total;
    if (rank < zeros) return 0;
    rank -= zeros;
    if (rank < this.#positive.total) return this.#positive.valueAt(rank);
    return rank - this.#positive.total < infinitelyGreat ? Infinity : NaN;
  }

  encode(to: ByteWriter): void {
    for (const count of this.#special) to.varint(count);
    this.#negative.encode(to);
    this.#positive.encode(to);
  }

  decode(from: ByteReader): void {
    for (let index = 0; index < this.#special.length; index++) this.#special[index] = from.varint();
    this.#negative.decode(from);
    this.#positive.decode(from);
    this.#count = this.#special.reduce((sum, count) => sum + count, this.#negative.total + this.#positive.total);
  }
}

function indexOf(magnitude: number): number {
  return Math.ceil(Math.log(magnitude) / LOG_GAMMA);
}

function specialOf(value: number): number {
  if (value === 0) return 1;
  return value === -Infinity ? 0 : value === Infinity ? 2 : 3;
}

/** Counts by index, from `#first` on. */
class Bins {
  total = 0;
  #counts = new Float64Array(0);
  #first = 0;
  /** The greatest index that has a count. */
  #last = -Infinity;

  get sizeBytes(): number {
    return this.#counts.byteLength;
  }

  add(index: number, count: number): void {
    this.total += count;
    if (index > this.#last) this.#raiseLast(index);
    const place = Math.max(index, this.#last - MOST_BINS + 1);
    if (place < this.#first || place >= this.#first + this.#counts.length) this.#cover(place);
    const at = place - this.#first;
    this.#counts[at] = (this.#counts[at] as number) + count;
  }

  merge(other: Bins): void {
    other.#forEach((index, count) => {
      this.add(index, count);
    });
  }

  /** The middle of the bin in which the value of this rank lies, from 0. */
  valueAt(rank: number): number {
    let left = rank;
    let index = this.#first;
    for (const count of this.#counts) {
      left -= count;
      if (left < 0) break;
      index++;
    }
    // Not beyond the greatest double.
    return Math.min((2 * Math.exp(index * LOG_GAMMA)) / (GAMMA + 1), Number.MAX_VALUE);
  }

  /** Bins that are not empty: the distance from the one before, and the count. */
  encode(to: ByteWriter): void {
    let size = 0;
    this.#forEach(() => size++);
    to.varint(size);
    let before = -MOST_INDEX;
    this.#forEach((index, count) => {
      to.varint(index - before);
      to.varint(count);
      before = index;
    });
  }

  decode(from: ByteReader): void {
    let index = -MOST_INDEX;
    for (let left = from.count(); left > 0; left--) {
      index += from.varint();
      if (index > MOST_INDEX) from.fail('a sketch has no such bin');
      this.add(index, from.varint());
    }
  }

  #forEach(visit: (index: number, count: number) => void): void {
    this.#counts.forEach((count, place) => {
      if (count > 0) visit(this.#first + place, count);
    });
  }

  /** What is too far below the new last bin goes into the lowest that is kept. */
  #raiseLast(index: number): void {
    this.#last = index;
    const lowest = index - MOST_BINS + 1;
    if (this.#counts.length === 0 || this.#first >= lowest) return;
    const below = Math.min(lowest - this.#first, this.#counts.length);
    let count = 0;
    for (let place = 0; place < below; place++) count += this.#counts[place] as number;
    const kept = this.#counts.subarray(below);
    const counts = new Float64Array(Math.max(kept.length, 1));
    counts.set(kept);
    counts[0] = (counts[0] as number) + count;
    this.#counts = counts;
    this.#first = lowest;
  }

  /** Makes room for a bin, and for some more on its side. */
  #cover(place: number): void {
    const { length } = this.#counts;
    const [oldFirst, oldEnd] = length === 0 ? [place, place] : [this.#first, this.#first + length];
    const first = place < oldFirst ? place - MORE_BINS : oldFirst;
    const end = place >= oldEnd ? place + MORE_BINS : oldEnd;
    const counts = new Float64Array(end - first);
    counts.set(this.#counts, oldFirst - first);
    this.#counts = counts;
    this.#first = first;
  }
}
