/** One call of a function or operator, and how its emitter falls back on the interpreter. */
import { code, joinCode } from '../../core/index.ts';
import type { Code, DataType, Expression } from '../../core/index.ts';
import type { CallTypes, Overload } from '../registry/overload.ts';
import type { ExpressionEmitter } from './expression-emitter.ts';
import { guarded } from './merge.ts';
import { operand } from './operand.ts';
import type { Operand } from './operand.ts';
import { missedFailure } from './runtime/missed-failure.ts';

/** One call, its arguments computed. */
export interface CallSite {
  readonly emitter: ExpressionEmitter;
  readonly overload: Overload;
  readonly types: CallTypes;
  /** Of a strict overload: not NULL where the emitter's code runs. */
  readonly args: readonly Operand[];
  /** The arguments' expressions, for those that can use what they are made of. */
  readonly expressions: readonly Expression[];
}

export interface CallEmitter {
  /** Emits what computes the call; returns null where it has nothing for these arguments or this mode. */
  readonly emit: (site: CallSite) => Operand | null;
  /**
   * The code neither fails nor needs wide nor costs much on the garbage of NULL arguments, so it need not be guarded.
   * Values of longs and decimals in wide mode, slices and objects are never garbage-proof.
   */
  readonly total: boolean;
}

/** The interpreter's own function, with its values. */
export function emitInterpreted(site: CallSite): Operand {
  const { emitter, overload, types } = site;
  const raw = emitter.bind(interpretedCall(site));
  if (!overload.nullable && overload.strict) return emitter.fromInterpreted(types.result, raw);
  return fromNullable(emitter, types.result, raw);
}

/** A value in the form of core/value.ts that may be null. The garbage of NULLs gets the type that values have. */
export function fromNullable(emitter: ExpressionEmitter, type: DataType, raw: Code): Operand {
  const isNull = emitter.bind(code`${raw} === null`);
  if (type.kind === 'array' || type.kind === 'map' || type.kind === 'row') return operand({ type, isNull, value: raw });
  const { block, result } = emitter.nested(() => emitter.fromInterpreted(type, raw));
  return guarded(emitter, isNull, { block, operand: result });
}

function interpretedCall({ emitter, overload, types, args }: CallSite): Code {
  const evaluate = emitter.builder.constant(overload.bind(types));
  const values = args.map((arg) => (overload.strict ? emitter.interpreted(arg) : emitter.interpretedOrNull(arg)));
  return code`${evaluate}(${joinCode(values, ', ')})`;
}

/** Ends the row with the error that the interpreter has for these arguments. */
export function failAsInterpreter(site: CallSite): Code {
  const { emitter } = site;
  const { block, result } = emitter.nested(() => interpretedCall(site));
  return code`${block.toCode()}\nthrow ${emitter.builder.constant(missedFailure)}(${result});`;
}
