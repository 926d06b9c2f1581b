import type { DataType } from './types.ts';

/**
 * One value outside a column, as the expression interpreter, tests and error messages see it. The hot path never
 * makes one; it reads and writes columns.
 *
 * | type | value |
 * |---|---|
 * | any | `null` for SQL NULL |
 * | boolean | boolean |
 * | int, date (days since 1970-01-01), time (ms of day) | number, a 32-bit integer |
 * | timestamp (ms since 1970-01-01T00:00Z) | number, an integer of at most MAX_TIMESTAMP_MS in magnitude |
 * | long | bigint, 64-bit |
 * | float (rounded to 32 bits), double | number |
 * | decimal(p,s) | bigint, the unscaled value: 1.50 as decimal(10,2) is 150n |
 * | string, json (its text) | string |
 * | bytes | Uint8Array |
 * | array | readonly Value[] |
 * | map | ReadonlyMap<Value, Value> in insertion order; keys of primitive type |
 * | row | readonly Value[], one per field |
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | ReadonlyMap<Value, Value>;

/** The range of ECMAScript's Date, which is inside the safe integers. Outside it a timestamp is a record error. */
export const MAX_TIMESTAMP_MS = 8.64e15;

export const MIN_LONG = -(2n ** 63n);
export const MAX_LONG = 2n ** 63n - 1n;
export const MIN_INT = -(2 ** 31);
export const MAX_INT = 2 ** 31 - 1;

/** Human-readable form of a value for messages and tests; not a wire format. */
export function describeValue(value: Value, type: DataType): string {
  if (value === null) return 'NULL';
  if (type.kind === 'decimal' && typeof value === 'bigint') return formatDecimal(value, type.scale);
  if (type.kind === 'timestamp' && typeof value === 'number') return new Date(value).toISOString();
  if (type.kind === 'date' && typeof value === 'number' && Math.abs(value) <= MAX_TIMESTAMP_MS / 86_400_000) {
    return new Date(value * 86_400_000).toISOString().slice(0, -14);
  }
  if (type.kind === 'time' && typeof value === 'number') return new Date(value).toISOString().slice(11, 23);
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) {
    return `[${value.map((v: Value, i) => describeValue(v, partType(type, i))).join(', ')}]`;
  }
  if (value instanceof Map && type.kind === 'map') {
    const entries = [...(value as ReadonlyMap<Value, Value>)];
    return `{${entries.map(([k, v]) => `${describeValue(k, type.key)}: ${describeValue(v, type.value)}`).join(', ')}}`;
  }
  return String(value as boolean | number | bigint);
}

function partType(type: DataType, index: number): DataType {
  if (type.kind === 'array') return type.element;
  if (type.kind === 'row') return type.fields[index]?.type ?? { kind: 'string' };
  return { kind: 'string' };
}

/** The plain decimal spelling of an unscaled value: formatDecimal(-150n, 2) is `-1.50`. */
export function formatDecimal(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
