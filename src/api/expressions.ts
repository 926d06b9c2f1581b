/** SQL within TypeScript: text, of which the engine knows the type and TypeScript only what it can be told. */
import type { FieldType, long, Schema, timestamp } from './field-types.ts';

/** An SQL expression whose type the author states; that it is right is checked before anything runs. */
export interface TypedExpression<T extends FieldType = FieldType> {
  readonly sql: string;
  readonly type: T;
}

/** An SQL expression, alone or with its type. */
export type ExpressionText = string | TypedExpression;
export type Expressions = Readonly<Record<string, ExpressionText>>;

/** `typed('amount * 2', decimal(12, 2))`: gives the field its type in code that reads it. */
export function typed<T extends FieldType>(sql: string, type: T): TypedExpression<T> {
  return Object.freeze({ sql, type });
}

/** What is known of an expression: its stated type, or that of the field that it names. */
type TypeOf<S extends Schema, E> = E extends TypedExpression<infer T> ? T : E extends keyof S ? S[E] : FieldType;

/** Also what is known of an aggregate. */
type AggregateType<S extends Schema, E> = E extends `COUNT(${string}`
  ? typeof long
  : E extends 'WINDOW_START' | 'WINDOW_END'
    ? typeof timestamp
    : E extends `${'MIN' | 'MAX' | 'FIRST' | 'LAST'}(${infer Name})`
      ? TypeOf<S, Name>
      : TypeOf<S, E>;

export type Selected<S extends Schema, E extends Expressions> = {
  readonly [Name in keyof E & string]: TypeOf<S, E[Name]>;
};

export type Aggregated<S extends Schema, Key extends keyof S, E extends Expressions> = Pick<S, Key> & {
  readonly [Name in keyof E]: AggregateType<S, E[Name]>;
};

/** The fields that stay, then one element of each array. */
export type Flattened<S extends Schema, E extends Expressions> = Omit<S, keyof E> & {
  readonly [Name in keyof E]: TypeOf<S, E[Name]> extends FieldType<
    readonly (infer V)[],
    readonly (infer X)[],
    readonly (infer M)[]
  >
    ? FieldType<NonNullable<V>, NonNullable<X>, NonNullable<M>>
    : FieldType;
};
