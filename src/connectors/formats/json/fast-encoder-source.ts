/**
 * Generates the encoder of rows of the usual shape as WebAssembly. It works on a chunk of rows that was copied into its
 * own memory and stops before a row that it does not know to write: text that needs an escape, a double of many
 * places. The generated JavaScript (encoder-source.ts) does that row, and both write the same bytes.
 *
 *     for each row from `from` to `to`, while no more than `limit` bytes are written:
 *       room for the longest row of these texts?  no → stop
 *       headroom; for each field its name, or `,"name":null`, and the value; braces
 *
 * Digits come eight at once: a number below 10^8 is split into two halves, four quarters and eight digits side by side
 * in one 64-bit word, and the leading zeros are shifted out.
 */
import type { DataType, Field } from '../../../core/index.ts';
import { viewOf } from '../byte-view.ts';
import { literalOf, type EncoderShape } from './encoder-source.ts';
import { EncoderPlace, MAX_FAST_FIELDS, type EncoderMemory, type FieldPlace } from './fast-encoder-memory.ts';
import {
  block, branch, branchIf, call, f64, get, i32, i64, loop, newLabel, set, v128, WasmLocals, wasmModule,
  wasmType, when,
  type WasmCode,
} from './wasm-code.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const MINUS = 0x2d;
const DOT = 0x2e;
/** `Z"` behind three digits of a time. */
const TIME_END = 0x225a000000n;
const ZEROS = 0x3030303030303030n;
const EIGHT_DIGITS = 100_000_000n;
/** The most places that one word of digits holds. */
const MAX_SCALE = 8;
/** Of doubles: those of at most so many places are written as integers. */
const PLACES = 6;
/** Integers below have at most 15 digits, and so are the shortest text of their double. */
const MAX_PLAIN = 1e15;
const SECOND_IMPORT = 0;

/** The most that a value takes, text aside. */
const MAX_VALUE_BYTES = 32;
/** Stores may run this far past the end of a row. */
const SLACK_BYTES = 32;

const encoder = new TextEncoder();

export function isFastEncodable(fields: readonly Field[]): boolean {
  return fields.length > 0 && fields.length <= MAX_FAST_FIELDS && fields.every(({ type }) => isFastType(type));
}

function isFastType(type: DataType): boolean {
  if (type.kind === 'decimal') return type.scale <= MAX_SCALE;
  return ['boolean', 'int', 'long', 'double', 'string', 'timestamp'].includes(type.kind);
}

/** Imports `env.memory` and `env.second(ms)`; exports `run(from, to, headroom, limit)`, which returns the next row. */
export function fastEncoderModule(
  fields: readonly Field[],
  shape: EncoderShape,
  memory: EncoderMemory,
): Uint8Array<ArrayBuffer> {
  return new FastEncoderSource(fields, shape, memory).build();
}

class FastEncoderSource {
  readonly #fields: readonly Field[];
  readonly #shape: EncoderShape;
  readonly #memory: EncoderMemory;
  readonly #row = 0;
  readonly #to = 1;
  readonly #headroom = 2;
  readonly #limit = 3;
  readonly #locals = new WasmLocals(4);
  /** Where the next byte goes, and where the row began. */
  readonly #o = this.#locals.fresh(wasmType.i32);
  readonly #start = this.#locals.fresh(wasmType.i32);
  readonly #need = this.#locals.fresh(wasmType.i32);
  readonly #double = this.#locals.fresh(wasmType.f64);
  readonly #number = this.#locals.fresh(wasmType.i64);
  readonly #rest = this.#locals.fresh(wasmType.i64);
  readonly #word = this.#locals.fresh(wasmType.i64);
  readonly #part = this.#locals.fresh(wasmType.i64);
  readonly #zeros = this.#locals.fresh(wasmType.i32);
  readonly #from = this.#locals.fresh(wasmType.i32);
  readonly #end = this.#locals.fresh(wasmType.i32);
  readonly #found = this.#locals.fresh(wasmType.i32);
  readonly #bytes = this.#locals.fresh(wasmType.v128);
  readonly #quotes = this.#locals.fresh(wasmType.v128);
  readonly #backslashes = this.#locals.fresh(wasmType.v128);
  readonly #spaces = this.#locals.fresh(wasmType.v128);
  /** Where a row is left that is not of the usual shape, or has no room. */
  readonly #stop = newLabel();

  constructor(fields: readonly Field[], shape: EncoderShape, memory: EncoderMemory) {
    this.#fields = fields;
    this.#shape = shape;
    this.#memory = memory;
  }

  build(): Uint8Array<ArrayBuffer> {
    const rows = newLabel();
    const { out, starts, ends } = this.#memory;
    const [row, o, start] = [this.#row, this.#o, this.#start];
    const position = i32.sub(get(o), i32.const(out));
    const body: WasmCode = [
      set(this.#quotes, v128.splat8(QUOTE)),
      set(this.#backslashes, v128.splat8(BACKSLASH)),
      set(this.#spaces, v128.splat8(0x20)),
      set(o, i32.const(out)),
      set(start, get(o)),
      block(
        this.#stop,
        loop(
          rows,
          branchIf(this.#stop, i32.geS(get(row), get(this.#to))),
          branchIf(this.#stop, i32.gtS(position, get(this.#limit))),
          this.#requireRoom(),
          set(o, i32.add(get(o), get(this.#headroom))),
          i32.store(this.#at(2), position, starts),
          this.#fields.map((field, index) => this.#field(field, this.#memory.fields[index] as FieldPlace)),
          this.#braces(),
          i32.store(this.#at(2), position, ends),
          set(start, get(o)),
          set(row, i32.add(get(row), i32.const(1))),
          branch(rows),
        ),
      ),
      i32.store(i32.const(0), i32.sub(get(start), i32.const(out)), EncoderPlace.used),
      get(row),
    ];
    const params = [wasmType.i32, wasmType.i32, wasmType.i32, wasmType.i32];
    const imports = [{ name: 'second', params: [wasmType.f64], results: [wasmType.i32] }];
    return wasmModule(imports, { params, locals: this.#locals, body });
  }

  /** The offset of the row in an array of elements of 2^shift bytes. */
  #at(shift: number): WasmCode {
    return i32.shl(get(this.#row), i32.const(shift));
  }

  #advance(count: WasmCode): WasmCode {
    return set(this.#o, i32.add(get(this.#o), count));
  }

  #byte(value: number): WasmCode {
    return [i32.store8(get(this.#o), i32.const(value)), this.#advance(i32.const(1))];
  }

  #unless(condition: WasmCode): WasmCode {
    return branchIf(this.#stop, i32.eqz(condition));
  }

  #requireRoom(): WasmCode {
    const fixed = this.#fields.reduce((sum, field) => sum + literalOf(field).length + MAX_VALUE_BYTES, SLACK_BYTES);
    const texts = this.#fields.flatMap(({ type }, index) => {
      if (type.kind !== 'string') return [];
      const { values, ends } = this.#memory.fields[index] as FieldPlace;
      // Of a NULL both are the same.
      const length = i32.sub(i32.load(this.#at(2), ends), i32.load(this.#at(2), values));
      return [set(this.#need, i32.add(get(this.#need), length))];
    });
    const { out, outBytes } = this.#memory;
    return [
      set(this.#need, i32.add(i32.add(get(this.#o), get(this.#headroom)), i32.const(fixed))),
      texts,
      branchIf(this.#stop, i32.gtU(get(this.#need), i32.const(out + outBytes))),
    ];
  }

  #braces(): WasmCode {
    const first = i32.add(get(this.#start), get(this.#headroom));
    return [
      // An object without fields has no comma whose place the brace could take.
      when(i32.eq(get(this.#o), first), this.#advance(i32.const(1))),
      i32.store8(first, i32.const(OPEN_BRACE)),
      this.#byte(CLOSE_BRACE),
    ];
  }

  #field(field: Field, place: FieldPlace): WasmCode {
    const isNull = i32.load8(get(this.#row), place.nulls);
    const whole: WasmCode = [this.#literal(literalOf(field)), this.#value(field.type, place)];
    if (this.#shape.omitNulls) return when(i32.eqz(isNull), whole);
    return when(isNull, this.#literal(encoder.encode(`,${JSON.stringify(field.name)}:null`)), whole);
  }

  /** Stores constant bytes, eight at a time, the last ones filled up with spaces. */
  #literal(bytes: Uint8Array): WasmCode {
    const padded = new Uint8Array(Math.ceil(bytes.length / 8) * 8).fill(0x20);
    padded.set(bytes);
    const constants = viewOf(padded);
    const words = Array.from({ length: padded.length / 8 }, (_, index) =>
      i64.store(get(this.#o), i64.const(constants.getBigInt64(index * 8, true)), index * 8),
    );
    return [words, this.#advance(i32.const(bytes.length))];
  }

  #value(type: DataType, place: FieldPlace): WasmCode {
    const double = f64.load(this.#at(3), place.values);
    switch (type.kind) {
      case 'boolean':
        return when(
          i32.load8(get(this.#row), place.values),
          this.#literal(encoder.encode('true')),
          this.#literal(encoder.encode('false')),
        );
      case 'int':
        return [set(this.#double, f64.fromI32(i32.load(this.#at(2), place.values))), this.#signedInteger()];
      case 'decimal':
        return [set(this.#double, double), this.#decimal(type.scale)];
      case 'double':
        return [set(this.#double, double), this.#shortDouble()];
      case 'timestamp':
        return [set(this.#double, double), this.#shape.epochMillis ? this.#signedInteger() : this.#timestamp()];
      case 'string':
        return this.#string(place);
      default:
        return [set(this.#double, double), this.#signedInteger()];
    }
  }

  /** A minus where #double is negative; #number becomes its magnitude, an integer. */
  #sign(): WasmCode {
    return [
      when(f64.lt(get(this.#double), f64.const(0)), this.#byte(MINUS)),
      set(this.#double, f64.abs(get(this.#double))),
    ];
  }

  #signedInteger(): WasmCode {
    return [this.#sign(), set(this.#number, i64.truncate(get(this.#double))), this.#integer()];
  }

  /** #number, which is below 10^16. */
  #integer(): WasmCode {
    const [number, rest] = [this.#number, this.#rest];
    return when(
      i64.gtU(get(number), i64.const(EIGHT_DIGITS - 1n)),
      [
        set(rest, i64.divU(get(number), i64.const(EIGHT_DIGITS))),
        set(number, i64.sub(get(number), i64.mul(get(rest), i64.const(EIGHT_DIGITS)))),
        this.#upToEight(rest),
        this.#digits(number),
        this.#storeDigits(8),
      ],
      this.#upToEight(number),
    );
  }

  /** Eight digits of a local below 10^8 go to #word, the first in the lowest byte. */
  #digits(local: number): WasmCode {
    const [word, part] = [this.#word, this.#part];
    const split = (weight: bigint, shift: bigint): WasmCode => {
      const remainder = i64.sub(get(word), i64.mul(get(part), i64.const(weight)));
      return set(word, i64.add(get(part), i64.shl(remainder, i64.const(shift))));
    };
    const high = i64.shrU(i64.mul(get(word), i64.const(10486n)), i64.const(20n));
    const tens = i64.shrU(i64.mul(get(word), i64.const(103n)), i64.const(10n));
    return [
      set(word, get(local)),
      // The quotients by 10,000, 100 and 10, as multiplications that are exact in these ranges.
      set(part, i64.shrU(i64.mul(get(word), i64.const(3518437209n)), i64.const(45n))),
      split(10_000n, 32n),
      set(part, i64.and(high, i64.const(0x0000007f0000007fn))),
      split(100n, 16n),
      set(part, i64.and(tens, i64.const(0x000f000f000f000fn))),
      split(10n, 8n),
    ];
  }

  #storeDigits(count: number): WasmCode {
    return [i64.store(get(this.#o), i64.add(get(this.#word), i64.const(ZEROS))), this.#advance(i32.const(count))];
  }

  /** A local below 10^8 without leading zeros. */
  #upToEight(local: number): WasmCode {
    const [word, zeros] = [this.#word, this.#zeros];
    // The last digit stays even if it is zero.
    const first = i64.ctz(i64.or(get(word), i64.const(1n << 56n)));
    return [
      this.#digits(local),
      set(zeros, i32.shrU(i32.wrap(first), i32.const(3))),
      set(word, i64.shrU(get(word), i64.extend(i32.shl(get(zeros), i32.const(3))))),
      i64.store(get(this.#o), i64.add(get(word), i64.const(ZEROS))),
      this.#advance(i32.sub(i32.const(8), get(zeros))),
    ];
  }

  #decimal(scale: number): WasmCode {
    if (scale === 0) return this.#signedInteger();
    return [
      this.#sign(),
      set(this.#number, i64.truncate(get(this.#double))),
      this.#scaled(scale),
      this.#advance(i32.const(scale)),
    ];
  }

  /** #number / 10^scale with its point; o is left at the first place, whose digits are stored and in #word. */
  #scaled(scale: number): WasmCode {
    const [number, rest] = [this.#number, this.#rest];
    const divisor = i64.const(10n ** BigInt(scale));
    const fraction = this.#locals.fresh(wasmType.i64);
    return [
      set(rest, i64.divU(get(number), divisor)),
      set(fraction, i64.sub(get(number), i64.mul(get(rest), divisor))),
      set(number, get(rest)),
      this.#integer(),
      this.#byte(DOT),
      set(fraction, i64.mul(get(fraction), i64.const(10n ** BigInt(MAX_SCALE - scale)))),
      this.#digits(fraction),
      i64.store(get(this.#o), i64.add(get(this.#word), i64.const(ZEROS))),
    ];
  }

  /** As writeDouble in digit-writer.ts: integers, and numbers of at most six places; others are unusual. */
  #shortDouble(): WasmCode {
    const [double, number] = [this.#double, this.#number];
    const scaled = this.#locals.fresh(wasmType.f64);
    const isWhole = f64.eq(f64.fromI64(get(number)), get(double));
    const significant = i32.sub(
      i32.const(8),
      i32.shrU(i32.wrap(i64.clz(get(this.#word))), i32.const(3)),
    );
    return [
      // NaN is not less, either.
      this.#unless(f64.lt(f64.abs(get(double)), f64.const(MAX_PLAIN))),
      this.#sign(),
      set(number, i64.truncate(get(double))),
      when(isWhole, this.#integer(), [
        set(scaled, f64.nearest(f64.mul(get(double), f64.const(10 ** PLACES)))),
        this.#unless(f64.lt(get(scaled), f64.const(MAX_PLAIN))),
        this.#unless(f64.eq(f64.div(get(scaled), f64.const(10 ** PLACES)), get(double))),
        this.#unless(f64.ge(get(double), f64.const(10 ** -PLACES))),
        set(number, i64.truncate(get(scaled))),
        this.#scaled(PLACES),
        this.#advance(significant),
      ]),
    ];
  }

  #timestamp(): WasmCode {
    const [double, number, word] = [this.#double, this.#number, this.#word];
    const sinceSecond = f64.sub(get(double), f64.load(i32.const(EncoderPlace.secondMs)));
    const isSameSecond = i32.and(f64.ge(sinceSecond, f64.const(0)), f64.lt(sinceSecond, f64.const(1000)));
    return [
      when(i32.eqz(isSameSecond), this.#unless(call(SECOND_IMPORT, get(double)))),
      this.#byte(QUOTE),
      v128.store(get(this.#o), v128.load(i32.const(EncoderPlace.second))),
      i32.store(get(this.#o), i32.load(i32.const(EncoderPlace.second), 16), 16),
      set(number, i64.truncate(sinceSecond)),
      this.#digits(number),
      set(word, i64.shrU(i64.add(get(word), i64.const(ZEROS)), i64.const(40n))),
      i64.store(get(this.#o), i64.or(get(word), i64.const(TIME_END)), 20),
      this.#advance(i32.const(25)),
    ];
  }

  /** Copies text, 16 bytes at once, until one of them needs an escape: then the row is unusual. */
  #string(place: FieldPlace): WasmCode {
    const [more, done] = [newLabel(), newLabel()];
    const [from, end, bytes, found, o] = [this.#from, this.#end, this.#bytes, this.#found, this.#o];
    const delta = i32.load(i32.const(0), place.delta);
    const special = v128.or(
      v128.or(v128.eq8(get(bytes), get(this.#quotes)), v128.eq8(get(bytes), get(this.#backslashes))),
      v128.ltU8(get(bytes), get(this.#spaces)),
    );
    const left = i32.sub(get(end), get(from));
    return [
      set(from, i32.add(i32.load(this.#at(2), place.values), delta)),
      set(end, i32.add(i32.load(this.#at(2), place.ends), delta)),
      block(
        done,
        loop(
          more,
          set(bytes, v128.load(get(from))),
          v128.store(get(o), get(bytes)),
          set(found, v128.bitmask8(special)),
          when(i32.gtU(left, i32.const(16)), [
            branchIf(this.#stop, get(found)),
            set(from, i32.add(get(from), i32.const(16))),
            this.#advance(i32.const(16)),
            branch(more),
          ]),
        ),
        // What lies behind the text does not count.
        this.#unless(i32.eqz(i32.and(get(found), i32.sub(i32.shl(i32.const(1), left), i32.const(1))))),
        this.#advance(left),
      ),
      this.#byte(QUOTE),
    ];
  }
}
