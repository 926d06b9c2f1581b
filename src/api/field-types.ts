/**
 * The types of fields as values, so that a schema says to the engine what a record holds and to TypeScript what a row
 * is: `{ orderId: string, amount: decimal(10, 2) }`. What stands for each type in a row is told in core/user-code.ts.
 */
import { formatType, types } from '../core/index.ts';
import type { DataType } from '../core/index.ts';

/** Never there: it carries types of TypeScript. */
declare const carried: unique symbol;

/**
 * A type of a field. `Value` is what code finds in a row, `Exact` the same where longs are bigints, and `Emitted` what
 * code may put in one.
 */
export interface FieldType<Value = unknown, Exact = Value, Emitted = Value> {
  readonly type: DataType;
  /** Its spelling in a job file. */
  readonly text: string;
  readonly [carried]?: { readonly value: Value; readonly exact: Exact; readonly emitted: Emitted };
}

/** The fields of a row, in order. */
export type Schema = Readonly<Record<string, FieldType>>;

/** Whether code sees longs as numbers (beyond ±(2^53 - 1) a record error) or all of them as bigints. */
export type Longs = 'number' | 'bigint';

export type ValueOf<T, L extends Longs = 'number'> =
  T extends FieldType<infer Value, infer Exact, unknown> ? (L extends 'bigint' ? Exact : Value) : never;

export type EmittedOf<T> = T extends FieldType<unknown, unknown, infer Emitted> ? Emitted : never;

/** A row as code finds it. Every field may be NULL, which is null. */
export type RowOf<S extends Schema, L extends Longs = 'number'> = {
  readonly [Name in keyof S]: ValueOf<S[Name], L> | null;
};

/** A row as code may make it. */
export type EmittedRow<S extends Schema> = { readonly [Name in keyof S]: EmittedOf<S[Name]> | null };

function fieldType<Value, Exact = Value, Emitted = Value>(type: DataType): FieldType<Value, Exact, Emitted> {
  return Object.freeze({ type, text: formatType(type) });
}

export const boolean = fieldType<boolean>(types.boolean);
/** 32 bits. */
export const int = fieldType<number>(types.int);
/** 64 bits. */
export const long = fieldType<number, bigint, number | bigint>(types.long);
/** 32 bits. */
export const float = fieldType<number>(types.float);
export const double = fieldType<number>(types.double);
export const string = fieldType<string>(types.string);
export const bytes = fieldType<Uint8Array>(types.bytes);
/** `2026-11-23` */
export const date = fieldType<string>(types.date);
/** `12:30:00.000` */
export const time = fieldType<string>(types.time);
/** Milliseconds since 1970-01-01T00:00Z. */
export const timestamp = fieldType<number, number, number | Date>(types.timestamp);
/** The parsed value. */
export const json = fieldType<unknown>(types.json);

/** `precision` digits in all (at most 38), `scale` of them behind the point. In rows a string: `12.50`. */
export function decimal(precision: number, scale: number): FieldType<string, string, string | number | bigint> {
  return fieldType(types.decimal(precision, scale));
}

export function array<V, X, E>(
  element: FieldType<V, X, E>,
): FieldType<readonly (V | null)[], readonly (X | null)[], readonly (E | null)[]> {
  return fieldType(types.array(element.type));
}

export function map<KV, KX, KE, V, X, E>(
  key: FieldType<KV, KX, KE>,
  value: FieldType<V, X, E>,
): FieldType<ReadonlyMap<KV, V | null>, ReadonlyMap<KX, X | null>, ReadonlyMap<KE, E | null>> {
  return fieldType(types.map(key.type, value.type));
}

/** A row within a row; in rows an object. */
export function row<const S extends Schema>(fields: S): FieldType<RowOf<S>, RowOf<S, 'bigint'>, EmittedRow<S>> {
  return fieldType(types.row(Object.entries(fields).map(([name, { type }]) => ({ name, type }))));
}
