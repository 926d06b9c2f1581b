/**
 * Generates the loop that turns a block of records into columns: the hottest code of the engine.
 *
 *     for each record:
 *       seen = 0
 *       switch (slot):                       falls through from slot to slot while keys come as the layout says
 *         case 0: value of slot 0 inline, else state.value(…)        seen |= bit, or cleared for null
 *                 bytes equal `,"bidder":`?  else slot = state.next(…), jump
 *         case 1: …
 *       not seen → NULL (missing and null alike; the last of several equal keys wins)
 *       filters → next record without advancing the row
 *
 * The expected bytes between two values are compared as doubles, eight at once: the bits of ASCII are never NaN or
 * zero, so equal doubles are equal bytes. Loads may run past the record's end but never past the buffer's.
 */
import { code, columnKind, emptyCode, joinCode } from '../../../core/index.ts';
import type { Code, CodeBuilder, Column, DataType, Field, RecordBlock } from '../../../core/index.ts';
import { newMinuteCache } from '../iso-time.ts';
import { viewOf } from '../byte-view.ts';
import { scanPlain } from './byte-scan.ts';
import type { DecodeState } from './decode-state.ts';
import { clearNulls, columnLocals, decoderNames, setNulls } from './decoder-names.ts';
import type { DecoderNames, TargetNames } from './decoder-names.ts';
import { POWERS_OF_TEN } from './exact-double.ts';
import { emitFilters, type FilterSource } from './filter-source.ts';
import type { RecordLayout } from './record-layout.ts';

/** Decodes records from `from` to `to`; returns the record that it stopped at. The row is in `state.row`. */
export type GeneratedDecoder = (
  state: DecodeState,
  block: RecordBlock,
  from: number,
  to: number,
  columns: readonly Column[],
  records: Int32Array,
  capacity: number,
) => number;

/** Above this many slots code calls instead of inlining: the optimising compiler gives up on functions of 60 KB. */
const MAX_INLINE_SLOTS = 150;
const MAX_LITERAL_BYTES = 128;
export function generateDecoder(
  targets: readonly Field[],
  layout: RecordLayout,
  filters: readonly FilterSource[],
): GeneratedDecoder {
  return new DecoderSource(decoderNames(targets), layout, filters).build();
}

class DecoderSource {
  readonly #names: DecoderNames;
  readonly #layout: RecordLayout;
  readonly #filters: readonly FilterSource[];
  readonly #bytes: Code;
  readonly #view: Code;
  readonly #limit: Code;
  readonly #p: Code;
  readonly #end: Code;
  readonly #slot: Code;

  constructor(names: DecoderNames, layout: RecordLayout, filters: readonly FilterSource[]) {
    this.#names = names;
    this.#layout = layout;
    this.#filters = filters;
    const { builder } = names;
    this.#bytes = builder.fresh();
    this.#view = builder.fresh();
    this.#limit = builder.fresh();
    this.#p = builder.fresh();
    this.#end = builder.fresh();
    this.#slot = builder.fresh();
  }

  build(): GeneratedDecoder {
    const { builder, state, row, seenWords } = this.#names;
    const [bytes, view, limit] = [this.#bytes, this.#view, this.#limit];
    const [block, from, to, columns, records, capacity] = Array.from({ length: 6 }, () => builder.fresh()) as [
      Code, Code, Code, Code, Code, Code,
    ];
    const [r, starts, ends, filter] = Array.from({ length: 4 }, () => builder.fresh()) as [Code, Code, Code, Code];
    const body = code`
      const ${bytes} = ${state}.scanner.bytes, ${view} = ${state}.scanner.view, ${limit} = ${bytes}.length - 8;
      const ${starts} = ${block}.valueStarts, ${ends} = ${block}.valueEnds;
      ${columnLocals(this.#names, columns)}
      let ${row} = ${state}.row, ${r} = ${from}, ${filter} = -1;
      try {
        for (; ${r} < ${to} && ${row} < ${capacity}; ${r}++) {
          let ${this.#p} = ${starts}[${r}];
          ${seenWords.map((word) => code`let ${word} = 0;`)}
          if (${this.#p} >= 0) {
            let ${this.#end} = ${ends}[${r}], ${this.#slot} = 0;
            ${this.#record()}
          }
          ${setNulls(this.#names)}
          ${emitFilters(this.#names, this.#filters, filter, clearNulls(this.#names))}
          ${records}[${row}] = ${r};
          ${row}++;
        }
      } catch (error) {
        ${state}.fail(error, ${filter});
      }
      ${state}.row = ${row};
      return ${r};`;
    return builder.build([state, block, from, to, columns, records, capacity], body);
  }

  /** From the start of a record to its end: fills the columns at the row and sets the seen bits. */
  #record(): Code {
    const { state } = this.#names;
    const bytes = this.#bytes;
    const p = this.#p;
    const end = this.#end;
    return code`
      if (${end} - ${p} > 1 && ${bytes}[${end} - 1] === 125) {
        ${state}.scanner.recordStart = ${p};
        ${state}.scanner.end = ${end};
      } else {
        ${state}.scanner.setRecord(${p}, ${end});
        ${end} = ${state}.scanner.end;
      }
      ${this.#step(0)}
      record: for (;;) {
        switch (${this.#slot}) {
          ${this.#layout.map((_, index) => this.#case(index))}
          default:
            break record;
        }
      }`;
  }

  #case(index: number): Code {
    const { state } = this.#names;
    const slot = this.#layout[index] as RecordLayout[number];
    const inline = this.#layout.length <= MAX_INLINE_SLOTS;
    const target = slot.target < 0 ? null : (this.#names.targets[slot.target] as TargetNames);
    const p = this.#p;
    const context: ValueContext = {
      state, bytes: this.#bytes, view: this.#view, limit: this.#limit, p, end: this.#end, row: this.#names.row,
    };
    const value = target === null ? this.#skip(context, inline) : this.#value(context, target, inline);
    return code`
      case ${index}: {
        ${value}
        ${this.#step(index + 1)}
      }`;
  }

  /** Moves to slot `index` if its literal stands at p, or to the one behind it; else asks the state where to go on. */
  #step(index: number): Code {
    const { state } = this.#names;
    const bytes = this.#bytes;
    const p = this.#p;
    if (index === 0) {
      const begin = code`${this.#slot} = ${state}.begin(${p}); ${p} = ${state}.position;`;
      return this.#ifLiteral(0, emptyCode, begin);
    }
    const elsewhere = code`
      if (${bytes}[${p}] === 125 && ${p} + 1 === ${this.#end}) break record;
      ${this.#slot} = ${state}.next(${p});
      ${p} = ${state}.position;
      continue record;`;
    // A serialiser that leaves out NULLs skips a key now and then.
    const skipOne = this.#ifLiteral(index + 1, code`${this.#slot} = ${index + 1}; continue record;`, elsewhere);
    return this.#ifLiteral(index, emptyCode, skipOne);
  }

  /** Moves behind the literal of slot `index` where it stands at p. */
  #ifLiteral(index: number, then: Code, otherwise: Code): Code {
    const literal = this.#layout[index]?.literal;
    if (literal === undefined || literal.length > MAX_LITERAL_BYTES) return otherwise;
    const matches = literalMatches(this.#view, this.#p, this.#end, literal);
    return code`if (${matches}) { ${this.#p} += ${literal.length}; ${then} } else { ${otherwise} }`;
  }

  #skip({ state, bytes, view, limit, p, end }: ValueContext, inline: boolean): Code {
    if (!inline) return code`${p} = ${state}.skip(${p});`;
    const { builder } = this.#names;
    const [q, d] = [builder.fresh(), builder.fresh()];
    return code`
      {
        let ${q} = ${p} + 1, ${d} = ${bytes}[${p}];
        if (${d} === 34) {
          ${scanLoop(builder, { bytes, view, limit, p, end }, q)}
          ${p} = ${q} < ${end} && ${bytes}[${q}] === 34 ? ${q} + 1 : ${state}.skip(${p});
        } else if (${d} > 48 && ${d} <= 57) {
          while ((${d} = ${bytes}[${q}] - 48) >>> 0 < 10) ${q}++;
          ${p} = ${d} === -4 || ${d} === 77 ? ${q} : ${state}.skip(${p});
        } else {
          ${p} = ${state}.skip(${p});
        }
      }`;
  }

  #value(context: ValueContext, target: TargetNames, inline: boolean): Code {
    const slow = this.#slowValue(context, target);
    if (!inline) return slow;
    const nullCheck = code`
      if (${context.bytes}[${context.p}] === 110 && ${context.p} + 4 < ${context.end}
        && ${context.view}.getInt32(${context.p}, true) === ${NULL_WORD}) {
        ${context.p} += 4;
        ${target.seen} &= ${~target.bit};
      } else { ${slow} }`;
    return emitInlineValue(this.#names.builder, context, target, nullCheck);
  }

  #slowValue({ state, p, row }: ValueContext, target: TargetNames): Code {
    const kind = columnKind(target.field.type);
    const reload =
      kind === 'bytes'
        ? code`${target.borrows} = ${target.column}.data === ${state}.blockData;`
        : kind === 'long' || kind === 'decimal'
          ? code`${target.wide} = ${target.column}.wide;`
          : emptyCode;
    return code`
      ${p} = ${state}.value(${target.index}, ${p}, ${row});
      if (${state}.isNull) ${target.seen} &= ${~target.bit}; else ${target.seen} |= ${target.bit};
      ${reload}`;
  }
}

export interface ValueContext {
  readonly state: Code;
  readonly bytes: Code;
  readonly view: Code;
  readonly limit: Code;
  readonly p: Code;
  readonly end: Code;
  readonly row: Code;
}

/** `null` and `true` as little-endian words. */
const NULL_WORD = 0x6c6c756e;
const TRUE_WORD = 0x65757274;
const ALSE_WORD = 0x65736c61;
/** A colon, two digits and `Z`, without the digits. */
const SECOND_WORD = 0x5a00003a;

/** Whether the bytes at `p` are the literal, and the record goes on behind it. */
function literalMatches(view: Code, p: Code, end: Code, literal: Uint8Array): Code {
  const { length } = literal;
  const parts = [code`${p} + ${length} < ${end}`];
  const constants = viewOf(literal);
  let at = 0;
  for (; at + 8 <= length; at += 8) parts.push(wordsMatch(view, p, constants, at));
  if (at < length) {
    if (length - at <= 4 || length < 8) {
      if (length - at > 4) parts.push(intMatches(view, p, constants, at));
      parts.push(intMatches(view, p, constants, length - 4));
    } else {
      parts.push(wordsMatch(view, p, constants, length - 8));
    }
  }
  return joinCode(parts, ' && ');
}

/** Eight bytes: as a double where its bits are those of an ordinary number, else as two words. */
function wordsMatch(view: Code, p: Code, constants: DataView, at: number): Code {
  const double = constants.getFloat64(at, true);
  if (Number.isFinite(double) && double !== 0) return code`${view}.getFloat64(${p} + ${at}, true) === ${double}`;
  return joinCode([intMatches(view, p, constants, at), intMatches(view, p, constants, at + 4)], ' && ');
}

function intMatches(view: Code, p: Code, constants: DataView, at: number): Code {
  return code`${view}.getInt32(${p} + ${at}, true) === ${constants.getInt32(at, true)}`;
}

/** Moves `q` to the first byte that ends or complicates a string: scanPlain inline. */
function scanLoop(builder: CodeBuilder, { bytes, view, limit }: Omit<ValueContext, 'state' | 'row'>, q: Code): Code {
  const [w, f] = [builder.fresh(), builder.fresh()];
  const scan = builder.constant(scanPlain);
  const test = (offset: number): Code => code`
    ${w} = ${view}.getInt32(${q} + ${offset}, true);
    ${f} = ((${w} - 0x20202020) | ((${w} ^ 0x22222222) - 0x01010101) | ((${w} ^ 0x5c5c5c5c) - 0x01010101) | ${w})
      & 0x80808080;
    if (${f} !== 0) { ${q} += ${offset} + ((31 - Math.clz32(${f} & -${f})) >> 3); break; }`;
  return code`
    for (let ${w} = 0, ${f} = 0;;) {
      if (${q} > ${limit}) { ${q} = ${scan}(${bytes}, ${view}, ${q}); break; }
      ${test(0)}
      ${test(4)}
      ${q} += 8;
    }`;
}

function emitInlineValue(builder: CodeBuilder, context: ValueContext, target: TargetNames, slow: Code): Code {
  const { type } = target.field;
  switch (type.kind) {
    case 'string':
      return stringValue(builder, context, target, slow);
    case 'int':
    case 'long':
      return integerValue(builder, context, target, slow);
    case 'float':
    case 'double':
    case 'decimal':
      return fractionValue(builder, context, target, slow);
    case 'boolean':
      return booleanValue(context, target, slow);
    case 'timestamp':
      return timestampValue(builder, context, target, slow);
    default:
      return slow;
  }
}

function stringValue(builder: CodeBuilder, context: ValueContext, target: TargetNames, slow: Code): Code {
  const { state, bytes, p, end, row } = context;
  const q = builder.fresh();
  return code`
    if (${bytes}[${p}] === 34) {
      let ${q} = ${p} + 1;
      ${scanLoop(builder, context, q)}
      if (${q} < ${end} && ${bytes}[${q}] === 34) {
        if (${target.borrows}) {
          ${target.starts}[${row}] = ${p} + 1;
          ${target.ends}[${row}] = ${q};
        } else {
          ${state}.putRange(${target.column}, ${row}, ${p} + 1, ${q});
        }
        ${target.seen} |= ${target.bit};
        ${p} = ${q} + 1;
      } else { ${slow} }
    } else { ${slow} }`;
}

function booleanValue({ view, p, end, row }: ValueContext, target: TargetNames, slow: Code): Code {
  return code`
    if (${p} + 5 < ${end} && ${view}.getInt32(${p}, true) === ${TRUE_WORD}) {
      ${target.values}[${row}] = 1;
      ${target.seen} |= ${target.bit};
      ${p} += 4;
    } else if (${p} + 5 < ${end} && ${view}.getInt32(${p} + 1, true) === ${ALSE_WORD}
      && ${view}.getUint8(${p}) === 102) {
      ${target.values}[${row}] = 0;
      ${target.seen} |= ${target.bit};
      ${p} += 5;
    } else { ${slow} }`;
}

/** The locals of an inlined number. */
interface NumberLocals {
  /** The value without its sign. */
  readonly value: Code;
  /** The first digit. */
  readonly start: Code;
  /** Behind the last digit read. */
  readonly at: Code;
  /** The byte there minus `0`; -4 is a comma, 77 a closing brace. */
  readonly digit: Code;
}

function numberLocals(builder: CodeBuilder): NumberLocals {
  return { value: builder.fresh(), start: builder.fresh(), at: builder.fresh(), digit: builder.fresh() };
}

/** Reads digits from `at` on: four at once where they are there, twice. */
function digitLoop(builder: CodeBuilder, { view, limit, bytes }: ValueContext, n: NumberLocals): Code {
  const w = builder.fresh();
  const four = (offset: Code): Code => code`
    ${w} = ${view}.getInt32(${offset}, true);
    if ((${w} & 0xf0f0f0f0) === 0x30303030 && (${w} + 0x06060606 & 0xf0f0f0f0) === 0x30303030)`;
  const combined = code`(Math.imul((Math.imul(${w} & 0x0f0f0f0f, 2561) >>> 8) & 0x00ff00ff, 6553601) >>> 16)`;
  return code`
    if (${n.at} <= ${limit}) {
      let ${w} = 0;
      ${four(n.at)} {
        ${n.value} = ${combined};
        ${n.at} += 4;
        if (${n.at} <= ${limit}) {
          ${four(n.at)} {
            ${n.value} = ${n.value} * 10000 + ${combined};
            ${n.at} += 4;
          }
        }
      }
    }
    while ((${n.digit} = ${bytes}[${n.at}] - 48) >>> 0 < 10) {
      ${n.value} = ${n.value} * 10 + ${n.digit};
      ${n.at}++;
    }`;
}

/** True where the byte behind the digits ends a number for certain. */
const endsNumber = (n: NumberLocals): Code => code`(${n.digit} === -4 || ${n.digit} === 77 || ${n.digit} <= -16)`;
const noLeadingZero = (bytes: Code, n: NumberLocals, length: Code): Code =>
  code`(${bytes}[${n.start}] !== 48 || ${length} === 1)`;

function integerValue(builder: CodeBuilder, context: ValueContext, target: TargetNames, slow: Code): Code {
  const { bytes, p, row } = context;
  const n = numberLocals(builder);
  const length = code`(${n.at} - ${n.start})`;
  const isInt = target.field.type.kind === 'int';
  const inRange = isInt ? code`${n.value} <= 2147483647 + (${n.start} - ${p})` : code`${length} <= 15`;
  const signed = code`(${n.start} === ${p} ? ${n.value} : 0 - ${n.value})`;
  const store =
    target.field.type.kind === 'long'
      ? storeNarrow(target, row, signed, code`${target.wide}[${row}] = BigInt(${signed});`)
      : code`${target.values}[${row}] = ${signed};`;
  return code`
    {
      const ${n.start} = ${bytes}[${p}] === 45 ? ${p} + 1 : ${p};
      let ${n.value} = 0, ${n.at} = ${n.start}, ${n.digit} = 0;
      ${digitLoop(builder, context, n)}
      if (${n.at} > ${n.start} && ${inRange} && ${noLeadingZero(bytes, n, length)} && ${endsNumber(n)}) {
        ${store}
        ${target.seen} |= ${target.bit};
        ${p} = ${n.at};
      } else { ${slow} }
    }`;
}

function storeNarrow(target: TargetNames, row: Code, value: Code, storeWide: Code): Code {
  return code`if (${target.wide} === null) ${target.values}[${row}] = ${value}; else { ${storeWide} }`;
}

/** float, double and decimal of at most 15 digits: the digits as an integer, scaled by one exact operation. */
function fractionValue(builder: CodeBuilder, context: ValueContext, target: TargetNames, slow: Code): Code {
  const { bytes, p, row } = context;
  const { type } = target.field;
  const n = numberLocals(builder);
  const [point, fraction] = [builder.fresh(), builder.fresh()];
  const powers = builder.constant(POWERS_OF_TEN);
  const limits =
    type.kind === 'decimal'
      ? code`${fraction} <= ${type.scale} && ${point} - ${n.start} + ${type.scale} <= 15 && ${withinPrecision(type, n)}`
      : code`${point} - ${n.start} + ${fraction} <= 15`;
  return code`
    {
      const ${n.start} = ${bytes}[${p}] === 45 ? ${p} + 1 : ${p};
      let ${n.value} = 0, ${n.at} = ${n.start}, ${n.digit} = 0, ${fraction} = 0;
      ${digitLoop(builder, context, n)}
      const ${point} = ${n.at};
      if (${n.digit} === -2) {
        ${n.at}++;
        while ((${n.digit} = ${bytes}[${n.at}] - 48) >>> 0 < 10) {
          ${n.value} = ${n.value} * 10 + ${n.digit};
          ${n.at}++;
        }
        ${fraction} = ${n.at} - ${point} - 1;
        if (${fraction} === 0) ${n.digit} = 0;
      }
      ${type.kind === 'decimal' ? scaleUp(type.scale, n, fraction, powers) : emptyCode}
      if (${point} > ${n.start} && ${limits} && ${noLeadingZero(bytes, n, code`${point} - ${n.start}`)}
        && ${endsNumber(n)}) {
        ${storeFraction(type, target, context, n, fraction, powers, row)}
        ${target.seen} |= ${target.bit};
        ${p} = ${n.at};
      } else { ${slow} }
    }`;
}

function scaleUp(scale: number, n: NumberLocals, fraction: Code, powers: Code): Code {
  const missing = code`${scale} - ${fraction}`;
  return code`if (${fraction} < ${scale} && ${missing} < 23) ${n.value} *= ${powers}[${missing}];`;
}

function withinPrecision(type: Extract<DataType, { kind: 'decimal' }>, n: NumberLocals): Code {
  return code`${n.value} < ${10 ** Math.min(type.precision, 15)}`;
}

function storeFraction(
  type: DataType,
  target: TargetNames,
  { p }: ValueContext,
  n: NumberLocals,
  fraction: Code,
  powers: Code,
  row: Code,
): Code {
  if (type.kind === 'decimal') {
    const signed = code`(${n.start} === ${p} ? ${n.value} : 0 - ${n.value})`;
    // A wide decimal is two words: the low one, and the sign in the high one.
    const wide = code`
      ${target.wide}[${row} * 2] = BigInt(${signed});
      ${target.wide}[${row} * 2 + 1] = ${signed} < 0 ? ${code`-1n`} : 0n;`;
    return storeNarrow(target, row, signed, wide);
  }
  const magnitude = code`(${fraction} === 0 ? ${n.value} : ${n.value} / ${powers}[${fraction}])`;
  const value = code`(${n.start} === ${p} ? ${magnitude} : -${magnitude})`;
  return code`${target.values}[${row}] = ${type.kind === 'float' ? code`Math.fround(${value})` : value};`;
}

/** `"2026-01-02T03:04:05.678Z"` or `"2026-01-02T03:04:05Z"` of a minute seen before, or milliseconds as a number. */
function timestampValue(builder: CodeBuilder, context: ValueContext, target: TargetNames, slow: Code): Code {
  const { state, bytes, view, p, end, row } = context;
  const [w, x, s, t, a, b, c] = Array.from({ length: 7 }, () => builder.fresh()) as [
    Code, Code, Code, Code, Code, Code, Code,
  ];
  const cache = builder.constant(newMinuteCache());
  return code`
    if (${bytes}[${p}] === 34) {
      let ${w} = 0, ${x} = 0, ${s} = 10, ${t} = 10, ${a} = 10, ${b} = 10, ${c} = 10;
      if (${p} + 26 < ${end} && ((${view}.getFloat64(${p} + 1, true) === ${cache}[0]
        && ${view}.getFloat64(${p} + 9, true) === ${cache}[1]) || ${state}.minute(${cache}, ${p} + 1))) {
        ${w} = ${view}.getInt32(${p} + 17, true);
        ${x} = ${view}.getInt32(${p} + 21, true);
        ${s} = (${w} >>> 8 & 255) - 48;
        ${t} = (${w} >>> 16 & 255) - 48;
        ${a} = (${x} & 255) - 48;
        ${b} = (${x} >>> 8 & 255) - 48;
        ${c} = (${x} >>> 16 & 255) - 48;
      }
      if ((${w} & 0xff0000ff) === 0x2e00003a && ${x} >>> 24 === 90 && ${s} >>> 0 < 6 && ${t} >>> 0 < 10
        && ${a} >>> 0 < 10 && ${b} >>> 0 < 10 && ${c} >>> 0 < 10 && ${bytes}[${p} + 25] === 34) {
        ${target.values}[${row}] = ${cache}[2] + (${s} * 10 + ${t}) * 1000 + ${a} * 100 + ${b} * 10 + ${c};
        ${target.seen} |= ${target.bit};
        ${p} += 26;
      } else if ((${w} & 0xff0000ff) === ${SECOND_WORD} && ${s} >>> 0 < 6 && ${t} >>> 0 < 10
        && ${bytes}[${p} + 21] === 34) {
        ${target.values}[${row}] = ${cache}[2] + (${s} * 10 + ${t}) * 1000;
        ${target.seen} |= ${target.bit};
        ${p} += 22;
      } else { ${slow} }
    } else ${integerValue(builder, context, target, slow)}`;
}
