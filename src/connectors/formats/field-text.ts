/** Values of fields as text, for formats that have nothing but text. */
import { formatDecimal, formatType, MAX_INT, MAX_LONG, MIN_INT, MIN_LONG } from '../../core/index.ts';
import type { DataType, Value } from '../../core/index.ts';
import { formatDate, formatFloat, formatTime, formatTimestamp } from '../../expr/index.ts';
import { formatErrors } from './errors.ts';
import { IsoTimeParser } from './iso-time.ts';
import { decodeBase64 } from './json/base64.ts';
import { matchNumber, unscaledValue } from './json/exact-number.ts';
import { jsonText } from './json/json-text.ts';
import { parseJsonValue } from './json/parse-json-value.ts';

const times = new IsoTimeParser();
const encoder = new TextEncoder();

/** Where a text stands, for messages. */
export interface TextPlace {
  readonly field: string;
  readonly position: number;
}

/** The value of text; throws a record error where the text is none of the type. */
export function parseFieldText(text: string, type: DataType, place: TextPlace): Value {
  switch (type.kind) {
    case 'string':
      return text;
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true';
      throw wrongText('MR-FORMAT-TYPE', text, type, place);
    case 'date':
    case 'time':
    case 'timestamp':
      return parseTimeText(text, type, place);
    case 'int':
    case 'long':
    case 'decimal':
      return parseExact(text, type, place);
    case 'float':
    case 'double':
      return parseDoubleText(text, type, place);
    case 'bytes': {
      const bytes = decodeBase64(text);
      if (bytes === null) throw wrongText('MR-FORMAT-TYPE', text, type, place);
      return bytes;
    }
    default:
      return parseJsonValue(type, text, place.field);
  }
}

function parseTimeText(text: string, type: DataType, place: TextPlace): number {
  const bytes = encoder.encode(text);
  const value =
    type.kind === 'date'
      ? times.date(bytes, 0, bytes.length)
      : type.kind === 'time'
        ? times.time(bytes, 0, bytes.length)
        : times.timestamp(bytes, 0, bytes.length);
  if (!Number.isNaN(value)) return value;
  if (type.kind === 'timestamp' && /^-?\d{1,16}$/.test(text) && Math.abs(Number(text)) <= 8.64e15) return Number(text);
  throw wrongText('MR-FORMAT-TYPE', text, type, place);
}

function parseExact(text: string, type: DataType, place: TextPlace): number | bigint {
  const match = matchNumber(text);
  if (match === null) throw wrongText('MR-FORMAT-TYPE', text, type, place);
  const value = unscaledValue(match, type.kind === 'decimal' ? type.scale : 0);
  const limits =
    type.kind === 'decimal'
      ? ([-(10n ** BigInt(type.precision)) + 1n, 10n ** BigInt(type.precision) - 1n] as const)
      : type.kind === 'long'
        ? ([MIN_LONG, MAX_LONG] as const)
        : ([BigInt(MIN_INT), BigInt(MAX_INT)] as const);
  if (value === null || value < limits[0] || value > limits[1]) throw wrongText('MR-FORMAT-RANGE', text, type, place);
  return type.kind === 'int' ? Number(value) : value;
}

const SPECIAL_DOUBLES: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity };

function parseDoubleText(text: string, type: DataType, place: TextPlace): number {
  const special = SPECIAL_DOUBLES[text];
  if (special !== undefined) return special;
  if (matchNumber(text) === null) throw wrongText('MR-FORMAT-TYPE', text, type, place);
  const value = type.kind === 'float' ? Math.fround(Number(text)) : Number(text);
  if (!Number.isFinite(value)) throw wrongText('MR-FORMAT-RANGE', text, type, place);
  return value;
}

function wrongText(
  code: 'MR-FORMAT-TYPE' | 'MR-FORMAT-RANGE',
  text: string,
  type: DataType,
  { field, position }: TextPlace,
): Error {
  const found = JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
  return formatErrors.create(code, { field, expected: formatType(type), found, position });
}

/** The text of a value that is not NULL: what parseFieldText reads. */
export function fieldText(value: Exclude<Value, null>, type: DataType): string {
  switch (type.kind) {
    case 'decimal':
      return formatDecimal(value as bigint, type.scale);
    case 'float':
      return Number.isFinite(value) ? formatFloat(value as number) : String(value as number);
    case 'date':
      return formatDate(value as number);
    case 'time':
      return formatTime(value as number);
    case 'timestamp':
      return formatTimestamp(value as number);
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'array':
    case 'map':
    case 'row':
      return jsonText(value, type, { epochMillis: false, omitNulls: false });
    default:
      return String(value as string | number | bigint | boolean);
  }
}
