/**
 * Sums of doubles per slot without any rounding, so that a value that is taken away leaves no trace: an integer and the
 * power of two that it is multiplied with. Values of like size make it some 60 to 100 bits long. What is not finite is
 * counted beside it.
 */
import type { ByteReader } from '../../state/byte-reader.ts';
import type { ByteWriter } from '../../state/byte-writer.ts';
import { grown } from '../../state/grown.ts';

/** How often a slot has seen what has no digits. */
interface Specials {
  nans: number;
  positives: number;
  negatives: number;
}

const HIDDEN_BIT = 0x100000;
/** Of the least bit that a double can have. */
const LEAST_EXPONENT = -1074;
const MOST_EXPONENT = 971;

/** Long integers are written in pieces, low ones first: in bits, and in hexadecimal digits. */
const LIMB_BITS = 64n;
const LIMB_DIGITS = 16;

const view = new DataView(new ArrayBuffer(8));

export class ExactDoubleSums {
  readonly #digits: bigint[] = [];
  #exponents = new Int32Array(0);
  readonly #specials = new Map<number, Specials>();

  get sizeBytes(): number {
    return this.#digits.length * 32 + this.#exponents.byteLength + this.#specials.size * 64;
  }

  reserve(slotCount: number): void {
    while (this.#digits.length < slotCount) this.#digits.push(0n);
    this.#exponents = grown(this.#exponents, slotCount);
  }

  /** Adds the value `times` (1 or -1) times. */
  add(slot: number, value: number, times: 1 | -1): void {
    if (!Number.isFinite(value)) {
      this.#addSpecial(slot, value, times);
      return;
    }
    if (value === 0) return;
    view.setFloat64(0, value);
    const high = view.getUint32(0);
    const biased = (high >>> 20) & 0x7ff;
    const upper = (high & (HIDDEN_BIT - 1)) + (biased === 0 ? 0 : HIDDEN_BIT);
    const digits = BigInt(upper * 2 ** 32 + view.getUint32(4));
    const isAdded = value > 0 === times > 0;
    this.#addDigits(slot, isAdded ? digits : -digits, Math.max(biased, 1) - 1 + LEAST_EXPONENT);
  }

  /** The sum, rounded once. */
  sum(slot: number): number {
    const specials = this.#specials.get(slot);
    if (specials !== undefined) {
      const { nans, positives, negatives } = specials;
      return nans > 0 || (positives > 0 && negatives > 0) ? NaN : positives > 0 ? Infinity : -Infinity;
    }
    return rounded(this.#digits[slot] as bigint, this.#exponents[slot] as number);
  }

  clear(slot: number): void {
    this.#digits[slot] = 0n;
    this.#specials.delete(slot);
  }

  encode(slot: number, to: ByteWriter): void {
    const { nans, positives, negatives } = this.#specials.get(slot) ?? { nans: 0, positives: 0, negatives: 0 };
    to.varint(nans);
    to.varint(positives);
    to.varint(negatives);
    to.varint((this.#exponents[slot] as number) - LEAST_EXPONENT);
    const digits = this.#digits[slot] as bigint;
    to.byte(digits < 0n ? 1 : 0);
    let rest = digits < 0n ? -digits : digits;
    to.varint(rest === 0n ? 0 : Math.ceil(rest.toString(16).length / LIMB_DIGITS));
    for (; rest > 0n; rest >>= LIMB_BITS) to.integer(0, BigInt.asUintN(64, rest));
  }

  decode(slot: number, from: ByteReader): void {
    const [nans, positives, negatives] = [from.varint(), from.varint(), from.varint()];
    if (nans + positives + negatives > 0) this.#specials.set(slot, { nans, positives, negatives });
    const exponent = from.varint() + LEAST_EXPONENT;
    if (exponent > MOST_EXPONENT) from.fail('a sum has an exponent that no double has');
    this.#exponents[slot] = exponent;
    const isNegative = from.byte() === 1;
    let digits = 0n;
    const limbs = from.count();
    for (let limb = 0; limb < limbs; limb++) digits |= from.integer() << (BigInt(limb) * LIMB_BITS);
    this.#digits[slot] = isNegative ? -digits : digits;
  }

  #addDigits(slot: number, digits: bigint, exponent: number): void {
    const before = this.#digits[slot] as bigint;
    const kept = this.#exponents[slot] as number;
    if (before === 0n) {
      this.#digits[slot] = digits;
      this.#exponents[slot] = exponent;
    } else if (exponent >= kept) {
      this.#digits[slot] = before + (digits << BigInt(exponent - kept));
    } else {
      this.#digits[slot] = (before << BigInt(kept - exponent)) + digits;
      this.#exponents[slot] = exponent;
    }
  }

  #addSpecial(slot: number, value: number, times: 1 | -1): void {
    const specials = this.#specials.get(slot) ?? { nans: 0, positives: 0, negatives: 0 };
    if (value !== value) specials.nans += times;
    else if (value > 0) specials.positives += times;
    else specials.negatives += times;
    if (specials.nans === 0 && specials.positives === 0 && specials.negatives === 0) this.#specials.delete(slot);
    else this.#specials.set(slot, specials);
  }
}

/** digits × 2^exponent, to the nearest double, ties to even. */
function rounded(digits: bigint, exponent: number): number {
  const isNegative = digits < 0n;
  const absolute = isNegative ? -digits : digits;
  // Of more than 64 bits the highest 61 to 64 decide, and whether any below is set.
  const dropped = absolute.toString(16).length * 4 - 64;
  let value: number;
  if (dropped <= 0) {
    value = Number(absolute) * 2 ** exponent;
  } else {
    const top = absolute >> BigInt(dropped);
    const isExact = top << BigInt(dropped) === absolute;
    value = Number(isExact ? top : top | 1n) * 2 ** (exponent + dropped);
  }
  return isNegative ? -value : value;
}
