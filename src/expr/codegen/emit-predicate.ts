/**
 * A predicate inside somebody else's generated loop: pushed-down filters in decoders. compileTransform uses the same
 * emitter for its own filters.
 *
 * ```ts
 * const { statements, isTrue } = emitPredicate({
 *   builder, predicate, mode,
 *   column: (index) => arrayAccess(schema.fields[index].type, arraysOf(index), row, mode),
 *   needWide: code`break rows;`,
 * });
 * const body = code`rows: for (; row < count; row++) { …decode the fields…
 *   ${statements}
 *   if (!(${isTrue})) continue; // NULL and FALSE alike
 *   …keep the row…
 * }`;
 * ```
 *
 * - `statements` declare their own locals (fresh names of `builder`); they stand in the same block as the use of
 *   `isTrue`, once per place where the predicate is needed. `isTrue` is an expression without side effects.
 * - Narrow → wide: where a long or decimal of the computation leaves the safe integers, narrow code executes
 *   `needWide`, which must leave the row (break, continue or return; never fall through) and have the same row done
 *   again by code generated with mode `wide`. A narrow version also cannot start on a row one of whose long or decimal
 *   fields that the predicate reads is not safe: the caller takes the wide version for it, or for the whole batch.
 *   Wide code never executes `needWide`.
 * - Record errors (overflow, division by zero, a bad cast) are thrown as MillraceErrors of scope `record`: the caller
 *   knows its row and the step, catches outside of its loop, and goes on behind the row.
 * - Nothing of the user's text is in the source; literals are constants of `builder`. Pass it to build() afterwards.
 */
import type { Code, CodeBuilder, Expression } from '../../core/index.ts';
import type { ColumnAccess, Mode } from './column-access.ts';
import { ExpressionEmitter } from './expression-emitter.ts';

export interface PredicateSpec {
  readonly builder: CodeBuilder;
  /** Of type boolean. */
  readonly predicate: Expression;
  /** The access to the field that a column expression of this index names; asked once per field that is read. */
  readonly column: (index: number) => ColumnAccess;
  readonly mode: Mode;
  readonly needWide: Code;
}

export interface EmittedPredicate {
  readonly statements: Code;
  readonly isTrue: Code;
}

export function emitPredicate(spec: PredicateSpec): EmittedPredicate {
  const emitter = new ExpressionEmitter(spec);
  const isTrue = emitter.emitTruth(spec.predicate);
  return { statements: emitter.finish(), isTrue };
}
