/**
 * Values as user code sees them (the table of core/user-code.ts), from and to those of core/value.ts. Slow; the fields
 * of rows that need no thought have loops of their own (row-reader.ts, row-writer.ts).
 */
import { formatType, MAX_INT, MAX_LONG, MAX_TIMESTAMP_MS, MIN_INT, MIN_LONG, formatDecimal } from '../../core/index.ts';
import type { DataType, Value } from '../../core/index.ts';
import { formatDate, formatTime, parseDate, parseDecimal, parseTime } from '../../expr/index.ts';
import type { ProcessSpec } from './process-spec.ts';

export type Longs = ProcessSpec['longs'];

/** A value that does not fit; whoever knows the field makes an error of a table of it. */
export class UnfitValue extends Error {}

export function toUserValue(value: Value, type: DataType, longs: Longs): unknown {
  if (value === null) return null;
  switch (type.kind) {
    case 'long':
      return longs === 'bigint' ? value : narrowLong(value as bigint);
    case 'date':
      return formatDate(value as number);
    case 'time':
      return timeText(value as number);
    case 'decimal':
      return formatDecimal(value as bigint, type.scale);
    case 'json':
      return JSON.parse(value as string);
    case 'array':
      return (value as readonly Value[]).map((element) => toUserValue(element, type.element, longs));
    case 'map':
      return new Map(
        [...(value as ReadonlyMap<Value, Value>)].map(([key, each]) => [
          toUserValue(key, type.key, longs),
          toUserValue(each, type.value, longs),
        ]),
      );
    case 'row': {
      const row: Record<string, unknown> = {};
      type.fields.forEach((field, index) => {
        setField(row, field.name, toUserValue((value as readonly Value[])[index] ?? null, field.type, longs));
      });
      return row;
    }
    default:
      return value;
  }
}

/** A field, whatever it is called. */
export function setField(row: object, name: string, value: unknown): void {
  Object.defineProperty(row, name, { value, writable: true, enumerable: true, configurable: true });
}

export function getField(row: object, name: string): unknown {
  return Object.hasOwn(row, name) ? (row as Readonly<Record<string, unknown>>)[name] : undefined;
}

export function timeText(ms: number): string {
  const text = formatTime(ms);
  return ms % 1000 === 0 ? `${text}.000` : text;
}

export function narrowLong(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new UnfitValue(`${value}, which no number holds exactly: see \`longs: bigint\``);
}

/** Throws UnfitValue. Undefined is NULL. */
export function fromUserValue(given: unknown, type: DataType): Value {
  if (given === null || given === undefined) return null;
  switch (type.kind) {
    case 'boolean':
      return typeof given === 'boolean' ? given : unfit(given, type);
    case 'int':
      return Number(integerOf(given, type, BigInt(MIN_INT), BigInt(MAX_INT)));
    case 'long':
      return integerOf(given, type, MIN_LONG, MAX_LONG);
    case 'float':
      return typeof given === 'number' ? Math.fround(given) : unfit(given, type);
    case 'double':
      return typeof given === 'number' ? given : unfit(given, type);
    case 'timestamp':
      return timestampOf(given, type);
    case 'date':
      return (typeof given === 'string' ? parseDate(given) : null) ?? unfit(given, type);
    case 'time':
      return (typeof given === 'string' ? parseTime(given) : null) ?? unfit(given, type);
    case 'decimal':
      return (isDecimal(given) ? parseDecimal(String(given), type) : null) ?? unfit(given, type);
    case 'string':
      return typeof given === 'string' ? given : unfit(given, type);
    case 'bytes':
      return isBytes(given) ? Uint8Array.from(given) : unfit(given, type);
    case 'json':
      // Undefined for a function, whatever its type says.
      return (JSON.stringify(given) as string | undefined) ?? unfit(given, type);
    case 'array':
      if (!Array.isArray(given)) return unfit(given, type);
      return given.map((element: unknown) => fromUserValue(element, type.element));
    case 'map':
      return mapOf(given, type);
    case 'row':
      return rowOf(given, type);
  }
}

function isDecimal(given: unknown): given is string | number | bigint {
  return typeof given === 'string' || typeof given === 'bigint' || typeof given === 'number';
}

/** Not by instanceof: values may come from another realm. */
function isBytes(given: unknown): given is Uint8Array {
  return Object.prototype.toString.call(given) === '[object Uint8Array]';
}

function integerOf(given: unknown, type: DataType, least: bigint, most: bigint): bigint {
  const isInteger = typeof given === 'bigint' || (typeof given === 'number' && Number.isSafeInteger(given));
  if (!isInteger) return unfit(given, type);
  const value = BigInt(given);
  return value < least || value > most ? unfit(given, type) : value;
}

function timestampOf(given: unknown, type: DataType): number {
  const isDate = Object.prototype.toString.call(given) === '[object Date]';
  const ms = isDate ? (given as Date).getTime() : given;
  const isTime = typeof ms === 'number' && Number.isInteger(ms) && Math.abs(ms) <= MAX_TIMESTAMP_MS;
  return isTime ? ms + 0 : unfit(given, type);
}

function mapOf(given: unknown, type: DataType & { readonly kind: 'map' }): Value {
  if (Object.prototype.toString.call(given) !== '[object Map]') return unfit(given, type);
  const entries = [...(given as ReadonlyMap<unknown, unknown>)];
  return new Map(entries.map(([key, each]) => [fromUserValue(key, type.key), fromUserValue(each, type.value)]));
}

function rowOf(given: unknown, type: DataType & { readonly kind: 'row' }): Value {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return unfit(given, type);
  const unknownName = Object.keys(given).find((name) => !type.fields.some((field) => field.name === name));
  if (unknownName !== undefined) throw new UnfitValue(`an object with the field ${unknownName}, which its type lacks`);
  return type.fields.map((field) => fromUserValue(getField(given, field.name), field.type));
}

function unfit(given: unknown, type: DataType): never {
  throw new UnfitValue(`${describeGiven(given)}, and not of type ${formatType(type)}`);
}

const MAX_SHOWN = 60;

/** A value in a message; short, and nothing of it is called. */
export function describeGiven(given: unknown): string {
  switch (typeof given) {
    case 'string': {
      const text = JSON.stringify(given);
      return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
    }
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(given);
    case 'bigint':
      return `${String(given).slice(0, MAX_SHOWN)}n`;
    case 'object':
      return given === null ? 'null' : Object.prototype.toString.call(given).replace('object ', 'an object: ');
    default:
      return `a ${typeof given}`;
  }
}
