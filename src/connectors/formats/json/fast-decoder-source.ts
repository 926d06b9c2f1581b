/**
 * Generates the decoder of records in their usual shape as WebAssembly, which has what JavaScript lacks: 16 bytes at
 * once and 64-bit integers. It works on a copy of a chunk of records in its own memory and stops before a record that
 * it does not know to handle: another order of keys, an escape, a number of many digits, a mistake. The generated
 * JavaScript (decoder-source.ts) does that record; so this code accepts only what is valid beyond doubt.
 *
 *     for each record i from `from` to `to`:
 *       for each slot of the layout: its literal at p?  no → the field is missing, NULL; go on with the next slot
 *                                                       yes → the value, of the usual shape
 *       the closing brace, and nothing behind it?  no → return i
 *
 * Nothing is checked against the end of the record on the way: the bytes are followed by zeros, which no loop passes,
 * p only ever grows, and at the end it must be exactly where the record ends.
 */
import type { DataType, Field } from '../../../core/index.ts';
import { viewOf } from '../byte-view.ts';
import { MAX_FAST_SLOTS, Place, type FastMemory, type TargetPlace } from './fast-memory.ts';
import type { LayoutSlot, RecordLayout } from './record-layout.ts';
import {
  block, branch, branchIf, call, f64, get, i32, i64, loop, newLabel, select, set, v128, WasmLocals, wasmModule,
  wasmType, when,
  type WasmCode, type WasmLabel,
} from './wasm-code.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CLOSE_BRACE = 0x7d;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
/** `null`, `true` and `alse` as little-endian words. */
const NULL_WORD = 0x6c6c756e;
const TRUE_WORD = 0x65757274;
const ALSE_WORD = 0x65736c61;

const ZEROS = 0x3030303030303030n;
/** Added to a byte of 0 to 9 it leaves the high bit clear, to others that have it clear it sets it. */
const ABOVE_NINE = 0x7676767676767676n;
const HIGH_BITS = 0x8080808080808080n;
/** `:00.000Z` and, for each byte, what sets the high bit where it is not as there, or no digit. */
const MILLIS_TEXT = 0x5a3030302e30303an;
const MILLIS_CHECK = 0x7f7676767f76767fn;
const SECOND_TEXT = 0x5a30303a;
const SECOND_CHECK = 0x7f76767f;
/** Digits that are exact in a double whatever they are. */
const MAX_DIGITS = 15;
const MINUTE_IMPORT = 0;

/** Whether the fast decoder knows such a layout and all fields that are wanted. */
export function isFastShape(targets: readonly Field[], layout: RecordLayout): boolean {
  return (
    layout.length > 0 &&
    layout.length <= MAX_FAST_SLOTS &&
    layout.every(({ literal }) => literal.length >= 4) &&
    targets.every(({ type }) => isFastType(type))
  );
}

function isFastType(type: DataType): boolean {
  switch (type.kind) {
    case 'string':
    case 'int':
    case 'long':
    case 'double':
    case 'float':
    case 'boolean':
    case 'timestamp':
      return true;
    case 'decimal':
      return type.scale < MAX_DIGITS;
    default:
      return false;
  }
}

/** Imports `env.memory` and `env.minute(p)`; exports `run(from, to, delta)`. */
export function fastDecoderModule(
  targets: readonly Field[],
  layout: RecordLayout,
  memory: FastMemory,
): Uint8Array<ArrayBuffer> {
  return new FastDecoderSource(targets, layout, memory).build();
}

class FastDecoderSource {
  readonly #targets: readonly Field[];
  readonly #layout: RecordLayout;
  readonly #memory: FastMemory;
  /** Parameters: the record, the one to stop before, and what a record's positions differ from those in the memory. */
  readonly #i = 0;
  readonly #to = 1;
  readonly #delta = 2;
  readonly #locals = new WasmLocals(3);
  readonly #p = this.#locals.fresh(wasmType.i32);
  readonly #q = this.#locals.fresh(wasmType.i32);
  readonly #word = this.#locals.fresh(wasmType.i64);
  readonly #short = this.#locals.fresh(wasmType.i32);
  readonly #isNegative = this.#locals.fresh(wasmType.i32);
  /** Of the digits read last: how many, and their value. */
  readonly #count = this.#locals.fresh(wasmType.i32);
  readonly #more = this.#locals.fresh(wasmType.i32);
  readonly #value = this.#locals.fresh(wasmType.f64);
  readonly #whole = this.#locals.fresh(wasmType.f64);
  readonly #wholeCount = this.#locals.fresh(wasmType.i32);
  readonly #found = this.#locals.fresh(wasmType.i32);
  readonly #bytes = this.#locals.fresh(wasmType.v128);
  readonly #quotes = this.#locals.fresh(wasmType.v128);
  readonly #backslashes = this.#locals.fresh(wasmType.v128);
  readonly #spaces = this.#locals.fresh(wasmType.v128);
  readonly #minute = this.#locals.fresh(wasmType.v128);
  /** Where a record is left that is not of the usual shape. */
  readonly #unusual = newLabel();

  constructor(targets: readonly Field[], layout: RecordLayout, memory: FastMemory) {
    this.#targets = targets;
    this.#layout = layout;
    this.#memory = memory;
  }

  build(): Uint8Array<ArrayBuffer> {
    const records = newLabel();
    const { starts, ends } = this.#memory;
    const [i, p] = [this.#i, this.#p];
    const at = i32.shl(get(i), i32.const(2));
    const body: WasmCode = [
      set(this.#quotes, v128.splat8(QUOTE)),
      set(this.#backslashes, v128.splat8(BACKSLASH)),
      set(this.#spaces, v128.splat8(0x20)),
      set(this.#minute, v128.load(i32.const(Place.minute))),
      block(
        this.#unusual,
        loop(
          records,
          branchIf(this.#unusual, i32.geS(get(i), get(this.#to))),
          set(p, i32.load(at, starts)),
          // A tombstone.
          branchIf(this.#unusual, i32.ltS(get(p), i32.const(0))),
          set(p, i32.add(get(p), get(this.#delta))),
          this.#layout.map((slot, index) => this.#slot(slot, index)),
          this.#unless(i32.eq(i32.load8(get(p)), i32.const(CLOSE_BRACE))),
          this.#unless(
            i32.eq(i32.add(get(p), i32.const(1)), i32.add(i32.load(at, ends), get(this.#delta))),
          ),
          set(i, i32.add(get(i), i32.const(1))),
          branch(records),
        ),
      ),
      get(i),
    ];
    const params = [wasmType.i32, wasmType.i32, wasmType.i32];
    const imports = [{ name: 'minute', params: [wasmType.i32], results: [wasmType.i32] }];
    return wasmModule(imports, { params, locals: this.#locals, body });
  }

  /** Leaves the record unless the condition holds. */
  #unless(condition: WasmCode): WasmCode {
    return branchIf(this.#unusual, i32.eqz(condition));
  }

  #advance(count: WasmCode): WasmCode {
    return set(this.#p, i32.add(get(this.#p), count));
  }

  #slot(slot: LayoutSlot, index: number): WasmCode {
    const [done, absent] = [newLabel(), newLabel()];
    const isKnown = slot.target >= 0;
    const place = this.#memory.targets[slot.target];
    const present: WasmCode = [
      // The first literal has the opening brace, so it has to be there.
      this.#literal(slot.literal, index === 0 ? this.#unusual : absent),
      isKnown && place !== undefined ? this.#field((this.#targets[slot.target] as Field).type, place) : this.#skip(),
    ];
    if (index === 0) return present;
    return block(done, block(absent, present, branch(done)), place === undefined ? [] : this.#null(place));
  }

  #literal(literal: Uint8Array, absent: WasmLabel): WasmCode {
    const { length } = literal;
    const constants = viewOf(literal);
    const checks: WasmCode[] = [];
    const eight = (at: number): WasmCode =>
      branchIf(absent, i64.ne(i64.load(get(this.#p), at), i64.const(constants.getBigInt64(at, true))));
    const four = (at: number): WasmCode =>
      branchIf(absent, i32.ne(i32.load(get(this.#p), at), i32.const(constants.getInt32(at, true))));
    let at = 0;
    for (; at + 8 <= length; at += 8) checks.push(eight(at));
    if (at < length && length >= 8) checks.push(eight(length - 8));
    else if (at < length) checks.push(four(0), length > 4 ? four(length - 4) : []);
    return [checks, this.#advance(i32.const(length))];
  }

  #null({ nulls, anyNull }: TargetPlace): WasmCode {
    return [i32.store8(get(this.#i), i32.const(1), nulls), i32.store(i32.const(0), i32.const(1), anyNull)];
  }

  /** What stands where no value of the expected type does: `null`, or something unusual. */
  #nullWord(place: TargetPlace | null): WasmCode {
    return [
      this.#unless(i32.eq(i32.load(get(this.#p)), i32.const(NULL_WORD))),
      place === null ? [] : this.#null(place),
      this.#advance(i32.const(4)),
    ];
  }

  #field(type: DataType, place: TargetPlace): WasmCode {
    const [done, other] = [newLabel(), newLabel()];
    return block(
      done,
      block(other, this.#typed(type, place, other, done), branch(done)),
      this.#nullWord(place),
    );
  }

  /** The value at p; to `other` where no value of the type begins there. */
  #typed(type: DataType, place: TargetPlace, other: WasmLabel, done: WasmLabel): WasmCode {
    switch (type.kind) {
      case 'string':
        return this.#string(place, other);
      case 'boolean':
        return this.#boolean(place, other);
      case 'timestamp':
        return this.#timestamp(place, other, done);
      case 'int':
        return this.#int(place, other);
      case 'long':
        return this.#long(place, other);
      default:
        return this.#fraction(type, place, other);
    }
  }

  #isQuote(at = 0): WasmCode {
    return i32.eq(i32.load8(get(this.#p), at), i32.const(QUOTE));
  }

  #string(place: TargetPlace, other: WasmLabel): WasmCode {
    const at = i32.shl(get(this.#i), i32.const(2));
    const position = i32.sub(get(this.#p), get(this.#delta));
    return [
      branchIf(other, i32.eqz(this.#isQuote())),
      this.#advance(i32.const(1)),
      i32.store(at, position, place.values),
      this.#toEndOfString(),
      i32.store(at, position, place.ends),
      this.#advance(i32.const(1)),
    ];
  }

  /** Moves p to the closing quote. Escapes, control characters and what is not ASCII are unusual. */
  #toEndOfString(): WasmCode {
    const [more, p, bytes] = [newLabel(), this.#p, this.#bytes];
    // Compared as signed bytes, what is not ASCII is less than a space, too.
    const special = v128.or(
      v128.or(v128.eq8(get(bytes), get(this.#quotes)), v128.eq8(get(bytes), get(this.#backslashes))),
      v128.ltS8(get(bytes), get(this.#spaces)),
    );
    return [
      loop(
        more,
        set(bytes, v128.load(get(p))),
        set(this.#found, v128.bitmask8(special)),
        when(i32.eqz(get(this.#found)), [this.#advance(i32.const(16)), branch(more)]),
      ),
      this.#advance(i32.ctz(get(this.#found))),
      this.#unless(this.#isQuote()),
    ];
  }

  #boolean(place: TargetPlace, other: WasmLabel): WasmCode {
    const isTrue = i32.eq(i32.load(get(this.#p)), i32.const(TRUE_WORD));
    const isFalse = i32.and(
      i32.eq(i32.load(get(this.#p), 1), i32.const(ALSE_WORD)),
      i32.eq(i32.load8(get(this.#p)), i32.const(0x66)),
    );
    return when(isTrue, [i32.store8(get(this.#i), i32.const(1), place.values), this.#advance(i32.const(4))], [
      branchIf(other, i32.eqz(isFalse)),
      i32.store8(get(this.#i), i32.const(0), place.values),
      this.#advance(i32.const(5)),
    ]);
  }

  /**
   * Reads up to 15 digits at q: #count of them, with #value. Eight at once: bytes become digits, the first byte that is
   * none is found, those behind it are shifted out, and three multiplications put pairs, fours and eights together.
   */
  #digits(): WasmCode {
    const [word, count, more, value, q] = [this.#word, this.#count, this.#more, this.#value, this.#q];
    const read = (offset: number, into: number): WasmCode => [
      set(word, i64.xor(i64.load(get(q), offset), i64.const(ZEROS))),
      set(into, i32.shrU(i32.wrap(i64.ctz(highBits(get(word), ABOVE_NINE))), i32.const(3))),
    ];
    const shift = (digitCount: number): WasmCode =>
      i64.shl(get(word), i64.extend(i32.shl(i32.sub(i32.const(8), get(digitCount)), i32.const(3))));
    return [
      read(0, count),
      when(
        i32.eq(get(count), i32.const(8)),
        [
          set(value, f64.fromI64(eightDigits(get(word)))),
          read(8, more),
          this.#unless(i32.ltU(get(more), i32.const(8))),
          when(get(more), [
            set(value, f64.add(f64.mul(get(value), this.#power(get(more))), f64.fromI64(eightDigits(shift(more))))),
            set(count, i32.add(get(count), get(more))),
          ]),
        ],
        set(value, f64.fromI64(eightDigits(shift(count)))),
      ),
    ];
  }

  #power(exponent: WasmCode): WasmCode {
    return f64.load(i32.shl(exponent, i32.const(3)), Place.powers);
  }

  /** The sign and the digits before a point; `other` where there is neither. Leaves q at the first digit. */
  #signedDigits(other: WasmLabel): WasmCode {
    return [
      set(this.#isNegative, i32.eq(i32.load8(get(this.#p)), i32.const(MINUS))),
      set(this.#q, i32.add(get(this.#p), get(this.#isNegative))),
      this.#digits(),
      branchIf(other, i32.eqz(get(this.#count))),
      when(i32.gtU(get(this.#count), i32.const(1)), [
        this.#unless(i32.ne(i32.load8(get(this.#q)), i32.const(ZERO))),
      ]),
    ];
  }

  #behindDigits(): WasmCode {
    return set(this.#p, i32.add(get(this.#q), get(this.#count)));
  }

  /** Never a negative zero, but where `keepsSign`. */
  #signed(value: number, keepsSign = false): WasmCode {
    const negated = keepsSign ? f64.neg(get(value)) : f64.sub(f64.const(0), get(value));
    return select(get(this.#isNegative), negated, get(value));
  }

  #storeDouble(place: TargetPlace, value: WasmCode): WasmCode {
    return f64.store(i32.shl(get(this.#i), i32.const(3)), value, place.values);
  }

  #long(place: TargetPlace, other: WasmLabel): WasmCode {
    return [this.#signedDigits(other), this.#storeDouble(place, this.#signed(this.#value)), this.#behindDigits()];
  }

  #int(place: TargetPlace, other: WasmLabel): WasmCode {
    const limit = select(get(this.#isNegative), f64.const(2 ** 31), f64.const(2 ** 31 - 1));
    return [
      this.#signedDigits(other),
      this.#unless(f64.le(get(this.#value), limit)),
      i32.store(
        i32.shl(get(this.#i), i32.const(2)),
        i32.wrap(i64.truncate(this.#signed(this.#value))),
        place.values,
      ),
      this.#behindDigits(),
    ];
  }

  /** Digits behind a point, where there is one: #whole becomes all digits, #count those behind, p moves behind them. */
  #pointAndDigits(): WasmCode {
    const [q, count, whole] = [this.#q, this.#count, this.#whole];
    return [
      set(whole, get(this.#value)),
      set(this.#wholeCount, get(count)),
      set(q, i32.add(get(q), get(count))),
      when(
        i32.eq(i32.load8(get(q)), i32.const(DOT)),
        [
          set(q, i32.add(get(q), i32.const(1))),
          this.#digits(),
          this.#unless(get(count)),
          this.#unless(i32.leU(i32.add(get(count), get(this.#wholeCount)), i32.const(MAX_DIGITS))),
          set(whole, f64.add(f64.mul(get(whole), this.#power(get(count))), get(this.#value))),
          set(q, i32.add(get(q), get(count))),
        ],
        set(count, i32.const(0)),
      ),
      set(this.#p, get(q)),
    ];
  }

  #fraction(type: DataType, place: TargetPlace, other: WasmLabel): WasmCode {
    const [count, whole] = [this.#count, this.#whole];
    const read: WasmCode = [this.#signedDigits(other), this.#pointAndDigits()];
    if (type.kind !== 'decimal') {
      const value = set(whole, f64.div(get(whole), this.#power(get(count))));
      const signed = this.#signed(whole, true);
      return [read, value, this.#storeDouble(place, type.kind === 'float' ? f64.round32(signed) : signed)];
    }
    const { precision, scale } = type;
    return [
      read,
      this.#unless(i32.leU(get(count), i32.const(scale))),
      this.#unless(i32.leU(i32.add(get(this.#wholeCount), i32.const(scale)), i32.const(MAX_DIGITS))),
      set(whole, f64.mul(get(whole), this.#power(i32.sub(i32.const(scale), get(count))))),
      this.#unless(f64.lt(get(whole), f64.const(10 ** Math.min(precision, MAX_DIGITS)))),
      this.#storeDouble(place, this.#signed(whole)),
    ];
  }

  /** `"2026-01-02T03:04:05.678Z"`, `"2026-01-02T03:04:05Z"`, or milliseconds as a number. */
  #timestamp(place: TargetPlace, other: WasmLabel, done: WasmLabel): WasmCode {
    const [p, word, short] = [this.#p, this.#word, this.#short];
    const [number, noMillis] = [newLabel(), newLabel()];
    const digit = (index: number, weight: number): WasmCode =>
      i32.mul(
        i32.and(i32.wrap(i64.shrU(get(word), i64.const(BigInt(index * 8)))), i32.const(15)),
        i32.const(weight),
      );
    const millis = [digit(2, 1000), digit(4, 100), digit(5, 10), digit(6, 1)].reduce(i32.add, digit(1, 10_000));
    const shortDigit = (index: number): WasmCode => i32.and(i32.shrU(get(short), i32.const(index * 8)), i32.const(15));
    const seconds = i32.add(i32.mul(shortDigit(1), i32.const(10_000)), i32.mul(shortDigit(2), i32.const(1000)));
    const storeAfterMinute = (ms: WasmCode): WasmCode =>
      this.#storeDouble(place, f64.add(f64.load(i32.const(Place.minuteMs)), f64.fromI32(ms)));
    const iso: WasmCode = [
      branchIf(number, i32.eqz(this.#isQuote())),
      when(i32.eqz(v128.allTrue8(v128.eq8(v128.load(get(p), 1), get(this.#minute)))), [
        this.#unless(call(MINUTE_IMPORT, i32.add(get(p), i32.const(1)))),
        set(this.#minute, v128.load(i32.const(Place.minute))),
      ]),
      block(
        noMillis,
        set(word, i64.xor(i64.load(get(p), 17), i64.const(MILLIS_TEXT))),
        branchIf(noMillis, i32.eqz(i64.eqz(highBits(get(word), MILLIS_CHECK)))),
        this.#unless(i32.ltU(digit(1, 1), i32.const(6))),
        this.#unless(this.#isQuote(25)),
        storeAfterMinute(millis),
        this.#advance(i32.const(26)),
        branch(done),
      ),
      set(short, i32.xor(i32.load(get(p), 17), i32.const(SECOND_TEXT))),
      set(this.#found, i32.or(i32.add(get(short), i32.const(SECOND_CHECK)), get(short))),
      this.#unless(i32.eqz(i32.and(get(this.#found), i32.const(0x80808080)))),
      this.#unless(i32.ltU(shortDigit(1), i32.const(6))),
      this.#unless(this.#isQuote(21)),
      storeAfterMinute(seconds),
      this.#advance(i32.const(22)),
      branch(done),
    ];
    return [block(number, iso), this.#long(place, other)];
  }

  /** A value that nobody wants: a string, a plain number, a word. */
  #skip(): WasmCode {
    const [done, noString, noNumber] = [newLabel(), newLabel(), newLabel()];
    const isWord = (word: number, at = 0): WasmCode => i32.eq(i32.load(get(this.#p), at), i32.const(word));
    return block(
      done,
      block(
        noString,
        branchIf(noString, i32.eqz(this.#isQuote())),
        this.#advance(i32.const(1)),
        this.#toEndOfString(),
        this.#advance(i32.const(1)),
        branch(done),
      ),
      block(noNumber, this.#signedDigits(noNumber), this.#pointAndDigits(), branch(done)),
      when(
        isWord(ALSE_WORD, 1),
        [this.#unless(i32.eq(i32.load8(get(this.#p)), i32.const(0x66))), this.#advance(i32.const(5))],
        [this.#unless(i32.or(isWord(TRUE_WORD), isWord(NULL_WORD))), this.#advance(i32.const(4))],
      ),
    );
  }
}

/**
 * The high bits of the bytes where adding `check` sets them, or that have them set already. Nothing above the first
 * such byte means anything: it may have a carry.
 */
function highBits(word: WasmCode, check: bigint): WasmCode {
  return i64.and(i64.or(i64.add(word, i64.const(check)), word), i64.const(HIGH_BITS));
}

/** Eight digits, the first in the lowest byte. */
function eightDigits(word: WasmCode): WasmCode {
  const pairs = i64.and(i64.shrU(i64.mul(word, i64.const(2561n)), i64.const(8n)), i64.const(0x00ff00ff00ff00ffn));
  const fours = i64.and(i64.shrU(i64.mul(pairs, i64.const(6553601n)), i64.const(16n)), i64.const(0x0000ffff0000ffffn));
  return i64.shrU(i64.mul(fours, i64.const(42949672960001n)), i64.const(32n));
}
