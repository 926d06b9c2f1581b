/**
 * Typed expressions: what the checker of `expr` makes of SQL text, what the interpreter evaluates, and what code is
 * generated from. Plain data, so that job graphs carry them as JSON.
 *
 * Every implicit conversion is already an explicit `cast`; every call names one overload, whose parameter types equal
 * the types of its arguments.
 */
import type { DataType } from './types.ts';

export type Expression =
  | ColumnExpression
  | LiteralExpression
  | CallExpression
  | CaseExpression
  | CastExpression
  | LogicExpression
  | IsNullExpression
  | CoalesceExpression;

/** Field `index` of the input row. */
export interface ColumnExpression {
  readonly kind: 'column';
  readonly index: number;
  readonly name: string;
  readonly type: DataType;
}

export interface LiteralExpression {
  readonly kind: 'literal';
  readonly type: DataType;
  /** See literalValue in expr: bigints as decimal strings, bytes as hexadecimal digits, all else as in value.ts. */
  readonly value: LiteralValue;
}
export type LiteralValue = null | boolean | number | string | readonly LiteralValue[];

export interface CallExpression {
  readonly kind: 'call';
  /** The overload's id in the registry of `expr`, such as `add(long,long)`. */
  readonly overload: string;
  readonly args: readonly Expression[];
  readonly type: DataType;
}

/** The first branch whose condition is TRUE (not NULL, not FALSE) gives the value; only it is evaluated. */
export interface CaseExpression {
  readonly kind: 'case';
  readonly branches: readonly { readonly when: Expression; readonly then: Expression }[];
  readonly otherwise: Expression;
  readonly type: DataType;
}

/** CAST, or TRY_CAST where `safe`: a value that cannot be cast is a record error, or NULL. */
export interface CastExpression {
  readonly kind: 'cast';
  readonly arg: Expression;
  readonly safe: boolean;
  readonly type: DataType;
}

/** Kleene's three-valued AND, OR (two or more arguments, left to right, short-circuiting) and NOT (one). */
export interface LogicExpression {
  readonly kind: 'logic';
  readonly operator: 'and' | 'or' | 'not';
  readonly args: readonly Expression[];
  readonly type: DataType;
}

export interface IsNullExpression {
  readonly kind: 'is-null';
  readonly arg: Expression;
  readonly negated: boolean;
  readonly type: DataType;
}

/** The first argument that is not NULL; later ones are not evaluated. */
export interface CoalesceExpression {
  readonly kind: 'coalesce';
  readonly args: readonly Expression[];
  readonly type: DataType;
}

export type AggregateFunction =
  | 'count'
  | 'sum'
  | 'min'
  | 'max'
  | 'avg'
  /** By arrival; NULLs count as values. */
  | 'first'
  | 'last'
  | 'array-agg'
  /** Within an error that operators/aggregate/approximate says. */
  | 'approx-count-distinct'
  | 'approx-quantile';

/** One aggregate of a step: running or windowed. */
export interface AggregateCall {
  /** The output field. */
  readonly name: string;
  readonly function: AggregateFunction;
  /** Null for COUNT(*). */
  readonly argument: Expression | null;
  readonly distinct: boolean;
  /** FILTER (WHERE …). */
  readonly filter: Expression | null;
  /** Of approx-quantile: which one, from 0 (the least) to 1. */
  readonly quantile?: number;
  readonly type: DataType;
}

/** A step that works on one row at a time and remembers nothing; runs of these become one generated function. */
export type TransformStep =
  | {
      readonly kind: 'filter';
      readonly stepId: string;
      readonly predicate: Expression;
      /** One of the two rows of an update may pass without the other: they go on as a delete and an insert. */
      readonly splitsUpdates?: true;
    }
  | {
      readonly kind: 'select';
      readonly stepId: string;
      readonly fields: readonly { readonly name: string; readonly expression: Expression }[];
    }
  | {
      /** One row per element of each array, in order; several arrays advance together, shorter ones give NULL. */
      readonly kind: 'flat-map';
      readonly stepId: string;
      readonly fields: readonly { readonly name: string; readonly expression: Expression }[];
      /** Indexes of the input's fields that are kept, before the new ones. */
      readonly kept: readonly number[];
    };
