/**
 * What JSON.parse and the rules of docs/design/006-formats.md say about a record: the judge of the decoder's tests. It
 * shares no code with the decoder.
 */
import type { DataType, Field, Value } from '../../../core/index.ts';

/** A scalar with its text, which alone says what number it is. */
class Scalar {
  readonly value: unknown;
  readonly source: string;
  constructor(value: unknown, source: string) {
    this.value = value;
    this.source = source;
  }
}

class Refused extends Error {}

function refuse(): never {
  throw new Refused();
}

class Unsure extends Error {}

/** The row, null where the record must be refused, or `unsure` where it holds a time that only tables can judge. */
export function oracleRow(record: Uint8Array, fields: readonly Field[]): Value[] | null | 'unsure' {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(record);
    const root: unknown = JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'object' && value !== null ? value : new Scalar(value, context?.source ?? ''),
    );
    if (!isObject(root)) return null;
    return fields.map(({ name, type }) => (Object.hasOwn(root, name) ? valueOf(root[name], type) : null));
  } catch (error) {
    if (error instanceof Unsure) return 'unsure';
    // A SyntaxError or TypeError of the parsers, of whatever realm.
    if (error instanceof Refused || (error as Error).name !== 'ReferenceError') return null;
    throw error;
  }
}

function isObject(node: unknown): node is Record<string, unknown> {
  return typeof node === 'object' && node !== null && !Array.isArray(node) && !(node instanceof Scalar);
}

function valueOf(node: unknown, type: DataType): Value {
  if (node instanceof Scalar && node.value === null) return null;
  switch (type.kind) {
    case 'array':
      return Array.isArray(node) ? node.map((item) => valueOf(item, type.element)) : refuse();
    case 'row':
      if (!isObject(node)) refuse();
      return type.fields.map((field) =>
        (Object.hasOwn(node, field.name) ? valueOf(node[field.name], field.type) : null));
    case 'map':
      if (!isObject(node)) refuse();
      return new Map(Object.keys(node).map((key) => [wellFormed(key), valueOf(node[key], type.value)]));
    default:
      return node instanceof Scalar ? scalarOf(node, type) : refuse();
  }
}

function wellFormed(text: string): string {
  return text.toWellFormed();
}

function scalarOf({ value, source }: Scalar, type: DataType): Value {
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? value : refuse();
    case 'string':
      return typeof value === 'string' && value.isWellFormed() ? value : refuse();
    case 'double':
      return typeof value === 'number' && Number.isFinite(value) ? value : refuse();
    case 'float':
      return typeof value === 'number' && Number.isFinite(value) ? Math.fround(value) : refuse();
    case 'timestamp':
      if (typeof value === 'number') return Number(within(exact(source, 0), -MAX_DATE, MAX_DATE));
      return isoMs(value);
    case 'int':
      return typeof value === 'number' ? Number(within(exact(source, 0), -(2n ** 31n), 2n ** 31n - 1n)) : refuse();
    case 'long':
      return within(exact(numberText(value, source), 0), -(2n ** 63n), 2n ** 63n - 1n);
    case 'decimal': {
      const greatest = 10n ** BigInt(type.precision) - 1n;
      return within(exact(numberText(value, source), type.scale), -greatest, greatest);
    }
    default:
      throw new ReferenceError(`the oracle knows no ${type.kind}`);
  }
}

/** Date.parse takes 30 February and 24:00; a text that is not written again the same is none. */
function isoMs(value: unknown): number {
  if (typeof value !== 'string' || !/^[+-]?\d{4,}-/.test(value)) refuse();
  if (!ISO.test(value)) throw new Unsure();
  const ms = Date.parse(value);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === value ? ms : refuse();
}

const MAX_DATE = 8_640_000_000_000_000n;
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function numberText(value: unknown, source: string): string {
  if (typeof value === 'number') return source;
  return typeof value === 'string' && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? value : refuse();
}

/** The number times 10^scale, by long division of bigints. */
function exact(text: string, scale: number): bigint {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  if (Math.abs(Number(exponent)) > 5000) return BigInt(whole + fraction) === 0n ? 0n : refuse();
  const power = Number(exponent) - fraction.length + scale;
  const digits = BigInt(whole.replace('-', '') + fraction) * (text.startsWith('-') ? -1n : 1n);
  if (power >= 0) return digits * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return digits % divisor === 0n ? digits / divisor : refuse();
}

function within(value: bigint, low: bigint, high: bigint): bigint {
  return value >= low && value <= high ? value : refuse();
}
