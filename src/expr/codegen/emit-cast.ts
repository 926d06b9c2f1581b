/** Casts: numbers among each other and integers to text by generated code, all else by the interpreter's function. */
import { code } from '../../core/index.ts';
import type { CastExpression, Code, DataType } from '../../core/index.ts';
import { bindCast, castCanFail } from '../cast/cast.ts';
import { fromNullable } from './emit-call.ts';
import { castEmitters } from './emitters/casts.ts';
import type { ExpressionEmitter } from './expression-emitter.ts';
import { guarded } from './merge.ts';
import type { Operand } from './operand.ts';

/** One cast, its argument computed and not NULL. */
export interface CastSite {
  readonly emitter: ExpressionEmitter;
  readonly arg: Operand;
  readonly from: DataType;
  readonly to: DataType;
  /** TRY_CAST. Emitters of casts that can fail are not asked for these. */
  readonly safe: boolean;
}

/** Null where it has nothing for these types or this mode. */
export type CastEmitter = (site: CastSite) => Operand | null;

export function emitCast(emitter: ExpressionEmitter, expression: CastExpression): Operand {
  const arg = emitter.emit(expression.arg);
  const { type: to, safe } = expression;
  const site: CastSite = { emitter, arg: { ...arg, isNull: null }, from: expression.arg.type, to, safe };
  if (arg.isNull === null) return emitBody(site);
  const { block, result } = emitter.nested(() => emitBody(site));
  if (block.isEmpty) return { ...result, isNull: arg.isNull };
  return guarded(emitter, arg.isNull, { block, operand: result });
}

function emitBody(site: CastSite): Operand {
  const { emitter, from, to, safe } = site;
  const own = safe && castCanFail(from, to) ? null : castEmitters.get(`${from.kind} ${to.kind}`)?.(site);
  if (own !== null && own !== undefined) return own;
  const raw = emitter.bind(interpretedCast(site));
  return safe || from.kind === 'json' ? fromNullable(emitter, to, raw) : emitter.fromInterpreted(to, raw);
}

function interpretedCast({ emitter, arg, from, to, safe }: CastSite): Code {
  return code`${emitter.builder.constant(bindCast(from, to, safe))}(${emitter.interpreted(arg)})`;
}

/** Ends the row with the interpreter's error for this value. */
export function failCast(site: CastSite): Code {
  const { block, result } = site.emitter.nested(() => interpretedCast(site));
  return code`${block.toCode()}\nthrow ${site.emitter.builder.constant(missedFailure)}(${result});`;
}

function missedFailure(): Error {
  return new Error('generated code failed where the interpreter has a value');
}
