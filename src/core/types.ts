/**
 * The types of fields, and rows of fields. Plain frozen data: they travel in job graphs as JSON.
 *
 * Every field may be NULL, as in SQL.
 */
export type DataType =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'int' }
  | { readonly kind: 'long' }
  | { readonly kind: 'float' }
  | { readonly kind: 'double' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'string' }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'date' }
  | { readonly kind: 'time' }
  | { readonly kind: 'timestamp' }
  | { readonly kind: 'json' }
  | { readonly kind: 'array'; readonly element: DataType }
  | { readonly kind: 'map'; readonly key: DataType; readonly value: DataType }
  | { readonly kind: 'row'; readonly fields: readonly Field[] };

export type TypeKind = DataType['kind'];

export interface Field {
  readonly name: string;
  readonly type: DataType;
}

/** The ordered fields of a row. Field names are unique and keep their case. */
export interface RowSchema {
  readonly fields: readonly Field[];
}

export const MAX_DECIMAL_PRECISION = 38;

const simple = <K extends TypeKind>(kind: K): { readonly kind: K } => Object.freeze({ kind });

/** Constructors of every type, so that no other file spells the literals. */
export const types = Object.freeze({
  boolean: simple('boolean'),
  int: simple('int'),
  long: simple('long'),
  float: simple('float'),
  double: simple('double'),
  string: simple('string'),
  bytes: simple('bytes'),
  date: simple('date'),
  time: simple('time'),
  timestamp: simple('timestamp'),
  json: simple('json'),
  decimal: (precision: number, scale: number): DataType =>
    Object.freeze({ kind: 'decimal', precision, scale }),
  array: (element: DataType): DataType => Object.freeze({ kind: 'array', element }),
  map: (key: DataType, value: DataType): DataType => Object.freeze({ kind: 'map', key, value }),
  row: (fields: readonly Field[]): DataType => Object.freeze({ kind: 'row', fields }),
});

export function rowSchema(fields: readonly Field[]): RowSchema {
  return Object.freeze({ fields: Object.freeze([...fields]) });
}

export function fieldIndex(schema: RowSchema, name: string): number {
  return schema.fields.findIndex((field) => field.name === name);
}

/** Structural equality; field names of rows count. */
export function sameType(a: DataType, b: DataType): boolean {
  return formatType(a) === formatType(b);
}

/** Why values of a field that had one type are not all values of another; null where they are. */
export function narrowing({ name, type }: Field, now: DataType): string | null {
  if (sameType(type, now) || isWider(type, now)) return null;
  return `${name} was ${formatType(type)}, and ${formatType(now)} does not hold all of its values`;
}

/** Whether every value of one type is one of the other, exactly. */
function isWider(from: DataType, to: DataType): boolean {
  switch (from.kind) {
    case 'int':
      return to.kind === 'long' || to.kind === 'double' || (to.kind === 'decimal' && to.precision - to.scale >= 10);
    case 'long':
      return to.kind === 'decimal' && to.precision - to.scale >= 19;
    case 'float':
      return to.kind === 'double';
    case 'decimal':
      return to.kind === 'decimal' && to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
    default:
      return false;
  }
}

/** The spelling of a type in a job file: `decimal(10,2)`, `array<string>`, `row<a int, b string>`. */
export function formatType(type: DataType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'array':
      return `array<${formatType(type.element)}>`;
    case 'map':
      return `map<${formatType(type.key)}, ${formatType(type.value)}>`;
    case 'row':
      return `row<${type.fields.map((f) => `${f.name} ${formatType(f.type)}`).join(', ')}>`;
    default:
      return type.kind;
  }
}
