/**
 * CAST: which types can be cast into which, and how. A cast that loses only fractional digits succeeds (numbers are
 * truncated towards zero on the way to integers, rounded half up on the way to decimals); a value without a counterpart
 * is a record error, or NULL in TRY_CAST.
 */
import { describeValue, formatDecimal, formatType } from '../../core/index.ts';
import { exprErrors } from '../errors.ts';
import { fitsPrecision, powerOfTen, rescale } from '../types/decimal-value.ts';
import {
  MS_PER_DAY,
  formatDate,
  formatTime,
  formatTimestampSql,
  parseDate,
  parseTime,
  parseTimestamp,
} from './date-time-text.ts';
import { JsonShapeError, fromJson, toJsonText } from './json-value.ts';
import { parseJson } from './json-node.ts';
import { formatDouble, formatFloat, parseDecimal, parseDouble, parseInt32, parseLong } from './number-text.ts';
import { MAX_INT, MAX_TIMESTAMP_MS, MIN_INT } from '../../core/index.ts';
import type { DataType, TypeKind, Value } from '../../core/index.ts';

/** Never called with null. */
export type CastFunction = (value: Value) => Value;

/** Not possible for this value: the caller says which, of which types. */
const FAILED = Symbol('cannot be cast');
type Attempt = (value: never) => Value | typeof FAILED;

const NUMERIC: readonly TypeKind[] = ['int', 'long', 'float', 'double', 'decimal'];
const isNumeric = (type: DataType): boolean => NUMERIC.includes(type.kind);

/** Whether CAST from one type to the other exists at all (a value may still not have a counterpart). */
export function canCast(from: DataType, to: DataType): boolean {
  if (from.kind === 'array' && to.kind === 'array') return canCast(from.element, to.element);
  if (from.kind === 'map' && to.kind === 'map') return canCast(from.key, to.key) && canCast(from.value, to.value);
  if (from.kind === 'row' && to.kind === 'row') {
    return (
      from.fields.length === to.fields.length &&
      from.fields.every((field, index) => canCast(field.type, to.fields[index]?.type ?? field.type))
    );
  }
  if (to.kind === 'json') return true;
  if (from.kind === 'json') return true;
  if (to.kind === 'string') return true;
  return scalarTargets(from).includes(to.kind);
}

function scalarTargets(from: DataType): readonly TypeKind[] {
  switch (from.kind) {
    case 'boolean':
      return ['boolean', ...NUMERIC];
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'decimal':
      return ['boolean', ...NUMERIC];
    case 'string':
      return ['boolean', ...NUMERIC, 'bytes', 'date', 'time', 'timestamp'];
    case 'bytes':
      return ['bytes'];
    case 'date':
      return ['date', 'timestamp'];
    case 'time':
      return ['time'];
    case 'timestamp':
      return ['date', 'time', 'timestamp'];
    default:
      return [];
  }
}

/** Whether a cast may fail for some value; widening casts cannot. */
export function castCanFail(from: DataType, to: DataType): boolean {
  if (to.kind === 'string') return false;
  if (to.kind === 'json') return from.kind === 'string';
  if (from.kind === 'array' && to.kind === 'array') return castCanFail(from.element, to.element);
  if (from.kind === 'map' && to.kind === 'map') {
    return castCanFail(from.key, to.key) || castCanFail(from.value, to.value);
  }
  if (from.kind === 'row' && to.kind === 'row') {
    return from.fields.some((field, index) => castCanFail(field.type, to.fields[index]?.type ?? field.type));
  }
  if (to.kind === 'decimal') return !fitsDecimal(from, to);
  if (to.kind === 'boolean') return !isNumeric(from) && from.kind !== 'boolean';
  if (to.kind === 'float' || to.kind === 'double') return !isNumeric(from) && from.kind !== 'boolean';
  if (from.kind === 'date' && to.kind === 'timestamp') return true;
  return (
    from.kind !== to.kind &&
    !(from.kind === 'int' && to.kind === 'long') &&
    from.kind !== 'boolean' &&
    from.kind !== 'timestamp' &&
    !(from.kind === 'string' && to.kind === 'bytes')
  );
}

function fitsDecimal(from: DataType, to: Extract<DataType, { kind: 'decimal' }>): boolean {
  const digits = to.precision - to.scale;
  if (from.kind === 'boolean') return digits >= 1;
  if (from.kind === 'int') return digits >= 10;
  if (from.kind === 'long') return digits >= 19;
  if (from.kind !== 'decimal') return false;
  // Rounding may carry into one more digit: 9.99 as decimal(2,1) is 10.0.
  const rounds = from.scale > to.scale ? 1 : 0;
  return from.precision - from.scale + rounds <= digits;
}

/**
 * The cast of values of one type to another. JSON null gives NULL. `safe` gives NULL where a value cannot be cast;
 * otherwise that is the record error MR-EXPR-CAST.
 */
export function bindCast(from: DataType, to: DataType, safe: boolean): CastFunction {
  const attempt = bindAttempt(from, to) as (value: Value) => Value | typeof FAILED;
  return (value) => {
    const result = attempt(value);
    if (result !== FAILED) return result;
    if (safe) return null;
    throw castError(value, from, to);
  };
}

const MAX_SHOWN = 100;

function castError(value: Value, from: DataType, to: DataType): Error {
  const text = describeValue(value, from);
  const shown = text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
  return exprErrors.create('MR-EXPR-CAST', { value: shown, from: formatType(from), to: formatType(to) });
}

/** As bindCast, for one value: null stays null. */
export function castValue(value: Value, from: DataType, to: DataType): Value {
  return value === null ? null : bindCast(from, to, false)(value);
}

function bindAttempt(from: DataType, to: DataType): Attempt {
  if (from.kind === 'json') return fromJsonText(to);
  if (from.kind === 'array' && to.kind === 'array') return listCast(from.element, to.element);
  if (from.kind === 'map' && to.kind === 'map') return mapCast(from, to);
  if (from.kind === 'row' && to.kind === 'row') return rowCast(from, to);
  switch (to.kind) {
    case 'string':
      return (value: Value) => castToString(value, from);
    case 'json':
      if (from.kind === 'string') return (text: string) => (parseJson(text) === null ? FAILED : text.trim());
      return (value: Value) => toJsonText(value, from);
    case 'boolean':
      return toBoolean(from);
    case 'int':
    case 'long':
      return toInteger(from, to.kind);
    case 'float':
    case 'double':
      return toFloating(from, to.kind);
    case 'decimal':
      return toDecimal(from, to);
    case 'bytes':
      return from.kind === 'string' ? (text: string) => new TextEncoder().encode(text) : (value: Value) => value;
    default:
      return toTime(from, to.kind);
  }
}

function orFailed(value: Value): Value | typeof FAILED {
  return value === null ? FAILED : value;
}

function fromJsonText(to: DataType): Attempt {
  if (to.kind === 'json' || to.kind === 'string') return (text: string) => text;
  return (text: string) => {
    const node = parseJson(text);
    if (node === null) return FAILED;
    try {
      return fromJson(node, to);
    } catch (error) {
      if (error instanceof JsonShapeError) return FAILED;
      throw error;
    }
  };
}

const TRUE_WORDS = ['t', 'true', 'y', 'yes', '1'];
const FALSE_WORDS = ['f', 'false', 'n', 'no', '0'];

function toBoolean(from: DataType): Attempt {
  if (from.kind !== 'string') return (value: boolean | number | bigint) => Boolean(value) || Number.isNaN(value);
  return (text: string) => {
    const word = text.trim().toLowerCase();
    if (TRUE_WORDS.includes(word)) return true;
    return FALSE_WORDS.includes(word) ? false : FAILED;
  };
}

function toInteger(from: DataType, to: 'int' | 'long'): Attempt {
  const narrow = (value: bigint): Value | typeof FAILED => {
    if (to === 'long') return BigInt.asIntN(64, value) === value ? value : FAILED;
    return BigInt.asIntN(32, value) === value ? Number(value) : FAILED;
  };
  switch (from.kind) {
    case 'string':
      return (text: string) => orFailed(to === 'int' ? parseInt32(text) : parseLong(text));
    case 'boolean':
      return (value: boolean) => narrow(value ? 1n : 0n);
    case 'decimal': {
      const unit = powerOfTen(from.scale);
      return (value: bigint) => narrow(value / unit);
    }
    case 'float':
    case 'double':
      return (value: number) => {
        const whole = Math.trunc(value);
        if (to === 'int') return whole >= MIN_INT && whole <= MAX_INT ? whole + 0 : FAILED;
        return Number.isFinite(whole) ? narrow(BigInt(whole)) : FAILED;
      };
    default:
      return (value: number | bigint) => narrow(BigInt(value));
  }
}

function toFloating(from: DataType, to: 'float' | 'double'): Attempt {
  const round = to === 'float' ? Math.fround : (value: number) => value;
  switch (from.kind) {
    case 'string':
      return (text: string) => {
        const value = parseDouble(text);
        return value === null ? FAILED : round(value);
      };
    case 'decimal':
      return (value: bigint) => round(Number(formatDecimal(value, from.scale)));
    default:
      return (value: boolean | number | bigint) => round(Number(value));
  }
}

function toDecimal(from: DataType, to: Extract<DataType, { kind: 'decimal' }>): Attempt {
  const checked = (unscaled: bigint): Value | typeof FAILED =>
    fitsPrecision(unscaled, to.precision) ? unscaled : FAILED;
  switch (from.kind) {
    case 'string':
      return (text: string) => orFailed(parseDecimal(text, to));
    case 'decimal':
      return (value: bigint) => checked(rescale(value, from.scale, to.scale));
    case 'float':
      return (value: number) => orFailed(parseDecimal(formatFloat(value), to));
    case 'double':
      return (value: number) => orFailed(parseDecimal(formatDouble(value), to));
    default:
      return (value: boolean | number | bigint) => checked(rescale(BigInt(value), 0, to.scale));
  }
}

function toTime(from: DataType, to: TypeKind): Attempt {
  if (from.kind === 'string') {
    if (to === 'time') return (text: string) => orFailed(parseTime(text));
    if (to === 'timestamp') return (text: string) => orFailed(parseTimestamp(text));
    return (text: string) => {
      const days = parseDate(text);
      if (days !== null) return days;
      const ms = parseTimestamp(text);
      return ms === null ? FAILED : Math.floor(ms / MS_PER_DAY);
    };
  }
  if (from.kind === 'timestamp' && to === 'date') return (ms: number) => Math.floor(ms / MS_PER_DAY);
  if (from.kind === 'timestamp' && to === 'time') return (ms: number) => ms - Math.floor(ms / MS_PER_DAY) * MS_PER_DAY;
  if (from.kind === 'date' && to === 'timestamp') {
    return (days: number) => (Math.abs(days * MS_PER_DAY) <= MAX_TIMESTAMP_MS ? days * MS_PER_DAY : FAILED);
  }
  return (value: Value) => value;
}

function listCast(from: DataType, to: DataType): Attempt {
  const cast = bindAttempt(from, to) as (value: Value) => Value | typeof FAILED;
  return (items: readonly Value[]) => {
    const results: Value[] = [];
    for (const item of items) {
      const result = item === null ? null : cast(item);
      if (result === FAILED) return FAILED;
      results.push(result);
    }
    return results;
  };
}

function mapCast(from: Extract<DataType, { kind: 'map' }>, to: Extract<DataType, { kind: 'map' }>): Attempt {
  const keys = listCast(from.key, to.key) as (items: readonly Value[]) => readonly Value[] | typeof FAILED;
  const values = listCast(from.value, to.value) as (items: readonly Value[]) => readonly Value[] | typeof FAILED;
  return (map: ReadonlyMap<Value, Value>) => {
    const castKeys = keys([...map.keys()]);
    const castValues = values([...map.values()]);
    if (castKeys === FAILED || castValues === FAILED) return FAILED;
    return new Map(castKeys.map((key, index) => [key, castValues[index] ?? null]));
  };
}

function rowCast(from: Extract<DataType, { kind: 'row' }>, to: Extract<DataType, { kind: 'row' }>): Attempt {
  const casts = from.fields.map(
    (field, index) =>
      bindAttempt(field.type, to.fields[index]?.type ?? field.type) as (value: Value) => Value | typeof FAILED,
  );
  return (row: readonly Value[]) => {
    const results: Value[] = [];
    for (let index = 0; index < casts.length; index++) {
      const value = row[index] ?? null;
      const result = value === null ? null : (casts[index]?.(value) ?? null);
      if (result === FAILED) return FAILED;
      results.push(result);
    }
    return results;
  };
}

/** Text as CAST(x AS string) gives it, Flink's spelling: TRUE, 1.50, 2024-02-29 12:34:56.789, [1, 2], {a=1}, (1, x). */
function castToString(value: Value, type: DataType): string {
  if (value === null) return 'NULL';
  switch (type.kind) {
    case 'string':
    case 'json':
      return value as string;
    case 'boolean':
      return value === true ? 'TRUE' : 'FALSE';
    case 'int':
    case 'long':
      return String(value as number | bigint);
    case 'float':
      return formatFloat(value as number);
    case 'double':
      return formatDouble(value as number);
    case 'decimal':
      return formatDecimal(value as bigint, type.scale);
    case 'bytes':
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(value as Uint8Array);
    case 'date':
      return formatDate(value as number);
    case 'time':
      return formatTime(value as number);
    case 'timestamp':
      return formatTimestampSql(value as number);
    case 'array':
      return `[${(value as readonly Value[]).map((item) => castToString(item, type.element)).join(', ')}]`;
    case 'map':
      return `{${[...(value as ReadonlyMap<Value, Value>)]
        .map(([k, v]) => `${castToString(k, type.key)}=${castToString(v, type.value)}`)
        .join(', ')}}`;
    case 'row':
      return `(${(value as readonly Value[])
        .map((item, index) => castToString(item, type.fields[index]?.type ?? type))
        .join(', ')})`;
  }
}
