/** JSON text of values outside columns: elements of arrays, maps and rows. Not for hot paths. */
import { formatDecimal } from '../../../core/index.ts';
import type { DataType, Value } from '../../../core/index.ts';
import { formatDate, formatFloat, formatTime, formatTimestamp } from '../../../expr/index.ts';

export interface JsonTextOptions {
  readonly epochMillis: boolean;
  readonly omitNulls: boolean;
}

/** A value that JSON has no spelling for. */
export class NoJsonSpelling extends Error {}

/** Throws NoJsonSpelling. */
export function jsonText(value: Value, type: DataType, options: JsonTextOptions): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'array':
      return `[${(value as readonly Value[]).map((item) => jsonText(item, type.element, options)).join(',')}]`;
    case 'map':
      return mapText(value as ReadonlyMap<Value, Value>, type, options);
    case 'row':
      return rowText(value as readonly Value[], type, options);
    case 'timestamp':
      return options.epochMillis ? String(value as number) : JSON.stringify(scalarText(value, type));
    case 'string':
    case 'bytes':
    case 'date':
    case 'time':
      return JSON.stringify(scalarText(value, type));
    default:
      return scalarText(value, type);
  }
}

function mapText(
  map: ReadonlyMap<Value, Value>,
  type: Extract<DataType, { kind: 'map' }>,
  options: JsonTextOptions,
): string {
  const entries = [...map].map(([key, value]) => {
    if (key === null) throw new NoJsonSpelling('a map key is NULL');
    return `${JSON.stringify(scalarText(key, type.key))}:${jsonText(value, type.value, options)}`;
  });
  return `{${entries.join(',')}}`;
}

function rowText(
  row: readonly Value[],
  type: Extract<DataType, { kind: 'row' }>,
  options: JsonTextOptions,
): string {
  const entries = type.fields.flatMap((field, index) => {
    const value = row[index] ?? null;
    if (value === null && options.omitNulls) return [];
    return [`${JSON.stringify(field.name)}:${jsonText(value, field.type, options)}`];
  });
  return `{${entries.join(',')}}`;
}

/** The text of a scalar without quotes. */
function scalarText(value: Exclude<Value, null>, type: DataType): string {
  switch (type.kind) {
    case 'double':
    case 'float':
      if (!Number.isFinite(value as number)) throw new NoJsonSpelling(`${String(value as number)} is no JSON number`);
      return type.kind === 'float' ? formatFloat(value as number) : String(value as number);
    case 'decimal':
      return formatDecimal(value as bigint, type.scale);
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'timestamp':
      return formatTimestamp(value as number);
    case 'date':
      return formatDate(value as number);
    case 'time':
      return formatTime(value as number);
    case 'json':
      return (value as string).replace(/[\n\r]/g, ' ');
    default:
      return String(value as string | number | bigint | boolean);
  }
}
