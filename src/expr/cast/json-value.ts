/** Values as JSON and back: what CAST to and from json does, and what formats do for nested fields. */
import { formatDecimal } from '../../core/index.ts';
import { formatDate, formatTime, formatTimestamp, parseDate, parseTime, parseTimestamp } from './date-time-text.ts';
import { formatJson } from './json-node.ts';
import { formatDouble, formatFloat, parseDecimal, parseInt32, parseLong } from './number-text.ts';
import type { JsonNode } from './json-node.ts';
import type { DataType, Value } from '../../core/index.ts';

/** What fromJson throws where the JSON has another shape; cast.ts makes a record error of it. */
export class JsonShapeError extends Error {}

/** JSON text of a value: timestamps in ISO 8601, bytes in base64, NaN and the infinities as null. */
export function toJsonText(value: Value, type: DataType): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'json':
      return value as string;
    case 'boolean':
    case 'int':
    case 'long':
      return String(value as boolean | number | bigint);
    case 'float':
    case 'double':
      if (!Number.isFinite(value)) return 'null';
      return type.kind === 'float' ? formatFloat(value as number) : formatDouble(value as number);
    case 'decimal':
      return formatDecimal(value as bigint, type.scale);
    case 'array':
      return `[${(value as readonly Value[]).map((item) => toJsonText(item, type.element)).join(',')}]`;
    case 'map':
      return `{${[...(value as ReadonlyMap<Value, Value>)]
        .map(([k, v]) => `${JSON.stringify(jsonName(k, type.key))}:${toJsonText(v, type.value)}`)
        .join(',')}}`;
    case 'row':
      return `{${type.fields
        .map((f, i) => `${JSON.stringify(f.name)}:${toJsonText((value as readonly Value[])[i] ?? null, f.type)}`)
        .join(',')}}`;
    default:
      return JSON.stringify(plainText(value, type));
  }
}

function jsonName(key: Value, type: DataType): string {
  const text = toJsonText(key, type);
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}

function plainText(value: Value, type: DataType): string {
  switch (type.kind) {
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'date':
      return formatDate(value as number);
    case 'time':
      return formatTime(value as number);
    case 'timestamp':
      return formatTimestamp(value as number);
    default:
      return value as string;
  }
}

/** The value of a type that a JSON tree holds. Missing members are NULL; null is NULL. Throws JsonShapeError. */
export function fromJson(node: JsonNode, type: DataType): Value {
  if (node.kind === 'null') return null;
  switch (type.kind) {
    case 'json':
      return formatJson(node);
    case 'string':
      return node.kind === 'string' ? node.value : formatJson(node);
    case 'boolean':
      return node.kind === 'boolean' ? node.value : mismatch(node, type);
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'decimal':
      return node.kind === 'number' ? number(node.text, type) : mismatch(node, type);
    case 'date':
    case 'time':
    case 'timestamp':
    case 'bytes':
      return node.kind === 'string' ? fromString(node.value, type) : mismatch(node, type);
    case 'array':
      return node.kind === 'array' ? node.items.map((item) => fromJson(item, type.element)) : mismatch(node, type);
    case 'map':
      if (node.kind !== 'object') return mismatch(node, type);
      return new Map([...node.members].map(([k, v]) => [fromName(k, type.key), fromJson(v, type.value)]));
    case 'row':
      if (node.kind !== 'object') return mismatch(node, type);
      return type.fields.map((field) => fromJson(node.members.get(field.name) ?? { kind: 'null' }, field.type));
  }
}

function mismatch(node: JsonNode, type: DataType): never {
  throw new JsonShapeError(`a JSON ${node.kind} is no ${type.kind}`);
}

/** A whole number may be spelled 1.0 or 1e2; a fraction is no integer. */
function number(text: string, type: DataType): Value {
  if (type.kind === 'double') return Number(text);
  if (type.kind === 'float') return Math.fround(Number(text));
  let value: Value;
  if (type.kind === 'decimal') value = parseDecimal(text, type);
  else if (/^-?\d+$/.test(text)) value = type.kind === 'int' ? parseInt32(text) : parseLong(text);
  else value = wholeNumber(text, type);
  if (value === null) throw new JsonShapeError(`${text} is no ${type.kind}`);
  return value;
}

function wholeNumber(text: string, type: DataType): Value {
  const value = parseDecimal(text, { kind: 'decimal', precision: 38, scale: 6 });
  if (value === null || value % 1_000_000n !== 0n) return null;
  const whole = (value / 1_000_000n).toString();
  return type.kind === 'int' ? parseInt32(whole) : parseLong(whole);
}

function fromString(text: string, type: DataType): Value {
  const value = type.kind === 'date' ? parseDate(text)
    : type.kind === 'time' ? parseTime(text)
    : type.kind === 'timestamp' ? parseTimestamp(text)
    : new Uint8Array(Buffer.from(text, 'base64'));
  if (value === null) throw new JsonShapeError(`\`${text}\` is no ${type.kind}`);
  return value;
}

/** Names of members are strings; keys of another type are read from their text. */
function fromName(name: string, type: DataType): Value {
  if (type.kind === 'string') return name;
  if (type.kind === 'boolean') return fromJson({ kind: 'boolean', value: name === 'true' }, type);
  const isNumber = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(name);
  return fromJson(isNumber ? { kind: 'number', text: name } : { kind: 'string', value: name }, type);
}
