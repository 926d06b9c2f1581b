import type { Expression, RowSchema } from '../../core/index.ts';

/** The JoinNode of a job graph. */
export interface JoinSpec {
  readonly stepId: string;
  readonly type: JoinType;
  /** Whether rows of an input are taken back. */
  readonly retracts?: true;
  readonly leftKeys: readonly number[];
  readonly rightKeys: readonly number[];
  readonly condition: Expression | null;
  readonly bounds: PairBounds | { readonly kind: 'temporal' } | null;
  readonly ttlMs: number | null;
  readonly left: RowSchema;
  readonly right: RowSchema;
  readonly output: RowSchema;
}

export type JoinType = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti';

/** Which times may meet. */
export type PairBounds =
  | { readonly kind: 'interval'; readonly beforeMs: number; readonly afterMs: number }
  | { readonly kind: 'window'; readonly sizeMs: number; readonly offsetMs: number };

/** The input that a row came by. */
export const Side = Object.freeze({ left: 0, right: 1 });
export type Side = (typeof Side)[keyof typeof Side];

/** Whether rows of a side leave alone, with NULLs for the other, where they have no partner. */
export function padsRows(type: JoinType, side: Side): boolean {
  return type === 'full' || type === (side === Side.left ? 'left' : 'right');
}

/** Whether what leaves are rows of the left alone. */
export function isOneSided(type: JoinType): boolean {
  return type === 'semi' || type === 'anti';
}

export function other(side: Side): Side {
  return side === Side.left ? Side.right : Side.left;
}

/** Whether rows of a side that have no partner leave at some time. */
export function staysAlone(type: JoinType, side: Side): boolean {
  return padsRows(type, side) || (type === 'anti' && side === Side.left);
}
