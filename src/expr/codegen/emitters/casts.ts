/** Casts among numbers, and of what is cheap besides; `castEmitters` maps `from to` to the emitter. */
import { code } from '../../../core/index.ts';
import type { DataType } from '../../../core/index.ts';
import { MS_PER_DAY } from '../../cast/date-time-text.ts';
import { castCanFail } from '../../cast/cast.ts';
import { failCast } from '../cast-site.ts';
import type { CastEmitter, CastSite } from '../cast-site.ts';
import { operand, valueOf } from '../operand.ts';
import type { Operand } from '../operand.ts';
import { encodeInteger } from '../runtime/text.ts';
import { divideSafe } from '../runtime/numbers.ts';
import { precisionCheck, rescaleNarrow } from './narrow-decimal.ts';

type DecimalType = Extract<DataType, { kind: 'decimal' }>;

const unchanged: CastEmitter = ({ arg, to }) => ({ ...arg, type: to, constant: null });

const toDouble: CastEmitter = ({ emitter, arg, to }) => {
  const number = emitter.mode === 'wide' && arg.type.kind === 'long' ? code`Number(${valueOf(arg)})` : valueOf(arg);
  return operand({ type: to, value: emitter.bind(to.kind === 'float' ? code`Math.fround(${number})` : number) });
};

/** A double is the nearest to the quotient of two exact doubles, and so to the decimal. */
const decimalToDouble: CastEmitter = ({ emitter, arg, from, to }) => {
  const { scale } = from as DecimalType;
  // fround of the rounded double is what the interpreter computes, too.
  if (emitter.mode === 'wide' || scale > 22) return null;
  const quotient = scale === 0 ? valueOf(arg) : code`${valueOf(arg)} / ${10 ** scale}`;
  return operand({ type: to, value: emitter.bind(to.kind === 'float' ? code`Math.fround(${quotient})` : quotient) });
};

const intToLong: CastEmitter = ({ emitter, arg, to }) =>
  emitter.mode === 'wide'
    ? operand({ type: to, value: emitter.bind(code`BigInt(${valueOf(arg)})`) })
    : operand({ type: to, value: valueOf(arg), bound: arg.bound });

const longToInt: CastEmitter = (site) => {
  const { emitter, arg, to } = site;
  if (emitter.mode === 'wide') return null;
  const value = emitter.bind(code`${valueOf(arg)} | 0`);
  emitter.line(code`if (${value} !== ${valueOf(arg)}) {\n${failCast(site)}\n}`);
  return operand({ type: to, value, bound: arg.bound });
};

const toDecimal: CastEmitter = (site) => {
  const { emitter, arg, from, to } = site;
  if (emitter.mode === 'wide') return null;
  const fromScale = from.kind === 'decimal' ? from.scale : 0;
  const target = to as DecimalType;
  const result = rescaleNarrow(emitter, { value: valueOf(arg), bound: arg.bound }, fromScale, target.scale);
  if (result === null) return null;
  emitter.line(precisionCheck(result, target, () => failCast(site)));
  return operand({ type: to, ...result });
};

const decimalToInteger: CastEmitter = (site) => {
  const { emitter, arg, from, to } = site;
  const { scale } = from as DecimalType;
  if (emitter.mode === 'wide' || scale > 15) return null;
  const unit = 10 ** scale;
  const bound = Math.ceil(arg.bound / unit);
  const whole =
    scale === 0 ? valueOf(arg) : emitter.bind(code`${emitter.builder.constant(divideSafe)}(${valueOf(arg)}, ${unit})`);
  if (to.kind === 'long') return operand({ type: to, value: whole, bound });
  if (bound < 2 ** 31) return operand({ type: to, value: whole, bound });
  const value = emitter.bind(code`${whole} | 0`);
  emitter.line(code`if (${value} !== ${whole}) {\n${failCast(site)}\n}`);
  return operand({ type: to, value });
};

const doubleToInt: CastEmitter = (site) => {
  const { emitter, arg, to } = site;
  const whole = emitter.bind(code`Math.trunc(${valueOf(arg)})`);
  const value = emitter.bind(code`${whole} | 0`);
  emitter.line(code`if (${value} !== ${whole}) {\n${failCast(site)}\n}`);
  return operand({ type: to, value });
};

/** Larger doubles than the safe integers are cast as bigints. */
const doubleToLong: CastEmitter = ({ emitter, arg, to }) => {
  if (emitter.mode === 'wide') return null;
  const value = emitter.bind(code`Math.trunc(${valueOf(arg)}) + 0`);
  emitter.checkSafe(value);
  return operand({ type: to, value });
};

const booleanToNumber: CastEmitter = ({ emitter, arg, to }) => {
  if (to.kind === 'long' && emitter.mode === 'wide') {
    return operand({ type: to, value: emitter.bind(code`${valueOf(arg)} ? 1n : 0n`) });
  }
  return operand({ type: to, value: emitter.bind(code`${valueOf(arg)} ? 1 : 0`), bound: 1 });
};

/** All but zero is TRUE; NaN too. */
const numberToBoolean: CastEmitter = ({ emitter, arg, from, to }) => {
  const wide = emitter.mode === 'wide' && (from.kind === 'long' || from.kind === 'decimal');
  return operand({ type: to, value: emitter.bind(wide ? code`${valueOf(arg)} !== 0n` : code`${valueOf(arg)} !== 0`) });
};

const integerToText: CastEmitter = ({ emitter, arg, from, to }) => {
  if (from.kind === 'long' && emitter.mode === 'wide')
    return operand({ type: to, value: emitter.bind(code`String(${valueOf(arg)})`) });
  const scratch = emitter.scratch();
  const start = emitter.bind(code`${emitter.builder.constant(encodeInteger)}(${scratch}, ${valueOf(arg)})`);
  return operand({
    type: to,
    slice: { data: emitter.bind(code`${scratch}.data`), start, end: emitter.bind(code`${scratch}.used`) },
  });
};

const booleanToText: CastEmitter = ({ emitter, arg, to }) =>
  operand({ type: to, value: emitter.bind(code`${valueOf(arg)} ? 'TRUE' : 'FALSE'`) });

const timestampToDate: CastEmitter = ({ emitter, arg, to }) =>
  operand({ type: to, value: emitter.bind(code`Math.floor(${valueOf(arg)} / ${MS_PER_DAY})`) });

const timestampToTime: CastEmitter = ({ emitter, arg, to }) => {
  const ms = valueOf(arg);
  return operand({ type: to, value: emitter.bind(code`${ms} - Math.floor(${ms} / ${MS_PER_DAY}) * ${MS_PER_DAY}`) });
};

/** In range for the days that this millennium has; the interpreter decides about the rest. */
const dateToTimestamp: CastEmitter = (site) => {
  const { emitter, arg, to } = site;
  const value = emitter.bind(code`${valueOf(arg)} * ${MS_PER_DAY} + 0`);
  emitter.line(code`if (Math.abs(${value}) > 8640000000000000) {\n${failCast(site)}\n}`);
  return operand({ type: to, value });
};

/** Text stays the bytes that it is. */
const sameBytes: CastEmitter = ({ emitter, arg, from, to }: CastSite): Operand | null => {
  if (castCanFail(from, to)) return null;
  if (arg.slice !== null) return operand({ type: to, slice: arg.slice });
  return to.kind === 'bytes'
    ? operand({ type: to, slice: emitter.slice(arg) })
    : operand({ type: to, value: arg.value });
};

export const castEmitters: ReadonlyMap<string, CastEmitter> = new Map<string, CastEmitter>([
  ...['boolean', 'int', 'long', 'float', 'double', 'string', 'json', 'bytes', 'date', 'time', 'timestamp'].map(
    (kind): [string, CastEmitter] => [`${kind} ${kind}`, unchanged],
  ),
  ['int float', toDouble],
  ['int double', toDouble],
  ['long float', toDouble],
  ['long double', toDouble],
  ['float double', toDouble],
  ['double float', toDouble],
  ['decimal float', decimalToDouble],
  ['decimal double', decimalToDouble],
  ['int long', intToLong],
  ['long int', longToInt],
  ['int decimal', toDecimal],
  ['long decimal', toDecimal],
  ['decimal decimal', toDecimal],
  ['decimal int', decimalToInteger],
  ['decimal long', decimalToInteger],
  ['float int', doubleToInt],
  ['double int', doubleToInt],
  ['float long', doubleToLong],
  ['double long', doubleToLong],
  ['boolean int', booleanToNumber],
  ['boolean long', booleanToNumber],
  ['boolean float', booleanToNumber],
  ['boolean double', booleanToNumber],
  ['int boolean', numberToBoolean],
  ['long boolean', numberToBoolean],
  ['float boolean', numberToBoolean],
  ['double boolean', numberToBoolean],
  ['decimal boolean', numberToBoolean],
  ['int string', integerToText],
  ['long string', integerToText],
  ['boolean string', booleanToText],
  ['timestamp date', timestampToDate],
  ['timestamp time', timestampToTime],
  ['date timestamp', dateToTimestamp],
  ['json string', sameBytes],
  ['string bytes', sameBytes],
]);
